"""RefCOCO-M: parquet, one picture per row with its referred instances."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from tqdm import tqdm

from refpix.datasets._images import Decoder
from refpix.datasets._rows import Faults, Indices, Payloads, RowDataset
from refpix.datasets.refcocom_rows import RefCocoMRecord, as_record, columns_of
from refpix.datasets.refcocom_sample import RefCocoMExample, RefCocoMInstance, RefCocoMSample
from refpix.errors import KernelError, RowError, detached
from refpix.io.parquet import CACHE_BYTES, ParquetRows
from refpix.types import PIXEL_LIMIT, BytesBatch

__all__ = ["RefCocoM"]


class RefCocoM(RowDataset):
    """RefCOCO-M as a map-style dataset of `RefCocoMSample`, one per picture.

    Random access, slices (``ds[10:20]`` is a dataset), batches (``ds.__getitems__([3, 1])``),
    iteration; `examples` has one entry for every sentence, as the protocol counts. Row groups are
    read on demand, pictures and masks decoded on first use. Works in forked and spawned workers,
    and in `refpix.Loader`. A malformed row raises `RowError` with file, row, field and reason.

    Args:
        path: a parquet file, or the folder of its shards. Nested files (``image_meta``) and flat
            ones (``image_id``) are told apart by their columns; others are ignored.
        box_format: of boxes: ``"xywh"`` as shipped, or ``"xyxy"``.
        transforms: called on each sample; what it returns is what indexing gives.
        allow_truncated: keep what arrived of pictures whose data ends early.
        pixel_limit: most pixels of a picture; more is a fault. None for no limit.
        cache_bytes: memory for decoded row groups.
        num_threads: native threads for decoding.

    Raises:
        MissingExtraError: pyarrow is not installed.
        FileNotFoundError: no such file, or no parquet in the folder.
        ValueError: no parquet, a cut one, or one of other columns; names the file.

    Source: the dataset's card, https://huggingface.co/datasets/moondream/refcoco-m
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        box_format: Literal["xywh", "xyxy"] = "xywh",
        transforms: Callable[[RefCocoMSample], Any] | None = None,
        allow_truncated: bool = True,
        pixel_limit: int | None = PIXEL_LIMIT,
        cache_bytes: int = CACHE_BYTES,
        num_threads: int = 1,
    ) -> None:
        if box_format not in ("xywh", "xyxy"):
            raise ValueError(f"box_format={box_format!r}: expected 'xywh' or 'xyxy'")
        self.table = ParquetRows(path, cache_bytes=cache_bytes)
        self.columns = self._columns()
        self.box_format = box_format
        self.transforms = transforms
        self.decoder = Decoder(allow_truncated, pixel_limit, num_threads)
        self._examples: list[RefCocoMExample] | None = None

    @property
    def path(self) -> Path:
        """The parquet file, or the folder."""
        return self.table.path

    @property
    def schema(self) -> Literal["nested", "flat"]:
        """Which of the two schemas the files have."""
        return "nested" if "image_meta" in self.columns else "flat"

    def __repr__(self) -> str:
        return f"RefCocoM({str(self.path)!r}): {len(self)} pictures"

    def _count(self) -> int:
        return len(self.table)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_examples": None}  # cheaper to read again than to send

    def __getitems__(self, indices: Indices) -> list[Any]:
        """The samples of a batch."""
        samples = [self.sample(i) for i in indices]
        return samples if self.transforms is None else [self.transforms(s) for s in samples]

    def select(self, indices: Indices) -> RefCocoM:
        """The dataset of some pictures of this one, in that order. Shares the files."""
        subset = super().select(indices)
        subset._examples = None
        return subset

    def raw(self, indices: Indices, *, image: bool = True) -> list[RefCocoMRecord]:
        """Rows under the card's names, whichever schema the file has; nothing is decoded.

        Args:
            indices: into this dataset.
            image: read the pictures' bytes too; else ``image`` holds None.

        Returns:
            Dicts with ``file_name``, ``image_meta`` {width, height, image_id}, ``image`` {bytes,
            path}, ``samples`` [{id, category, supercategory, label, sentences, bbox, mask {counts,
            size}}].

        Raises:
            RowError: a malformed row.
            IndexError: no such picture.
        """
        return [self._record(row, image) for row in self.table_rows(indices).tolist()]

    def sample(self, index: int) -> RefCocoMSample:
        """The sample of a picture, before ``transforms``; errors as for `raw`."""
        return self._sample(int(self.table_rows([index])[0]), image=True)

    @property
    def examples(self) -> Sequence[RefCocoMExample]:
        """Every (picture, instance, sentence) in order; pictures stay unread.

        Raises:
            RowError: a malformed row, or one that repeats another's instance id.
        """
        if self._examples is None:
            self._examples = self._all_examples()
        return self._examples

    def records(self, rows: Indices, faults: Faults | None = None) -> list[RefCocoMSample | None]:
        """Samples without pictures, for loaders.

        Args:
            rows: indices into this dataset.
            faults: None raises the first malformed row; a dict receives its `RowError` under its
                place in ``rows``, and the list holds None there.
        """
        found: list[RefCocoMSample | None] = []
        for place, row in enumerate(self.table_rows(rows).tolist()):
            try:
                found.append(self._sample(row, image=False))
            except RowError as e:
                if faults is None:
                    raise
                faults.setdefault(place, e)
                found.append(None)
        return found

    def payloads(self, rows: Indices, faults: Faults | None = None) -> Payloads:
        """The picture files of some rows in one buffer, for a native batch.

        Args:
            rows: indices into this dataset.
            faults: as for `records`; the span of a bad row is empty.
        """
        files = []
        for place, row in enumerate(self.table_rows(rows).tolist()):
            try:
                files.append(self._record(row, True)["image"]["bytes"] or b"")
            except RowError as e:
                if faults is None:
                    raise
                faults.setdefault(place, e)
                files.append(b"")
        return Payloads(*BytesBatch.from_items(files), "raw")

    def row_error(self, row: int, error: KernelError) -> RowError:
        """The error that a fault in a row's picture amounts to; ``row`` is an index."""
        where = self.table.where(int(self.table_rows([row])[0]))
        return RowError(*where, -1, f"image: {error.reason}")

    def verify(self, indices: Indices | None = None, *, progress: bool = False) -> list[RowError]:
        """Decodes every picture and mask and lists the bad rows; never stops at the first.

        A mask whose size is not the picture's, and a picture whose size is not the one that its
        row tells, are listed too, although they can be read.

        Args:
            indices: into this dataset; None is all.
            progress: a bar.
        """
        todo = self.table_rows(range(len(self)) if indices is None else indices).tolist()
        problems = []
        for row in tqdm(todo, unit="picture", disable=not progress):
            try:
                reason = _mismatch(self._sample(row, image=True))
                if reason is not None:
                    raise RowError(*self.table.where(row), -1, reason)
            except RowError as e:
                problems.append(detached(e))
        return problems

    def _columns(self) -> list[str]:
        """The columns of all files; the first one's schema is that of all."""
        found: list[str] = []
        for shard, path in enumerate(self.table.shards):
            try:
                columns = columns_of(self.table.schema(shard).names)
            except ValueError as e:
                raise ValueError(f"{path}: {e}") from None
            if found and columns != found:
                raise ValueError(f"{path}: has columns {columns}, other files {found}")
            found = columns
        return found

    def _record(self, row: int, image: bool) -> RefCocoMRecord:
        columns = self.columns if image else self.columns[:-1]
        try:
            return as_record(self.table.rows([row], columns)[0])
        except ValueError as e:
            file, number = self.table.where(row)
            raise RowError(file, number, -1, str(e).removeprefix(f"{file}: ")) from e

    def _sample(self, row: int, *, image: bool) -> RefCocoMSample:
        where = self.table.where(row)
        return RefCocoMSample.of(self._record(row, image), where, self.box_format, self.decoder)

    def _all_examples(self) -> list[RefCocoMExample]:
        found: list[RefCocoMExample] = []
        seen: dict[int, int] = {}
        for item, row in enumerate(self.table_rows(range(len(self))).tolist()):
            for instance in self._sample(row, image=False).instances:
                if instance.id in seen:
                    reason = f"samples[{instance.place}].id: {instance.id} is that of another too"
                    raise RowError(instance.file, instance.row, -1, reason)
                seen[instance.id] = item
                found += _about(instance, item, len(found), self)
        return found


def _about(
    instance: RefCocoMInstance, item: int, first: int, dataset: RefCocoM
) -> list[RefCocoMExample]:
    return [
        RefCocoMExample(first + k, item, k, instance, dataset)
        for k in range(len(instance.sentences))
    ]


def _mismatch(sample: RefCocoMSample) -> str | None:
    """What does not fit together in a sample; decodes all of it."""
    height, width = sample.image.shape[:2]
    if None not in (sample.height, sample.width) and sample.instances:
        told = (sample.height, sample.width)
        if told != (height, width):
            return f"image: is {height}x{width} (height x width), its row says {told[0]}x{told[1]}"
    for instance in sample.instances:
        if instance.mask.shape != (height, width):
            shape = "x".join(map(str, instance.mask.shape))
            return f"samples[{instance.place}].mask.size: {shape}, the picture is {height}x{width}"
    return None
