"""What image and video matting datasets have in common: rows, batches, checks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from tqdm import tqdm

from refpix._order import random_bits
from refpix.datasets._images import Decoder
from refpix.datasets._rows import Faults, Indices, Payloads, RowDataset
from refpix.datasets.him_layout import LeftOut
from refpix.datasets.him_sample import HimSample
from refpix.errors import EmptySampleError, KernelError, RowError, detached
from refpix.types import BytesBatch

__all__ = ["HimRows"]

#: Samples that augmentation may leave nothing of, one after the other, before that is an error.
_ATTEMPTS = 20


class HimRows(RowDataset):
    """A map-style dataset of `HimSample`.

    Attributes:
        transforms: called on each sample.
        decoder: how pictures are decoded.
        epoch: what `HimSample.epoch` says; see `set_epoch`.
        seed: of all that is drawn; at least 0.
        left_out: files that are not part of it, and why.
    """

    transforms: Callable[[HimSample], Any] | None
    decoder: Decoder
    left_out: tuple[LeftOut, ...]

    def __init__(self, seed: int) -> None:
        if seed < 0:
            raise ValueError(f"seed={seed}: expected at least 0")
        self.seed = seed
        self.epoch = 0

    @abstractmethod
    def _sample(self, row: int, key: tuple[int, ...]) -> HimSample:
        """The sample of a row, whatever is drawn by the key; reads nothing."""

    def __getitems__(self, indices: Indices) -> list[Any]:
        """The samples of a batch, after ``transforms``, if any.

        Raises:
            EmptySampleError: of augmentation: nothing is left of a sample, nor of others that were
                tried in its place.
        """
        rows = self.table_rows(indices).tolist()
        return (
            [self._sample(row, self._key(row)) for row in rows]
            if self.transforms is None
            else [self._transformed(row) for row in rows]
        )

    def _key(self, row: int, attempt: int = 0) -> tuple[int, ...]:
        return self.seed, self.epoch, row, attempt

    def _transformed(self, row: int) -> Any:
        """What the transform makes of a row, or if that is empty of another row of this dataset."""
        assert self.transforms is not None
        sample = self._sample(row, self._key(row))
        try:
            return self.transforms(sample)
        except EmptySampleError as e:
            first = e
        for attempt in range(1, _ATTEMPTS):
            key = self._key(row, attempt)
            other = int(random_bits(1, *key)[0] % np.uint64(len(self)))
            try:
                return self.transforms(self._sample(int(self.table_rows([other])[0]), key))
            except EmptySampleError:
                continue
        reason = f"{first.reason}, nor of {_ATTEMPTS - 1} other samples"
        raise EmptySampleError(first.file, "", "", reason, row)

    def set_epoch(self, epoch: int) -> None:
        """Makes augmentation draw anew; to be called before workers start.

        Args:
            epoch: at least 0.
        """
        if epoch < 0:
            raise ValueError(f"epoch={epoch}: expected at least 0")
        self.epoch = epoch

    def sample(self, index: int) -> HimSample:
        """The sample before ``transforms``; its files are read on first use."""
        row = int(self.table_rows([index])[0])
        return self._sample(row, self._key(row))

    def records(self, rows: Indices, faults: Faults | None = None) -> list[HimSample | None]:
        """Samples, for loaders; nothing is read.

        Args:
            rows: indices into this dataset.
            faults: not needed here: what could go wrong is found by reading.
        """
        return [self.sample(row) for row in rows]

    def payloads(self, rows: Indices, faults: Faults | None = None) -> Payloads:
        """The files of the (first) frames in one buffer, for a native batch.

        Args:
            rows: indices into this dataset.
            faults: None raises the first file that cannot be read; a dict receives its `RowError`
                under its place in ``rows``, whose span is then empty.
        """
        files = []
        for place, row in enumerate(rows):
            sample = self.sample(row)
            try:
                files.append(sample.read(sample.images[0]))
            except RowError as e:
                if faults is None:
                    raise
                faults.setdefault(place, e)
                files.append(b"")
        return Payloads(*BytesBatch.from_items(files), "raw")

    def row_error(self, row: int, error: KernelError) -> RowError:
        """The error that a fault in a (first) frame amounts to; ``row`` is an index."""
        sample = self.sample(row)
        return sample.error(sample.images[0], error.reason)

    def verify(self, indices: Indices | None = None, *, progress: bool = False) -> list[RowError]:
        """Reads every file and lists what is at fault, one error for each bad sample.

        Args:
            indices: into this dataset; None is all.
            progress: a bar.
        """
        problems: list[RowError] = []
        todo = range(len(self)) if indices is None else indices
        for index in tqdm(todo, unit="sample", disable=not progress):
            sample = self.sample(index)
            try:
                _ = sample.frames, sample.alphas, sample.masks
            except RowError as e:
                problems.append(detached(e))
        return problems
