"""Run lengths to COCO's compressed text."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from refpix.kernels._registry import Backend, kernel
from refpix.kernels._rle import check_offsets


@kernel
def rle_to_string(
    counts: npt.NDArray[np.uint32],
    offsets: npt.NDArray[np.int64],
    *,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Write run lengths as COCO files hold them; `rle_from_string` has the grammar.

    Sizes are not asked for: what the runs sum to does not matter here.

    Args:
        counts: uint32 (runs,), all items end to end.
        offsets: int64 (n + 1,); item i is ``counts[offsets[i]:offsets[i + 1]]``.
        num_threads: threads to use at most.
        backend: which implementation. There is no CUDA one: run lengths live on the host.

    Returns:
        values: uint8 (bytes,), ASCII, all items end to end.
        offsets: int64 (n + 1,); item i is ``values[offsets[i]:offsets[i + 1]]``.

    Raises:
        RleError: offsets do not ascend from 0 to the number of counts.

    Source: COCO API, common/maskApi.c (rleToString), whose buffer is too short for numbers of seven
    characters.
    """
    check_offsets(counts, offsets)
    texts = [_write(counts[a:b].tolist()) for a, b in pairwise(offsets)]
    stops = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    return np.frombuffer(b"".join(texts), dtype=np.uint8).copy(), stops


def _write(runs: list[int]) -> bytes:
    text = bytearray()
    for i, run in enumerate(runs):
        value = run - runs[i - 2] if i > 2 else run
        more = True
        while more:
            digit = value & 31
            value >>= 5
            more = value != (-1 if digit & 16 else 0)
            text.append(48 + digit + 32 * more)
    return bytes(text)
