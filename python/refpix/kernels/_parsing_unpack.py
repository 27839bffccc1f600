"""Parsing codes as text to integers."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from refpix.errors import CodesError
from refpix.kernels._registry import Backend, kernel

_INTEGER = re.compile(rb"[\t-\r\x1c-\x1f ]*([+-]?[0-9]+(?:_[0-9]+)*)[\t-\r\x1c-\x1f ]*")
_COUNT = 48
_RANGE = 32


@kernel
def parsing_unpack(
    values: npt.NDArray[np.uint8],
    spans: npt.NDArray[np.int64],
    *,
    strict: bool = False,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Read comma-separated parsing codes ("15,31,26,...").

    Args:
        values: uint8 (bytes,).
        spans: int64 (n, 2); item i is ``values[spans[i, 0]:spans[i, 1]]``, ASCII text.
        strict: exactly 48 codes an item, each in 0..31. A batch then reshapes to (n, 8, 6),
            the grid over the box, row by row.
        num_threads: threads to use at most.
        backend: which implementation.

    Returns:
        codes: int32 (codes,), all items end to end.
        offsets: int64 (n + 1,); item i is ``codes[offsets[i]:offsets[i + 1]]``.

    Raises:
        CodesError: text that is no list of integers, or, with ``strict``, a wrong count or
            range; names the item and the byte.

    Source: RefHCM, data/mm_data/rpar_dataset.py (``map(int, text.strip().split(","))``), in ASCII.
    """
    batch: list[list[int]] = []
    texts = [values[start:stop].tobytes() for start, stop in spans]
    for item, text in enumerate(texts):
        if strict and text.count(b",") + 1 != _COUNT:
            raise CodesError("codes_wrong_count", item, len(text))
    for item, text in enumerate(texts):
        codes = []
        position = 0
        for part in text.split(b","):
            match = _INTEGER.fullmatch(part)
            if match is None:
                raise CodesError("codes_bad_character", item, position)
            code = int(match[1])
            if not -(2**31) <= code < 2**31 or (strict and not 0 <= code < _RANGE):
                raise CodesError("codes_out_of_range", item, position)
            codes.append(code)
            position += len(part) + 1
        batch.append(codes)
    offsets = np.cumsum([0, *map(len, batch)], dtype=np.int64)
    return np.array([code for codes in batch for code in codes], dtype=np.int32), offsets
