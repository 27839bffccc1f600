"""The published transforms as one step each: from a picture to a normalised tensor.

Random choices come from the same calls of torch's generator in the same order as torchvision's, and
pixels are those of Pillow to the bit. `RandAugment` is the package ``randaugment``'s.

Source: Generalized-Long-Tailed-Benchmarks, data/DT_COCO_LT.py; torchvision, transforms.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from refpix.compat._transforms import resized
from refpix.kernels import image_normalize

__all__ = ["TestTransform", "TrainTransform", "draw_crop", "load_randaugment"]

Pixels = npt.NDArray[np.uint8]

SIDE = 112
TEST_SIDE = 128
SCALE = (0.5, 1.0)
RATIO = (3 / 4, 4 / 3)
_ATTEMPTS = 10


def load_randaugment() -> Callable[[Image.Image], Image.Image]:
    """The augmentation that ``rand_aug=True`` asks for.

    Raises:
        ImportError: the package is not installed.
    """
    try:
        from randaugment import RandAugment
    except ImportError as e:
        raise ImportError(
            "rand_aug=True needs the package that the published program takes: "
            "pip install randaugment; or give transform="
        ) from e
    augment: Callable[[Image.Image], Image.Image] = RandAugment()
    return augment


def draw_crop(height: int, width: int) -> tuple[int, int, int, int]:
    """Top, left, height and width of torchvision's random crop, by the same draws."""
    low, high = torch.log(torch.tensor(RATIO)).tolist()
    for _ in range(_ATTEMPTS):
        area = height * width * torch.empty(1).uniform_(*SCALE).item()
        ratio = torch.exp(torch.empty(1).uniform_(low, high)).item()
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            top = int(torch.randint(0, height - h + 1, size=(1,)).item())
            return top, int(torch.randint(0, width - w + 1, size=(1,)).item()), h, w
    w, h = width, height
    if width / height < RATIO[0]:
        h = round(w / RATIO[0])
    elif width / height > RATIO[1]:
        w = round(h * RATIO[1])
    return (height - h) // 2, (width - w) // 2, h, w


class _Transform:
    def __init__(self, rgb_mean: Sequence[float], rgb_std: Sequence[float]) -> None:
        self.rgb_mean, self.rgb_std = rgb_mean, rgb_std

    def _tensor(self, image: Pixels) -> torch.Tensor:
        (a, b, c), (d, e, f) = self.rgb_mean, self.rgb_std
        batch = np.ascontiguousarray(image)[np.newaxis]
        return torch.from_numpy(image_normalize(batch, mean=(a, b, c), std=(d, e, f))[0])


class TrainTransform(_Transform):
    """A random crop to 112 x 112, mirrored or not, perhaps augmented.

    Args:
        rgb_mean: per channel, of values in 0..1.
        rgb_std: likewise.
        augment: from picture to picture; None for none.
    """

    def __init__(
        self,
        rgb_mean: Sequence[float],
        rgb_std: Sequence[float],
        augment: Callable[[Image.Image], Image.Image] | None = None,
    ) -> None:
        super().__init__(rgb_mean, rgb_std)
        self.augment = augment

    def __call__(self, image: Image.Image | Pixels) -> torch.Tensor:
        """The tensor of a picture: float32 (3, 112, 112)."""
        pixels = np.asarray(image)
        top, left, h, w = draw_crop(*pixels.shape[:2])
        pixels = _resized(pixels[top : top + h, left : left + w], SIDE, SIDE)
        if torch.rand(1) < 0.5:
            pixels = pixels[:, ::-1]
        if self.augment is not None:
            pixels = np.asarray(self.augment(Image.fromarray(np.ascontiguousarray(pixels))))
        return self._tensor(pixels)


class TestTransform(_Transform):
    """The shorter side to 128, and the middle 112 x 112."""

    __test__ = False  # nothing that pytest should collect

    def __call__(self, image: Image.Image | Pixels) -> torch.Tensor:
        """The tensor of a picture: float32 (3, 112, 112)."""
        pixels = np.asarray(image)
        height, width = pixels.shape[:2]
        if width <= height:
            size = (int(TEST_SIDE * height / width), TEST_SIDE)
        else:
            size = (TEST_SIDE, int(TEST_SIDE * width / height))
        pixels = _resized(pixels, *size)
        top, left = (round((side - SIDE) / 2) for side in size)
        return self._tensor(pixels[top : top + SIDE, left : left + SIDE])


def _resized(pixels: Pixels, height: int, width: int) -> Pixels:
    return np.asarray(resized(pixels, (height, width), "bilinear", "auto"))
