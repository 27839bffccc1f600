"""NumPy arrays, dtypes and scalars as pickles describe them, made without asking NumPy to unpickle.

NumPy's own ``__setstate__`` believes a hostile state; here shapes, types and lengths are compared
with the bytes that are there before an array is made.

Source: NumPy's multiarray (array_reduce, arraydescr_reduce); joblib, numpy_pickle.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

__all__ = ["CALLABLES", "JOBLIB_ARRAY", "Marker", "Pending", "PickleFault", "resolved"]

# Booleans, integers, floats, complex numbers, text and bytes; dates need metadata, records could
# hide objects.
_PLAIN_TYPE = re.compile(r"[?bBhHiIlLqQefdgFDG]|b1|[iu][1248]|f(2|4|8|16)|c(8|16|32)|[SU]\d{1,9}")
_OBJECT_TYPE = re.compile(r"O[48]?")


class PickleFault(Exception):
    """Something that is refused, or not as it should be.

    Attributes:
        offset: byte, or -1 when not known here.
        reason: in words.
    """

    def __init__(self, offset: int, reason: str) -> None:
        self.offset = offset
        self.reason = reason
        super().__init__(offset, reason)


class Marker:
    """What a name in a pickle stands for.

    Args:
        make: makes the value of the arguments; None for what is only ever an argument.
    """

    def __init__(self, make: Callable[..., Any] | None) -> None:
        self.make = make


class Pending:
    """A value that its state is still to come for.

    Args:
        build: makes the value, or joblib's layout, of the state.
        value: what it is if no state comes; None: nothing.
    """

    def __init__(self, build: Callable[[Any], Any], value: Any = None) -> None:
        self.build = build
        self.value = value
        self.began = -1  # byte, for arrays of joblib
        self.memo_size = 0


def resolved(value: Any) -> Any:
    """A value, once it is there."""
    if isinstance(value, Pending):
        if value.value is None:
            raise PickleFault(-1, "an array is used before its content came")
        return value.value
    return value


class Layout(NamedTuple):
    """An array whose bytes lie elsewhere."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool
    values: int
    bytes: int
    padded: bool
    objects: bool


def _layout(shape: Any, dtype: Any, fortran: bool, padded: bool = False) -> Layout:
    if type(shape) is int:
        shape = (shape,)
    if type(shape) is not tuple or any(type(side) is not int or side < 0 for side in shape):
        raise PickleFault(-1, "an array's shape is not made of sizes")
    if len(shape) > 32:
        raise PickleFault(-1, f"an array of {len(shape)} axes")
    if not isinstance(dtype, np.dtype):
        raise PickleFault(-1, "an array's type is no dtype")
    count = 1
    for side in shape:
        count *= side
    if count and not dtype.itemsize:
        raise PickleFault(-1, "an array of text without room for any")
    return Layout(dtype, shape, fortran, count, count * dtype.itemsize, padded, dtype.hasobject)


def view(data: bytes, at: int, layout: Layout) -> Any:
    """The array whose bytes begin there; a read-only view where the byte order is the machine's."""
    if layout.bytes > len(data) - at:
        raise PickleFault(-1, f"data ends early: an array of {layout.bytes} bytes is described")
    if layout.values == 0:
        return np.zeros(layout.shape, layout.dtype.newbyteorder("="))
    flat = np.frombuffer(data, layout.dtype, layout.values, at)
    if not layout.dtype.isnative:
        flat = flat.astype(layout.dtype.newbyteorder("="))
    if len(layout.shape) == 1:
        return flat
    return flat.reshape(layout.shape, order="F" if layout.fortran else "C")


def _raw(value: Any) -> bytes:
    """Bytes; Python 2 wrote them as text."""
    if isinstance(value, str):
        return value.encode("latin1")
    if not isinstance(value, bytes | bytearray):
        raise PickleFault(-1, f"expected an array's bytes, got a {type(value).__name__}")
    return bytes(value)


def _from_bytes(content: Any, layout: Layout) -> Any:
    content = _raw(content)
    if len(content) != layout.bytes:
        raise PickleFault(
            -1, f"an array of {layout.bytes} bytes is described, {len(content)} are there"
        )
    return view(content, 0, layout)


def _array(*_: Any) -> Pending:
    return Pending(_array_state)


def _array_state(state: Any) -> Any:
    """(version, shape, dtype, whether in Fortran's order, bytes or list of objects)."""
    if type(state) is not tuple or len(state) not in (4, 5):
        raise PickleFault(-1, "an array's state is not as NumPy writes it")
    shape, dtype, fortran, content = (resolved(part) for part in state[-4:])
    layout = _layout(shape, dtype, bool(fortran))
    if not layout.objects:
        return _from_bytes(content, layout)
    if type(content) is not list or len(content) != layout.values:
        raise PickleFault(-1, "an array of objects has another number of them than its shape says")
    objects = np.empty(layout.values, object)
    for i, value in enumerate(content):
        objects[i] = value
    return objects.reshape(layout.shape, order="F" if layout.fortran else "C")


