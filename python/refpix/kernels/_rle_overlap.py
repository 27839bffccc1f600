"""What pairs of masks share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from refpix.errors import RleError
from refpix.kernels._registry import Backend, kernel
from refpix.kernels._rle import checked_runs, intersection


@kernel
def rle_overlap(
    counts: npt.NDArray[np.uint32],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    pairs: npt.NDArray[np.int64],
    *,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> npt.NDArray[np.int64]:
    """Intersection and areas of pairs of masks given as run lengths.

    Args:
        counts: uint32 (runs,), all items end to end, background run first.
        offsets: int64 (n + 1,); item i is ``counts[offsets[i]:offsets[i + 1]]``.
        sizes: int64 (n, 2), height and width in pixels.
        pairs: int64 (k, 2), items that are compared; repeats allowed.
        num_threads: threads to use at most.
        backend: which implementation. There is no CUDA one: run lengths live on the host.

    Returns:
        int64 (k, 3), pixels: in both masks, in the first, in the second.

    Raises:
        RleError: runs of an item do not sum to height * width (names the item); a pair names no
            item, or two of different sizes (names the pair).

    Source: COCO API, common/maskApi.c (rleIou), which gives the quotient only.
    """
    runs = checked_runs(counts, offsets, sizes)
    for pair, (first, second) in enumerate(pairs.tolist()):
        if not (0 <= first < len(runs) and 0 <= second < len(runs)):
            raise RleError("rle_bad_offsets", pair)
        if not np.array_equal(sizes[first], sizes[second]):
            raise RleError("rle_size_mismatch", pair)
    areas = [int(item[1::2].sum(dtype=np.int64)) for item in runs]
    out = [(intersection(runs[a], runs[b]), areas[a], areas[b]) for a, b in pairs.tolist()]
    return np.array(out, dtype=np.int64).reshape(-1, 3)
