"""Batch memory that comes back when nobody holds it any more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["BufferPool", "aligned_empty"]

_ALIGNMENT = 64


def aligned_empty(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """As ``np.empty``, but starting on a cache line."""
    kind = np.dtype(dtype)
    count = int(np.prod(shape, dtype=np.int64)) * kind.itemsize
    memory = np.empty(count + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + count].view(kind).reshape(shape)


class _Lease:
    """Base object of the arrays handed out; when the last of them dies, the memory goes back."""

    def __init__(self, memory: npt.NDArray[Any], pool: BufferPool) -> None:
        self.__array_interface__ = memory.__array_interface__
        self._memory = memory
        self._pool = pool

    def __del__(self) -> None:
        self._pool._give_back(self._memory)


class BufferPool:
    """Arrays of one shape, reused: fresh pages cost more than filling them.

    Args:
        allocate: makes the memory of one array.
        keep: how many unused ones to hold at most.
    """

    def __init__(self, allocate: Callable[[], npt.NDArray[Any]], keep: int) -> None:
        self._allocate = allocate
        self._keep = keep
        self._free: list[npt.NDArray[Any]] = []
        self._lock = threading.RLock()  # a lease may die while this thread holds it

    def take(self) -> npt.NDArray[Any]:
        """An array nobody else holds. Views of it, tensors included, keep it taken."""
        with self._lock:
            memory = self._free.pop() if self._free else None
        return np.asarray(_Lease(self._allocate() if memory is None else memory, self))

    def _give_back(self, memory: npt.NDArray[Any]) -> None:
        with self._lock:
            if len(self._free) < self._keep:
                self._free.append(memory)
