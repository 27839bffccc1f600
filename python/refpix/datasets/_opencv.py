"""What the published matting loaders have OpenCV do, to the bit, without OpenCV.

NumPy alone: 8-bit pictures only, all that the loaders need.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "box_dilate",
    "box_erode",
    "ellipse_range",
    "resize_linear",
    "resize_nearest",
    "warp_affine",
]

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
        return image.copy()
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


def box_dilate(mask: npt.NDArray[np.bool_], size: int) -> npt.NDArray[np.bool_]:
    """OpenCV's ``dilate`` of a binary mask (H, W) by a square of ``size`` pixels."""
    counts = mask.astype(np.int32)
    for axis in (0, 1):
        counts = _window_sums(counts, size, axis)
    grown: npt.NDArray[np.bool_] = counts > 0
    return grown


def box_erode(mask: npt.NDArray[np.bool_], size: int) -> npt.NDArray[np.bool_]:
    """OpenCV's ``erode`` of a binary mask (H, W); pixels beyond the picture are left out."""
    return ~box_dilate(~mask, size)


def _window_sums(values: npt.NDArray[np.int32], size: int, axis: int) -> npt.NDArray[np.int32]:
    count = values.shape[axis]
    shape = list(values.shape)
    shape[axis] = count + 1
    total = np.zeros(shape, np.int32)
    np.cumsum(values, axis=axis, out=total[1:] if axis == 0 else total[:, 1:])
    start = np.arange(count) - size // 2
    sums: npt.NDArray[np.int32] = total.take(np.clip(start + size, 0, count), axis=axis)
    return sums - total.take(np.clip(start, 0, count), axis=axis)


def ellipse_range(plane: Pixels, size: int, iterations: int = 1) -> tuple[Pixels, Pixels]:
    """OpenCV's ``erode`` and ``dilate`` of a plane by its ellipse of ``size`` pixels.

    Args:
        plane: uint8 (H, W).
        size: of the ellipse; even sizes are not symmetric.
        iterations: how often.

    Returns:
        Least and greatest value around each pixel, uint8 (H, W); beyond the plane is nothing.
    """
    most, least = plane, ~plane
    for _ in range(iterations):
        most, least = _ellipse_max(most, size), _ellipse_max(least, size)
    return ~least, most


def _ellipse_max(plane: Pixels, size: int) -> Pixels:
    radius = size // 2
    height, width = plane.shape
    padded = np.zeros((height + 2 * radius, width + 2 * radius), np.uint8)
    padded[radius : radius + height, radius : radius + width] = plane
    out = np.zeros_like(plane)
    rows: dict[int, Pixels] = {}
    for dy in range(-radius, size - radius):
        reach = int(np.rint(np.sqrt(radius**2 - dy**2)))
        if reach not in rows:
            last = min(reach, size - 1 - radius)
            shifts = [padded[:, radius + dx :][:, :width] for dx in range(-reach, last + 1)]
            rows[reach] = np.maximum.reduce(shifts)
        np.maximum(out, rows[reach][radius + dy :][:height], out=out)
    return out


def warp_affine(image: Pixels, matrix: npt.NDArray[np.float64], *, nearest: bool = False) -> Pixels:
    """Moves a picture by an affine map; what comes from beyond it is 0.

    Bilinear by float weights: not to the bit of OpenCV, whose weights have five fractional bits.

    Args:
        image: uint8 (H, W) or (H, W, C).
        matrix: (2, 3); where pixel (x, y) of the result comes from: ``matrix @ (x, y, 1)``.
        nearest: take the nearest pixel.
    """
    height, width = image.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    (a, b, c), (d, e, f) = matrix.astype(np.float32)
    from_x, from_y = a * x + b * y + c, d * x + e * y + f
    padded = np.pad(image, ((1, 1), (1, 1), *[(0, 0)] * (image.ndim - 2)))

    def pixels(at_y: npt.NDArray[Any], at_x: npt.NDArray[Any]) -> Pixels:
        found: Pixels = padded[
            np.clip(at_y + 1, 0, height + 1).astype(np.int64),
            np.clip(at_x + 1, 0, width + 1).astype(np.int64),
        ]
        return found

    if nearest:
        return pixels(np.rint(from_y), np.rint(from_x))
    left, top = np.floor(from_x), np.floor(from_y)
    u, v = from_x - left, from_y - top
    if image.ndim == 3:
        u, v = u[..., None], v[..., None]
    upper = pixels(top, left) * (1 - u) + pixels(top, left + 1) * u
    lower = pixels(top + 1, left) * (1 - u) + pixels(top + 1, left + 1) * u
    out: Pixels = np.clip(np.rint(upper * (1 - v) + lower * v), 0, 255).astype(np.uint8)
    return out
