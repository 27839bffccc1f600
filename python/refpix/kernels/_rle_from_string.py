"""COCO's compressed text to run lengths."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from refpix.errors import KernelError, RleError
from refpix.kernels._registry import Backend, kernel


@kernel
def rle_from_string(
    values: npt.NDArray[np.uint8],
    spans: npt.NDArray[np.int64],
    *,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """Read compressed run lengths, as COCO files hold them.

    A number is characters 48 to 111 ('0' to 'o'), five bits each, least significant first; 0x20
    says that another follows, bit 0x10 of the last is the sign. From the fourth number on it is
    the difference to the run two before. Longer spellings than needed are read like the short one.

    Args:
        values: uint8 (bytes,).
        spans: int64 (n, 2); item i is ``values[spans[i, 0]:spans[i, 1]]``.
        num_threads: threads to use at most.
        backend: which implementation. There is no CUDA one: run lengths live on the host.

    Returns:
        counts: uint32 (runs,), all items end to end.
        offsets: int64 (n + 1,); item i is ``counts[offsets[i]:offsets[i + 1]]``.

    Raises:
        RleError: another character, text that ends inside a number, or a run that is negative or
            does not fit in 32 bits; names the item and the byte.
        KernelError: a span lies outside ``values``.

    Source: COCO API, common/maskApi.c (rleFrString), which takes any byte for a digit, ends at a
    zero byte, reads beyond the end of text that stops inside a number, and loses the high bits of
    numbers of seven characters.
    """
    for item, (start, stop) in enumerate(spans.tolist()):
        if not 0 <= start <= stop <= len(values):
            raise KernelError("span_out_of_bounds", item, start)
    parsed = [_parse(values[a:b].tobytes(), item) for item, (a, b) in enumerate(spans.tolist())]
    offsets = np.cumsum([0, *map(len, parsed)], dtype=np.int64)
    return np.array([run for runs in parsed for run in runs], dtype=np.uint32), offsets


def _parse(text: bytes, item: int) -> list[int]:
    runs: list[int] = []
    position = 0
    while position < len(text):
        start = position
        value = shift = 0
        more = True
        while more:
            if position == len(text):
                raise RleError("rle_truncated", item, position)
            digit = text[position] - 48
            if not 0 <= digit < 64:
                raise RleError("rle_bad_character", item, position)
            value |= (digit & 31) << shift
            shift += 5
            more = digit & 32 != 0
            position += 1
        if digit & 16:
            value -= 1 << shift
        if len(runs) > 2:
            value += runs[-2]
        if not 0 <= value < 2**32:
            raise RleError("rle_negative_run" if value < 0 else "rle_run_overflow", item, start)
        runs.append(value)
    return runs
