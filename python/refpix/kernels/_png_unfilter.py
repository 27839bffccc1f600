"""Rows of a PNG file to pixels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from refpix.errors import ImageError
from refpix.kernels._registry import Backend, kernel


def _paeth(left: int, above: int, corner: int) -> int:
    estimate = left + above - corner
    return min((left, above, corner), key=lambda value: abs(estimate - value))


@kernel
def png_unfilter(
    rows: npt.NDArray[np.uint8],
    *,
    pixel_bytes: int = 1,
    out: npt.NDArray[np.uint8] | None = None,
    backend: Backend = "auto",
) -> npt.NDArray[np.uint8]:
    """Undo the row filters of a PNG file: what inflating gives, to bytes of pixels.

    Args:
        rows: uint8 (H, 1 + bytes), per row the filter's number and the filtered bytes.
        pixel_bytes: of one pixel, 1 for 8-bit gray.
        out: optional uint8 (H, bytes) to fill.
        backend: which implementation.

    Returns:
        uint8 (H, bytes).

    Raises:
        ImageError: a filter's number is not 0..4; the item is the row.

    No CUDA implementation, and no threads: each byte depends on the one before it.

    Source: PNG (third edition), 9.2 (filter types for filter method 0).
    """
    height, size = rows.shape[0], rows.shape[1] - 1
    result = np.empty((height, size), np.uint8) if out is None else out
    above = [0] * size
    for y, row in enumerate(rows.tolist()):
        kind, values = row[0], row[1:]
        if kind > 4:
            raise ImageError("image_unrecognised", y, 0)
        for i in range(size):
            left = values[i - pixel_bytes] if i >= pixel_bytes else 0
            corner = above[i - pixel_bytes] if i >= pixel_bytes else 0
            mean = (left + above[i]) // 2
            guess = (0, left, above[i], mean, _paeth(left, above[i], corner))[kind]
            values[i] = (values[i] + guess) & 0xFF
        result[y] = above = values
    return result
