"""What a dataset has of the rows of a batch, what becomes of bad ones, and who makes batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from refpix.errors import KernelError, RowError, from_fault
from refpix.io.image import decode_image
from refpix.kernels import base64_decode, fault_name
from refpix.loader.batch import Batch

__all__ = [
    "BatchMaker",
    "Dataset",
    "GatheredRows",
    "LabelledDataset",
    "Leftovers",
    "check_dataset",
    "kernel_error",
]

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

# Payloads of these kinds are Pillow's to decode; see image_batch.
_PILLOW = ("image_unrecognised", "jpeg_unsupported")


class Dataset(Protocol):
    """What a dataset must offer to be loaded (``refpix.datasets.RefHCM`` does).

    ``faults`` receives the `RowError` of each bad row under its place in ``rows``.
    """

    def __len__(self) -> int: ...

    def records(self, rows: Any, faults: dict[int, RowError]) -> Sequence[Any]:
        """Everything but pixels, per row; None for a bad one."""
        ...

    def payloads(self, rows: Any, faults: dict[int, RowError]) -> Any:
        """Values uint8 (bytes,), spans int64 (n, 2), and ``base64`` or ``raw``."""
        ...

    def row_error(self, row: int, error: KernelError) -> RowError:
        """The error for a row whose picture is at fault."""
        ...


class LabelledDataset(Dataset, Protocol):
    """A dataset with label maps, which ``Loader(label_size=...)`` wants."""

    def label_maps(self, rows: Any, faults: dict[int, RowError]) -> Sequence[Any]:
        """int32 (H, W) per row; None for a bad one."""
        ...


def check_dataset(dataset: object, *, label_maps: bool) -> None:
    """Refuses what no batch can be made of.

    Raises:
        TypeError: a method of `Dataset`, or of `LabelledDataset`, is not there.
    """
    wanted = ("__len__", "records", "payloads", "row_error", *("label_maps",) * label_maps)
    missing = [name for name in wanted if not hasattr(dataset, name)]
    if missing:
        raise TypeError(
            f"{type(dataset).__name__} has no {', '.join(missing)}: Loader takes refpix.datasets "
            "and what follows refpix.loader.Dataset; others go to DataLoader, with refpix.Collate"
        )


class BatchMaker(Protocol):
    """Makes batches of rows, in one kind of memory: in two steps, on two threads of the loader.

    Attributes:
        engines: what decodes JPEGs, as `refpix.cuda.JpegDecoder` says it.
    """

    engines: tuple[str, ...]

    def gather(self, rows: Ints) -> Any:
        """The first step: finds rows, on a thread that is ahead of the one that calls `make`."""
        ...

    def make(self, found: Any) -> tuple[Batch, list[RowError]]:
        """The second step: the batch of what was gathered.

        Returns:
            The batch, without its bad rows, and their errors in the order of the rows.
        """
        ...

    def hand_over(self, batch: Batch) -> None:
        """Called on the consumer's thread right before it gets a batch."""
        return

    def settle(self) -> None:
        """Called when an iteration has ended, however it did."""
        return


class GatheredRows:
    """The rows of one batch as the dataset gives them. Items are those it finds nothing wrong with.

    Args:
        dataset: see `Dataset`.
        rows: int64 (n,), indices into it.
        label_maps: whether to ask for them too.

    Attributes:
        values: uint8 (bytes,), where the items' payloads lie.
        spans: int64 (items, 2), item i is ``values[spans[i, 0]:spans[i, 1]]``.
        encoding: ``base64`` or ``raw``.
        maps: int32 (H, W) per item; None where they were not asked for.
    """

    def __init__(self, dataset: Dataset, rows: Ints, *, label_maps: bool) -> None:
        self._dataset = dataset
        self._faults: dict[int, RowError] = {}
        records = dataset.records(rows, self._faults)
        self.values, spans, self.encoding = dataset.payloads(rows, self._faults)
        maps: Sequence[Any] | None = None
        if label_maps:
            maps = cast(LabelledDataset, dataset).label_maps(rows, self._faults)
        self._places = [place for place in range(len(rows)) if place not in self._faults]
        self._rows = rows[self._places]
        self._records = [records[place] for place in self._places]
        self.spans: Ints = np.ascontiguousarray(spans[self._places])
        self.maps = None if maps is None else [maps[place] for place in self._places]

    def __len__(self) -> int:
        return len(self._places)

    def blame(self, item: int, error: KernelError) -> None:
        """Leaves an item out, as its picture is at fault."""
        row = int(self._rows[item])
        self._faults[self._places[item]] = self._dataset.row_error(row, error)

    def is_blamed(self, item: int) -> bool:
        """Whether an item was left out."""
        return self._places[item] in self._faults

    def kept(self) -> list[int]:
        """The items that were not left out, in order."""
        return [item for item in range(len(self)) if not self.is_blamed(item)]

    def faults(self) -> list[RowError]:
        """The errors of all bad rows, in the order of the rows."""
        return [self._faults[place] for place in sorted(self._faults)]

    def batch(self, kept: list[int], images: Any, sizes: Ints, label_maps: Any) -> Batch:
        """The batch of the items that were kept.

        Args:
            kept: which ones.
            images: theirs.
            sizes: int64 (items, 2), of all items.
            label_maps: of those kept, or None.
        """
        return Batch(
            images=images,
            sizes=sizes[kept],
            rows=self._rows[kept],
            samples=[self._records[item] for item in kept],
            label_maps=label_maps,
        )


@dataclass(frozen=True)
class Leftovers:
    """Decodes with Pillow what the native decoders leave to it.

    Attributes:
        allow_truncated: decode what is there of pictures that end early.
        pixel_limit: most pixels of a picture; None for no limit.
    """

    allow_truncated: bool
    pixel_limit: int | None

    def decode(self, payload: Bytes, encoding: str, code: Ints) -> Bytes:
        """uint8 (H, W, 3), of a payload that the native decoder gave a fault.

        Args:
            payload: uint8 (bytes,).
            encoding: ``base64`` or ``raw``.
            code: int64 (2,), number of the fault and position, as of ``image_batch``.

        Raises:
            KernelError: that fault, if Pillow is not to be asked; else what Pillow finds wrong.
        """
        name = fault_name(int(code[0]))
        if name not in _PILLOW:
            raise kernel_error(name, int(code[1]))
        if encoding == "base64":
            payload, _ = base64_decode(payload, np.array([[0, len(payload)]], np.int64))
        try:
            return decode_image(
                payload.tobytes(),
                allow_truncated=self.allow_truncated,
                pixel_limit=self.pixel_limit,
            )
        except MemoryError as error:  # as of the native decoder: the row's fault
            raise KernelError("out_of_memory") from error


def kernel_error(fault: str, position: int) -> KernelError:
    """The error for one payload, whatever its place in the batch."""
    error = from_fault(fault, -1, position)
    return error if isinstance(error, KernelError) else KernelError(fault)
