"""Native reading of parsing codes against the reference, on anything."""

import numpy as np
from harness import run

from refpix.errors import KernelError
from refpix.kernels import parsing_unpack

CORPUS = [
    b"",
    b"0",
    b"\x0015,31,26",
    b"\x03" + b",".join(b"%d" % (code % 32) for code in range(48)),
    b"\x01 +5 ,\t-0_1,\x1c12\x1f,2147483647,-2147483648",
    b"\x01,,1,2,",
    b"\x012147483648,99999999999999999999999999,-2147483649,1__0,_1,1_,0x1,1.0",
    b"\x81" + b"1," * 47 + b"32",
]


def outcome(values, spans, **options):
    try:
        codes, offsets = parsing_unpack(values, spans, **options)
    except KernelError as error:
        return error
    return codes.tolist(), offsets.tolist()


def agree(got, want, text):
    """The same codes, or the same item at fault; the native position is within the integer.

    An integer that is too large before it ends in a wrong character may be called either.
    """
    if not isinstance(want, KernelError):
        return got == want
    if not isinstance(got, KernelError) or got.item != want.item:
        return False
    if "codes_wrong_count" in (got.fault, want.fault):
        return (got.fault, got.position) == (want.fault, want.position)
    end = text.find(b",", want.position)
    return want.position <= got.position <= (len(text) if end < 0 else end) and (
        got.fault == want.fault or got.fault == "codes_out_of_range"
    )


def one_input(data: bytes) -> None:
    """The first byte picks the options and where the text is cut into two items."""
    flags, text = (data[0], data[1:]) if data else (0, b"")
    values = np.frombuffer(text, np.uint8)
    middle = len(text) * (flags >> 4) // 16
    spans = np.array([[middle, len(text)], [0, middle]], np.int64)
    strict = bool(flags & 1)
    want = outcome(values, spans, strict=strict, backend="reference")
    item = text[slice(*spans[want.item])] if isinstance(want, KernelError) else b""
    for num_threads in (1, 2):
        got = outcome(values, spans, strict=strict, num_threads=num_threads, backend="cpu")
        assert agree(got, want, item), (flags, got, want)


if __name__ == "__main__":
    run(one_input, CORPUS)
