"""Windows of pictures, all of one size."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from refpix.errors import ImageError
from refpix.kernels._registry import Backend, kernel


@kernel
def image_crop(
    images: npt.NDArray[Any],
    corners: npt.NDArray[np.int64],
    *,
    size: tuple[int, int],
    pad: float | None = None,
    out: npt.NDArray[Any] | None = None,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> npt.NDArray[Any]:
    """Take a window of each picture, mask or matte of a batch, each at its own place.

    Args:
        images: uint8, float32 or int32 (n, H, W) or (n, H, W, C), C-contiguous.
        corners: int64 (n, 2), y and x of each window's first pixel.
        size: height and width of the windows in pixels.
        pad: value of what lies outside the pictures; None: windows must lie inside.
        out: optional array of the images' type, (n, *size) or (n, *size, C), to fill, on other
            memory.
        num_threads: threads to use at most.
        backend: which implementation. ``cuda``: one pass, nothing is waited for.

    Returns:
        An array of the images' type, (n, *size) or (n, *size, C).

    Raises:
        ImageError: without ``pad``, a window that is not inside (``image_bad_roi``); names the
            item.
        ValueError: wrong shapes, or a ``pad`` that the images' type does not have.

    Source: torchvision, ``crop`` (which pads with 0).
    """
    (height, width), (in_height, in_width) = size, images.shape[1:3]
    shape = (len(images), height, width, *images.shape[3:])
    result = np.empty(shape, images.dtype) if out is None else out
    for item, (y, x) in enumerate(corners.tolist()):
        inside = 0 <= y <= in_height - height and 0 <= x <= in_width - width
        if pad is None and not inside:
            raise ImageError("image_bad_roi", item)
    for item, (y, x) in enumerate(corners.tolist()):
        window = images[item, max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)]
        top, left = max(-y, 0), max(-x, 0)
        if pad is not None:
            result[item] = pad
        rows, columns = window.shape[:2]
        result[item, top : top + rows, left : left + columns] = window
    return result
