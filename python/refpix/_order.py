"""Which rows come when, and to whom.

Random orders depend on their key alone: not on NumPy's version, nor on the machine.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["epoch_rows", "permutation", "random_bits", "shard", "shares"]

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


def epoch_rows(
    count: int, seed: int, epoch: int, *, shuffle: bool, rank: int, world_size: int
) -> npt.NDArray[np.int64]:
    """int64 (n,): the rows of one shard in the order of an epoch.

    Shard r of w takes every w-th row of the epoch's order, from the r-th: shards are disjoint and
    together complete, and their lengths differ by one at most.
    """
    every = permutation(count, seed, epoch) if shuffle else np.arange(count)
    return every[rank::world_size]


def shares(
    rows: npt.NDArray[np.int64], batch_size: int, *, start: int = 0, drop_last: bool = False
) -> list[npt.NDArray[np.int64]]:
    """The rows of each batch, from the ``start``-th row on."""
    end = len(rows)
    if drop_last:
        end -= (end - start) % batch_size
    return [rows[at : min(at + batch_size, end)] for at in range(start, end, batch_size)]


def shard(rank: int | None, world_size: int | None) -> tuple[int, int]:
    """Which shard of how many; where None, ``torch.distributed`` if it is initialised, else 0 of 1.

    Raises:
        ValueError: no such shard.
    """
    torch: Any = sys.modules.get("torch")
    distributed = torch is not None and torch.distributed.is_available()
    if distributed and torch.distributed.is_initialized():
        rank = torch.distributed.get_rank() if rank is None else rank
        world_size = torch.distributed.get_world_size() if world_size is None else world_size
    rank, world_size = rank or 0, 1 if world_size is None else world_size
    if not 0 <= rank < world_size:
        raise ValueError(f"rank={rank}, world_size={world_size}: expected 0 <= rank < world_size")
    return rank, world_size
