"""Which rows come when, and to whom.

Random orders depend on their key alone: not on NumPy's version, nor on the machine.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Order", "permutation", "random_bits", "shard"]

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


@dataclass(frozen=True)
class Order:
    """The rows that a shard of a dataset gives, epoch by epoch, batch by batch.

    Shard r of w takes every w-th row of an epoch's order, from the r-th: shards are disjoint and
    together complete, and their lengths differ by one at most.

    Attributes:
        count: rows of the dataset.
        batch_size: rows of a batch; the last one of an epoch may be smaller.
        shuffle: a new order each epoch; else the dataset's.
        seed: of the order.
        rank: which shard.
        world_size: of how many.
        drop_last: leave out rows that do not fill a batch.
    """

    count: int
    batch_size: int
    shuffle: bool
    seed: int
    rank: int
    world_size: int
    drop_last: bool

    def __len__(self) -> int:
        """Batches of a whole epoch."""
        rows = len(range(self.rank, self.count, self.world_size))
        return rows // self.batch_size if self.drop_last else -(-rows // self.batch_size)

    def rows(self, epoch: int) -> npt.NDArray[np.int64]:
        """int64 (n,): the rows of an epoch, in its order."""
        every = permutation(self.count, self.seed, epoch) if self.shuffle else np.arange(self.count)
        return every[self.rank :: self.world_size]

    def batches(self, epoch: int, start: int = 0) -> list[npt.NDArray[np.int64]]:
        """The rows of each batch of an epoch, from its ``start``-th row on."""
        rows, size = self.rows(epoch), self.batch_size
        end = len(rows)
        if self.drop_last:
            end -= (end - start) % size
        return [rows[at : min(at + size, end)] for at in range(start, end, size)]

    def state(self, epoch: int, position: int) -> dict[str, Any]:
        """A place in an epoch, to be kept: ``position`` rows were given."""
        return {"version": 1, "epoch": epoch, "position": position, **self._identity()}

    def place(self, state: dict[str, Any]) -> tuple[int, int]:
        """Epoch and position of a `state`, of this order or of one with other batches.

        Raises:
            ValueError: it is of another order of rows.
        """
        for key, here in {"version": 1, **self._identity()}.items():
            if state.get(key) != here:
                raise ValueError(
                    f"state is of another loader: {key} is {state.get(key)!r} there, {here!r} here"
                )
        return int(state["epoch"]), int(state["position"])

    def _identity(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "shuffle": self.shuffle,
            "rank": self.rank,
            "world_size": self.world_size,
            "rows": self.count,
        }


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
