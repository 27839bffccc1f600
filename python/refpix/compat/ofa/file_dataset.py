"""The TSV reader of OFA and RefHCM, quirk for quirk, and its cure."""

from __future__ import annotations

import logging
import math
import os
import pickle
import sys
from collections.abc import Callable, Sequence
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import torch

from refpix.errors import RowError
from refpix.io.tsv import TsvFile
from refpix.kernels import tsv_index

__all__ = ["FileDataset", "batches"]

logger = logging.getLogger(__name__)

_DTYPES: dict[str, Callable[[str], Any]] = {"str": str, "int": int, "float": float, "bool": bool}


class _MissingFileError(AssertionError, FileNotFoundError):
    """The published reader asserts that its files exist; both kinds of caller catch this."""


class FileDataset:
    """Rows of a tab-separated file, as published: **the index is ignored**.

    A read returns the next row of this rank's slice, and after ``len()`` reads the slice starts
    again. A row with too few columns, or with a field that does not convert, is passed over by
    reading on, yet counts; so a pass over a file with bad rows meets other rows twice. Lines are
    UTF-8 text with universal newlines: a lone carriage return ends one, although the row count
    and the slices come from newlines alone.

    ``random_access=True`` is the cure: ``dataset[i]`` is row i of the slice, whichever order
    is asked for, a bad row is a ``RowError`` that names file, row and byte, and the dataset can be
    pickled and used by worker processes.

    Args:
        file_path: the file.
        selected_col_ids: comma list of column numbers, e.g. ``"0,4,2,3"``; negative ones count
            from the end, repeats are allowed. None: all columns of the first line.
        dtypes: comma list of ``str``, ``int``, ``float``, ``bool``, one for each column. None:
            all text.
        separator: between columns.
        cached_index: take row count and offsets from ``<file_path>.index``, the pickle of the
            published tool; nothing but integers is unpickled. Random access has its own index.
        random_access: see above.
        slice_id: this rank; None asks torch.distributed.
        slice_count: number of ranks; None asks torch.distributed.

    Attributes:
        row_count: rows of this rank's slice.
        total_row_count: rows of the file.
        start_pos: first row of the slice.
        selected_col_ids: list of column numbers.
        data_cnt: reads since the slice last started (or where ``_seek`` went).
        lineid_to_offset: int64 (rows,), byte offset of each row.

    Raises:
        AssertionError: no such file, no such index, or as many dtypes as columns are not given.
        IndexError: a rank without rows, as published.
        UnicodeDecodeError: on reading, and possibly rows too early, since text is read ahead.
        RecursionError: on reading, after as many bad rows on end as Python's recursion limit.

    Source: RefHCM, data/file_dataset.py.
    """

    def __init__(
        self,
        file_path: str | os.PathLike[str],
        selected_col_ids: str | None = None,
        dtypes: str | None = None,
        separator: str = "\t",
        cached_index: bool = False,
        *,
        random_access: bool = False,
        slice_id: int | None = None,
        slice_count: int | None = None,
    ) -> None:
        if not os.path.exists(file_path):
            raise _MissingFileError(f"no such data file: {os.fspath(file_path)}")
        self.file_path = file_path
        self.separator = separator
        self.cached_index = cached_index
        self.random_access = random_access
        self.selected_col_ids = self._columns(selected_col_ids)
        self.dtypes = _converters(dtypes, len(self.selected_col_ids))
        self.data_cnt = 0
        rank, world = _rank_and_world()
        self.slice_id = rank if slice_id is None else slice_id
        self.slice_count = world if slice_count is None else slice_count
        self._reader: IO[str] | None = None
        self._rows = TsvFile(file_path) if random_access else None
        self._init_seek_index()
        if not random_access:
            self._reader = self._get_reader()

    def _columns(self, selected: str | None) -> list[int]:
        if selected is not None:
            return [int(column) for column in selected.split(",")]
        with self._open() as file:
            return list(range(len(file.readline().rstrip("\n").split(self.separator))))

    def _init_seek_index(self) -> None:
        if self._rows is not None:
            self.lineid_to_offset = self._rows.offsets[:-1]
            self.total_row_count = len(self._rows)
        elif self.cached_index:
            self.total_row_count, self.lineid_to_offset = _load_index(f"{self.file_path}.index")
        else:
            self.lineid_to_offset = _line_starts(self.file_path)
            self.total_row_count = len(self.lineid_to_offset)
        rows, rest = divmod(self.total_row_count, self.slice_count)
        self.row_count = rows + (self.slice_id < rest)
        self.start_pos = rows * self.slice_id + min(self.slice_id, rest)
        logger.debug(
            "%s: slice %d has %d of %d rows",
            self.file_path,
            self.slice_id,
            self.row_count,
            self.total_row_count,
        )

    def _open(self) -> IO[str]:
        return open(self.file_path, encoding="utf-8")

    def _get_reader(self) -> IO[str]:
        start = int(self.lineid_to_offset[self.start_pos])
        file = self._open()
        file.seek(start)
        return file

    def _seek(self, offset: int = 0) -> None:
        """Makes row ``offset`` of the slice the next one to be read.

        Where that lies past the end of the file, row ``offset`` of the file. Random access needs
        none of this and only keeps the count.
        """
        if self._reader is not None:
            try:
                start = self.lineid_to_offset[self.start_pos + offset]
            except IndexError:
                start = self.lineid_to_offset[offset]
            self._reader.seek(int(start))
        self.data_cnt = offset

    def __del__(self) -> None:
        reader = getattr(self, "_reader", None)
        if reader is not None:
            reader.close()

    def __getstate__(self) -> dict[str, Any]:
        if not self.random_access:
            raise TypeError(
                "a FileDataset that reads in sequence holds its place in an open file and cannot "
                "be pickled; random_access=True can"
            )
        return {k: v for k, v in self.__dict__.items() if k != "lineid_to_offset"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        assert self._rows is not None
        self.lineid_to_offset = self._rows.offsets[:-1]

    def __len__(self) -> int:
        return self.row_count

    def get_total_row_count(self) -> int:
        """Rows of the whole file, all ranks together."""
        return self.total_row_count

    def __getitem__(self, index: int) -> list[Any]:
        if self._rows is not None:
            return self._row(index, self._rows)
        # The published reader calls itself for the next row, so that many bad ones on end, not
        # the end of the file, is what stops it.
        for _ in range(sys.getrecursionlimit()):
            fields = self._next_line()
            try:
                return self._convert(fields)
            except Exception as e:  # whatever a converter raises: the published rule
                logger.debug("%s: row passed over (%s): %.200r", self.file_path, e, fields)
        raise RecursionError(f"{self.file_path}: no usable row among the next {_ + 1}")

    def row_error(self, index: int, reason: str) -> RowError:
        """The error for a row of the slice: names the file, its row and its first byte."""
        row = self.start_pos + index % self.row_count
        offset = int(self.lineid_to_offset[row])
        return RowError(os.fspath(self.file_path), row, offset, reason)

    def _row(self, index: int, rows: TsvFile) -> list[Any]:
        if not -self.row_count <= index < self.row_count:
            raise IndexError(f"row {index} of a slice of {self.row_count}")
        row = self.start_pos + index % self.row_count
        start, stop = rows.row_spans([row])[0].tolist()
        try:
            line = rows.values[start:stop].tobytes().decode("utf-8")
            line = line.removesuffix("\n").removesuffix("\r")
            if "\r" in line:  # where the sequential reader breaks the line
                raise ValueError("carriage return inside a row")
            return self._convert(line.split(self.separator))
        except IndexError:
            reason = f"fewer columns than selected_col_ids {self.selected_col_ids} need"
        except ValueError as e:  # UnicodeDecodeError is one
            reason = str(e)
        raise self.row_error(index, reason)

    def _next_line(self) -> list[str]:
        assert self._reader is not None
        if self.data_cnt == self.row_count:
            self.data_cnt = 0
            self._reader.close()
            self._reader = self._get_reader()
        line = self._reader.readline()
        self.data_cnt += 1
        return line.rstrip("\n").split(self.separator)

    def _convert(self, fields: Sequence[str]) -> list[Any]:
        return [
            convert(fields[column])
            for column, convert in zip(self.selected_col_ids, self.dtypes, strict=True)
        ]


def batches(length: int, total_rows: int, num_shards: int, max_sentences: int) -> list[list[int]]:
    """The indices of each batch, as the published task makes them.

    Consecutive ranges. A rank whose slice yields fewer batches than the largest one does gets
    one more, ``[1]``, so that all ranks take as many steps.

    Args:
        length: rows of this rank's slice.
        total_rows: rows of the file.
        num_shards: ranks.
        max_sentences: rows of a batch.

    Source: RefHCM, tasks/ofa_task.py (get_batch_iterator).
    """
    starts = range(0, length, max_sentences)
    sampler = [list(range(i, min(i + max_sentences, length))) for i in starts]
    if len(sampler) < math.ceil(math.ceil(total_rows / num_shards) / max_sentences):
        sampler.append([1])
    return sampler


def _rank_and_world() -> tuple[int, int]:
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1


def _converters(dtypes: str | None, count: int) -> list[Callable[[str], Any]]:
    if dtypes is None:
        return [str] * count
    names = [name.strip() for name in dtypes.split(",")]
    if unknown := sorted(set(names) - _DTYPES.keys()):
        raise ValueError(f"unknown dtypes {', '.join(unknown)}; there are: {', '.join(_DTYPES)}")
    if len(names) != count:
        raise AssertionError(f"{len(names)} dtypes for {count} columns")
    return [_DTYPES[name] for name in names]


def _line_starts(path: str | os.PathLike[str]) -> npt.NDArray[np.int64]:
    """Byte offset of each line of a file that is split at newlines only."""
    if os.path.getsize(path) == 0:  # which mmap refuses
        return np.empty(0, dtype=np.int64)
    return tsv_index(np.memmap(path, dtype=np.uint8, mode="r"))[:-1]


class _IntegersOnly(pickle.Unpickler):
    """Unpickles numbers and containers; a pickle that names a class or function is refused."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"an index holds integers only, this one {module}.{name}")


def _load_index(path: str) -> tuple[int, npt.NDArray[np.int64]]:
    if not os.path.exists(path):
        raise _MissingFileError(f"no such index: {path}")
    with open(path, "rb") as file:
        found = _IntegersOnly(file).load()
    match found:
        case (int(count), [*offsets]) if all(type(offset) is int for offset in offsets):
            return count, np.array(offsets, dtype=np.int64)
    raise pickle.UnpicklingError(f"{path}: expected (count, [offset, ...])")
