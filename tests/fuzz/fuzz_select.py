"""balanced_select against its reference: ties, empty classes, odd values, rows that are nowhere."""

from __future__ import annotations

import numpy as np
from harness import run
from mask_inputs import Input, outcome

from refpix.kernels import balanced_select, isas, use_isa

CORPUS = [
    b"",
    bytes(range(256)),
    *(bytes([1, kind, 3, 20, 9, 4, 30]) + bytes([0, 1, 0, 0, 1]) * 80 for kind in range(4)),
    bytes([2, 0, 1, 8, 200, 2, 40]) + bytes([0, 255, 15, 16, 1]) * 300,
]

TYPES = (np.bool_, np.uint8, np.float32, np.float64)
ODD = (0.5, np.nextafter(0.5, 1), -1.0, 1e30, float("nan"), float("inf"), -float("inf"))
NOWHERE = (-1, 2**31, 2**62, -(2**63))


def one_input(data: bytes) -> None:
    source = Input(data)
    isa, kind = source.pick(isas()), source.pick(TYPES)
    classes, length, width = source.below(4), source.below(40), source.below(300)
    pattern = np.frombuffer(source.take(400) or b"\0", np.uint8)
    vectors = (np.resize(pattern, (length, width)) % 5 == 1).astype(kind)
    if vectors.size and kind in (np.float32, np.float64) and source.seldom():
        vectors.reshape(-1)[source.below(vectors.size)] = source.pick(ODD)
    rows = np.arange(length, dtype=np.int64)
    if length and source.seldom():
        rows[source.below(length)] = source.pick((0, length, *NOWHERE))
    cuts = sorted(source.below(length + 1) for _ in range(max(classes - 1, 0)))
    offsets = np.array([0, *cuts, length] if classes else [0], np.int64)
    if source.seldom():
        offsets[source.below(len(offsets))] = source.pick((0, length + 1, *NOWHERE))
    counts = (0, 1, 2, 3, 7, 40, 2**31, 2**62)
    options = {"count": source.pick(counts if classes else counts[:-1])}  # NumPy has no (0, 2**62)
    want = outcome(balanced_select, vectors, rows, offsets, backend="reference", **options)
    with use_isa(isa):
        for num_threads in (1, 2):
            got = outcome(
                balanced_select, vectors, rows, offsets, num_threads=num_threads, **options
            )
            assert got == want, (got, want, options)


if __name__ == "__main__":
    run(one_input, CORPUS)
