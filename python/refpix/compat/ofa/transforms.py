"""The positioning transform: a picture and its target to a tensor and the target that fits it.

Pictures are PIL images, or NumPy uint8 (H, W, 3) RGB to save a copy; RGB goes through refpix's
kernels, with the pixels of Pillow and torchvision to the bit. Targets are dictionaries of tensors.

Source: RefHCM, utils/transforms.py.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from refpix.compat.ofa import _pixels
from refpix.types import PassOrder

__all__ = ["Compose", "Normalize", "RandomResize", "ToTensor", "resize"]

Target = dict[str, Any]
Picture = Image.Image | npt.NDArray[np.uint8]
Size = int | Sequence[int]


def resize(
    image: Picture,
    target: Target | None,
    size: Size,
    max_size: int | None = None,
    *,
    order: PassOrder = "auto",
) -> Any:
    """Resizes a picture (bicubic) and what its target says in pixels.

    Args:
        image: the picture.
        target: may hold ``boxes`` (n, 4), ``keypoints`` and ``polygons`` (n, 2 k), all float32 x
            and y in turn, ``area`` (n,); gets ``size``, int64 (height, width). Not modified.
        size: (width, height), or what the short side becomes.
        max_size: then limits both sides, each on its own: the aspect ratio is not kept.
        order: of the two passes of the resize.

    Returns:
        (picture, target), or the picture alone where there is no target, as published.

    Raises:
        ValueError: the target holds masks, which the published program does not resize either.
    """
    width, height = _size_of(image)
    new_height, new_width = _new_size(width, height, size, max_size)
    resized = _resized(image, (new_height, new_width), order)
    if target is None:
        return resized
    if "masks" in target:
        raise ValueError("masks cannot be resized with the picture")
    ratios = new_width / width, new_height / height
    target = target.copy()
    for key in ("boxes", "keypoints", "polygons"):
        if key in target:
            points = target[key]
            target[key] = points * torch.tensor(ratios * (points.shape[1] // 2))
    if "area" in target:
        target["area"] = target["area"] * (ratios[0] * ratios[1])
    target["size"] = torch.tensor([new_height, new_width])
    return resized, target


def _size_of(image: Picture) -> tuple[int, int]:
    if isinstance(image, Image.Image):
        return image.size
    return image.shape[1], image.shape[0]


def _new_size(width: int, height: int, size: Size, max_size: int | None) -> tuple[int, int]:
    """Height and width after the resize."""
    if not isinstance(size, int):
        new_width, new_height = size
        return new_height, new_width
    short = min(width, height)
    if short == size:
        new_width, new_height = width, height
    elif width < height:
        new_width, new_height = size, int(size * height / width)
    else:
        new_width, new_height = int(size * width / height), size
    limit = max(new_width, new_height) if max_size is None else int(max_size)
    return min(new_height, limit), min(new_width, limit)


def _resized(image: Picture, size: tuple[int, int], order: PassOrder) -> Picture:
    if not isinstance(image, Image.Image):
        return _pixels.resize(image, size, order)
    if image.mode != "RGB":
        return image.resize(size[::-1], Image.Resampling.BICUBIC)
    return Image.fromarray(_pixels.resize(np.asarray(image), size, order))


class RandomResize:
    """Resizes the short side to one of several sizes, drawn with ``random.choice``.

    Args:
        sizes: to draw from.
        max_size: limit of both sides.
        equal: both sides become the size drawn: ``max_size`` is then that size.
        order: of the two passes of the resize.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        max_size: int | None = None,
        equal: bool = False,
        *,
        order: PassOrder = "auto",
    ) -> None:
        self.sizes = sizes
        self.max_size = max_size
        self.equal = equal
        self.order: PassOrder = order

    def __call__(self, img: Picture, target: Target | None = None) -> Any:
        """Resizes both; see ``resize``."""
        # Drawn even from a single size: the published program does, and its stream shall be kept.
        size = random.choice(self.sizes)
        return resize(img, target, size, size if self.equal else self.max_size, order=self.order)


class ToTensor:
    """uint8 pictures to float32 (C, H, W) in 0..1."""

    def __call__(self, img: Picture, target: Target | None) -> tuple[torch.Tensor, Target | None]:
        """Converts the picture; the target stays."""
        pixels = np.array(img)
        if pixels.dtype != np.uint8:
            raise TypeError(f"pictures are uint8, here is {pixels.dtype}")
        planes = torch.from_numpy(pixels.reshape(*pixels.shape[:2], -1)).permute(2, 0, 1)
        return planes.contiguous().to(torch.float32).div(255), target


class Normalize:
    """Subtracts a mean, divides by a deviation, and makes fractions of the target's pixels.

    Args:
        mean: per channel.
        std: per channel.
        max_image_size: divisor of boxes and keypoints.
    """

    def __init__(
        self, mean: Sequence[float], std: Sequence[float], max_image_size: int = 512
    ) -> None:
        self.mean = mean
        self.std = std
        self.max_image_size = max_image_size

    def __call__(
        self, image: torch.Tensor, target: Target | None = None
    ) -> tuple[torch.Tensor, Target | None]:
        """Normalises both."""
        mean = torch.tensor(self.mean, dtype=image.dtype).view(-1, 1, 1)
        std = torch.tensor(self.std, dtype=image.dtype).view(-1, 1, 1)
        return (image - mean).div_(std), self.scale_target(target)

    def scale_target(self, target: Target | None) -> Target | None:
        """The target in fractions; ``size`` stays in pixels."""
        if target is None:
            return None
        target = target.copy()
        for key in ("boxes", "keypoints"):
            if key in target:
                target[key] = target[key] / self.max_image_size
        if "polygons" in target:
            polygons = target["polygons"]
            width_height = target["size"].to(torch.float32).flip(0)
            target["polygons"] = polygons / width_height.repeat(polygons.shape[1] // 2)
        return target


class Compose:
    """One transform after another; ``ToTensor`` and ``Normalize`` on end are one step.

    Args:
        transforms: called with (image, target), each returns both.
    """

    def __init__(self, transforms: Sequence[Callable[..., Any]]) -> None:
        self.transforms = transforms

    def __call__(self, image: Any, target: Target | None) -> tuple[Any, Target | None]:
        """Applies them in turn."""
        steps: list[Any] = list(self.transforms)
        while steps:
            step = steps.pop(0)
            after = steps[0] if steps else None
            if type(step) is ToTensor and type(after) is Normalize and _is_rgb(image):
                steps.pop(0)
                planes = _pixels.normalise(np.asarray(image), after.mean, after.std)
                image, target = torch.from_numpy(planes), after.scale_target(target)
            else:
                image, target = step(image, target)
        return image, target

    def __repr__(self) -> str:
        lines = "".join(f"\n    {transform}" for transform in self.transforms)
        return f"{type(self).__name__}({lines}\n)"


def _is_rgb(image: Any) -> bool:
    if isinstance(image, Image.Image):
        return image.mode == "RGB"
    return isinstance(image, np.ndarray) and image.ndim == 3 and image.shape[2] == 3
