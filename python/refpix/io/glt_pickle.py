"""Pickles and ``.jbl`` files of joblib that hold data only, read without running what is in them.

A pickle is a program, and ``pickle.load`` runs it. Here a small machine of our own follows the
opcodes: it makes builtin values and NumPy arrays, and knows by name the few callables that these
are pickled with; any other name ends the reading, before anything was called. No length in the
file is believed before the bytes are there.

Source: the comments of CPython's Lib/pickletools.py; joblib's numpy_pickle.py for its arrays.
"""

from __future__ import annotations

import bz2
import contextlib
import lzma
import os
import pickle
import zlib
from pathlib import Path
from typing import Any

from refpix.errors import PickleError
from refpix.io._pickle_arrays import PickleFault
from refpix.io._pickle_machine import Machine
from refpix.io._pickle_opcodes import STEPS

fast_zlib: Any = zlib
with contextlib.suppress(ImportError):  # inflates in half the time
    from zlib_ng import zlib_ng

    fast_zlib = zlib_ng

__all__ = ["MAX_BYTES", "load_pickle", "loads_pickle", "save_pickle"]

#: Bytes that a file may hold when decompressed, unless the caller says otherwise.
MAX_BYTES = 4 << 30

_CHUNK = 1 << 20
_COMPRESSION = 3  # zlib's level, joblib's default
_FORMATS = (
    (b"\x1f\x8b", "gzip", lambda: fast_zlib.decompressobj(wbits=31)),
    (b"BZ", "bz2", bz2.BZ2Decompressor),
    (b"\xfd7zXZ", "xz", lzma.LZMADecompressor),
    (b"]\x00", "lzma", lzma.LZMADecompressor),
    (b"x", "zlib", fast_zlib.decompressobj),
)
_REFUSED = {
    b"ZF": "a file of joblib before 0.10; load and dump it with a newer joblib",
    b"\x04\x22\x4d\x18": "compressed with LZ4; dump it with another compression",
}


def load_pickle(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> Any:
    """What a pickle or a joblib file holds: builtin values and NumPy arrays, nothing else.

    Python 2's text is read as Latin-1, as NumPy's users do. Structured arrays, dates and subclasses
    of arrays' types are refused; ``numpy.matrix`` and ``numpy.memmap`` come as plain arrays.

    Args:
        path: plain, or compressed with zlib, gzip, bz2, lzma or xz.
        max_bytes: more than this, decompressed, is refused.

    Returns:
        The value. Arrays are views of one read-only buffer where the file has their bytes in one
        piece, in the machine's byte order.

    Raises:
        PickleError: the file calls for anything else, is damaged, cut short or too large; names
            file, byte (of the decompressed content) and reason.
        OSError: the file cannot be read.
    """
    name = os.fspath(path)
    with open(path, "rb") as file:
        head = file.read(6)
        file.seek(0)
        try:
            content = _decompressed(file, head, max_bytes)
        except (zlib.error, fast_zlib.error, lzma.LZMAError, EOFError, OSError) as error:
            raise PickleError(name, -1, f"damaged compressed data: {error}") from error
        except PickleFault as fault:
            raise PickleError(name, fault.offset, fault.reason) from fault
    return loads_pickle(content, name=name)


def _decompressed(file: Any, head: bytes, max_bytes: int) -> bytes:
    for start, reason in _REFUSED.items():
        if head.startswith(start):
            raise PickleFault(-1, reason)
    for start, name, decompressor in _FORMATS:
        if head.startswith(start):
            return _inflated(file, name, decompressor(), max_bytes)
    content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise PickleFault(-1, f"more than {max_bytes} bytes")
    return bytes(content)


def _inflated(file: Any, name: str, decompressor: Any, max_bytes: int) -> bytes:
    """All of a compressed file, in steps, so that a small file cannot fill the memory."""
    pieces = []
    size = 0
    while not decompressor.eof:
        data = getattr(decompressor, "unconsumed_tail", b"")
        if not data and getattr(decompressor, "needs_input", True):
            data = file.read(_CHUNK)
            if not data:
                raise PickleFault(-1, f"{name} data ends early")
        piece = decompressor.decompress(data, 8 * _CHUNK)
        size += len(piece)
        if size > max_bytes:
            raise PickleFault(-1, f"more than {max_bytes} bytes when decompressed")
        pieces.append(piece)
    return b"".join(pieces)


def loads_pickle(content: bytes, *, name: str = "<pickle>") -> Any:
    """As `load_pickle`, of decompressed bytes in memory.

    Args:
        content: the pickle.
        name: goes into errors.

    Raises:
        PickleError: as `load_pickle`.
    """
    try:
        return Machine(content, STEPS).run()
    except PickleFault as fault:
        raise PickleError(name, fault.offset, fault.reason) from fault


def save_pickle(path: str | os.PathLike[str], value: Any, *, compress: bool = True) -> None:
    """Writes a pickle that `load_pickle` and ``joblib.load`` read; whole or not at all.

    Args:
        path: file to write; what is there is replaced.
        value: builtin values and arrays, anything else would not be read again.
        compress: with zlib, as joblib does with ``compress=True``.
    """
    target = Path(path)
    partial = target.with_name(f"{target.name}.partial")
    try:
        with open(partial, "wb") as file:
            writer = _ZlibWriter(file) if compress else file
            pickle.dump(value, writer, protocol=4)
            if isinstance(writer, _ZlibWriter):
                writer.finish()
        os.replace(partial, target)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise


class _ZlibWriter:
    """The part of a file that ``pickle.dump`` needs."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._compressor = fast_zlib.compressobj(_COMPRESSION)

    def write(self, data: Any) -> int:
        self._file.write(self._compressor.compress(data))
        return len(data)

    def finish(self) -> None:
        self._file.write(self._compressor.flush())
