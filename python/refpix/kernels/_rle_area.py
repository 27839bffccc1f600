"""Foreground pixels of masks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from refpix.kernels._registry import Backend, kernel
from refpix.kernels._rle import checked_runs


@kernel
def rle_area(
    counts: npt.NDArray[np.uint32],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    *,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> npt.NDArray[np.int64]:
    """Count the foreground pixels of masks given as run lengths.

    Args:
        counts: uint32 (runs,), all items end to end, background run first.
        offsets: int64 (n + 1,); item i is ``counts[offsets[i]:offsets[i + 1]]``.
        sizes: int64 (n, 2), height and width in pixels.
        num_threads: threads to use at most.
        backend: which implementation. There is no CUDA one: run lengths live on the host.

    Returns:
        int64 (n,), pixels.

    Raises:
        RleError: runs of an item do not sum to height * width; names the item.

    Source: COCO API, common/maskApi.c (rleArea), which adds up in 32 bits and does not check.
    """
    runs = checked_runs(counts, offsets, sizes)
    return np.array([item[1::2].sum(dtype=np.int64) for item in runs], dtype=np.int64)
