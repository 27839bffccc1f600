"""What the readable mask kernels share: items of a batch of run lengths, checked."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from refpix.errors import RleError

Columns = tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64], npt.NDArray[np.int64]]


def check_offsets(counts: npt.NDArray[np.uint32], offsets: npt.NDArray[np.int64]) -> None:
    """Offsets ascend from 0 to the number of counts."""
    if offsets[0] != 0 or offsets[-1] != len(counts):
        raise RleError("rle_bad_offsets")
    for item, (start, stop) in enumerate(pairwise(offsets)):
        if not start <= stop <= len(counts):
            raise RleError("rle_bad_offsets", item)


def check_sizes(sizes: npt.NDArray[np.int64]) -> None:
    """Heights and widths are not negative and their products are below 2**62."""
    for item, (height, width) in enumerate(sizes.tolist()):
        if height < 0 or width < 0 or height * width >= 2**62:
            raise RleError("rle_bad_size", item)


def checked_runs(
    counts: npt.NDArray[np.uint32], offsets: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]
) -> list[npt.NDArray[np.uint32]]:
    """The run lengths of each item, which sum to its height * width.

    Raises:
        RleError: they do not, or offsets or sizes make no sense; names the item.
    """
    check_offsets(counts, offsets)
    check_sizes(sizes)
    runs = [counts[a:b] for a, b in pairwise(offsets)]
    for item, (item_runs, (height, width)) in enumerate(zip(runs, sizes.tolist(), strict=True)):
        total = int(item_runs.sum(dtype=np.uint64))
        if total != height * width:
            raise RleError("rle_too_short" if total < height * width else "rle_too_long", item)
    return runs


def columns(runs: Iterable[Iterable[int]], sizes: npt.NDArray[np.int64]) -> Columns:
    """Run lengths of each item laid end to end: counts, offsets, sizes."""
    items = [np.fromiter(item, dtype=np.uint32) for item in runs]
    offsets = np.cumsum([0, *map(len, items)], dtype=np.int64)
    counts = np.concatenate(items) if items else np.empty(0, np.uint32)
    return counts, offsets, sizes


def pixels(runs: npt.NDArray[np.uint32], height: int, width: int) -> npt.NDArray[np.uint8]:
    """One mask, uint8 (height, width), 0 and 1."""
    flat = np.repeat(np.arange(len(runs)) % 2, runs).astype(np.uint8)
    mask: npt.NDArray[np.uint8] = flat.reshape(width, height).T
    return mask


def run_lengths(mask: npt.NDArray[Any]) -> list[int]:
    """Run lengths of one mask (height, width), the first of zeros; one 0 of no pixels.

    A run ends where the value changes, which for a bool mask is between back- and foreground.
    """
    flat = mask.T.reshape(-1)
    ends = np.flatnonzero(np.diff(flat, prepend=flat.dtype.type(0)))
    return [int(run) for run in np.diff([0, *ends, len(flat)])]


def intersection(a: npt.NDArray[np.uint32], b: npt.NDArray[np.uint32]) -> int:
    """Pixels that lie in the foreground of two masks of one size."""
    ends = [np.cumsum(runs, dtype=np.int64) for runs in (a, b)]
    stops = np.unique(np.concatenate(ends))
    starts = np.concatenate([[0], stops[:-1]]) if len(stops) else stops
    # How many runs have ended there tells whether a mask is in its foreground.
    inside = [np.searchsorted(of_mask, starts, side="right") % 2 for of_mask in ends]
    return int((stops - starts)[(inside[0] & inside[1]) == 1].sum())
