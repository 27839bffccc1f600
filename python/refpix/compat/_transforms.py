"""What the published transforms of several programs have in common: pictures, tensors, chains.

Pictures are PIL images, or NumPy uint8 (H, W, 3) RGB, which saves a copy; RGB goes through refpix's
kernels, with the pixels of Pillow and torchvision to the bit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from refpix.kernels import image_normalize, image_resize
from refpix.types import PassOrder

__all__ = ["Compose", "Normalize", "Picture", "Target", "ToTensor", "resized", "size_of"]

Pixels = npt.NDArray[np.uint8]
Picture = Image.Image | Pixels
Target = dict[str, Any]


def size_of(image: Picture) -> tuple[int, int]:
    """Width and height."""
    if isinstance(image, Image.Image):
        return image.size
    return image.shape[1], image.shape[0]


def resized(
    image: Picture,
    size: tuple[int, int],
    filter: Literal["bilinear", "bicubic"],
    order: PassOrder,
) -> Picture:
    """Pillow's antialiased resize to (height, width); a picture of that size may be itself."""
    if isinstance(image, Image.Image):
        if image.mode != "RGB":
            return image.resize(size[::-1], Image.Resampling[filter.upper()])
        pixels = resized(np.asarray(image), size, filter, order)
        assert isinstance(pixels, np.ndarray)
        return Image.fromarray(pixels)
    if image.shape[:2] == size:
        return np.ascontiguousarray(image)
    values = np.ascontiguousarray(image).reshape(-1)  # no copy of what was decoded here
    offsets, sizes = np.array([0, len(values)]), np.array([image.shape[:2]])
    return image_resize(values, offsets, sizes, out_size=size, filter=filter, order=order).reshape(
        *size, 3
    )


class ToTensor:
    """uint8 pictures to float32 (C, H, W) in 0..1."""

    def __call__(self, img: Picture, target: Target | None) -> tuple[torch.Tensor, Target | None]:
        """Converts the picture; the target stays."""
        pixels = np.array(img)
        if pixels.dtype != np.uint8:
            raise TypeError(f"pictures are uint8, here is {pixels.dtype}")
        planes = torch.from_numpy(pixels.reshape(*pixels.shape[:2], -1)).permute(2, 0, 1)
        return planes.contiguous().to(torch.float32).div(255), target


class Normalize(ABC):
    """Subtracts a mean, divides by a deviation, and makes fractions of the target's pixels."""

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        self.mean = mean
        self.std = std

    def __call__(
        self, image: torch.Tensor, target: Target | None = None
    ) -> tuple[torch.Tensor, Target | None]:
        """Normalises both."""
        mean = torch.tensor(self.mean, dtype=image.dtype).view(-1, 1, 1)
        std = torch.tensor(self.std, dtype=image.dtype).view(-1, 1, 1)
        height, width = image.shape[-2:]
        return (image - mean).div_(std), self._scaled(target, width, height)

    def from_pixels(self, image: Picture, target: Target | None) -> tuple[Any, Target | None]:
        """The same of an RGB picture, without `ToTensor` before."""
        (a, b, c), (d, e, f) = self.mean, self.std
        pixels = np.ascontiguousarray(image)[np.newaxis]
        planes = image_normalize(pixels, mean=(a, b, c), std=(d, e, f))[0]
        return torch.from_numpy(planes), self._scaled(target, *size_of(image))

    def _scaled(self, target: Target | None, width: int, height: int) -> Target | None:
        return None if target is None else self.scale_target(target.copy(), width, height)

    @abstractmethod
    def scale_target(self, target: Target, width: int, height: int) -> Target:
        """The target, which may be changed, in fractions; the picture's size is in pixels."""


class Compose:
    """One transform after another; ``ToTensor`` and ``Normalize`` on end are one step.

    Args:
        transforms: called with (image, target), each returns both.
    """

    def __init__(self, transforms: Sequence[Callable[..., Any]]) -> None:
        self.transforms = transforms

    def __call__(self, image: Any, target: Target | None) -> tuple[Any, Target | None]:
        """Applies them in turn."""
        steps = list(self.transforms)
        while steps:
            step = steps.pop(0)
            if type(step) is ToTensor and steps and _is_normalize(steps[0]) and _is_rgb(image):
                step = steps.pop(0).from_pixels  # type: ignore[attr-defined]
            image, target = step(image, target)
        return image, target

    def __repr__(self) -> str:
        lines = "".join(f"\n    {transform}" for transform in self.transforms)
        return f"{type(self).__name__}({lines}\n)"


def _is_normalize(step: object) -> bool:
    """Whether it is ours, and no subclass that does something else when called."""
    return isinstance(step, Normalize) and type(step).__call__ is Normalize.__call__


def _is_rgb(image: object) -> bool:
    if isinstance(image, Image.Image):
        return image.mode == "RGB"
    return isinstance(image, np.ndarray) and image.ndim == 3 and image.shape[2] == 3
