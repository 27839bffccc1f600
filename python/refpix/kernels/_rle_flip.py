"""Masks mirrored."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from refpix.kernels._registry import Backend, kernel
from refpix.kernels._rle import Columns, checked_runs, columns, pixels, run_lengths

FlipAxis = Literal["horizontal", "vertical"]


@kernel
def rle_flip(
    counts: npt.NDArray[np.uint32],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    *,
    axis: FlipAxis = "horizontal",
    num_threads: int = 1,
    backend: Backend = "auto",
) -> Columns:
    """Mirror masks.

    Args:
        counts: uint32 (runs,), all items end to end, background run first.
        offsets: int64 (n + 1,); item i is ``counts[offsets[i]:offsets[i + 1]]``.
        sizes: int64 (n, 2), height and width in pixels.
        axis: ``"horizontal"`` swaps left and right, ``"vertical"`` top and bottom.
        num_threads: threads to use at most.
        backend: which implementation. There is no CUDA one: run lengths live on the host.

    Returns:
        Masks as columns: counts uint32 (runs,), offsets int64 (n + 1,), sizes (as given). Runs are
        never empty but for the first.

    Raises:
        RleError: runs of an item do not sum to height * width; names the item.

    Source: ``numpy.fliplr`` and ``numpy.flipud`` of a decoded mask.
    """
    flip = {"horizontal": np.fliplr, "vertical": np.flipud}[axis]
    runs = checked_runs(counts, offsets, sizes)
    items = [
        run_lengths(flip(pixels(item, height, width).astype(np.bool_)))
        for item, (height, width) in zip(runs, sizes.tolist(), strict=True)
    ]
    return columns(items, sizes)
