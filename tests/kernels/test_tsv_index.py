import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refpix.kernels import isas, tsv_index, use_isa

backends = pytest.mark.parametrize("backend", tsv_index.backends())
every_isa = pytest.mark.parametrize("isa", isas())


def index(text, **options):
    got = tsv_index(np.frombuffer(text, np.uint8), **options)
    assert got.dtype == np.int64
    return got.tolist()


@backends
@pytest.mark.parametrize(
    ("text", "offsets"),
    [
        (b"", [0]),
        (b"\n", [0, 1]),
        (b"a", [0, 1]),
        (b"a\n", [0, 2]),
        (b"a\nb", [0, 2, 3]),
        (b"\n\na\n", [0, 1, 2, 4]),
        (b"a\r\nb\rc\n", [0, 3, 7]),
        (b"\x0b\x0c\x1c\xc2\x85\xe2\x80\xa8\n\0\n", [0, 9, 11]),
        (b"\xef\xbb\xbfa\n", [0, 5]),
    ],
)
def test_rows_end_at_newlines_only(backend, text, offsets):
    assert index(text, backend=backend) == offsets


@every_isa
@pytest.mark.parametrize("length", [1, 63, 64, 127, 128, 129, 255, 256, 257, 511, 1000])
def test_a_newline_at_every_place(isa, length):
    with use_isa(isa):
        for at in range(length):
            text = b"x" * at + b"\n" + b"x" * (length - at - 1)
            assert index(text) == ([0, length] if at == length - 1 else [0, at + 1, length])


@every_isa
@given(pieces=st.lists(st.tuples(st.binary(max_size=300), st.integers(0, 300))))
def test_equals_the_reference(isa, pieces):
    text = b"".join(piece + b"\n" * newlines for piece, newlines in pieces)
    with use_isa(isa):
        assert index(text) == index(text, backend="reference")


@every_isa
@pytest.mark.parametrize("num_threads", [1, 3])
def test_pieces_of_a_large_text_join(isa, num_threads):
    """Newlines at both sides of the 8 MiB borders at which threads take over from one another."""
    values = np.full(33 << 20, ord("x"), np.uint8)
    piece = 8 << 20
    ends = [piece - 1, piece, piece + 1, 2 * piece, 3 * piece - 1, 4 * piece - 1]
    values[ends] = ord("\n")
    values[20 << 20 : (20 << 20) + 50_000] = ord("\n")
    with use_isa(isa):
        got = tsv_index(values, num_threads=num_threads)
    assert np.array_equal(got, tsv_index(values, backend="reference"))


def test_wrong_arrays_are_refused():
    with pytest.raises(TypeError, match="uint8"):
        tsv_index(np.zeros(4))
    with pytest.raises(ValueError, match="contiguous"):
        tsv_index(np.zeros(8, np.uint8)[::2])
