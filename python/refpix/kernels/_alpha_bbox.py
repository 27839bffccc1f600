"""Boxes around mattes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from refpix.kernels._registry import Backend, kernel


@kernel
def alpha_bbox(
    mattes: npt.NDArray[np.uint8],
    *,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> npt.NDArray[np.int64]:
    """The box around what is not zero, per matte.

    Args:
        mattes: uint8 (n, H, W).
        num_threads: threads to use at most; each takes whole mattes.
        backend: which implementation.

    Returns:
        int64 (n, 4), x, y, width, height in pixels; zeros for an empty matte.

    No CUDA implementation: it reads the edges of a matte only, and mattes come from decoders on
    the host.

    Source: OpenCV, boundingRect of an 8-bit picture; Pillow, Image.getbbox (as corners).
    """
    boxes = np.zeros((len(mattes), 4), np.int64)
    for box, matte in zip(boxes, mattes, strict=True):
        rows, columns = np.flatnonzero(matte.any(axis=1)), np.flatnonzero(matte.any(axis=0))
        if rows.size:
            x, y = columns[0], rows[0]
            box[:] = x, y, columns[-1] - x + 1, rows[-1] - y + 1
    return boxes
