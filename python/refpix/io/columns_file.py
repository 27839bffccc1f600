r"""Named arrays kept beside the file they were made from: ``<file>.refpix-columns``.

Layout, little-endian:

    magic        8 bytes   b"RFPXCOL\n"
    version      uint32    1, the container's
    schema       uint32    the caller's: which columns there are and what they mean
    size         int64     bytes of the source
    mtime        int64     of the source, nanoseconds
    checksum    16 bytes   BLAKE2b of samples of the source
    directory    uint32    bytes of the directory
    directory crc, body crc, header crc   uint32 each
    directory    JSON      [[name, dtype, shape, offset in the body], ...]
    body         the arrays, C order, each at a multiple of 64

No pickle, and nothing in it is trusted: a side file that does not fit its source or itself is made
anew.
"""

from __future__ import annotations

import json
import math
import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from refpix.io.atomic import whole_file
from refpix.io.tsv_index_file import SourceState, source_checksum

__all__ = ["Columns", "columns_path", "read_columns", "write_columns"]

Columns = dict[str, npt.NDArray[Any]]

_MAGIC = b"RFPXCOL\n"
_VERSION = 1
_HEADER = struct.Struct("<8sIIqq16sIII")
_CRC = struct.Struct("<I")
_ALIGN = 64
_KINDS = "biuf"


def columns_path(path: str | os.PathLike[str]) -> Path:
    """Where the columns of a file lie."""
    return Path(os.fspath(path) + ".refpix-columns")


def _checksum(path: str | os.PathLike[str]) -> bytes:
    if os.path.getsize(path) == 0:
        return source_checksum(np.empty(0, np.uint8))
    return source_checksum(np.memmap(path, dtype=np.uint8, mode="r"))


def read_columns(
    path: str | os.PathLike[str], state: SourceState, *, schema: int
) -> Columns | None:
    """The columns from the side file, or None when it is absent, stale or damaged.

    Args:
        path: of the source.
        state: of the source now.
        schema: which columns are expected.

    Returns:
        Read-only arrays, mapped from the file.
    """
    try:
        data = np.memmap(columns_path(path), dtype=np.uint8, mode="r")
        return _parse(data, _checksum(path), state, schema)
    except (OSError, ValueError, TypeError):
        return None


def _parse(
    data: npt.NDArray[np.uint8], checksum: bytes, state: SourceState, schema: int
) -> Columns | None:
    start = _HEADER.size + _CRC.size
    if len(data) < start:
        return None
    head = data[: _HEADER.size].tobytes()
    magic, version, kind, size, mtime_ns, sampled, length, directory_crc, body_crc = _HEADER.unpack(
        head
    )
    if (magic, version, kind) != (_MAGIC, _VERSION, schema):
        return None
    if _CRC.unpack(data[_HEADER.size : start].tobytes()) != (zlib.crc32(head),):
        return None
    if (size, mtime_ns) != state or sampled != checksum or len(data) < start + length:
        return None
    directory = data[start : start + length].tobytes()
    body = data[-(-(start + length) // _ALIGN) * _ALIGN :]
    if zlib.crc32(directory) != directory_crc or zlib.crc32(body.data) != body_crc:
        return None
    columns = {}
    for name, dtype, shape, offset in json.loads(directory):
        kind_of = np.dtype(dtype)
        if kind_of.kind not in _KINDS:
            return None
        stop = offset + math.prod(shape) * kind_of.itemsize
        if offset < 0 or stop > len(body):
            return None
        column = body[offset:stop].view(np.ndarray).view(kind_of).reshape(shape)
        columns[name] = column
    return columns


def write_columns(
    path: str | os.PathLike[str],
    state: SourceState,
    columns: Mapping[str, npt.NDArray[Any]],
    *,
    schema: int,
) -> bool:
    """Writes the side file, whole or not at all.

    Args:
        path: of the source.
        state: of the source when it was read.
        columns: numbers of any shapes.
        schema: which columns these are.

    Returns:
        False when the folder does not take it (read-only, full).
    """
    listed, parts, offset = [], [], 0
    for name, column in columns.items():
        plain = np.ascontiguousarray(column).reshape(column.shape)
        plain = plain.astype(plain.dtype.newbyteorder("<"), copy=False)
        listed.append([name, plain.dtype.str, list(plain.shape), offset])
        padding = -plain.nbytes % _ALIGN
        parts += [plain.tobytes(), bytes(padding)]
        offset += plain.nbytes + padding
    directory = json.dumps(listed).encode()
    body = b"".join(parts)
    head = _HEADER.pack(
        _MAGIC,
        _VERSION,
        schema,
        state.size,
        state.mtime_ns,
        _checksum(path),
        len(directory),
        zlib.crc32(directory),
        zlib.crc32(body),
    )
    front = head + _CRC.pack(zlib.crc32(head)) + directory
    try:
        with whole_file(columns_path(path)) as file:
            file.write(front + bytes(-len(front) % _ALIGN) + body)
    except OSError:
        return False
    return True
