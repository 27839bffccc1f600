"""What every dataset has: indices that may be of a selection, payloads, faults of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from refpix.datasets._images import Encoding
from refpix.errors import RowError

__all__ = ["Faults", "Indices", "Payloads", "row_numbers"]

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
