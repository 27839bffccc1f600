"""Gray 8-bit PNG files, written and read fast; whatever else there is goes through Pillow.

Deflate comes from zlib-ng where the ``zlib-ng`` wheel is installed (extra ``synthesis``), else from
the standard library. Mattes are large and nearly empty: a low level without row filters is both the
fastest and about the smallest (docs/synthesis.md has the numbers).
"""

from __future__ import annotations

import os
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from refpix.kernels import png_unfilter

__all__ = ["png_bytes", "read_gray"]


def _library() -> tuple[Any, int]:
    """Something with ``compress`` and ``decompress``, and the level to use."""
    try:
        from zlib_ng import zlib_ng
    except ImportError:
        return zlib, 1
    return zlib_ng, 2


_zlib, _LEVEL = _library()
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">IIBBBBB")
_LENGTH = struct.Struct(">I")


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return b"".join((_LENGTH.pack(len(data)), kind, data, _LENGTH.pack(checksum)))


def png_bytes(pixels: npt.NDArray[np.uint8]) -> bytes:
    """A PNG file of a gray picture.

    Args:
        pixels: uint8 (H, W), at least one pixel.
    """
    height, width = pixels.shape
    rows = np.empty((height, width + 1), np.uint8)
    rows[:, 0] = 0  # no filter
    rows[:, 1:] = pixels
    header = _HEADER.pack(width, height, 8, 0, 0, 0, 0)
    data: bytes = _zlib.compress(rows, _LEVEL)
    return b"".join(
        (_SIGNATURE, _chunk(b"IHDR", header), _chunk(b"IDAT", data), _chunk(b"IEND", b""))
    )


def read_gray(path: str | os.PathLike[str]) -> npt.NDArray[np.uint8] | None:
    """Pixels of a gray 8-bit PNG, as Pillow gives them; None for any other file, or a damaged one.

    Returns:
        uint8 (H, W), or None: then Pillow reads the file, or says what is wrong with it.

    Raises:
        OSError: the file cannot be read.
    """
    with open(path, "rb") as file:
        payload = file.read()
    found = _chunks(payload)
    if found is None:
        return None
    header, data = found
    width, height, depth, colour, _, _, interlaced = _HEADER.unpack(header)
    if (depth, colour, interlaced) != (8, 0, 0) or not 0 < width * height <= 1 << 28:
        return None
    try:
        raw = _zlib.decompress(data, bufsize=height * (width + 1) + 1)
    except Exception:  # zlib.error, of either library
        return None
    if len(raw) != height * (width + 1):
        return None
    rows = np.frombuffer(raw, np.uint8).reshape(height, width + 1)
    return _unfiltered(rows)


def _chunks(payload: bytes) -> tuple[bytes, bytes] | None:
    """IHDR and the joined IDAT of a whole PNG file with nothing in it that changes gray pixels."""
    if not payload.startswith(_SIGNATURE):
        return None
    header, data, at = b"", [], len(_SIGNATURE)
    while at + 12 <= len(payload):
        (length,) = _LENGTH.unpack_from(payload, at)
        kind = payload[at + 4 : at + 8]
        stop = at + 8 + length
        if stop + 4 > len(payload):
            return None
        body = payload[at + 8 : stop]
        if zlib.crc32(body, zlib.crc32(kind)) != _LENGTH.unpack_from(payload, stop)[0]:
            return None
        if kind == b"IHDR" and length == _HEADER.size:
            header = body
        elif kind == b"IDAT":
            data.append(body)
        elif kind in (b"acTL", b"tRNS"):
            return None
        elif kind == b"IEND":
            return (header, b"".join(data)) if header and data else None
        at = stop + 4
    return None


def _unfiltered(rows: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8] | None:
    """Pixels of rows as PNG stores them: a filter's number, then the row."""
    kinds: Any = rows[:, 0]
    if kinds.max(initial=0) > 4:
        return None
    if not kinds.any():
        return np.ascontiguousarray(rows[:, 1:])
    return png_unfilter(rows)
