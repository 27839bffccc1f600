"""Rectangles cut out of masks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from refpix.errors import RleError
from refpix.kernels._registry import Backend, kernel
from refpix.kernels._rle import Columns, checked_runs, columns, pixels, run_lengths


@kernel
def rle_crop(
    counts: npt.NDArray[np.uint32],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    boxes: npt.NDArray[np.int64],
    *,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> Columns:
    """Cut a rectangle out of each mask.

    Args:
        counts: uint32 (runs,), all items end to end, background run first.
        offsets: int64 (n + 1,); item i is ``counts[offsets[i]:offsets[i + 1]]``.
        sizes: int64 (n, 2), height and width in pixels.
        boxes: int64 (n, 4), x0, y0, x1, y1 in pixels, end exclusive.
        num_threads: threads to use at most.
        backend: which implementation. There is no CUDA one: run lengths live on the host.

    Returns:
        Masks as columns: counts uint32 (runs,), offsets int64 (n + 1,), sizes int64 (n, 2); item i
        is ``mask[y0:y1, x0:x1]``. Runs are never empty but for the first.

    Raises:
        RleError: runs of an item do not sum to height * width, or a box is empty or reaches outside
            its mask; names the item.

    Source: slicing of a decoded mask.
    """
    runs = checked_runs(counts, offsets, sizes)
    items = []
    shapes = zip(runs, sizes.tolist(), boxes.tolist(), strict=True)
    for item, (item_runs, (height, width), (x0, y0, x1, y1)) in enumerate(shapes):
        if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
            raise RleError("rle_bad_box", item)
        mask = pixels(item_runs, height, width)[y0:y1, x0:x1]
        items.append(run_lengths(mask.astype(np.bool_)))
    return columns(items, boxes[:, [3, 2]] - boxes[:, [1, 0]])
