"""The directory of a zip archive in one or several parts: where each member lies.

Source: PKWARE APPNOTE 6.3.10, sections 4.3 (records), 4.5.3 (zip64) and 8 (splitting).
"""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from refpix.errors import ArchiveError

__all__ = ["ENCRYPTED", "LOCAL", "LOCAL_SIGNATURE", "Directory", "End", "find_end", "part_paths"]

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
LOCAL = struct.Struct("<4s5H3L2H")
LOCAL_SIGNATURE = b"PK\3\4"
SPANNED = b"PK\7\10"

ENCRYPTED = 0x1
_UTF8 = 0x800
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
_MOST = 1 << 62  # sums of two stay below 2**63
_UNICODE_PATH = 0x7075


class Bytes(Protocol):
    """Positioned reading; all of it or an ArchiveError."""

    def __call__(self, at: int, count: int, what: str) -> bytes: ...


class End(NamedTuple):
    """The end of central directory, zip64 taken in.

    Attributes:
        disk: number of the last part, from 0.
        directory_disk: part where the directory begins.
        directory_offset: byte there.
        directory_bytes: its size.
        entries: members of all parts.
        at: byte of the record in the last part.
        locator: disk and byte of the zip64 record, or None.
    """

    disk: int
    directory_disk: int
    directory_offset: int
    directory_bytes: int
    entries: int
    at: int
    locator: tuple[int, int] | None

    def with_zip64(self, record: bytes, part: str) -> End:
        """Fields that are full here come from the zip64 record.

        Raises:
            ArchiveError: it is none.
        """
        signature, _, _, _, disk, start, _, entries, size, offset = _END64.unpack(record)
        if signature != b"PK\6\6":
            where = self.locator[1] if self.locator else -1
            raise ArchiveError(part, "", where, "central directory broken: no zip64 end record")
        return self._replace(
            disk=disk if self.disk == _FULL16 else self.disk,
            directory_disk=start if self.directory_disk == _FULL16 else self.directory_disk,
            directory_offset=offset if self.directory_offset == _FULL32 else self.directory_offset,
            directory_bytes=size if self.directory_bytes == _FULL32 else self.directory_bytes,
            entries=entries if self.entries == _FULL16 else self.entries,
        )


END64_BYTES = _END64.size


def find_end(path: Path) -> End:
    """The end record of the last part.

    Raises:
        ArchiveError: there is none: not a zip archive, or cut short.
        OSError: the file cannot be read.
    """
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        start = max(size - _END.size - _FULL16 - _LOCATOR.size, 0)
        file.seek(start)
        tail = file.read()
    at = len(tail)
    while (at := tail.rfind(b"PK\5\6", 0, at)) >= 0:
        if at + _END.size <= len(tail):
            fields = _END.unpack_from(tail, at)
            if at + _END.size + fields[7] == len(tail):
                break
    if at < 0:
        raise ArchiveError(
            str(path), "", -1,
            "no end of central directory: not the last part of a zip archive, or cut short",
        )  # fmt: skip
    _, disk, directory_disk, _, entries, directory_bytes, directory_offset, _ = fields
    locator = None
    if at >= _LOCATOR.size:
        signature, disk64, offset64, disks = _LOCATOR.unpack_from(tail, at - _LOCATOR.size)
        if signature == b"PK\6\7":
            locator = (disk64, offset64)
            if disk == _FULL16:
                disk = max(disks - 1, 0)
    end = End(disk, directory_disk, directory_offset, directory_bytes, entries, start + at, locator)
    if locator is None and disk == _FULL16:
        raise ArchiveError(
            str(path), "", end.at, "central directory broken: no zip64 locator in a zip64 archive"
        )
    return end


def part_paths(last: Path, disk: int) -> list[Path]:
    """Files of a set in order: ``.z01``, ``.z02``, ..., then the one that was given.

    Raises:
        ArchiveError: some are missing; names them.
    """
    if disk > 1 << 16:
        raise ArchiveError(str(last), "", -1, f"central directory broken: {disk + 1} parts")
    try:
        there = set(os.listdir(last.parent))
    except OSError:
        there = set()
    stem = last.stem
    found: list[str] = []
    missing: list[str] = []
    for i in range(1, disk + 1):
        names = f"{stem}.z{i:02d}", f"{stem}.Z{i:02d}"
        name = next((name for name in names if name in there), None)
        (missing if name is None else found).append(name or names[0])
    if missing:
        shown = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
        raise ArchiveError(
            str(last.parent / missing[0]), "", -1,
            f"missing part: the set has {disk + 1}, of which {len(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} not there ({shown})",
        )  # fmt: skip
    return [*(last.parent / name for name in found), last]


