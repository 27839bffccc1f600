"""Where an iteration over epochs stands: shared by `Loader` and `DaliLoader`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from refpix._order import Order

__all__ = ["Epochs"]


class Epochs(ABC):
    """An endless row of epochs, and a place in it that can be kept and gone back to.

    Attributes:
        epoch: the epoch that iterating gives next, or is giving.
    """

    def __init__(self) -> None:
        self.epoch = 0
        self._position = 0  # rows of the shard that were handed out or skipped
        self._resume_at = 0

    @abstractmethod
    def _order(self) -> Order:
        """Which rows come when."""

    def __len__(self) -> int:
        """Batches of an epoch (of this rank), if no batch is skipped whole."""
        return len(self._order())

    def rows_of_epoch(self, epoch: int) -> npt.NDArray[np.int64]:
        """int64 (n,): this rank's dataset indices in the order of an epoch."""
        return self._order().rows(epoch)

    def set_epoch(self, epoch: int) -> None:
        """Makes the next iteration that of this epoch, from its beginning."""
        self.epoch = epoch
        self._position = self._resume_at = 0

    def state_dict(self) -> dict[str, Any]:
        """Where the iteration stands: after the batch that was handed out last."""
        return self._order().state(self.epoch, self._position)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on where `state_dict` was taken, with the very next row.

        Args:
            state: from a loader of the same rows, seed and sharding, `refpix.Loader` or
                `refpix.dali.DaliLoader`; the batch size may differ.

        Raises:
            ValueError: the state is of another order of rows.
        """
        self.epoch, self._position = self._order().place(state)
        self._resume_at = self._position

    def _start(self) -> int:
        """The row of the epoch that an iteration begins with; the next one begins at 0."""
        self._position, self._resume_at = self._resume_at, 0
        return self._position

    def _end(self) -> None:
        """Moves on to the next epoch."""
        self.epoch += 1
        self._position = 0
