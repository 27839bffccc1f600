"""Splits zip archives into parts, with the disk numbers and zip64 records that belong to them."""

import random
import struct
import zipfile
import zlib
from pathlib import Path

LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")


def some_files(seed=0, count=12, largest=3000):
    """Contents by name: some that deflate well, some that do not, an empty one."""
    rng = random.Random(seed)
    files = {"set/empty.txt": b""}
    for i in range(count):
        size = rng.randrange(1, largest)
        content = rng.randbytes(size) if i % 2 else bytes(rng.choices(b"abc", k=size))
        files[f"set/{'images' if i % 3 else 'alphas/é'}/{i:02d}.bin"] = content
    return files


def write_split(
    path: Path,
    files,
    part_bytes: int,
    *,
    zip64=False,
    signature=True,
    stored=lambda name: False,
    modes=None,
    flags=0,
    methods=None,
):
    """Writes ``path`` (``X.zip``) and its parts; headers and data are cut wherever a part is full.

    Args:
        files: contents by name, or pairs.
        part_bytes: of each part but the last.
        zip64: all sizes and places in zip64 fields, with the zip64 end records.
        signature: begin with the mark of split archives.
        stored: which members are not deflated.
        modes: Unix modes by name.
        flags: added to each member's.
        methods: method numbers by name, which are only claimed.
    """
    whole = bytearray(b"PK\7\10" if signature else b"")
    central = bytearray()
    pairs = list(files.items()) if isinstance(files, dict) else list(files)
    for name, content in pairs:
        raw = name.encode()
        method = 0 if stored(name) else 8
        engine = zlib.compressobj(6, zlib.DEFLATED, -15)
        packed = engine.compress(content) + engine.flush() if method else content
        method = (methods or {}).get(name, method)
        crc, at = zlib.crc32(content), len(whole)
        disk, offset = divmod(at, part_bytes)
        bits = 0x800 | flags
        sizes = (0xFFFFFFFF,) * 2 if zip64 else (len(packed), len(content))
        extra = struct.pack("<2H2Q", 1, 16, len(content), len(packed)) if zip64 else b"UT\1\0\0"
        whole += LOCAL.pack(b"PK\3\4", 45, bits, method, 0, 33, crc, *sizes, len(raw), len(extra))
        whole += raw + extra + packed
        if zip64:
            extra = struct.pack("<2H3QL", 1, 28, len(content), len(packed), offset, disk)
        central += CENTRAL.pack(
            b"PK\1\2", 3 << 8 | 45, 45, bits, method, 0, 33, crc, *sizes, len(raw), len(extra), 0,
            0xFFFF if zip64 else disk, 0, (modes or {}).get(name, 0o100644) << 16,
            0xFFFFFFFF if zip64 else offset,
        )  # fmt: skip
        central += raw + extra
    at, n = len(whole), len(pairs)
    disk, offset = divmod(at, part_bytes)
    whole += central
    last = len(whole) // part_bytes  # the end records all lie in the last part
    if zip64:
        disk64, offset64 = divmod(len(whole), part_bytes)
        tail = struct.pack(
            "<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, last, disk, n, n, len(central), offset
        )
        tail += struct.pack("<4sLQL", b"PK\6\7", disk64, offset64, last + 1)
        tail += struct.pack("<4s4H2LH", b"PK\5\6", *(0xFFFF,) * 4, *(0xFFFFFFFF,) * 2, 0)
    else:
        tail = struct.pack("<4s4H2LH", b"PK\5\6", last, disk, n, n, len(central), offset, 0)
    parts = []
    for k in range(last + 1):
        stop = None if k == last else (k + 1) * part_bytes
        part = path if k == last else path.with_suffix(f".z{k + 1:02d}")
        content = bytes(whole[k * part_bytes : stop]) + (tail if k == last else b"")
        part.write_bytes(content)
        parts.append(part)
    return parts


def write_plain(path: Path, files, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
