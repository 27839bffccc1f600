"""NumPy's ``.npy`` files from bytes, without pickle and without trusting the header."""

from __future__ import annotations

import io
import math
import tokenize
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["decode_npy"]

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def decode_npy(payload: bytes) -> npt.NDArray[Any]:
    """The array of an ``.npy`` file.

    Unlike ``np.load`` this allocates nothing before the payload is known to hold what its header
    promises; object arrays are refused, as with ``allow_pickle=False``.

    Args:
        payload: the file's bytes.

    Returns:
        The array, read-only, as a view into the payload.

    Raises:
        ValueError: it is no ``.npy`` file, of an unknown version, holds Python objects, or has
            too few bytes.
    """
    file = io.BytesIO(payload)
    version = np.lib.format.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"npy format version {version} is not supported")
    try:
        shape, fortran, dtype = _HEADERS[version](file)
    except (SyntaxError, tokenize.TokenError, RecursionError, MemoryError, TypeError) as e:
        raise ValueError(f"broken npy header: {e}") from e
    if dtype.hasobject:
        raise ValueError("npy file holds Python objects")
    if any(axis < 0 for axis in shape):
        raise ValueError(f"broken npy header: shape {shape}")
    start = file.tell()
    count = math.prod(shape)
    if count * dtype.itemsize > len(payload) - start:
        raise ValueError(
            f"npy file ends early: shape {shape} of {dtype} needs {count * dtype.itemsize} bytes, "
            f"{len(payload) - start} are there"
        )
    flat = np.frombuffer(payload, dtype, count, start)
    return flat.reshape(shape, order="F" if fortran else "C")
