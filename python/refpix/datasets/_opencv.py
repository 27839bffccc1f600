"""What the published matting loaders have OpenCV do, to the bit, without OpenCV.

NumPy alone: 8-bit pictures only, all that the loaders need.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["resize_linear", "resize_nearest"]

Pixels = npt.NDArray[np.uint8]

_ONE = 2048  # weights have 11 fractional bits


def resize_linear(image: Pixels, size: tuple[int, int]) -> Pixels:
    """OpenCV's ``resize`` with ``INTER_LINEAR``: two taps each way, no antialiasing.

    Args:
        image: uint8 (H, W) or (H, W, C).
        size: height and width of the result in pixels.

    Returns:
        uint8, (h, w) or (h, w, C). Halving both sides averages four pixels, as OpenCV does.

    Source: OpenCV, modules/imgproc/src/resize.cpp (fixed-point bilinear of 8-bit images).
    """
    height, width = image.shape[:2]
    new_height, new_width = size
    if (height, width) == size:
        same: Pixels = image.copy()
        return same
    if (height, width) == (2 * new_height, 2 * new_width):
        total = image.astype(np.uint16)
        total = total[0::2] + total[1::2]
        halved: Pixels = ((total[:, 0::2] + total[:, 1::2] + 2) >> 2).astype(np.uint8)
        return halved
    left, rest = _taps(width, new_width)
    rest[(left < 0) | (left >= width - 1)] = 0  # columns beyond the edge repeat it
    left = np.clip(left, 0, width - 1)
    top, below = _taps(height, new_height)  # of rows, both taps are clipped instead
    rows, which = np.unique(np.clip([top, top + 1], 0, height - 1), return_inverse=True)
    first, second = which.reshape(2, new_height)
    source = image[rows].reshape(len(rows), width, -1)
    u, v = _weights(rest)
    lines = source[:, left] * u[:, None] + source[:, np.minimum(left + 1, width - 1)] * v[:, None]
    lines >>= 4
    u, v = _weights(below)
    total = (u[:, None, None] * lines[first]) >> 16
    total += (v[:, None, None] * lines[second]) >> 16
    total = (total + 2) >> 2
    out: Pixels = np.clip(total, 0, 255).astype(np.uint8)
    return out.reshape(new_height, new_width, *image.shape[2:])


def resize_nearest(image: Pixels, size: tuple[int, int]) -> Pixels:
    """OpenCV's ``resize`` with ``INTER_NEAREST``: of uint8 (H, W) or (H, W, C)."""
    steps = []
    for old, new in zip(image.shape, size, strict=False):
        at = np.floor(np.arange(new) * (1 / (new / old))).astype(np.int64)
        steps.append(np.minimum(at, old - 1))
    picked: Pixels = image[steps[0]][:, steps[1]]
    return picked


def _taps(old: int, new: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """First of the two input pixels of each output pixel, and the second's weight."""
    at = ((np.arange(new) + 0.5) * (1 / (new / old)) - 0.5).astype(np.float32)
    first = np.floor(at)
    return first.astype(np.int64), at - first


def _weights(rest: npt.NDArray[np.float32]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    scale = np.float32(_ONE)
    return (
        np.rint((np.float32(1) - rest) * scale).astype(np.int32),
        np.rint(rest * scale).astype(np.int32),
    )
