"""Native row index and row splitting against the reference, on anything."""

import numpy as np
from harness import run

from refpix.errors import KernelError
from refpix.kernels import isas, tsv_index, tsv_split, use_isa
from refpix.types import BytesBatch

CORPUS = [
    b"",
    b"\n",
    b"a\tb\tc\n1\t2\t3\n",
    b"a\tb\r\n\r\r\n\tx",
    b"x" * 300 + b"\n" * 300 + b"\t\n" * 200,
    b"\xef\xbb\xbfid\t\0\t\xe2\x80\xa8\nshort\n",
]
COLUMNS = [None, [0], [1, 0], [-1], [2, -1, 0], []]


def split(values, spans, columns, allow_cr, backend):
    try:
        return tsv_split(
            values, spans, columns=columns, allow_cr=allow_cr, backend=backend
        ).tolist()
    except KernelError as error:
        return error.fault, error.item, error.position


def one_input(data: bytes) -> None:
    """The first byte picks the columns and the rule for carriage returns."""
    flags, text = (data[0], data[1:]) if data else (0, b"")
    values = np.frombuffer(text, np.uint8)
    want = tsv_index(values, backend="reference")
    for isa in isas():
        with use_isa(isa):
            got = tsv_index(values, num_threads=1 + flags % 2, backend="cpu")
        assert got.tolist() == want.tolist(), isa
    spans = BytesBatch.from_offsets(values, want).spans
    arguments = values, spans, COLUMNS[flags % len(COLUMNS)], flags >= 128
    assert split(*arguments, "cpu") == split(*arguments, "reference")


if __name__ == "__main__":
    run(one_input, CORPUS)
