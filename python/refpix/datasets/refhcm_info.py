"""What a TSV file looks like, before anyone reads it in earnest."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from refpix.datasets.refhcm_layout import COLUMNS, Task, detect_task
from refpix.errors import RowError
from refpix.io.tsv import TsvFile
from refpix.io.tsv_index_file import SourceState, index_path

__all__ = ["Field", "FileInfo", "IndexState", "describe"]

IndexState = Literal["used", "written", "rewritten", "not written"]

_SHOWN = 4096  # bytes of a field that are looked at


@dataclass(frozen=True)
class Field:
    """A field of the first row.

    Attributes:
        name: of the column, ``"?"`` where the task is not known.
        bytes: its length.
        text: its beginning, with what is not UTF-8 replaced.
    """

    name: str
    bytes: int
    text: str


@dataclass(frozen=True)
class FileInfo:
    """A TSV file at a glance.

    Attributes:
        path: of the file.
        bytes: its size.
        rows: lines of it.
        columns: fields of its first row.
        task: whose columns they look like, None for no known task's.
        index: what became of the side file with the row offsets.
        index_path: where that lies.
        longest_row: bytes of the longest row, newline included.
        first_row: its fields; none for an empty or malformed first row.
        problem: what is wrong with the first row, or None.
    """

    path: Path
    bytes: int
    rows: int
    columns: int
    task: Task | None
    index: IndexState
    index_path: Path
    longest_row: int
    first_row: tuple[Field, ...]
    problem: str | None


def describe(
    path: str | os.PathLike[str],
    *,
    index: Literal["auto", "memory", "rebuild"] = "auto",
    num_threads: int = 1,
    progress: bool = False,
) -> FileInfo:
    """Look at a TSV file: its rows are counted, its first one is split.

    Args:
        path: of the file.
        index: as for `refpix.io.tsv.TsvFile`.
        num_threads: threads for indexing.
        progress: a bar while a large file is being indexed.

    Raises:
        FileNotFoundError: there is no such file.
        IsADirectoryError: it is a folder.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: name a TSV file")
    side_file = index_path(path)
    before = _stamp(side_file)
    tsv = TsvFile(path, index=index, num_threads=num_threads, progress=progress)
    columns = tsv.column_count()
    task, fields, problem = None, [], None
    try:
        spans = tsv.fields([0])[0].tolist() if columns else []
    except RowError as error:
        spans, problem = [], str(error)
    heads = [tsv.values[a : min(b, a + _SHOWN)].tobytes() for a, b in spans]
    task = detect_task(heads)
    names = COLUMNS[task] if task else ("?",) * len(spans)
    for name, head, (start, stop) in zip(names, heads, spans, strict=True):
        fields.append(Field(name, stop - start, head.decode("utf-8", "replace")))
    lengths = tsv.offsets[1:] - tsv.offsets[:-1]
    return FileInfo(
        path=path,
        bytes=len(tsv.values),
        rows=len(tsv),
        columns=columns,
        task=task,
        index="not written" if index == "memory" else _index_state(before, _stamp(side_file)),
        index_path=side_file,
        longest_row=int(lengths.max()) if len(lengths) else 0,
        first_row=tuple(fields),
        problem=problem,
    )


def _stamp(path: Path) -> SourceState | None:
    try:
        return SourceState.of(path)
    except OSError:
        return None


def _index_state(before: SourceState | None, after: SourceState | None) -> IndexState:
    if after is None:
        return "not written"
    if before is None:
        return "written"
    return "used" if before == after else "rewritten"
