"""Zip archives in parts: only ArchiveError, in bounded time and memory, and nothing outside."""

from __future__ import annotations

import os
import shutil
import struct
import sys
import tempfile
import time
import tracemalloc
import zlib
from pathlib import Path

from harness import run

from refpix.errors import ArchiveError
from refpix.io.split_zip import SplitZip, split_zip
from refpix.io.unpack import unpack

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.io.zip_disks import some_files, write_plain, write_split

PURE_PYTHON = True  # tools/sanitize.sh runs it as it is

MOST_BYTES = 160 << 20  # deflate makes 1032 of one, twice, of inputs of 64 KiB
MOST_SECONDS = 10.0

#: Parts are written over and over; a folder in memory where there is one.
ROOT = Path(tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))


def packed(parts: list[bytes]) -> bytes:
    """Parts in one input: how many, how long each but the last, and what is in them."""
    lengths = [struct.pack(">H", len(part)) for part in parts[:-1]]
    return bytes([len(parts) - 1]) + b"".join(lengths) + b"".join(parts)


def unpacked(data: bytes) -> list[bytes]:
    count = data[0] % 16 if data else 0
    lengths = struct.unpack(f">{count}H", data[1 : 1 + 2 * count].ljust(2 * count, b"\0"))
    at, parts = 1 + 2 * count, []
    for length in lengths:
        parts.append(data[at : at + length])
        at += length
    return [*parts, data[at:]]


def corpus() -> list[bytes]:
    made = [b"", b"\0PK\5\6" + bytes(18)]
    path = ROOT / "X.zip"
    files = some_files(count=4, largest=150)
    names = ["a/b/c.png", "é.bin", "../up", "/abs", "C:\\x", "a//b", "folder/", "x" * 300]
    odd = {name: name.encode() * 3 for name in names}
    for content in (files, odd):
        for zip64 in (False, True):
            for part_bytes in (90, 300, 60_000):
                parts = write_split(
                    path, content, part_bytes, zip64=zip64, stored=lambda n: len(n) % 2 == 0
                )
                if len(parts) <= 16:
                    made.append(packed([part.read_bytes() for part in parts]))
    for name in names:
        write_split(path, {"good": b"1" * 40, name: b"2" * 40}, 60_000)
        made.append(packed([path.read_bytes()]))
    write_split(path, {"link": b"/etc/passwd"}, 60_000, modes={"link": 0o120777})
    made.append(packed([path.read_bytes()]))
    write_split(path, {"zeros": bytes(900_000)}, 60_000)  # 1 KB that unpack to 900
    made.append(packed([path.read_bytes()]))
    write_plain(path, files)
    made.append(packed([path.read_bytes()]))
    return made


def read_all(archive: SplitZip) -> None:
    for name in archive.names[:20]:
        info = archive.info(name)
        for read in (archive.read, lambda name: archive.open(name).read()):
            try:
                content = read(name)
            except ArchiveError:
                continue
            assert len(content) == info.size
            assert zlib.crc32(content) == info.crc


def everything_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def unpack_all(path: Path) -> None:
    """All or nothing of each member, below the folder, and nothing beside it."""
    out = path.parent / "out"
    before = everything_below(path.parent)
    blamed = str(out)
    try:
        unpack(path, out)
    except ArchiveError:
        assert not out.exists()
    except OSError as error:  # a name that the file system does not take
        blamed = str(error.filename)
    assert blamed.startswith(str(out))
    beside = {name for name in everything_below(path.parent) if name.split("/")[0] != "out"}
    assert beside == before
    for file in out.rglob("*"):
        assert not file.is_symlink()
        assert not file.name.endswith(".partial")


def one_input(data: bytes) -> None:
    folder = ROOT / "one"
    folder.mkdir(exist_ok=True)
    try:
        parts = unpacked(data)
        names = [f"X.z{k + 1:02d}" for k in range(len(parts) - 1)] + ["X.zip"]
        for name, part in zip(names, parts, strict=True):
            (folder / name).write_bytes(part)
        tracemalloc.start()
        start = time.process_time()
        try:
            with split_zip(folder / "X.zip") as archive:
                read_all(archive)
            unpack_all(folder / "X.zip")
        except ArchiveError:
            pass
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
        assert time.process_time() - start < MOST_SECONDS
    finally:
        tracemalloc.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    try:
        run(one_input, corpus())
    finally:
        shutil.rmtree(ROOT, ignore_errors=True)