class Directory(NamedTuple):
    """Members in the directory's order.

    Attributes:
        names: as they are shown.
        raw_names: as they are stored.
        columns: int64 (9, n): flags, method, CRC, packed and unpacked bytes, part, byte within the
            part, length of the stored name, Unix mode.
    """

    names: list[str]
    raw_names: list[bytes]
    columns: npt.NDArray[np.int64]

    @classmethod
    def parse(cls, content: bytes, entries: int, part: str, at: int) -> Directory:
        """Reads a directory.

        Args:
            content: its bytes.
            entries: as many as the end record says.
            part: file it begins in, and
            at: byte there; for messages.

        Raises:
            ArchiveError: broken; says at which byte of the directory.
        """
        if entries * _CENTRAL.size > len(content):
            raise ArchiveError(part, "", at, f"central directory broken: too short for {entries}")
        names, raws, rows = [], [], []
        here = 0
        for i in range(entries):
            try:
                fields = _CENTRAL.unpack_from(content, here)
                raw_stop = here + _CENTRAL.size + fields[10]
                stop = raw_stop + fields[11] + fields[12]
                if fields[0] != b"PK\1\2" or stop > len(content):
                    raise ValueError("no entry")
                raw = content[here + _CENTRAL.size : raw_stop]
                extra = content[raw_stop : raw_stop + fields[11]]
                rows.append(_row(fields, extra))
                names.append(_name(raw, fields[3], extra))
            except (ValueError, struct.error) as error:
                raise ArchiveError(
                    part, "", at,
                    f"central directory broken at its byte {here}, entry {i} of {entries}: {error}",
                ) from error  # fmt: skip
            raws.append(raw)
            here = stop
        columns = np.array(rows, np.int64).reshape(entries, 9).T
        return cls(names, raws, np.ascontiguousarray(columns))


def _row(fields: tuple[int, ...], extra: bytes) -> tuple[int, ...]:
    flags, method, crc, packed, unpacked = fields[3], fields[4], *fields[7:10]
    name_bytes, disk, attributes, offset = fields[10], fields[13], fields[15], fields[16]
    if _FULL32 in (packed, unpacked, offset) or disk == _FULL16:
        unpacked, packed, offset, disk = _zip64(extra, (unpacked, packed, offset, disk))
    return flags, method, crc, packed, unpacked, disk, offset, name_bytes, attributes >> 16


def _zip64(extra: bytes, values: tuple[int, int, int, int]) -> list[int]:
    """Unpacked, packed, offset and disk, the full ones out of the extra field."""
    found = _extra(extra, 1)
    if found is None:  # a file of exactly that size may do without
        return list(values)
    at, result = 0, []
    fulls, forms = (_FULL32,) * 3 + (_FULL16,), ("<Q", "<Q", "<Q", "<L")
    for value, full, form in zip(values, fulls, forms, strict=True):
        if value == full:
            if at + struct.calcsize(form) > len(found):
                raise ValueError("zip64 field too short")
            (value,) = struct.unpack_from(form, found, at)
            at += struct.calcsize(form)
            if value > _MOST:
                raise ValueError("zip64 field out of range")
        result.append(value)
    return result


def _extra(extra: bytes, wanted: int) -> bytes | None:
    """One extra field's content."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<2H", extra, at)
        if kind == wanted and at + 4 + size <= len(extra):
            return extra[at + 4 : at + 4 + size]
        at += 4 + size
    return None


def _name(raw: bytes, flags: int, extra: bytes) -> str:
    if flags & _UTF8:
        return raw.decode("utf-8")
    if extra and (unicode_path := _extra(extra, _UNICODE_PATH)) and len(unicode_path) > 5:
        version, checksum = struct.unpack_from("<BL", unicode_path)
        if version == 1 and checksum == zlib.crc32(raw):
            return unicode_path[5:].decode("utf-8")
    return raw.decode("cp437")
