"""Native base64 decoding against the reference, on anything."""

import numpy as np
from harness import run

from refpix.errors import KernelError
from refpix.kernels import base64_decode, isas, use_isa

CORPUS = [
    b"",
    b"QUJD",
    b"QQ==",
    b"QUI=",
    b"-_+/" * 64,
    b"abcd" * 75 + b"\n" + b"efgh" * 20 + b"ab==",
    b"A=AAA==B",
    b"QUJD" * 16 + b"\xc3\xa9" + b"QUJD" * 16,
]


def outcome(values, spans, **options):
    try:
        decoded, offsets = base64_decode(values, spans, **options)
    except KernelError as error:
        return error.fault, error.item, error.position
    return decoded.tobytes(), offsets.tolist()


def one_input(data: bytes) -> None:
    """The first byte picks the options, the rest is two items of a batch."""
    flags, text = (data[0], data[1:]) if data else (0, b"")
    values = np.frombuffer(text, np.uint8)
    middle = len(text) * (flags >> 4) // 16
    spans = np.array([[0, middle], [middle, len(text)]], np.int64)
    options = {"strict": bool(flags & 1), "repair_padding": bool(flags & 2)}
    want = outcome(values, spans, backend="reference", **options)
    for isa in isas():
        with use_isa(isa):
            got = outcome(values, spans, backend="cpu", **options)
        assert got == want, (isa, options, got, want)


if __name__ == "__main__":
    run(one_input, CORPUS)
