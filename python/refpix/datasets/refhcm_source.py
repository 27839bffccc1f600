"""A RefHCM file as rows: records, encoded pictures, label maps. Decodes nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from refpix.datasets._images import pack_payloads
from refpix.datasets._rows import Faults, Payloads
from refpix.datasets.refhcm_layout import Task, find_annotations, looks_like_path
from refpix.datasets.refhcm_rows import FieldFault, label_map_from_npy, record_from_fields
from refpix.datasets.refhcm_sample import BoxFormat, RefHCMSample
from refpix.errors import Base64Error, KernelError, RowError
from refpix.io.tree import FileTree, FolderTree, ZipTree, open_tree
from refpix.io.tsv import TsvFile
from refpix.types import BytesBatch

__all__ = ["RowSource", "open_trees"]

Ints = npt.NDArray[np.int64]

#: Longest field of a record in bytes. What is longer is no annotation, and would be a Python object
#: per number.
FIELD_LIMIT = 1 << 20
_PATH_LIMIT = 4096  # PATH_MAX


@dataclass(frozen=True)
class RowSource:
    """The rows of a file by number.

    Methods take int64 row numbers of the file and a dict that receives the `RowError` of each bad
    row under its place in ``rows``.

    Attributes:
        tsv: the file.
        task: whose rows these are.
        columns: column name -> index.
        trees: where the files lie that rows name; the first that has one wins.
        box_format: of records.
        strict: whether codes and actions are checked beyond what is needed to read them.
    """

    tsv: TsvFile
    task: Task
    columns: dict[str, int]
    trees: tuple[FileTree, ...]
    box_format: BoxFormat
    strict: bool

    def place(self, column: str) -> int:
        """Place of a column in what `spans` returns."""
        return list(self.columns).index(column)

    def error(self, row: int, offset: int, reason: str) -> RowError:
        """The error for a byte of the file."""
        return RowError(str(self.tsv.path), row, int(offset), reason)

    def picture_error(self, row: int, offset: int, error: Exception) -> RowError:
        """The error for a picture that begins at a byte of the file and cannot be decoded."""
        words = str(error) or type(error).__name__
        if isinstance(error, KernelError):
            # Not its message: that names a place in a batch that nobody has seen.
            words = error.reason
            if isinstance(error, Base64Error):
                offset += max(error.position, 0)
            elif error.position >= 0:
                words += f" (at byte {error.position} of the picture)"
        found = self.error(row, offset, f"image: {words}")
        found.__cause__ = error
        return found

    def spans(self, rows: Ints, faults: Faults) -> Ints:
        """Where the fields lie: int64 (n, columns, 2), zeros for a row that lacks a column.

        Raises:
            IndexStaleError: the file changed after it was indexed.
        """
        wanted = list(self.columns.values())
        try:
            return self.tsv.fields(rows, wanted)
        except RowError as e:
            if len(rows) == 1:
                faults[0] = e
                return np.zeros((1, len(wanted), 2), np.int64)
        spans = np.zeros((len(rows), len(wanted), 2), np.int64)
        for i in range(len(rows)):
            alone: Faults = {}
            spans[i] = self.spans(rows[i : i + 1], alone)[0]
            if alone:
                faults[i] = alone[0]
        return spans

    def records(self, rows: Ints, spans: Ints, faults: Faults) -> list[RefHCMSample | None]:
        """Everything but pixels; None for bad rows."""
        places = {
            name: self.place(name) for name in self.columns if name not in ("image", "label_map")
        }
        records: list[RefHCMSample | None] = []
        for i, row in enumerate(rows.tolist()):
            record = None
            if i not in faults:
                fields_at = {name: spans[i, place] for name, place in places.items()}
                try:
                    _check_lengths(fields_at)
                    fields = {name: self.field(span) for name, span in fields_at.items()}
                    record = record_from_fields(
                        self.task, row, fields, box_format=self.box_format, strict=self.strict
                    )
                except FieldFault as e:
                    offset = int(spans[i, places[e.column], 0]) + e.position
                    faults[i] = self.error(row, offset, str(e))
            records.append(record)
        return records

    def payloads(self, rows: Ints, spans: Ints, faults: Faults) -> Payloads:
        """The encoded pictures; the span of a bad row is empty.

        Base64 is not copied. Where rows name files, all payloads are gathered in one buffer.
        """
        field = np.ascontiguousarray(spans[:, self.place("image")])
        named = [self.task == "rpar" or self._names_file(span) for span in field]
        if not any(named):
            return Payloads(self.tsv.values, field, "base64")
        folder = "imgs" if self.task == "rpar" else ""
        files: list[bytes] = []
        for i in np.flatnonzero(named).tolist():
            payload = b""
            if i not in faults:
                try:
                    payload = self._file(int(rows[i]), field[i], "image", folder)
                except RowError as e:
                    faults[i] = e
            files.append(payload)
        is_text = [not name for name in named]
        texts = BytesBatch(self.tsv.values, field[is_text])
        packed, broken = pack_payloads(texts, is_text, files)
        for i, error in broken.items():
            if i not in faults:
                faults[i] = self.picture_error(int(rows[i]), int(field[i, 0]), error)
        return Payloads(packed.values, packed.spans, "raw")

    def label_map(self, row: int, span: Ints) -> npt.NDArray[np.int32]:
        """The label map that a field names: int32 (H, W).

        Raises:
            RowError: no such file, or a malformed one.
        """
        payload = self._file(row, span, "label_map", "gts")
        try:
            return label_map_from_npy(payload)
        except ValueError as e:
            raise self.error(row, int(span[0]), f"label_map: {e}") from e

    def field(self, span: Ints) -> bytes:
        """The bytes of a field."""
        start, stop = span.tolist()
        return self.tsv.values[start:stop].tobytes()

    def _names_file(self, span: Ints) -> bool:
        short = int(span[1] - span[0]) <= _PATH_LIMIT
        return self.task == "rhrc" and short and looks_like_path(self.field(span))

    def _file(self, row: int, span: Ints, column: str, folder: str) -> bytes:
        """The bytes of the file that a field names, from the first tree that has it."""
        reason = ""
        if span[1] - span[0] > _PATH_LIMIT:
            raise self.error(row, int(span[0]), f"{column}: a path of over {_PATH_LIMIT} bytes")
        try:
            name = self.field(span).decode().strip()
            for tree in self.trees:
                inside = os.path.join(folder, name) if folder else _below(name, tree.path)
                try:
                    return tree.read(inside)
                except (FileNotFoundError, NotADirectoryError):
                    reason += f"{', ' if reason else 'no such file: '}{tree.locate(inside)}"
        except (OSError, ValueError) as e:
            reason = str(e)
        raise self.error(row, int(span[0]), f"{column}: {reason}")


def _check_lengths(fields: Mapping[str, Ints]) -> None:
    for name, (start, stop) in fields.items():
        if stop - start > FIELD_LIMIT:
            raise FieldFault(name, f"field of {stop - start} bytes, the limit is {FIELD_LIMIT}")


def _below(name: str, folder: Path) -> str:
    """A name as seen from a folder: absolute names are taken when they lie in it."""
    prefix = f"{folder}/"
    return name[len(prefix) :] if name.startswith(prefix) else name


def open_trees(task: Task, file: Path, root: str | os.PathLike[str] | None) -> tuple[FileTree, ...]:
    """Where the files lie that the rows of a file name.

    Args:
        task: only rpar and rhrc name files.
        file: the TSV file.
        root: what the user said, or None.

    Raises:
        FileNotFoundError: there is no such folder or archive; names where it was looked for.
    """
    if task == "rpar":
        return (open_tree(find_annotations(file) if root is None else root, "imgs"),)
    if task != "rhrc":
        return ()
    if root is None:
        return FolderTree(file.absolute().parent), FolderTree(Path.cwd())
    root = Path(root).absolute()
    if root.is_dir():
        return (FolderTree(root),)
    if root.is_file():
        return (ZipTree(root),)
    raise FileNotFoundError(f"{root}: no such folder or archive")
