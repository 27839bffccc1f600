"""Base64 texts to bytes, where one bad text must not cost the others."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from refpix.errors import KernelError
from refpix.kernels._base64_decode import base64_decode
from refpix.kernels._registry import fault_number


def base64_room(values: npt.NDArray[np.uint8], spans: npt.NDArray[np.int64]) -> int:
    """Bytes that texts decode to at most: what `base64_decode_each` needs as ``out``.

    Arguments are that function's. Spans outside ``values``, which it refuses, ask for no more.
    """
    lengths = np.clip(spans[:, 1] - spans[:, 0], 0, len(values))
    return int((3 * lengths // 4).sum())


def base64_decode_each(
    values: npt.NDArray[np.uint8],
    spans: npt.NDArray[np.int64],
    out: npt.NDArray[np.uint8],
    *,
    num_threads: int = 1,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """As ``base64_decode``, with a fault for each item instead of an error for all of them.

    Args:
        values: uint8 (bytes,).
        spans: int64 (n, 2); item i is ``values[spans[i, 0]:spans[i, 1]]``.
        out: uint8 (capacity,), see `base64_room`.
        num_threads: threads to use at most, where all is well.

    Returns:
        spans: int64 (n, 2); item i is ``out[spans[i, 0]:spans[i, 1]]``, empty if it is at fault.
        faults: int64 (n, 2), a fault and the byte of the text, 0 and -1 where all is well.

    Raises:
        KernelError: a span outside ``values``, or ``out`` too small.
    """
    faults = np.tile(np.array([0, -1], np.int64), (len(spans), 1))
    try:
        _, offsets = base64_decode(values, spans, out=out, num_threads=num_threads, backend="cpu")
        return np.stack([offsets[:-1], offsets[1:]], axis=1), faults
    except KernelError as error:
        if error.item < 0 or error.fault == "span_out_of_bounds":
            raise
    found = np.zeros((len(spans), 2), np.int64)
    start = 0
    for item in range(len(spans)):
        try:
            decoded, _ = base64_decode(
                values, spans[item : item + 1], out=out[start:], backend="cpu"
            )
        except KernelError as error:
            faults[item] = fault_number(error.fault), error.position
        else:
            found[item] = start, start + len(decoded)
            start += len(decoded)
    return found, faults
