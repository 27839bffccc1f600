"""Rows picked so that their attributes are balanced."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from refpix.errors import KernelError
from refpix.kernels._registry import Backend, kernel

_MOST_PICKED = 2**31 - 1  # attributes of all picks: overlaps are counted in 32 bits


@kernel
def balanced_select(
    vectors: npt.NDArray[Any],
    rows: npt.NDArray[np.int64],
    offsets: npt.NDArray[np.int64],
    *,
    count: int,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> npt.NDArray[np.int64]:
    """Pick rows of each class, one after another, so that attributes occur equally often.

    A row has the attributes whose value is above 0.5. Of the rows that are left, that one is
    picked next with which the share of each attribute among all picks has the least standard
    deviation, as NumPy rounds it; of equals the first. Rows without attributes are passed over.
    Exact ties are common, and the published program lets rounding decide between them: so do all
    implementations, to the last bit.

    Args:
        vectors: bool or uint8 (0 or not), float32 or float64 (n, attributes), C-contiguous.
        rows: int64 (m,), of ``vectors``, class by class; within a class in order of preference.
        offsets: int64 (classes + 1,); class i is ``rows[offsets[i]:offsets[i + 1]]``.
        count: picks per class.
        num_threads: threads to use at most; a class is on one.
        backend: which implementation.

    Returns:
        int64 (classes, count), rows of ``vectors`` in the order they were picked.

    Raises:
        KernelError: names the class as item. A class has fewer than ``count`` rows with
            attributes; or a value is not finite, which names its byte among the class's rows; or
            a row or an offset points nowhere.

    No CUDA implementation: each pick waits for the one before it, and all of them take a fraction
    of a second.

    Source: Generalized-Long-Tailed-Benchmarks, mscoco_glt_generation.py (generate_balanced_test).
    """
    check_shapes(vectors, rows, offsets, count)
    if len(offsets) > 1 and count > len(rows):
        raise KernelError("selection_too_few", 0)
    if vectors.shape[1] and count >= _MOST_PICKED // vectors.shape[1] - 1:
        raise KernelError("size_overflow")
    check_offsets(offsets, len(rows))
    picks = np.empty((len(offsets) - 1, count), np.int64)
    for item in range(len(offsets) - 1):
        members = rows[offsets[item] : offsets[item + 1]]
        positive = positive_rows(vectors, members, item)
        if np.count_nonzero(positive.any(axis=1)) < count:
            raise KernelError("selection_too_few", item)
        picks[item] = members[select_one_class(positive, count)]
    return picks


def select_one_class(positive: npt.NDArray[np.bool_], count: int) -> list[int]:
    """The published loop.

    Args:
        positive: bool (rows, attributes).
        count: how many to pick; as many rows must have attributes.
    """
    taken = np.zeros(positive.shape[1])
    left = [place for place, row in enumerate(positive) if row.any()]
    picks = []
    for _ in range(count):
        best = None
        least = np.inf
        for place in left:
            together = taken + positive[place].astype(np.float32)
            spread = (together / (together.sum() + 1e-9)).std()
            if spread < least:
                best, least = place, spread
        assert best is not None
        picks.append(best)
        left.remove(best)
        taken += positive[best]
    return picks


def check_shapes(
    vectors: npt.NDArray[Any],
    rows: npt.NDArray[np.int64],
    offsets: npt.NDArray[np.int64],
    count: int,
) -> None:
    """Types and shapes, as the bindings check them."""
    if vectors.dtype not in (np.bool_, np.uint8, np.float32, np.float64):
        raise TypeError(
            f"vectors: expected dtype bool, uint8, float32 or float64, got {vectors.dtype}"
        )
    for name, column in (("rows", rows), ("offsets", offsets)):
        if column.dtype != np.int64:
            raise TypeError(f"{name}: expected dtype int64, got {column.dtype}")
    if vectors.ndim != 2:
        raise ValueError(f"vectors: expected 2 dimensions, got {vectors.ndim}")
    if not len(offsets):
        raise ValueError("offsets: expected at least one")
    if count < 0:
        raise ValueError("count: must not be negative")


def check_offsets(offsets: npt.NDArray[np.int64], rows: int) -> None:
    """Offsets ascend from 0 to the number of rows."""
    at = 0
    for item in range(len(offsets) - 1):
        if offsets[item] != at or offsets[item + 1] < at:
            raise KernelError("span_out_of_bounds", item)
        at = int(offsets[item + 1])
    if at != rows:
        raise KernelError("span_out_of_bounds")


def positive_rows(
    vectors: npt.NDArray[Any], members: npt.NDArray[np.int64], item: int
) -> npt.NDArray[np.bool_]:
    """The attributes that the rows of a class have, bool (rows, attributes)."""
    width = vectors.shape[1]
    for place, row in enumerate(members):
        if not 0 <= row < len(vectors):
            raise KernelError("span_out_of_bounds", item)
        wrong = np.flatnonzero(~np.isfinite(vectors[row]))
        if wrong.size:
            at = (place * width + int(wrong[0])) * vectors.itemsize
            raise KernelError("attribute_not_finite", item, at)
    chosen = vectors[members]
    return chosen > 0.5 if vectors.dtype.kind == "f" else chosen != 0
