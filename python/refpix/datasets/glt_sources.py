"""Where MSCOCO-GLT's crops come from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from refpix.datasets._images import Decoder
from refpix.io.tree import FileTree
from refpix.types import BytesBatch

__all__ = ["CropFiles", "CropSource"]

Pixels = npt.NDArray[np.uint8]


class CropSource(ABC):
    """Crops by row of a split. Picklable, holds no open files."""

    @abstractmethod
    def pixels(self, rows: Sequence[int], decoder: Decoder) -> list[Pixels | Exception]:
        """The crops of some rows: uint8 (H, W, 3) each, or the error that one raised."""

    @abstractmethod
    def payload(self, row: int) -> bytes:
        """A picture file of one crop.

        Raises:
            OSError: it cannot be read; other errors where it cannot be made.
        """

    @abstractmethod
    def locate(self, row: int) -> str:
        """The file that a crop comes from, for messages."""


class CropFiles(CropSource):
    """Crops that lie on disk.

    Args:
        tree: folder or archive of the pictures.
        names: of the crops in it, by row.
    """

    def __init__(self, tree: FileTree, names: Sequence[str]) -> None:
        self.tree = tree
        self.names = names

    def pixels(self, rows: Sequence[int], decoder: Decoder) -> list[Pixels | Exception]:
        """See `CropSource.pixels`."""
        found: list[Pixels | Exception | None] = []
        payloads = []
        for row in rows:
            try:
                payloads.append(self.payload(row))
                found.append(None)
            except (OSError, ValueError) as e:
                found.append(e)
        decoded = iter(decoder.decode(*BytesBatch.from_items(payloads), "raw"))
        return [next(decoded) if one is None else one for one in found]

    def payload(self, row: int) -> bytes:
        """See `CropSource.payload`."""
        return self.tree.read(self.names[row])

    def locate(self, row: int) -> str:
        """See `CropSource.locate`."""
        return self.tree.locate(self.names[row])
