"""TSV files by row: memory-mapped, indexed, never read whole.

A row ends at a newline. The published readers open the file as text with universal newlines, so a
carriage return alone breaks a line there though rows are counted by newlines; here such a row is
an error that names the byte (``allow_cr=True`` keeps it as an ordinary character). A carriage
return before the newline belongs to neither. Blank lines are rows, NUL is a character, a
byte-order mark stays in the first field, there is no quoting.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from refpix.errors import IndexStaleError, RowError, TsvError
from refpix.io.atomic import whole_file
from refpix.io.tsv_index_file import SourceState, read_index, write_index

__all__ = ["TsvFile", "use_kernels", "write_tsv"]

_SLICE_BYTES = 256 << 20
_NEWLINE = ord("\n")


class _Kernels(Protocol):
    """What this module takes from `refpix.kernels`, which `io` does not import."""

    @property
    def tsv_index(self) -> Callable[..., npt.NDArray[np.int64]]: ...
    @property
    def tsv_split(self) -> Callable[..., npt.NDArray[np.int64]]: ...


_kernels: _Kernels | None = None


def use_kernels(kernels: _Kernels) -> None:
    """Hands over the inner loops. `refpix` does so on import."""
    global _kernels
    _kernels = kernels


def _loaded() -> _Kernels:
    if _kernels is None:
        raise RuntimeError("refpix.io.tsv has no kernels: import refpix first")
    return _kernels


class TsvFile:
    """The rows of a TSV file, in any order.

    The file is mapped when first read, in every process anew: a pickled or forked instance holds
    no handle. It must not change while it is open. `row_spans` and `fields` look at its size and
    time first, once a call, and raise IndexStaleError when they differ; a file cut shorter
    between that look and the reading ends the process (SIGBUS), as with any mapping.

    Attributes:
        path: of the file.
        num_threads: threads to use at most, for indexing and splitting.
        allow_cr: whether a carriage return inside a row is an ordinary character.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        index: Literal["auto", "memory", "rebuild"] = "auto",
        num_threads: int = 1,
        progress: bool = False,
        allow_cr: bool = False,
    ) -> None:
        """Opens a file and its index.

        Args:
            path: of the file.
            index: ``"auto"`` reads ``<path>.refpix-index`` if it fits the file and else writes it
                (or keeps it in memory when the folder does not take it); ``"memory"`` neither
                reads nor writes it; ``"rebuild"`` writes it anew.
            num_threads: threads to use at most.
            progress: show a bar while indexing.
            allow_cr: take a carriage return inside a row for an ordinary character.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: an unknown ``index``.
        """
        if index not in ("auto", "memory", "rebuild"):
            raise ValueError(f"index: expected 'auto', 'memory' or 'rebuild', got {index!r}")
        self.path = Path(path)
        self.num_threads = num_threads
        self.allow_cr = allow_cr
        self._state = SourceState.of(self.path)
        self._values: npt.NDArray[np.uint8] | None = None
        self._offsets: npt.NDArray[np.int64] | None = None
        self._persisted = False
        if index == "auto":
            self._offsets = read_index(self.path, self._state, self.values)
            self._persisted = self._offsets is not None
        if self._offsets is None:
            self._offsets = self._index(progress)
            if index != "memory":
                self._persisted = write_index(self.path, self._state, self.values, self._offsets)

    def __repr__(self) -> str:
        return f"TsvFile({str(self.path)!r}: {len(self)} rows)"

    def __len__(self) -> int:
        """Rows: newlines, and one more if the last line lacks its own."""
        return len(self.offsets) - 1

    def __getstate__(self) -> dict[str, Any]:
        offsets = None if self._persisted else self._offsets
        return {**self.__dict__, "_values": None, "_offsets": offsets}

    @property
    def values(self) -> npt.NDArray[np.uint8]:
        """uint8 (bytes,): the file, memory-mapped, read-only."""
        if self._values is None:
            self.check_unchanged()
            if self._state.size == 0:  # which cannot be mapped
                self._values = np.empty(0, np.uint8)
            else:
                mapped = np.memmap(self.path, dtype=np.uint8, mode="r")
                self._values = np.asarray(mapped)
                if len(mapped) != self._state.size:
                    self._values = None
                    self.check_unchanged()
                    raise IndexStaleError(f"{self.path}: size changed while it was opened")
        return self._values

    @property
    def offsets(self) -> npt.NDArray[np.int64]:
        """int64 (rows + 1,): row i is ``values[offsets[i]:offsets[i + 1]]``, newline included."""
        if self._offsets is None:
            self._offsets = read_index(self.path, self._state, self.values)
        if self._offsets is None:  # the side file went away since this was pickled
            self._offsets = self._index(progress=False)
        return self._offsets

    def check_unchanged(self) -> None:
        """Compares the file's size and time with those it was indexed with.

        Raises:
            IndexStaleError: they differ, or the file is gone.
        """
        try:
            state = SourceState.of(self.path)
        except FileNotFoundError:
            raise IndexStaleError(f"{self.path}: file is gone") from None
        if state != self._state:
            raise IndexStaleError(
                f"{self.path}: file changed after it was indexed: "
                f"{self._state.size} bytes then, {state.size} now"
            )

    def row_spans(self, rows: Sequence[int] | npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Where rows begin and end.

        Args:
            rows: row numbers, negative ones counted from the end.

        Returns:
            int64 (n, 2), start and stop of each row in ``values``, newline included.

        Raises:
            IndexError: there is no such row.
            IndexStaleError: the file changed after it was indexed.
        """
        numbers = self._numbers(rows)
        self.check_unchanged()
        spans = np.stack([self.offsets[numbers], self.offsets[numbers + 1]], axis=1)
        inner = spans[spans[:, 1] < self._state.size, 1]
        if (self.values[inner - 1] != _NEWLINE).any():
            raise IndexStaleError(f"{self.path}: rows are not where the index has them")
        return spans

    def fields(
        self,
        rows: Sequence[int] | npt.NDArray[np.int64],
        columns: Sequence[int] | None = None,
    ) -> npt.NDArray[np.int64]:
        """Where the fields of rows begin and end.

        Args:
            rows: row numbers, negative ones counted from the end.
            columns: 0-based, in any order, repeats allowed, negative ones counted from the row's
                end. None: all that the file's first row has.

        Returns:
            int64 (n, k, 2), start and stop of each field in ``values``.

        Raises:
            RowError: a row has too few columns or holds a carriage return; names file, row, byte.
            IndexError: there is no such row.
            IndexStaleError: the file changed after it was indexed.
        """
        spans = self.row_spans(rows)
        if columns is None:
            columns = range(self.column_count())
        try:
            return _loaded().tsv_split(
                self.values,
                spans,
                columns=columns,
                allow_cr=self.allow_cr,
                num_threads=self.num_threads,
            )
        except TsvError as error:
            row = int(self._numbers(rows)[error.item])
            offset = int(spans[error.item, 0]) + error.position
            raise RowError(str(self.path), row, offset, error.reason) from error

    def column_count(self) -> int:
        """Columns of the file's first row; 0 when the file is empty."""
        if len(self) == 0:
            return 0
        first = self.row_spans([0])
        fields = _loaded().tsv_split(self.values, first, columns=None, allow_cr=True)
        return int(fields.shape[1])

    def text(self, span: Sequence[int] | npt.NDArray[np.int64]) -> str:
        """The text of a field.

        Args:
            span: int64 (2,), start and stop in ``values``.

        Raises:
            RowError: it is not UTF-8; names file, row and byte.
        """
        start, stop = (int(edge) for edge in span)
        try:
            return self.values[start:stop].tobytes().decode("utf-8")
        except UnicodeDecodeError as error:
            row = int(np.searchsorted(self.offsets, start, side="right")) - 1
            reason = f"invalid UTF-8: {error.reason}"
            raise RowError(str(self.path), row, start + error.start, reason) from error

    def _index(self, progress: bool) -> npt.NDArray[np.int64]:
        """Row offsets, slice by slice: a bar can move, and a file that is being cut is noticed."""
        values = self.values
        ends = [np.zeros(1, np.int64)]
        slices: Iterable[int] = range(0, len(values), _SLICE_BYTES)
        if progress:  # made only when asked for: a bar, even a hidden one, starts a thread
            slices = tqdm(slices, desc=f"indexing {self.path.name}", unit="slice")
        for start in slices:
            self.check_unchanged()
            part = values[start : start + _SLICE_BYTES]
            found = _loaded().tsv_index(part, num_threads=self.num_threads)[1:]
            if start + len(part) < len(values) and part[-1] != _NEWLINE:
                found = found[:-1]  # the row goes on in the next slice
            ends.append(found + start)
        self.check_unchanged()
        return np.concatenate(ends)

    def _numbers(self, rows: Sequence[int] | npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        numbers = np.asarray(rows, dtype=np.int64).reshape(-1)
        outside = (numbers < -len(self)) | (numbers >= len(self))
        if outside.any():
            raise IndexError(
                f"{self.path}: no row {int(numbers[outside][0])}, there are {len(self)}"
            )
        return np.where(numbers < 0, numbers + len(self), numbers)


def write_tsv(path: str | os.PathLike[str], rows: Iterable[Sequence[str | bytes]]) -> int:
    r"""Writes rows as a TSV file, whole or not at all.

    Args:
        path: of the file; replaced when it exists.
        rows: fields of each row, text (written as UTF-8) or bytes.

    Returns:
        The number of rows written.

    Raises:
        RowError: a field holds a tab, a newline or a carriage return, or a row has no fields:
            such a file would not read back. Names row and byte; nothing is written.
    """
    target = Path(path)
    count = 0
    with whole_file(target) as file:
        for count, row in enumerate(rows, start=1):
            file.write(_line(str(target), count - 1, file.tell(), row))
    return count


def _line(path: str, row: int, offset: int, fields: Sequence[str | bytes]) -> bytes:
    if not fields:
        raise RowError(path, row, offset, "a row needs at least one field")
    encoded = [field.encode() if isinstance(field, str) else bytes(field) for field in fields]
    for field in encoded:
        for separator, name in ((b"\t", "tab"), (b"\n", "newline"), (b"\r", "carriage return")):
            if separator in field:
                at = offset + field.index(separator)
                raise RowError(path, row, at, f"a field may not hold a {name}")
        offset += len(field) + 1
    return b"\t".join(encoded) + b"\n"
