"""The positioning transform: a picture and its target to a tensor and the target that fits it.

Pictures are PIL images, or NumPy uint8 (H, W, 3) RGB. Targets are dictionaries of tensors.

Source: RefHCM, utils/transforms.py.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import torch

from refpix.compat import _transforms
from refpix.compat._transforms import Compose, Picture, Target, ToTensor, resized, size_of
from refpix.types import PassOrder

__all__ = ["Compose", "Normalize", "RandomResize", "ToTensor", "resize"]

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
    width, height = size_of(image)
    new_height, new_width = _new_size(width, height, size, max_size)
    pixels = resized(image, (new_height, new_width), "bicubic", order)
    if target is None:
        return pixels
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
    return pixels, target


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


class Normalize(_transforms.Normalize):
    """Subtracts a mean, divides by a deviation, and makes fractions of the target's pixels.

    Args:
        mean: per channel.
        std: per channel.
        max_image_size: divisor of boxes and keypoints.
    """

    def __init__(
        self, mean: Sequence[float], std: Sequence[float], max_image_size: int = 512
    ) -> None:
        super().__init__(mean, std)
        self.max_image_size = max_image_size

    def scale_target(self, target: Target, width: int, height: int) -> Target:
        """The target in fractions; ``size`` stays in pixels."""
        for key in ("boxes", "keypoints"):
            if key in target:
                target[key] = target[key] / self.max_image_size
        if "polygons" in target:
            polygons = target["polygons"]
            width_height = target["size"].to(torch.float32).flip(0)
            target["polygons"] = polygons / width_height.repeat(polygons.shape[1] // 2)
        return target
