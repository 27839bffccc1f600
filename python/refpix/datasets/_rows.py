"""What every dataset has: indices that may be of a selection, payloads, faults of a batch."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeVar, overload

import numpy as np
import numpy.typing as npt

from refpix.datasets._images import Encoding
from refpix.errors import RowError

__all__ = ["Faults", "Indices", "Payloads", "RowDataset", "row_numbers"]

Self = TypeVar("Self", bound="RowDataset")
Indices = Sequence[int] | range | npt.NDArray[np.int64]

#: Bad items of a batch: place in the batch -> what is wrong with the row.
Faults = dict[int, RowError]


class Payloads(NamedTuple):
    """Encoded pictures of some rows, for ``refpix.kernels.image_batch``.

    Attributes:
        values: uint8 (bytes,); for base64 the memory-mapped file itself.
        spans: int64 (n, 2), where the payloads lie in ``values``.
        encoding: ``"base64"`` or ``"raw"``, the same for all.
    """

    values: npt.NDArray[np.uint8]
    spans: npt.NDArray[np.int64]
    encoding: Encoding


def row_numbers(
    indices: Indices, length: int, selection: npt.NDArray[np.int64] | None, owner: object
) -> npt.NDArray[np.int64]:
    """Row numbers int64 (n,) of indices into a dataset; negative ones count from the end.

    Args:
        indices: into the dataset.
        length: of the dataset.
        selection: rows that the dataset is made of; None: all, in order.
        owner: the dataset, for the message.

    Raises:
        IndexError: an index beyond the dataset.
        TypeError: an index is no integer.
    """
    given = np.asarray(indices)
    if given.size and given.dtype.kind not in "iu":
        raise TypeError(f"indices are integers, not {given.dtype}")
    places = given.astype(np.int64).reshape(-1)
    places = np.where(places < 0, places + length, places)
    outside = (places < 0) | (places >= length)
    if outside.any():
        raise IndexError(f"no sample {given.reshape(-1)[outside.argmax()]} in {owner!r}")
    return places if selection is None else selection[places]


class RowDataset(ABC):
    """A map-style dataset: a table's rows, or a selection of them that shares everything else."""

    _rows: npt.NDArray[np.int64] | None = None  # that it is made of; None: all, in order

    @abstractmethod
    def _count(self) -> int:
        """Rows of the table."""

    @abstractmethod
    def __getitems__(self, indices: Indices) -> list[Any]:
        """The samples of a batch, after ``transforms``, if any."""

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        """Row numbers in the table that it is made of: int64 (n,)."""
        return np.arange(self._count()) if self._rows is None else self._rows

    def __len__(self) -> int:
        return self._count() if self._rows is None else len(self._rows)

    @overload
    def __getitem__(self: Self, index: slice) -> Self: ...
    @overload
    def __getitem__(self, index: int) -> Any: ...
    def __getitem__(self, index: int | slice) -> Any:
        """A sample (after ``transforms``, if any), or for a slice the dataset of those rows."""
        if isinstance(index, slice):
            return self.select(range(*index.indices(len(self))))
        return self.__getitems__([index])[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def select(self: Self, indices: Indices) -> Self:
        """The dataset of some rows of this one, in that order; they keep their numbers."""
        subset = copy.copy(self)
        subset._rows = self.table_rows(indices)
        return subset

    def table_rows(self, indices: Indices) -> npt.NDArray[np.int64]:
        """Row numbers in the table: int64 (n,), of indices into this dataset.

        Raises:
            IndexError: no such row.
            TypeError: an index is no integer.
        """
        return row_numbers(indices, len(self), self._rows, self)
