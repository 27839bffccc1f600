"""Members of a zip archive that comes in parts, read in place: ``.z01``, ``.z02``, ..., ``.zip``.

Nothing is joined or unpacked. The parts are seen as one run of bytes, in which a header or a
member's data may begin in one part and go on in the next; every read is positioned, so that threads
and forked processes can share an archive. Damage is an ArchiveError that names part, member, byte
and reason. Archives of one part are read the same way.

Source: PKWARE APPNOTE 6.3.10.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from refpix.errors import ArchiveError
from refpix.io._zip_directory import (
    ENCRYPTED,
    END64_BYTES,
    LOCAL,
    LOCAL_SIGNATURE,
    SPANNED,
    Directory,
    End,
    find_end,
    part_paths,
)
from refpix.io._zip_member import Span, inflated, opened, stored
from refpix.io.tree import FileTree, safe_name

__all__ = ["Member", "SplitZip", "split_zip"]

_STORED, _DEFLATED = 0, 8
_METHODS = {
    1: "shrink", 6: "implode", 9: "deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "XZ",
    98: "PPMd", 99: "AES encryption",
}  # fmt: skip
# Deflate cannot expand beyond 1032 : 1; sizes that claim more are a lie.
_MOST_EXPANSION = 1032


class Member(NamedTuple):
    """What the directory says of one member.

    Attributes:
        name: in the archive.
        size: unpacked bytes.
        packed: bytes in the archive.
        crc: CRC-32 of the unpacked bytes.
        method: 0 stored, 8 deflated; others cannot be read.
        encrypted: cannot be read either.
        part: file where it begins.
        offset: byte there.
        mode: Unix mode, 0 where unknown.
    """

    name: str
    size: int
    packed: int
    crc: int
    method: int
    encrypted: bool
    part: str
    offset: int
    mode: int


class SplitZip(FileTree):
    """A zip archive in one or several parts.

    Picklable, directory and all; open files stay behind. Safe after fork and for many threads.

    Args:
        path: the last part, ``X.zip``; any ``X.z01`` of a set will do.

    Attributes:
        path: the last part.
        parts: all files, in order.
        names: of the files in it, in the archive's order; folders are not among them.
        sizes: int64 (n,), their unpacked bytes.
        folders: names of folders, with ``/`` at the end.
        duplicates: names that occur more than once; such a name means the last of them.

    Raises:
        ArchiveError: a part is missing, cut short, out of order or not of this set, or the
            directory is broken.
        OSError: a part cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._files: dict[int, int] = {}
        given = Path(path)
        suffix = given.suffix.lower()
        if suffix[:2] == ".z" and suffix[2:].isdigit():
            given = _last_part(given)
        self.path = given
        end = find_end(given)
        self.parts = part_paths(given, end.disk)
        sizes = [os.stat(part).st_size for part in self.parts]
        self._starts = np.cumsum([0, *sizes], dtype=np.int64)
        end, directory_at = self._whole_end(end)
        disk = min(end.directory_disk, len(self.parts) - 1)
        content = self.read_at(directory_at, end.directory_bytes, "the central directory")
        part, at = str(self.parts[disk]), directory_at - int(self._starts[disk])
        directory = Directory.parse(content, end.entries, part, at)
        self._take(directory, directory_at)
        self._check_parts()

    def _whole_end(self, end: End) -> tuple[End, int]:
        """The end record with zip64 taken in, and where the directory begins in the whole."""
        last = int(self._starts[-2])
        stop = last + end.at
        self._shift = 0
        if end.locator is not None:
            stop -= 20
            record = self._address(*end.locator)
            if len(self.parts) == 1 and record != stop - END64_BYTES:
                # Something was put in front of the archive: trust where the record must lie.
                head = self.read_at(max(stop - END64_BYTES, 0), 4, "the zip64 end record")
                record = stop - END64_BYTES if head == b"PK\6\6" else record
            if record < 0 or record + END64_BYTES > stop:
                raise self._broken(end.at, "the zip64 end record lies outside")
            end = end.with_zip64(self.read_at(record, END64_BYTES, "zip64 end"), str(self.path))
            stop = record
        if end.disk != len(self.parts) - 1:
            raise self._broken(end.at, f"it speaks of {end.disk + 1} parts")
        at = self._address(end.directory_disk, end.directory_offset)
        if len(self.parts) == 1:
            self._shift = stop - end.directory_bytes - end.directory_offset
            at += self._shift
        if at < 0 or self._shift < 0 or at + end.directory_bytes > stop:
            raise self._broken(
                end.at, "the directory lies outside: a part is cut short or not of this set"
            )
        return end, at

    def _broken(self, offset: int, reason: str) -> ArchiveError:
        return ArchiveError(str(self.path), "", offset, f"central directory broken: {reason}")

    def _address(self, disk: int, offset: int) -> int:
        """Byte in the whole, -1 when it is in no part."""
        if disk >= len(self.parts) or offset > self._starts[disk + 1] - self._starts[disk]:
            return -1
        return int(self._starts[disk]) + offset

    def _take(self, directory: Directory, directory_at: int) -> None:
        flags, method, _, packed, size, disk, offset, name_bytes, _ = directory.columns
        limits = np.diff(self._starts)
        wrong = disk >= len(self.parts)
        wrong |= offset > limits[np.where(wrong, 0, disk)]
        at = self._starts[np.where(wrong, 0, disk)] + offset + self._shift
        stop = at + LOCAL.size + name_bytes + packed
        wrong |= (packed >= 1 << 61) | (stop > directory_at)
        wrong |= np.where(method == _STORED, size != packed - 12 * (flags & ENCRYPTED), False)
        wrong |= (method == _DEFLATED) & (size // _MOST_EXPANSION > packed + 1)
        if wrong.any():
            i = int(np.flatnonzero(wrong)[0])
            part = self.parts[min(int(disk[i]), len(self.parts) - 1)]
            raise ArchiveError(
                str(part), directory.names[i], int(offset[i]),
                "the directory's sizes and places do not fit the parts: the directory is broken "
                "or a part is cut short",
            )  # fmt: skip
        self._columns = directory.columns
        self._at = at
        self._raw_names = directory.raw_names
        self._check_overlap(directory, stop)
        self._index: dict[str, int] = {}
        self.folders = []
        files = []
        duplicates: dict[str, None] = {}
        for i, name in enumerate(directory.names):
            if name.endswith("/"):
                self.folders.append(name)
                continue
            if name in self._index:
                duplicates[name] = None
            files.append(i)
            self._index[name] = i
        self.names = [directory.names[i] for i in files if self._index[directory.names[i]] == i]
        self.duplicates = list(duplicates)
        self.sizes: npt.NDArray[np.int64] = size[[self._index[name] for name in self.names]]

    def _check_overlap(self, directory: Directory, stop: npt.NDArray[np.int64]) -> None:
        """Members that would share bytes: bytes of a part are missing, or the archive is a trap."""
        order = np.argsort(self._at, kind="stable")
        overlaps = np.flatnonzero(stop[order][:-1] > self._at[order][1:])
        if overlaps.size:
            i = int(order[overlaps[0]])
            part, offset = self.locate_byte(int(self._at[i]))
            raise ArchiveError(
                part, directory.names[i], offset,
                "runs into the next member: the part is cut short, or the directory is broken",
            )  # fmt: skip

    def _check_parts(self) -> None:
        """Looks at how each part begins, and at the first header in it."""
        if len(self.parts) == 1:
            return
        for k in range(len(self.parts)):
            begin = int(self._starts[k])
            head = self.read_at(begin, min(8, int(self._starts[-1]) - begin), "a part")
            first = head == SPANNED + LOCAL_SIGNATURE
            if k and first:
                reason = "wrong order: this part is the first of a set"
                raise ArchiveError(str(self.parts[k]), "", 0, reason)
            if not k and not (first or head[:4] == LOCAL_SIGNATURE):
                reason = "wrong order, or damaged: this part is not the first of a set"
                raise ArchiveError(str(self.parts[k]), "", 0, reason)
        order = np.argsort(self._at, kind="stable")
        here = self._columns[5][order]
        for i in order[np.unique(here, return_index=True)[1]]:
            self._span(int(i))

    def read_at(self, at: int, count: int, what: str) -> bytes:
        """Bytes of the whole, out of as many parts as they lie in.

        Raises:
            ArchiveError: there are fewer; ``what`` names them.
        """
        if at < 0 or at + count > self._starts[-1]:
            raise ArchiveError(str(self.path), "", -1, f"{what} lies outside the parts")
        pieces = []
        k = int(np.searchsorted(self._starts, at, side="right")) - 1
        while count > 0:
            begin, stop = int(self._starts[k]), int(self._starts[k + 1])
            offset, want = at - begin, min(count, stop - at)
            while want > 0:
                piece = os.pread(self._file(k), min(want, 1 << 30), offset)
                if not piece:
                    reason = f"truncated part: ends inside {what}, after it was opened"
                    raise ArchiveError(str(self.parts[k]), "", offset, reason)
                pieces.append(piece)
                offset += len(piece)
                want -= len(piece)
                at += len(piece)
                count -= len(piece)
            k += 1
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _file(self, part: int) -> int:
        file = self._files.get(part)
        if file is None:
            path = self.parts[part]
            file = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
            size = os.fstat(file).st_size
            if size != self._starts[part + 1] - self._starts[part]:
                os.close(file)
                raise ArchiveError(str(path), "", -1, "the part changed after it was opened")
            kept = self._files.setdefault(part, file)  # another thread may have been first
            if kept != file:
                os.close(file)
            return kept
        return file

    def locate_byte(self, at: int) -> tuple[str, int]:
        """File and byte within it of a byte of the whole."""
        k = int(np.searchsorted(self._starts[:-1], at, side="right")) - 1
        return str(self.parts[k]), at - int(self._starts[k])

    def _number(self, name: str) -> int:
        i = self._index.get(name)
        if i is None:
            i = self._index.get(safe_name(name))
        if i is None:
            raise FileNotFoundError(f"no member {name!r} in {self.path}")
        return i

    def info(self, name: str) -> Member:
        """What the directory says of a member.

        Raises:
            FileNotFoundError: there is none of that name.
        """
        i = self._number(name)
        flags, method, crc, packed, size, _, _, _, mode = map(int, self._columns[:, i])
        encrypted = bool(flags & ENCRYPTED)
        part, offset = self.locate_byte(int(self._at[i]))
        return Member(name, size, packed, crc, method, encrypted, part, offset, mode)

    def _span(self, i: int) -> Span:
        """Where a member's data lies, after a look at its local header."""
        at, name_bytes = int(self._at[i]), int(self._columns[7, i])
        part, offset = self.locate_byte(at)
        raw = self._raw_names[i]
        name = raw.decode("utf-8", "replace")
        header = self.read_at(at, LOCAL.size + name_bytes, "a local header")
        fields = LOCAL.unpack_from(header)
        if fields[0] != LOCAL_SIGNATURE or fields[9] != name_bytes or header[LOCAL.size :] != raw:
            raise ArchiveError(
                part, name, offset,
                "there is no header of this member here: the part is damaged, cut short, in the "
                "wrong place or of another set",
            )  # fmt: skip
        start = at + LOCAL.size + name_bytes + fields[10]
        packed, size, crc = (int(self._columns[row, i]) for row in (3, 4, 2))
        if start + packed > self._starts[-1]:
            raise ArchiveError(part, name, offset, "its data leaves the parts: damaged header")
        return Span(self, name, part, offset, start, packed, size, crc)

    def _readable(self, name: str) -> tuple[Span, bool]:
        """A member's data, and whether it is deflated."""
        i = self._number(name)
        member = self.info(name)
        if member.encrypted:
            reason = "is encrypted, which is not supported"
        elif member.method not in (_STORED, _DEFLATED):
            known = _METHODS.get(member.method, "unknown")
            reason = f"compression method {member.method} ({known}) is not supported"
        else:
            return self._span(i), member.method == _DEFLATED
        raise ArchiveError(member.part, name, member.offset, reason)

    def read(self, name: str) -> bytes:
        """All bytes of a member, its CRC checked.

        Raises:
            FileNotFoundError: there is no such member.
            ArchiveError: damaged, encrypted, or packed by a method other than deflate.
        """
        span, deflated = self._readable(name)
        return inflated(span) if deflated else stored(span)

    def open(self, name: str) -> BinaryIO:
        """A member as a binary file.

        A stored one can be sought; a deflated one is read from start to end. The CRC is checked
        when the end is reached by reading on from the start; a stored member that was sought
        in is not checked.

        Raises:
            as ``read``; reading raises ArchiveError at the damage.
        """
        span, deflated = self._readable(name)
        return cast(BinaryIO, opened(span, deflated))

    def __contains__(self, name: str) -> bool:
        return name in self._index or safe_name(name) in self._index

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __repr__(self) -> str:
        return f"SplitZip({str(self.path)!r}, {len(self.parts)} parts, {len(self.names)} files)"

    def locate(self, name: str) -> str:
        """Where a member of that name would lie, for messages."""
        return f"{self.path}:{posixpath.normpath(name)}"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_files": {}}

    def close(self) -> None:
        """Closes the parts; the next read opens them again."""
        files, self._files = self._files, {}
        for file in files.values():
            os.close(file)

    def __enter__(self) -> SplitZip:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


def _last_part(part: Path) -> Path:
    for suffix in (".zip", ".ZIP"):
        if (last := part.with_suffix(suffix)).exists():
            return last
    raise ArchiveError(
        str(part.with_suffix(".zip")), "", -1, "missing part: the last one, with the directory"
    )


def split_zip(path: str | os.PathLike[str]) -> SplitZip:
    """Opens a zip archive in one or several parts; see SplitZip."""
    return SplitZip(path)
