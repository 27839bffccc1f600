"""Run lengths to 0/1 masks."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from refpix.kernels._registry import Backend, kernel
from refpix.kernels._rle import checked_runs, pixels


@kernel
def rle_decode(
    counts: npt.NDArray[np.uint32],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    *,
    order: Literal["C", "F"] = "C",
    dtype: Literal["uint8", "bool"] = "uint8",
    out: npt.NDArray[Any] | None = None,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """Expand run lengths into 0/1 masks, one after the other.

    Args:
        counts: uint32 (runs,), all items end to end, background run first.
        offsets: int64 (n + 1,); item i is ``counts[offsets[i]:offsets[i + 1]]``.
        sizes: int64 (n, 2), height and width in pixels.
        order: memory order of each mask: ``"C"`` rows, ``"F"`` columns one after the other.
        dtype: ``"uint8"`` or ``"bool"``, of a new result.
        out: optional uint8 or bool (total,) to fill, contiguous; then ``dtype`` has no say.
        num_threads: threads to use at most, over items.
        backend: which implementation.

    Returns:
        pixels (total,), values 0 and 1, and offsets int64 (n + 1,) into them; item i is
        ``pixels[o[i]:o[i + 1]].reshape(h, w)`` for ``"C"``, ``.reshape(w, h).T`` for ``"F"``.

    On a device a call without ``out`` waits once for the stream, as only the device knows how much
    memory the result takes; with ``out`` nothing waits, and an ``out`` of another size is found as
    faults are. At most 2**31 - 1 runs at a time.

    Raises:
        RleError: runs of an item do not sum to height * width; names the item. Found before
            memory for the result is asked for.
        ValueError, TypeError: wrong ``out``.

    Source: COCO API, common/maskApi.c (rleDecode), which trusts the run lengths.
    """
    if order not in ("C", "F"):
        raise ValueError(f"order: expected C or F, got {order}")
    if dtype not in ("uint8", "bool"):
        raise ValueError(f"dtype: expected uint8 or bool, got {dtype}")
    runs = checked_runs(counts, offsets, sizes)
    starts = np.cumsum([0, *(int(h) * int(w) for h, w in sizes)], dtype=np.int64)
    result = np.empty(starts[-1], dtype) if out is None else out
    if result.dtype not in (np.uint8, np.bool_):
        raise TypeError(f"out: expected dtype uint8, got {result.dtype}")
    if result.shape != (starts[-1],):
        raise ValueError(f"out: expected shape ({starts[-1]},), got {result.shape}")
    for item, (item_runs, (height, width)) in enumerate(zip(runs, sizes, strict=True)):
        mask = pixels(item_runs, int(height), int(width))
        result[starts[item] : starts[item + 1]] = mask.ravel(order)
    return result, starts
