"""Unions and intersections of masks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from refpix.errors import RleError
from refpix.kernels._registry import Backend, kernel
from refpix.kernels._rle import Columns, checked_runs, columns


@kernel
def rle_merge(
    counts: npt.NDArray[np.uint32],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    groups: npt.NDArray[np.int64],
    *,
    intersect: bool = False,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> Columns:
    """Unite (or intersect) the masks of each group.

    A group of one is copied as it is. Larger ones are merged one mask after the other; runs of
    length zero in the input come through as they do in pycocotools, except where two masks meet
    one at the same pixel: pycocotools stops there and loses the rest of the mask.

    Args:
        counts: uint32 (runs,), all items end to end, background run first.
        offsets: int64 (n + 1,); item i is ``counts[offsets[i]:offsets[i + 1]]``.
        sizes: int64 (n, 2), height and width in pixels.
        groups: int64 (g + 1,), ascending from 0 to n; group j is items ``groups[j]`` up to
            ``groups[j + 1]``.
        intersect: whether a pixel must lie in all masks of its group rather than in any.
        num_threads: threads to use at most.
        backend: which implementation. There is no CUDA one: run lengths live on the host.

    Returns:
        counts, offsets, sizes of g masks. An empty group gives 0 x 0 pixels and no runs.

    Raises:
        RleError: runs of an item do not sum to height * width, masks of a group differ in size
            (names the item), or groups do not ascend (names the group).

    Source: COCO API, common/maskApi.c (rleMerge).
    """
    if groups[0] != 0 or groups[-1] != len(sizes):
        raise RleError("rle_bad_offsets")
    for group, (start, stop) in enumerate(pairwise(groups.tolist())):
        if not start <= stop <= len(sizes):
            raise RleError("rle_bad_offsets", group)
    runs = [item.tolist() for item in checked_runs(counts, offsets, sizes)]
    merged = []
    merged_sizes = np.zeros((len(groups) - 1, 2), dtype=np.int64)
    for group, (start, stop) in enumerate(pairwise(groups.tolist())):
        for item in range(start, stop):
            if not np.array_equal(sizes[item], sizes[start]):
                raise RleError("rle_size_mismatch", item)
        if start < stop:
            merged_sizes[group] = sizes[start]
        result = runs[start] if start < stop else []
        for other in runs[start + 1 : stop]:
            result = _merge_two(result, other, intersect)
        merged.append(result)
    return columns(merged, merged_sizes)


def _merge_two(a: list[int], b: list[int], intersect: bool) -> list[int]:
    """Both advance to the end of the shorter run, and by one run at a time."""
    rest_a, rest_b = iter(a), iter(b)
    left_a, left_b = next(rest_a, 0), next(rest_b, 0)
    value_a = value_b = value = False
    left = sum(a)
    merged: list[int] = []
    run = 0
    while True:
        step = min(left_a, left_b)
        run, left, left_a, left_b = run + step, left - step, left_a - step, left_b - step
        if left_a == 0 and (count := next(rest_a, None)) is not None:
            left_a, value_a = count, not value_a
        if left_b == 0 and (count := next(rest_b, None)) is not None:
            left_b, value_b = count, not value_b
        before, value = value, (value_a and value_b if intersect else value_a or value_b)
        if value != before or left == 0:
            while run >= 2**32:
                merged += [2**32 - 1, 0]
                run -= 2**32 - 1
            merged.append(run)
            run = 0
        if left == 0:
            return merged
