"""Predicted label maps into their boxes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from refpix.errors import KernelError
from refpix.kernels._registry import Backend, kernel


def _sources(n_in: int, n_out: int) -> npt.NDArray[np.int64]:
    """Source index of each of n_out pixels; the product is rounded to float32 as torch does."""
    scale = np.float32(n_in) / np.float32(n_out)
    index = np.floor(np.arange(n_out, dtype=np.float32) * scale).astype(np.int64)
    held: npt.NDArray[np.int64] = np.minimum(index, n_in - 1)
    return held


@kernel
def parsing_paste(
    boxes: npt.NDArray[np.float32],
    maps: npt.NDArray[np.uint8],
    *,
    size: tuple[int, int] = (512, 512),
    out: npt.NDArray[np.uint8] | None = None,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> npt.NDArray[np.uint8]:
    """Resize label maps into their boxes, each on a canvas of zeros.

    Coordinates are truncated to whole pixels and held to the canvas. A reversed or empty side
    becomes the one pixel before its end; where that end is 0, nothing is written. The map is
    resized to the box with source pixel ``min(floor(dst * float32(n_in / n_out)), n_in - 1)``, the
    product in float32.

    Args:
        boxes: float32 (n, 4), x1, y1, x2, y2 in canvas pixels, end exclusive.
        maps: uint8 (n, h, w), labels.
        size: height and width of the canvas in pixels.
        out: optional uint8 (n, *size) to fill.
        num_threads: threads to use at most.
        backend: which implementation.

    Returns:
        uint8 (n, *size).

    Raises:
        KernelError: a coordinate is NaN or infinite; names the item and the byte in its row.

    Source: RefHCM, utils/eval_utils.py (eval_refparsing); torch, interpolate(mode="nearest").
    """
    height, width = size
    canvas = np.empty((len(maps), height, width), np.uint8) if out is None else out
    for item, (box, labels) in enumerate(zip(boxes, maps, strict=True)):
        wrong = np.flatnonzero(~np.isfinite(box))
        if wrong.size:
            raise KernelError("box_not_finite", item, int(wrong[0]) * 4)
        x1, y1, x2, y2 = (
            min(max(int(v), 0), s)
            for v, s in zip(box.tolist(), (width, height, width, height), strict=True)
        )
        x1, y1 = max(0, min(x1, x2 - 1)), max(0, min(y1, y2 - 1))
        canvas[item] = 0
        if x2 and y2:
            rows, columns = _sources(labels.shape[0], y2 - y1), _sources(labels.shape[1], x2 - x1)
            canvas[item, y1:y2, x1:x2] = labels[rows[:, None], columns]
    return canvas
