"""Bounding boxes of masks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from refpix.kernels._registry import Backend, kernel
from refpix.kernels._rle import checked_runs


@kernel
def rle_bbox(
    counts: npt.NDArray[np.uint32],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    *,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> npt.NDArray[np.int64]:
    """Bounding boxes of the foreground of masks given as run lengths.

    Args:
        counts: uint32 (runs,), all items end to end, background run first.
        offsets: int64 (n + 1,); item i is ``counts[offsets[i]:offsets[i + 1]]``.
        sizes: int64 (n, 2), height and width in pixels.
        num_threads: threads to use at most.
        backend: which implementation. There is no CUDA one: run lengths live on the host.

    Returns:
        int64 (n, 4): x, y of the top left pixel, width, height; zeros for an empty mask.

    Raises:
        RleError: runs of an item do not sum to height * width; names the item.

    Source: COCO API, common/maskApi.c (rleToBbox), which reckons in 32 bits and gives boxes beyond
    the picture for foreground runs of length zero.
    """
    runs = checked_runs(counts, offsets, sizes)
    boxes = [_box(item, int(height)) for item, height in zip(runs, sizes[:, 0], strict=True)]
    return np.array(boxes, dtype=np.int64).reshape(-1, 4)


def _box(runs: npt.NDArray[np.uint32], height: int) -> tuple[int, int, int, int]:
    ends = np.cumsum(runs, dtype=np.int64)[1::2]
    starts = ends - runs[1::2]
    starts, last = starts[starts < ends], ends[starts < ends] - 1
    if len(starts) == 0:
        return 0, 0, 0, 0
    x0, x1 = int(starts[0]) // height, int(last[-1]) // height
    if np.any(starts // height != last // height):
        # A run that goes on in the next column touches the bottom of one and the top of the other.
        return x0, 0, x1 - x0 + 1, height
    y0, y1 = int((starts % height).min()), int((last % height).max())
    return x0, y0, x1 - x0 + 1, y1 - y0 + 1
