"""RefHCM: one TSV file per task, one person per row, the picture in the row or beside the file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from refpix.datasets._images import Decoder
from refpix.datasets._rows import Faults, Indices, Payloads, RowDataset
from refpix.datasets.refhcm_layout import (
    Task,
    base_task,
    column_indices,
    detect_task,
    find_file,
)
from refpix.datasets.refhcm_sample import BoxFormat, RefHCMSample, RefHCMTargets, make_targets
from refpix.datasets.refhcm_source import RowSource, open_trees
from refpix.errors import KernelError, RowError, detached
from refpix.io.tsv import TsvFile
from refpix.types import PIXEL_LIMIT

__all__ = ["RefHCM"]


class RefHCM(RowDataset):
    """A RefHCM file as a map-style dataset of `RefHCMSample`.

    Random access, slices (``ds[10:20]`` is a dataset), batches (``ds.__getitems__([3, 1])``, which
    ``torch.utils.data.DataLoader`` uses), iteration. No handle is shared across pickling and
    forking, so it works in workers of either start method; reading from several threads is safe.
    Nothing is skipped: a malformed row raises `RowError` with file, row, byte offset and reason.

    Args:
        path: a TSV file, the dataset's folder, or the folder of a task.
        task: ``"rec"``, ``"rkpt"``, ``"rpar"``, ``"rhrc"``, ``"hoi"``, or a ReasonRef folder
            (``"reasondec"``, ``"reasonpose"``, ``"reasonpar"``). None: the folder's name or, for
            a file, what its first row looks like.
        split: which file of a folder, e.g. ``"train"``, ``"val"``, ``"testA"``.
        columns: the file's columns if not as documented: names first to last, or name -> index.
        selected_cols: upstream's way to say the same, e.g. ``"0,4,2,3"``.
        root: rpar: the folder that holds ``imgs`` and ``gts``, or annos.zip, which is read without
            unpacking. rhrc: the folder (or zip) that image paths are relative to. None looks
            beside the file (rhrc: and in the working directory).
        box_format: of ``sample.box``: ``"xyxy"`` as shipped, or ``"xywh"``.
        targets: True adds the model's question and answer to samples; a mapping does so with
            these options of `targets`.
        transforms: called on each sample; what it returns is what indexing gives.
        strict: rpar: exactly 48 codes in 0..31. hoi: no malformed actions. (The published program
            lets both pass.)
        allow_truncated: keep what arrived of pictures whose data ends early, as published.
        pixel_limit: most pixels of a picture; more is a fault. None for no limit, as published.
        index: as for `refpix.io.tsv.TsvFile`.
        num_threads: threads for indexing and for batches.
        progress: a bar while a large file is being indexed.

    Raises:
        FileNotFoundError: no such file, or no pictures to an rpar file; names where it looked.
        ValueError: unknown task, or columns that do not fit it.

    Source: RefHCM, data/mm_data; https://huggingface.co/datasets/JJJYmmm/RefHCM-dataset
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        task: str | None = None,
        *,
        split: str | None = None,
        columns: Mapping[str, int] | Sequence[str] | None = None,
        selected_cols: str | None = None,
        root: str | os.PathLike[str] | None = None,
        box_format: BoxFormat = "xyxy",
        targets: bool | Mapping[str, Any] = False,
        transforms: Callable[[RefHCMSample], Any] | None = None,
        strict: bool = False,
        allow_truncated: bool = True,
        pixel_limit: int | None = PIXEL_LIMIT,
        index: Literal["auto", "memory", "rebuild"] = "auto",
        num_threads: int = 1,
        progress: bool = False,
    ) -> None:
        if box_format not in ("xyxy", "xywh"):
            raise ValueError(f"box_format={box_format!r}: expected 'xyxy' or 'xywh'")
        file, name = find_file(path, task, split)
        tsv = TsvFile(file, index=index, num_threads=num_threads, progress=progress)
        first = _first_row(tsv)
        known = base_task(name) if name else _detected(file, first)
        self.source = RowSource(
            tsv=tsv,
            task=known,
            columns=column_indices(known, columns, selected_cols, first),
            trees=open_trees(known, file, root),
            box_format=box_format,
            strict=strict,
        )
        self.target_options: dict[str, Any] | None = None if targets is False else {}
        if isinstance(targets, Mapping):
            self.target_options = dict(targets)
        self.transforms = transforms
        self.decoder = Decoder(allow_truncated, pixel_limit, num_threads)

    @property
    def path(self) -> Path:
        """The TSV file."""
        return Path(self.source.tsv.path)

    @property
    def task(self) -> Task:
        """Whose layout the rows have."""
        return self.source.task

    def __repr__(self) -> str:
        return f"RefHCM({str(self.path)!r}, task={self.task!r}): {len(self)} rows"

    def _count(self) -> int:
        return len(self.source.tsv)

    def __getitems__(self, indices: Indices) -> list[Any]:
        """The samples of a batch: one split of the rows, one call of the decoder.

        The pictures of a batch are views into one buffer.
        """
        faults: Faults = {}
        samples = self._samples(self.table_rows(indices), faults)
        if faults:
            raise faults[min(faults)]
        done = [sample for sample in samples if sample is not None]
        return done if self.transforms is None else [self.transforms(sample) for sample in done]

    def records(self, rows: Indices, faults: Faults | None = None) -> list[RefHCMSample | None]:
        """Everything but pixels: samples without image and label map.

        Args:
            rows: indices into this dataset.
            faults: None raises the first malformed row; a dict receives its `RowError` under its
                place in ``rows``, and the list holds None there.

        Raises:
            RowError: a malformed row.
            IndexStaleError: the file changed after it was indexed.
            IndexError: no such row.
        """
        found: Faults = {}
        file_rows = self.table_rows(rows)
        records = self.source.records(file_rows, self.source.spans(file_rows, found), found)
        _settle(found, faults)
        return records

    def payloads(self, rows: Indices, faults: Faults | None = None) -> Payloads:
        """The encoded pictures of some rows, for a native batch. Nothing is decoded.

        Base64 is not copied: the spans point into the mapped file. Pictures that lie in files are
        read into one buffer; where some rows hold base64 and some a path, the former are decoded
        into it too.

        Args:
            rows: indices into this dataset.
            faults: as for `records`; the span of a bad row is empty.

        Raises:
            RowError: a malformed row, or a missing picture file.
            IndexStaleError: the file changed after it was indexed.
            IndexError: no such row.
        """
        found: Faults = {}
        file_rows = self.table_rows(rows)
        payloads = self.source.payloads(file_rows, self.source.spans(file_rows, found), found)
        _settle(found, faults)
        return payloads

    def label_maps(
        self, rows: Indices, faults: Faults | None = None
    ) -> list[npt.NDArray[np.int32] | None]:
        """The label maps of some rows of an rpar file: int32 (H, W) each.

        Arguments and errors as for `records`; a missing or malformed file is a `RowError`.
        """
        found: Faults = {}
        file_rows = self.table_rows(rows)
        maps = self._label_maps(file_rows, self.source.spans(file_rows, found), found)
        _settle(found, faults)
        return maps

    def targets(self, sample: RefHCMSample, **options: Any) -> RefHCMTargets:
        """The model's question and answer for a sample; options as for `make_targets`."""
        return make_targets(sample, **{**(self.target_options or {}), **options})

    def row_error(self, row: int, error: KernelError) -> RowError:
        """The error that a fault in a row's picture amounts to.

        Args:
            row: index into this dataset.
            error: what a kernel found; its position is a byte of the base64 text for faults of
                that, else of the decoded payload.
        """
        file_rows = self.table_rows([row])
        faults: Faults = {}
        spans = self.source.spans(file_rows, faults)
        offset = int(spans[0, self.source.place("image"), 0])
        return faults.get(0) or self.source.picture_error(int(file_rows[0]), offset, error)

    def verify(
        self, rows: Indices | None = None, *, batch_size: int = 16, progress: bool = False
    ) -> list[RowError]:
        """Decodes every row and lists the bad ones; never stops at the first.

        A label map whose size is not the picture's is listed too, although it can be read.

        Args:
            rows: indices into this dataset; None is all.
            batch_size: rows at a time, which bounds memory.
            progress: a bar.

        Returns:
            One error for each bad row, in the order of ``rows``.
        """
        todo = self.table_rows(range(len(self)) if rows is None else rows)
        problems: list[RowError] = []
        with tqdm(total=len(todo), unit="row", disable=not progress) as bar:
            for start in range(0, len(todo), batch_size):
                batch = todo[start : start + batch_size]
                faults: Faults = {}
                for i, sample in enumerate(self._samples(batch, faults)):
                    if sample is not None and (reason := _size_mismatch(sample)):
                        faults[i] = self._error_of(sample.row, "label_map", reason)
                problems += [detached(faults[i]) for i in sorted(faults)]
                bar.update(len(batch))
        return problems

    def _samples(self, rows: npt.NDArray[np.int64], faults: Faults) -> list[RefHCMSample | None]:
        """Samples of rows of the file; None for bad ones."""
        spans = self.source.spans(rows, faults)
        records = self.source.records(rows, spans, faults)
        payloads = self.source.payloads(rows, spans, faults)
        maps: list[Any] = [None] * len(rows)
        if self.task == "rpar":
            maps = self._label_maps(rows, spans, faults)
        good = [i for i in range(len(rows)) if i not in faults]
        pictures = self.decoder.decode(payloads.values, payloads.spans[good], payloads.encoding)
        samples: list[RefHCMSample | None] = [None] * len(rows)
        for i, picture in zip(good, pictures, strict=True):
            record = records[i]
            if record is None:
                continue
            if isinstance(picture, Exception):
                offset = int(spans[i, self.source.place("image"), 0])
                faults[i] = self.source.picture_error(record.row, offset, picture)
                continue
            samples[i] = replace(record, image=picture, label_map=maps[i])
        if self.target_options is not None:
            self._add_targets(samples, faults)
        return samples

    def _add_targets(self, samples: list[RefHCMSample | None], faults: Faults) -> None:
        for i, sample in enumerate(samples):
            if sample is None:
                continue
            try:
                samples[i] = replace(sample, targets=self.targets(sample))
            except (ValueError, IndexError) as e:
                faults[i] = self._error_of(sample.row, "box", f"no targets: {e}")
                samples[i] = None

    def _label_maps(
        self, rows: npt.NDArray[np.int64], spans: npt.NDArray[np.int64], faults: Faults
    ) -> list[npt.NDArray[np.int32] | None]:
        if self.task != "rpar":
            raise ValueError(f"task {self.task!r} has no label maps")
        maps: list[npt.NDArray[np.int32] | None] = []
        for i, row in enumerate(rows.tolist()):
            try:
                span = spans[i, self.source.place("label_map")]
                maps.append(None if i in faults else self.source.label_map(row, span))
            except RowError as e:
                faults[i] = e
                maps.append(None)
        return maps

    def _error_of(self, row: int, column: str, reason: str) -> RowError:
        span = self.source.tsv.fields(np.array([row]), [self.source.columns[column]])
        return self.source.error(row, int(span[0, 0, 0]), f"{column}: {reason}")


def _first_row(tsv: TsvFile) -> list[bytes]:
    """The beginnings of the first row's fields; nothing for an empty or broken one."""
    try:
        spans = tsv.fields([0])[0] if len(tsv) else []
    except RowError:
        return []
    return [tsv.values[start : min(stop, start + 4096)].tobytes() for start, stop in spans]


def _detected(file: Path, first_row: list[bytes]) -> Task:
    task = detect_task(first_row)
    if task is None:
        raise ValueError(f"{file}: its first row looks like no known task; name it with task=")
    return task


def _settle(found: Faults, faults: Faults | None) -> None:
    """Raises the first error found, unless the caller asked to be handed all of them."""
    if faults is not None:
        faults.update(found)
    elif found:
        raise found[min(found)]


def _size_mismatch(sample: RefHCMSample) -> str | None:
    if sample.label_map is None or sample.image is None:
        return None
    size, wanted = sample.label_map.shape, sample.image.shape[:2]
    return None if size == wanted else f"label map is {size}, the picture {wanted}"
