"""OpenCV's affine warp of 8-bit pictures, to the bit, without OpenCV.

That of OpenCV 2 to 4.10: coordinates in steps of 1/32 pixel, weights in integers. Later versions
compute bilinear warps in floating point, a few levels away.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Warp", "line_of_pixels"]

Pixels = npt.NDArray[np.uint8]

_BITS = 10  # of the fraction that coordinates are summed with
_STEPS = 32  # per pixel that weights know


class Warp:
    """An affine map of pictures of one size to that same size; beyond the picture there is 0.

    Args:
        matrix: float64 (2, 3), from input (x, y, 1) to output (x, y).
        size: height and width of the pictures in pixels.

    Source: OpenCV 4.10, modules/imgproc/src/imgwarp.cpp (warpAffine, remap, BORDER_CONSTANT).
    """

    def __init__(self, matrix: npt.NDArray[np.float64], size: tuple[int, int]) -> None:
        self.size = size
        (xx, xy, x0), (yx, yy, y0) = _inverse(matrix)
        height, width = size
        rows, columns = np.arange(height, dtype=np.float64), np.arange(width, dtype=np.float64)
        self._x = _fixed(xy * rows + x0)[:, None] + _fixed(xx * columns)
        self._y = _fixed(yy * rows + y0)[:, None] + _fixed(yx * columns)

    def nearest(self, plane: Pixels) -> Pixels:
        """``INTER_NEAREST`` of uint8 (H, W)."""
        height, width = self.size
        half = 1 << (_BITS - 1)
        x, y = (self._x + half) >> _BITS, (self._y + half) >> _BITS
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        picked = np.take(plane.reshape(-1), np.where(inside, y * width + x, 0))
        picked[~inside] = 0
        return picked

    def linear(self, image: Pixels) -> Pixels:
        """``INTER_LINEAR`` of uint8 (H, W, C)."""
        height, width = self.size
        shift = _BITS - 5
        x, y = (self._x + (1 << (shift - 1))) >> shift, (self._y + (1 << (shift - 1))) >> shift
        u, v = (x % _STEPS).astype(np.int32)[..., None], (y % _STEPS).astype(np.int32)[..., None]
        x, y = x // _STEPS, y // _STEPS
        reached = (x >= -1) & (x < width) & (y >= -1) & (y < height)
        framed = np.pad(image, ((1, 1), (1, 1), (0, 0))).reshape(-1, image.shape[2])
        line = width + 2
        first = np.where(reached, (y + 1) * line + x + 1, 0)
        total = framed[first] * ((_STEPS - u) * (_STEPS - v))
        total += framed[first + 1] * (u * (_STEPS - v))
        total += framed[first + line] * ((_STEPS - u) * v)
        total += framed[first + line + 1] * (u * v)
        warped: Pixels = ((total + _STEPS * _STEPS // 2) // (_STEPS * _STEPS)).astype(np.uint8)
        warped[~reached] = 0
        return warped


def _inverse(matrix: npt.NDArray[np.float64]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Rows of the inverse map, operation for operation as OpenCV computes them."""
    a, b, c, d, e, f = matrix.reshape(-1).tolist()
    scale = a * e - b * d
    scale = 1.0 / scale if scale != 0 else 0.0
    xx, xy, yx, yy = e * scale, b * -scale, d * -scale, a * scale
    return (xx, xy, -xx * c - xy * f), (yx, yy, -yx * c - yy * f)


def _fixed(values: npt.NDArray[Any]) -> Any:
    return np.rint(values * (1 << _BITS)).astype(np.int64)


def line_of_pixels(start: tuple[int, int], stop: tuple[int, int]) -> list[tuple[int, int]]:
    """The pixels (x, y) of a line one pixel wide, both ends included.

    Source: OpenCV, modules/imgproc/src/drawing.cpp (line, 8-connected), from left to right.
    """
    (x, y), (x1, y1) = (start, stop) if start[0] <= stop[0] else (stop, start)
    dx, dy = x1 - x, y1 - y
    up, most = (1 if dy >= 0 else -1), max(dx, abs(dy))
    if most == 0:
        return [(x, y)]

    def steps(minor: int, i: int) -> int:
        return (2 * i * minor + most - 1) // (2 * most)

    if dx == most:
        return [(x + i, y + up * steps(abs(dy), i)) for i in range(most + 1)]
    return [(x + steps(dx, i), y + up * i) for i in range(most + 1)]
