"""The data of one member of a zip archive: read whole, or as a file."""

from __future__ import annotations

import io
import zlib
from typing import Any, NamedTuple, Protocol

from refpix.errors import ArchiveError

__all__ = ["Span", "inflated", "opened", "stored"]

_CHUNK = 1 << 18


class _Archive(Protocol):
    def read_at(self, at: int, count: int, what: str) -> bytes: ...

    def locate_byte(self, at: int) -> tuple[str, int]: ...


class Span(NamedTuple):
    """Where a member's data lies.

    Attributes:
        archive: it is read from.
        name: of the member.
        part: file where the member begins.
        offset: byte there.
        start: first byte of the data, in the parts laid end to end.
        packed: bytes of it.
        size: unpacked bytes.
        crc: of the unpacked bytes.
    """

    archive: _Archive
    name: str
    part: str
    offset: int
    start: int
    packed: int
    size: int
    crc: int

    def read(self, at: int, count: int) -> bytes:
        """Packed bytes."""
        return self.archive.read_at(self.start + at, count, f"member {self.name!r}")

    def damaged(self, reason: str) -> ArchiveError:
        """The error of data that is not what the directory says."""
        last, _ = self.archive.locate_byte(self.start + max(self.packed - 1, 0))
        until = f" (its data goes on to {last})" if last != self.part else ""
        text = f"{reason}: damaged data, or a part cut short{until}"
        return ArchiveError(self.part, self.name, self.offset, text)

    def check(self, crc: int) -> None:
        """Compares the CRC of all unpacked bytes."""
        if crc != self.crc:
            raise self.damaged(f"CRC is {crc:08x}, should be {self.crc:08x}")


def stored(span: Span) -> bytes:
    """A stored member's bytes."""
    content = span.read(0, span.packed)
    span.check(zlib.crc32(content))
    return content


def inflated(span: Span) -> bytes:
    """A deflated member's bytes."""
    engine = zlib.decompressobj(-15)
    try:
        # A byte more than there should be, so that too much is noticed and not taken in.
        content = engine.decompress(span.read(0, span.packed), span.size + 1)
    except zlib.error as error:
        raise span.damaged(f"deflate: {error}") from error
    _check_length(span, len(content), engine.eof)
    span.check(zlib.crc32(content))
    return content


def _check_length(span: Span, length: int, ended: bool) -> None:
    if length > span.size:
        raise span.damaged(f"more than the {span.size} bytes it should unpack to")
    if length < span.size or not ended:
        raise span.damaged(f"ends at byte {length} of {span.size}")


class _Stored(io.RawIOBase):
    """A stored member, seekable."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self._at = 0
        self._checked = 0  # bytes the CRC is of, from the start
        self._crc = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._span.size}
        if whence not in base:
            raise ValueError(f"whence: expected 0, 1 or 2, got {whence}")
        if base[whence] + offset < 0:
            raise ValueError("seek to before the start")
        self._at = base[whence] + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        count = max(min(len(view), self._span.size - self._at), 0)
        piece = self._span.read(self._at, count) if count else b""
        view[:count] = piece
        if self._at == self._checked and count:
            self._crc = zlib.crc32(piece, self._crc)
            self._checked += count
        self._at += count
        if self._checked == self._span.size == self._at:
            self._span.check(self._crc)
        return count


class _Inflated(io.RawIOBase):
    """A deflated member, read from start to end."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self._engine = zlib.decompressobj(-15)
        self._taken = 0  # packed bytes
        self._given = 0
        self._crc = 0

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._given

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        piece = b""
        while not piece and not self._engine.eof and len(view):
            packed = self._engine.unconsumed_tail
            if not packed:
                want = min(_CHUNK, self._span.packed - self._taken)
                packed = self._span.read(self._taken, want)
                self._taken += want
            try:
                piece = self._engine.decompress(packed, len(view))
            except zlib.error as error:
                raise self._span.damaged(f"deflate: {error}") from error
            if not packed and not piece:
                break  # nothing is left, and the stream did not end
        self._given += len(piece)
        self._crc = zlib.crc32(piece, self._crc)
        if self._given > self._span.size:
            _check_length(self._span, self._given, True)
        if not piece and len(view):
            _check_length(self._span, self._given, self._engine.eof)
            self._span.check(self._crc)
        view[: len(piece)] = piece
        return len(piece)


def opened(span: Span, deflated: bool) -> io.BufferedReader:
    """A member as a file."""
    return io.BufferedReader(_Inflated(span) if deflated else _Stored(span), _CHUNK)
