"""COCO's compressed text, read and written, on anything."""

import numpy as np
from harness import run
from mask_inputs import RUNS, Input, check

from refpix.errors import KernelError
from refpix.kernels import rle_from_string, rle_to_string

CORPUS = [
    b"",
    b"\x00\x00\x026",
    b"\x40\x00\x06" + b"0130000" * 3,
    b"\x80\x01\x20" + b"VP`d5_oooooooo@NNMo\x00\n/p~" * 2,
    b"\x20\x02\x30" + b"PPPPPP4" * 4 + b"PPPPPPPPPPPPP0" + b"ooooooooooooooO",
    b"\x20\x02\x30" + b"TTTT_1" * 8 + b"\xff\x80",
    b"\x10\x05\x00" + bytes(range(48)),
]


def round_trip(text: np.ndarray, spans: np.ndarray) -> None:
    """What was read comes back from its shortest text."""
    try:
        counts, offsets = rle_from_string(text, spans)
    except KernelError:
        return
    values, stops = rle_to_string(counts, offsets)
    again, _ = rle_from_string(values, np.stack([stops[:-1], stops[1:]], 1))
    assert again.tobytes() == counts.tobytes()
    assert len(values) <= len(text) or len(spans) > 1  # spans may overlap


def one_input(data: bytes) -> None:
    """Three bytes pick spans and what to spoil, the rest is text, then numbers."""
    source = Input(data)
    cut, spoil, length = source.byte(), source.byte(), source.byte()
    text = np.frombuffer(data[3:], np.uint8)
    middle = len(text) * cut // 256
    spans = np.array([[middle, len(text)], [0, middle], [0, min(length, len(text))]], np.int64)
    if spoil % 16 == 15:
        spans[(spoil >> 6) % 3, spoil >> 5 & 1] = (-1, len(text) + 1, -(2**63), 2**63 - 1)[cut % 4]
    check(rle_from_string, text, spans)
    round_trip(text, spans[:1])

    counts = [source.pick(RUNS) if source.seldom() else source.byte() for _ in range(length % 32)]
    runs = np.array(counts, np.uint32)
    offsets = np.array([0, len(runs) // 3, len(runs)], np.int64)
    if spoil % 16 == 14:
        offsets[cut % 3] += spoil // 16 - 8
    check(rle_to_string, runs, offsets)


if __name__ == "__main__":
    run(one_input, CORPUS)
