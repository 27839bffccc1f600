"""Archives on disk as files: checked, resumable, no half-written file."""

from __future__ import annotations

import contextlib
import fnmatch
import os
import stat
import sys
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from refpix.errors import ArchiveError
from refpix.io.split_zip import Member, SplitZip
from refpix.io.tree import safe_name

__all__ = ["Unpacked", "unpack"]

_CHUNK = 1 << 20
_WHOLE = 16 << 20  # members up to this are held in memory
_AHEAD = 8  # members handed out per worker


class Unpacked(NamedTuple):
    """What a run did.

    Attributes:
        written: files.
        skipped: files that were there, of the right size and CRC.
        nbytes: of both, unpacked.
        failures: the error of each member that could not be read; nothing is there in its place.
        duplicates: names that several members have; the last one was taken.
    """

    written: int
    skipped: int
    nbytes: int
    failures: list[ArchiveError]
    duplicates: list[str]


def unpack(
    archive: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    members: str | None = None,
    workers: int = 1,
    progress: bool = False,
) -> Unpacked:
    """Write the files of a zip archive, in one or several parts, below a folder.

    Files are written beside their place and renamed into it, after their CRC was checked. A run
    that was stopped goes on where it was: files of the right size and CRC are left alone. Times,
    owners and permissions are not restored.

    Args:
        archive: as ``split_zip`` takes it.
        out: folder to write below, made if need be.
        members: only names that match this pattern, e.g. ``"*/images/*"``; ``*`` matches ``/`` too.
        workers: threads (inflating, checking and writing run without the GIL).
        progress: draw a bar on stderr.

    Raises:
        ArchiveError: the archive cannot be opened; or, before anything is written, a name is
            absolute or climbs out with ``..``, a member is a link or a device, or a file stands
            where another member needs a folder.
        ValueError: no member matches.
        OSError: a file cannot be written, as on a full disk; ``filename`` names it.
    """
    root = Path(out)
    with SplitZip(archive) as opened:
        names = [n for n in opened.names if members is None or fnmatch.fnmatchcase(n, members)]
        folders = [n for n in opened.folders if members is None or fnmatch.fnmatchcase(n, members)]
        if members is not None and not names and not folders:
            raise ValueError(f"{opened.path}: no member matches {members!r}")
        infos = [opened.info(name) for name in names]
        _refuse(opened, infos, folders)
        root.mkdir(parents=True, exist_ok=True)
        for folder in folders:
            (root / safe_name(folder)).mkdir(parents=True, exist_ok=True)
        infos.sort(key=lambda info: (opened.parts.index(Path(info.part)), info.offset))
        wanted = set(names)
        duplicates = [name for name in opened.duplicates if name in wanted]
        return _run(opened, infos, root, workers, progress, duplicates)


def _refuse(opened: SplitZip, infos: Sequence[Member], folders: Sequence[str]) -> None:
    for name in folders:
        _check_name(opened, name, str(opened.path), -1)
    files = {info.name for info in infos}
    targets: dict[str, str] = {}
    for info in infos:
        _check_name(opened, info.name, info.part, info.offset)
        kind = stat.S_IFMT(info.mode)
        if kind not in (0, stat.S_IFREG):
            what = "a symbolic link" if kind == stat.S_IFLNK else "no plain file"
            raise ArchiveError(info.part, info.name, info.offset, f"is {what}: refused")
        other = targets.setdefault(safe_name(info.name), info.name)
        if other != info.name:
            reason = f"is the same file as member {other!r}: refused"
            raise ArchiveError(info.part, info.name, info.offset, reason)
    for info in infos:
        at = info.name.find("/")
        while at >= 0:
            if info.name[:at] in files:
                reason = f"lies below {info.name[:at]!r}, which is a file: refused"
                raise ArchiveError(info.part, info.name, info.offset, reason)
            at = info.name.find("/", at + 1)


def _check_name(opened: SplitZip, name: str, part: str, offset: int) -> None:
    portable = name.replace("\\", "/")
    try:
        if safe_name(portable) == "." or portable[1:2] == ":":
            raise ValueError("file name leaves its folder")
    except ValueError as error:
        raise ArchiveError(part, name, offset, f"{error}: refused") from error


def _run(
    opened: SplitZip,
    infos: Sequence[Member],
    root: Path,
    workers: int,
    progress: bool,
    duplicates: list[str],
) -> Unpacked:
    written = skipped = nbytes = 0
    failures = []
    with tqdm(
        total=sum(info.size for info in infos), unit="B", unit_scale=True, disable=not progress
    ) as bar:
        work = _Work(opened, root)
        for info, result in _in_order(work, infos, workers):
            if isinstance(result, ArchiveError):
                failures.append(result)
                if progress:
                    bar.write(str(result), file=sys.stderr)
            else:
                written += result
                skipped += not result
                nbytes += info.size
            bar.update(info.size)
    return Unpacked(written, skipped, nbytes, failures, duplicates)


def _in_order(
    work: Callable[[Member], bool | ArchiveError], infos: Sequence[Member], workers: int
) -> Iterator[tuple[Member, bool | ArchiveError]]:
    if workers <= 1:
        for info in infos:
            yield info, work(info)
        return
    running: deque[tuple[Member, Future[bool | ArchiveError]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for info in infos:
                running.append((info, pool.submit(work, info)))
                if len(running) >= _AHEAD * workers:
                    done, future = running.popleft()
                    yield done, future.result()
            while running:
                done, future = running.popleft()
                yield done, future.result()
        finally:
            for _, future in running:
                future.cancel()


class _Work:
    """Writes one member, or finds that it is there."""

    def __init__(self, opened: SplitZip, root: Path) -> None:
        self._opened = opened
        self._root = root

    def __call__(self, info: Member) -> bool | ArchiveError:
        """True: written; False: was there; an error: it cannot be read."""
        target = self._root / safe_name(info.name)
        if _is_there(target, info):
            return False
        # The name does not depend on the run: what a killed one left is replaced by the next.
        partial = target.with_name(f".{zlib.crc32(info.name.encode()):08x}.partial")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with open(partial, "wb", buffering=0) as file:
                for piece in self._pieces(info):
                    _write(file.fileno(), piece)
            os.replace(partial, target)
        except BaseException as error:
            with contextlib.suppress(OSError):
                partial.unlink()
            if isinstance(error, ArchiveError):
                return error
            if isinstance(error, OSError):
                error.filename, error.filename2 = str(target), None
            raise
        return True

    def _pieces(self, info: Member) -> Iterator[bytes]:
        if info.size <= _WHOLE:
            yield self._opened.read(info.name)
            return
        with self._opened.open(info.name) as file:
            while piece := file.read(_CHUNK):
                yield piece


def _write(file: int, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(file, view) :]


def _is_there(target: Path, info: Member) -> bool:
    try:
        if target.stat().st_size != info.size or not target.is_file():
            return False
        crc = 0
        with open(target, "rb") as file:
            while piece := file.read(_CHUNK):
                crc = zlib.crc32(piece, crc)
    except OSError:
        return False
    return crc == info.crc