def _dtype(code: Any, *_: Any) -> Pending:
    code = code.decode("ascii", "replace") if isinstance(code, bytes) else code
    if isinstance(code, str):
        if _PLAIN_TYPE.fullmatch(code):
            return _pending_dtype(np.dtype(code))
        if _OBJECT_TYPE.fullmatch(code):
            return _pending_dtype(np.dtype(object))
    raise PickleFault(-1, f"array type {str(code)[:40]!r}: only plain ones are read")


def _pending_dtype(dtype: np.dtype[Any]) -> Pending:
    def state(values: Any) -> np.dtype[Any]:
        """(version, byte order, subarray, names, fields, size, alignment, flags[, metadata])."""
        if type(values) is not tuple or len(values) < 5:
            raise PickleFault(-1, "a dtype's state is not as NumPy writes it")
        order: Any = values[1].decode("latin1") if isinstance(values[1], bytes) else values[1]
        if order not in ("<", ">", "|", "=") or any(part is not None for part in values[2:5]):
            raise PickleFault(-1, "array type with fields: only plain ones are read")
        return dtype if order == "|" else dtype.newbyteorder(order)

    return Pending(state, dtype)


def _scalar(dtype: Any, content: Any = b"") -> Any:
    layout = _layout((), dtype, False)
    if layout.objects:
        raise PickleFault(-1, "a NumPy scalar that is an object: only data is read")
    return _from_bytes(content, layout)[()]


def _from_buffer(content: Any, dtype: Any, shape: Any, order: Any) -> Any:
    """Protocol 5's arrays."""
    layout = _layout(shape, dtype, order == "F")
    if layout.objects:
        raise PickleFault(-1, "an array of objects cannot be made of bytes")
    return _from_bytes(content, layout)


def joblib_layout(state: Any) -> Layout:
    """Of the attributes of joblib's NumpyArrayWrapper."""
    if not isinstance(state, Mapping) or not {"shape", "dtype", "order"} <= set(state):
        raise PickleFault(-1, "an array's description is not as joblib writes it")
    padded = state.get("numpy_array_alignment_bytes") is not None
    return _layout(state["shape"], resolved(state["dtype"]), state["order"] == "F", padded)


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    """How protocols before 3 write bytes."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1", "ascii", "utf-8"):
        raise PickleFault(-1, "bytes that are not as Python writes them")
    return text.encode(encoding)


def _sequence(kind: Callable[..., Any]) -> Callable[..., Any]:
    def make(content: Any = ()) -> Any:
        # A bytes(n) or bytearray(n) would make n bytes of nothing.
        if not isinstance(content, list | tuple | bytes | bytearray):
            raise PickleFault(-1, f"cannot make a {kind} of a {type(content).__name__}")
        return kind(content)

    return make


def _bytes(content: Any = b"", encoding: Any = "latin1") -> Any:
    if isinstance(content, str):
        return _encode(content, encoding)
    return _sequence(bytes)(content)


def _bytearray(content: Any = b"", encoding: Any = "latin1") -> Any:
    return bytearray(_bytes(content, encoding))


def _complex(real: Any, imaginary: Any) -> complex:
    return complex(float(real), float(imaginary))


def _reconstruct(cls: Any, *rest: Any) -> Any:
    """How protocols 0 and 1 make objects."""
    if cls is not JOBLIB_ARRAY or len(rest) != 2 or rest[0] is not _OBJECT:
        raise PickleFault(-1, "makes an object: only data is read")
    return JOBLIB_ARRAY


JOBLIB_ARRAY = Marker(None)
_OBJECT = Marker(None)

CALLABLES: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "memmap"): np.ndarray,
    ("numpy", "matrix"): np.ndarray,
    ("numpy", "dtype"): Marker(_dtype),
    ("joblib.numpy_pickle", "NumpyArrayWrapper"): JOBLIB_ARRAY,
    ("sklearn.externals.joblib.numpy_pickle", "NumpyArrayWrapper"): JOBLIB_ARRAY,
    ("_codecs", "encode"): Marker(_encode),
    ("collections", "OrderedDict"): Marker(_sequence(dict)),
}
for _core in ("numpy.core", "numpy._core"):
    CALLABLES[f"{_core}.multiarray", "_reconstruct"] = Marker(_array)
    CALLABLES[f"{_core}.multiarray", "scalar"] = Marker(_scalar)
    CALLABLES[f"{_core}.numeric", "_frombuffer"] = Marker(_from_buffer)
for _builtins in ("builtins", "__builtin__"):
    CALLABLES[_builtins, "object"] = _OBJECT
    CALLABLES[_builtins, "complex"] = Marker(_complex)
    CALLABLES[_builtins, "bytes"] = Marker(_bytes)
    CALLABLES[_builtins, "bytearray"] = Marker(_bytearray)
    for _kind in (set, frozenset, list, tuple, dict):
        CALLABLES[_builtins, _kind.__name__] = Marker(_sequence(_kind))
for _registry in ("copyreg", "copy_reg"):
    CALLABLES[_registry, "_reconstructor"] = Marker(_reconstruct)
