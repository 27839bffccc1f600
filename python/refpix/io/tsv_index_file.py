r"""The side file that keeps a TSV file's row offsets: ``<file>.refpix-index``.

Layout, little-endian:

    magic        8 bytes   b"RFPXTSV\n"
    version      uint32    1
    header size  uint32    64
    size         int64     bytes of the source
    mtime        int64     of the source, nanoseconds
    rows         int64
    checksum    16 bytes   BLAKE2b of samples of the source, see `source_checksum`
    offsets crc  uint32    CRC-32 of the offsets
    header crc   uint32    CRC-32 of the 60 bytes before
    offsets      int64 (rows + 1,)

A checksum of the whole source would take longer than indexing it anew, so the source is sampled:
the first and last 4 KiB and 62 blocks of 4 KiB evenly between. Together with size and time this
tells apart files that were exchanged, cut, or appended to; an edit in place that keeps the size
and forges the time may slip through here, and is caught by rows that no longer end in newlines.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from refpix.io.atomic import whole_file

__all__ = ["SourceState", "index_path", "read_index", "source_checksum", "write_index"]

_MAGIC = b"RFPXTSV\n"
_VERSION = 1
_HEADER = struct.Struct("<8sIIqqq16sI")
_CRC = struct.Struct("<I")
_HEADER_BYTES = _HEADER.size + _CRC.size
_BLOCK = 4096
_SAMPLES = 64


class SourceState(NamedTuple):
    """What tells one state of a file from another.

    Attributes:
        size: bytes.
        mtime_ns: time of the last change, nanoseconds.
    """

    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> SourceState:
        """The state of the file now."""
        stat = os.stat(path)
        return cls(stat.st_size, stat.st_mtime_ns)


def index_path(path: str | os.PathLike[str]) -> Path:
    """Where the index of a file lies."""
    return Path(os.fspath(path) + ".refpix-index")


def source_checksum(values: npt.NDArray[np.uint8]) -> bytes:
    """BLAKE2b (16 bytes) of up to 64 blocks of 4 KiB spread evenly over a file.

    Args:
        values: uint8 (bytes,), the file, memory-mapped.
    """
    digest = hashlib.blake2b(digest_size=16)
    last = max(len(values) - _BLOCK, 0)
    for sample in range(_SAMPLES):
        start = last * sample // (_SAMPLES - 1)
        digest.update(values[start : start + _BLOCK].data)
    return digest.digest()


def read_index(
    path: str | os.PathLike[str], state: SourceState, values: npt.NDArray[np.uint8]
) -> npt.NDArray[np.int64] | None:
    """The row offsets from the side file, or None when it is absent, stale or damaged.

    Args:
        path: of the TSV file.
        state: of the TSV file now.
        values: uint8 (bytes,), the TSV file.

    Returns:
        int64 (rows + 1,).
    """
    try:
        data = index_path(path).read_bytes()
    except OSError:
        return None
    if len(data) < _HEADER_BYTES:
        return None
    head = data[: _HEADER.size]
    magic, version, header_bytes, size, mtime_ns, rows, checksum, offsets_crc = _HEADER.unpack(head)
    if (magic, version, header_bytes) != (_MAGIC, _VERSION, _HEADER_BYTES):
        return None
    if _CRC.unpack_from(data, _HEADER.size) != (zlib.crc32(head),):
        return None
    body = memoryview(data)[_HEADER_BYTES:]
    if len(body) != 8 * (rows + 1) or zlib.crc32(body) != offsets_crc:
        return None
    if (size, mtime_ns) != state or checksum != source_checksum(values):
        return None
    return np.frombuffer(body, dtype="<i8").astype(np.int64, copy=False)


def write_index(
    path: str | os.PathLike[str],
    state: SourceState,
    values: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
) -> bool:
    """Writes the side file, whole or not at all.

    Returns:
        False when the folder does not take it (read-only, full).
    """
    target = index_path(path)
    body = offsets.astype("<i8", copy=False).tobytes()
    head = _HEADER.pack(
        _MAGIC,
        _VERSION,
        _HEADER_BYTES,
        state.size,
        state.mtime_ns,
        len(offsets) - 1,
        source_checksum(values),
        zlib.crc32(body),
    )
    try:
        with whole_file(target) as file:
            file.write(head + _CRC.pack(zlib.crc32(head)) + body)
    except OSError:
        return False
    return True
