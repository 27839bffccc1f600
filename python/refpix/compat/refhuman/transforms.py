"""The transforms: a picture and its target, flipped, cropped, resized, normalised.

Pictures are PIL images, or NumPy uint8 (H, W, 3) RGB. Targets are dictionaries of tensors; none is
modified. Random choices come from the same calls, of ``random`` and ``torch``, in the published
order.

Source: RefHuman, datasets/transforms.py.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import torch

from refpix.compat import _transforms
from refpix.compat._transforms import Picture, Target, ToTensor, size_of
from refpix.compat.refhuman.cures import Cures
from refpix.compat.refhuman.geometry import PUBLISHED, crop, hflip, resize
from refpix.types import PassOrder

__all__ = [
    "Compose",
    "Normalize",
    "RandomHorizontalFlip",
    "RandomResize",
    "RandomSelect",
    "RandomSizeCrop",
    "ToTensor",
    "crop",
    "hflip",
    "resize",
]

Transform = Callable[[Any, Any], tuple[Any, Any]]


class RandomHorizontalFlip:
    """Mirrors with a probability; see `hflip`."""

    def __init__(self, p: float = 0.5, *, cures: Cures = PUBLISHED) -> None:
        self.p = p
        self.cures = cures

    def __call__(self, img: Picture, target: Target) -> tuple[Picture, Target]:
        """Draws, and mirrors or not."""
        if random.random() < self.p:
            return hflip(img, target, cures=self.cures)
        return img, target


class RandomResize:
    """Resizes to one of several sizes, drawn with ``random.choice``; see `resize`."""

    def __init__(
        self,
        sizes: Sequence[int],
        max_size: int | None = None,
        *,
        order: PassOrder = "auto",
        cures: Cures = PUBLISHED,
    ) -> None:
        self.sizes = sizes
        self.max_size = max_size
        self.order: PassOrder = order
        self.cures = cures

    def __call__(self, img: Picture, target: Target | None = None) -> Any:
        """Draws a size and resizes."""
        size = random.choice(self.sizes)
        return resize(img, target, size, self.max_size, order=self.order, cures=self.cures)


class RandomSizeCrop:
    """Cuts out a region of random size and place; see `crop`.

    Args:
        min_size: of either side, pixels.
        max_size: of either side.
        cures: which quirks not to have.
    """

    def __init__(self, min_size: int, max_size: int, *, cures: Cures = PUBLISHED) -> None:
        self.min_size = min_size
        self.max_size = max_size
        self.cures = cures

    def __call__(self, img: Picture, target: Target) -> tuple[Picture, Target]:
        """Draws width and height from ``random``, row and column from torch."""
        full_width, full_height = size_of(img)
        width = random.randint(self.min_size, min(full_width, self.max_size))
        height = random.randint(self.min_size, min(full_height, self.max_size))
        top = left = 0
        if (width, height) != (full_width, full_height):
            top = int(torch.randint(0, full_height - height + 1, size=(1,)).item())
            left = int(torch.randint(0, full_width - width + 1, size=(1,)).item())
        return crop(img, target, (top, left, height, width), cures=self.cures)


class RandomSelect:
    """One of two transforms, the first with probability ``p``."""

    def __init__(self, transforms1: Transform, transforms2: Transform, p: float = 0.5) -> None:
        self.transforms1 = transforms1
        self.transforms2 = transforms2
        self.p = p

    def __call__(self, img: Picture, target: Target) -> tuple[Any, Any]:
        """Draws, and applies one."""
        first = random.random() < self.p
        return self.transforms1(img, target) if first else self.transforms2(img, target)


class Normalize(_transforms.Normalize):
    """Subtracts a mean, divides by a deviation, and makes fractions of the target's pixels.

    Args:
        mean: per channel.
        std: per channel.
        eval_mode: accepted as published; it changes nothing.
        official_coco: keep the first axis of a single person's scribble.
        cures: which quirks not to have.
    """

    def __init__(
        self,
        mean: Sequence[float],
        std: Sequence[float],
        eval_mode: bool = False,
        official_coco: bool = False,
        *,
        cures: Cures = PUBLISHED,
    ) -> None:
        super().__init__(mean, std)
        self.eval_mode = eval_mode
        self.official_coco = official_coco
        self.cures = cures

    def scale_target(self, target: Target, width: int, height: int) -> Target:
        """The target in fractions of a picture's size; scribbles and sizes stay in pixels."""
        if "boxes" in target:
            x0, y0, x1, y1 = target["boxes"].unbind(-1)
            boxes = torch.stack([(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0], dim=-1)
            target["boxes"] = boxes / torch.tensor([width, height] * 2, dtype=torch.float32)
        if "area" in target:
            sides = torch.tensor([width, height], dtype=torch.float32)
            target["area"] = target["area"] / (sides[0] * sides[1])
        if "keypoints" in target:
            points, flags = target["keypoints"][..., :2], target["keypoints"][..., 2]
            sides = torch.tensor([width, height], dtype=torch.float32)
            flags = torch.where(flags == 2, torch.ones_like(flags), flags)
            target["keypoints"] = torch.cat([(points / sides).flatten(1), flags], dim=1)
        if "scribble" in target:
            scribble = target["scribble"]
            limit = torch.tensor([width - 1, height - 1], dtype=scribble.dtype)
            scribble = torch.min(scribble.clamp(min=0), limit).floor()
            keep_axis = self.official_coco or self.cures.keep_scribble_axis
            target["scribble"] = scribble if keep_axis else scribble.squeeze(0)
        return target


class Compose(_transforms.Compose):
    """One transform after another; ``ToTensor`` and ``Normalize`` on end are one step."""

    @property
    def takes_runs(self) -> bool:
        """Whether masks may come as run lengths: all steps are this module's, and one resizes."""
        return all(map(_is_ours, self.transforms)) and any(map(_resizes, self.transforms))


def _inner(step: Any) -> list[Any]:
    return [step.transforms1, step.transforms2] if type(step) is RandomSelect else step.transforms


def _is_ours(step: Any) -> bool:
    if type(step) in (RandomSelect, Compose):
        return all(map(_is_ours, _inner(step)))
    return type(step) in (RandomHorizontalFlip, RandomResize, RandomSizeCrop, ToTensor, Normalize)


def _resizes(step: Any) -> bool:
    if type(step) is RandomSelect:
        return all(map(_resizes, _inner(step)))
    return (
        any(map(_resizes, step.transforms)) if type(step) is Compose else type(step) is RandomResize
    )
