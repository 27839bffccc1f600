"""Rows of parquet files by number, without reading the whole."""

from __future__ import annotations

import os
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from refpix.errors import MissingExtraError

__all__ = ["CACHE_BYTES", "ParquetRows", "find_shards"]

#: Decoded row groups that are kept, in bytes of memory; at least the last one always is.
CACHE_BYTES = 256 << 20


def find_shards(path: str | os.PathLike[str]) -> list[Path]:
    """The parquet files of a dataset in the order of their names.

    Args:
        path: a file, or a folder: then all ``*.parquet`` in it and below, but for hidden ones.

    Raises:
        FileNotFoundError: no such path, or no parquet file in the folder.
    """
    path = Path(path)
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise FileNotFoundError(f"{path}: no such file or folder")
    shards = [
        shard
        for shard in path.rglob("*.parquet")
        if not any(part.startswith(".") for part in shard.relative_to(path).parts)
    ]
    if not shards:
        raise FileNotFoundError(f"{path}: there is no .parquet file in it")
    return sorted(shards)


class ParquetRows:
    """The rows of one parquet file, or of a folder of shards end to end.

    Only footers are read at first. A row costs its row group, of which the last ones are kept, so
    reading in order decodes each once. Picklable without handles; every process opens the files
    for itself; reading from several threads is safe.

    Args:
        path: as for `find_shards`.
        cache_bytes: see `CACHE_BYTES`.

    Attributes:
        path: as given.
        shards: the files.

    Raises:
        MissingExtraError: pyarrow is not installed.
        FileNotFoundError: there are no such files.
        ValueError: a file is no parquet file, or was cut; names it.
    """

    def __init__(self, path: str | os.PathLike[str], *, cache_bytes: int = CACHE_BYTES) -> None:
        self.path = Path(path)
        self.shards = find_shards(path)
        self.cache_bytes = cache_bytes
        self._reset()
        # Of every row group: shard, number in it, first row in it, and first row of all.
        self._groups: list[tuple[int, int, int, int]] = []
        self._starts: list[int] = []
        total = 0
        for shard in range(len(self.shards)):
            metadata = self._file(shard).metadata
            within = 0
            for group in range(metadata.num_row_groups):
                rows = int(metadata.row_group(group).num_rows)
                if rows:
                    self._groups.append((shard, group, within, total))
                    self._starts.append(total)
                within += rows
                total += rows
        self._length = total

    def __repr__(self) -> str:
        return f"ParquetRows({str(self.path)!r}): {len(self)} rows, {len(self.shards)} files"

    def __len__(self) -> int:
        return self._length

    def __getstate__(self) -> dict[str, Any]:
        private = ("_lock", "_pid", "_files", "_cache")
        return {name: value for name, value in vars(self).items() if name not in private}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._reset()

    def schema(self, shard: int) -> Any:
        """The ``pyarrow.Schema`` of a file."""
        return self._file(shard).schema_arrow

    def where(self, row: int) -> tuple[str, int]:
        """The file that a row lies in, and its number there."""
        shard, _, within, first = self._groups[self._group_of(row)]
        return str(self.shards[shard]), row - first + within

    def rows(self, rows: Iterable[int], columns: Sequence[str]) -> list[dict[str, Any]]:
        """Some columns of some rows, as Python values.

        Args:
            rows: row numbers, counted over all files from 0; any order, repeats allowed.
            columns: names of top-level columns.

        Returns:
            A dict for each row.

        Raises:
            IndexError: no such row.
            ValueError: a row group cannot be read, or lacks a column; names file and group.
        """
        found = []
        for row in rows:
            group = self._group_of(row)
            table = self._table(group, tuple(columns))
            found.append(table.slice(row - self._groups[group][3], 1).to_pylist()[0])
        return found

    def scan(self, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Some columns of all rows in order; nothing is kept."""
        for shard, group, _, _ in self._groups:
            yield from self._read(shard, group, columns).to_pylist()

    def _group_of(self, row: int) -> int:
        if not 0 <= row < self._length:
            raise IndexError(f"no row {row} in {self!r}")
        return bisect_right(self._starts, row) - 1

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._files: dict[int, Any] = {}
        self._cache: OrderedDict[tuple[int, tuple[str, ...]], Any] = OrderedDict()

    def _mine(self) -> None:
        """Forgets what a parent process opened: forked handles would share their positions."""
        if self._pid != os.getpid():
            self._reset()

    def _file(self, shard: int) -> Any:
        self._mine()
        if shard not in self._files:
            self._files[shard] = _open(self.shards[shard])
        return self._files[shard]

    def _table(self, group: int, columns: tuple[str, ...]) -> Any:
        """A row group, decoded or kept from before."""
        self._mine()
        with self._lock:
            key = (group, columns)
            if key not in self._cache:
                shard, number, _, _ = self._groups[group]
                self._cache[key] = self._read(shard, number, columns)
                self._shrink()
            self._cache.move_to_end(key)
            return self._cache[key]

    def _shrink(self) -> None:
        held = sum(table.nbytes for table in self._cache.values())
        while held > self.cache_bytes and len(self._cache) > 1:
            held -= self._cache.popitem(last=False)[1].nbytes

    def _read(self, shard: int, group: int, columns: Sequence[str]) -> Any:
        file = self._file(shard)
        names = set(file.schema_arrow.names)
        missing = [name for name in columns if name not in names]
        if missing:
            raise ValueError(
                f"{self.shards[shard]}: no column {missing[0]!r}, only {sorted(names)}"
            )
        try:
            # Arrow's own threads do not survive a fork.
            return file.read_row_group(group, columns=list(columns), use_threads=False)
        except MemoryError:
            raise
        except Exception as e:  # Arrow's errors, and OSError for some kinds of damage
            raise ValueError(
                f"{self.shards[shard]}: row group {group} of columns {', '.join(columns)} "
                f"cannot be read: {_short(e)}"
            ) from e


def _open(path: Path) -> Any:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as e:
        raise MissingExtraError("reading parquet", "pyarrow", "parquet") from e
    try:
        return parquet.ParquetFile(path, memory_map=False)
    except FileNotFoundError:
        raise
    except (ArrowException, OSError, ValueError) as e:
        raise ValueError(f"{path}: no parquet file, or one that was cut: {_short(e)}") from e


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
