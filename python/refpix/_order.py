"""Random orders that depend on their key alone: not on NumPy's version, nor on the machine."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["permutation", "random_bits"]

_GOLDEN = 0x9E3779B97F4A7C15
_MASK = 2**64 - 1


def _mixed(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: npt.NDArray[np.uint64] = x ^ (x >> np.uint64(31))
    return mixed


def random_bits(count: int, *key: int) -> npt.NDArray[np.uint64]:
    """uint64 (count,), the stream of SplitMix64 whose seed is hashed from the key.

    Source: Steele, Lea, Flood: Fast splittable pseudorandom number generators (OOPSLA 2014).
    """
    state = np.zeros(1, np.uint64)
    for part in key:
        state = _mixed(state + np.uint64(part & _MASK) + np.uint64(_GOLDEN))
    steps = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(_GOLDEN)
    return _mixed(state + steps)


def permutation(count: int, *key: int) -> npt.NDArray[np.int64]:
    """int64 (count,), 0..count - 1 in an order that the key determines."""
    return np.argsort(random_bits(count, *key), kind="stable").astype(np.int64)
