"""Gray 8-bit PNG files, written and read fast; whatever else there is goes through Pillow.

Deflate comes from zlib-ng where the ``zlib-ng`` wheel is installed (extra ``synthesis``), else from
the standard library. Mattes are large, nearly empty and otherwise mostly 255: differences to the
row above, of which only runs are matched, are both the fastest and about the smallest
(docs/synthesis.md has the numbers).
"""

from __future__ import annotations

import os
import struct
import zlib
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from refpix.kernels import png_unfilter

__all__ = ["gray_pixels", "png_bytes", "read_gray"]


def _library() -> Any:
    try:
        from zlib_ng import zlib_ng
    except ImportError:
        return zlib
    return zlib_ng


_zlib: Final = _library()
_RAW: Final = -15  # a deflate stream without zlib's header and checksum
_UP: Final = 2  # the filter: a row is what it has more than the one above
_ADLER_BASE: Final = 65521
_EMPTY_LAST_BLOCK: Final = b"\x03\x00"
_ZLIB_HEADER: Final = b"\x78\x01"
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">IIBBBBB")
_LENGTH = struct.Struct(">I")
_MOST_PIXELS = 1 << 28


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return b"".join((_LENGTH.pack(len(data)), kind, data, _LENGTH.pack(checksum)))


def png_bytes(
    pixels: npt.NDArray[np.uint8],
    canvas: tuple[int, int] | None = None,
    position: tuple[int, int] = (0, 0),
) -> bytes:
    """A PNG file of a gray picture.

    Args:
        pixels: uint8 (H, W).
        canvas: height and width of the picture, zero but for the pixels, which lie within it; None:
            theirs. At least one pixel.
        position: x and y of the pixels on the canvas.
    """
    height, width = pixels.shape if canvas is None else canvas
    x, y = position
    below = height - y - pixels.shape[0]
    rows = np.zeros((pixels.shape[0], width + 1), np.uint8)
    rows[:, 0] = _UP
    inside = rows[:, 1 + x : 1 + x + pixels.shape[1]]
    inside[:1] = pixels[:1]
    np.subtract(pixels[1:], pixels[:-1], out=inside[1:])
    checksum = _after_zeros(1, y * (width + 1))  # above and below: no filter, zeros
    checksum = _after_zeros(_zlib.adler32(rows, checksum), below * (width + 1))
    blocks = (_zero_rows(y, width + 1), _deflated(rows), _zero_rows(below, width + 1))
    data = b"".join((_ZLIB_HEADER, *blocks, _EMPTY_LAST_BLOCK, _LENGTH.pack(checksum)))
    header = _HEADER.pack(width, height, 8, 0, 0, 0, 0)
    return b"".join(
        (_SIGNATURE, _chunk(b"IHDR", header), _chunk(b"IDAT", data), _chunk(b"IEND", b""))
    )


def _deflated(data: bytes | npt.NDArray[np.uint8]) -> bytes:
    """Blocks that end at a byte, none of them the last, and refer to nothing in front of them."""
    stream = _zlib.compressobj(1, zlib.DEFLATED, _RAW, 8, zlib.Z_RLE)
    blocks: bytes = stream.compress(data) + stream.flush(zlib.Z_FULL_FLUSH)
    return blocks


@lru_cache(maxsize=256)
def _zeros(count: int) -> bytes:
    return _deflated(bytes(count))


def _zero_rows(rows: int, row_bytes: int) -> bytes:
    """Blocks of rows of zeros: powers of two, so that there are few kinds of them to keep."""
    powers = (1 << bit for bit in range(rows.bit_length()) if rows >> bit & 1)
    return b"".join(_zeros(power * row_bytes) for power in powers)


def _after_zeros(checksum: int, zeros: int) -> int:
    """Adler-32 of what was summed up so far and some zeros: only its upper half changes."""
    low, high = checksum & 0xFFFF, checksum >> 16
    return (high + zeros * low) % _ADLER_BASE << 16 | low


def read_gray(path: str | os.PathLike[str]) -> npt.NDArray[np.uint8] | None:
    """Pixels of a gray 8-bit PNG file; see `gray_pixels`.

    Raises:
        OSError: the file cannot be read.
    """
    with open(path, "rb") as file:
        return gray_pixels(file.read())


def gray_pixels(payload: bytes, pixel_limit: int | None = None) -> npt.NDArray[np.uint8] | None:
    """Pixels of a gray 8-bit PNG, as Pillow gives them; None for any other file, or a damaged one.

    Args:
        payload: the file.
        pixel_limit: None is returned for more pixels, too.

    Returns:
        uint8 (H, W), perhaps read-only, or None: then Pillow reads the file, or says what is wrong
        with it.
    """
    found = _chunks(payload)
    if found is None:
        return None
    header, data = found
    width, height, depth, colour, _, _, interlaced = _HEADER.unpack(header)
    most = _MOST_PIXELS if pixel_limit is None else min(pixel_limit, _MOST_PIXELS)
    if (depth, colour, interlaced) != (8, 0, 0) or not 0 < width * height <= most:
        return None
    size = height * (width + 1)
    inflate = _zlib.decompressobj()
    try:
        raw = inflate.decompress(data, size + 1)  # a byte more shows what is too long
    except Exception:  # zlib.error, of either library
        return None
    if len(raw) != size or not inflate.eof:
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
