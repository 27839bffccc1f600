import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refpix.errors import KernelError, TsvError
from refpix.kernels import tsv_split
from refpix.types import BytesBatch

backends = pytest.mark.parametrize("backend", tsv_split.backends())


def split(rows, **options):
    batch = BytesBatch.from_items(rows)
    fields = tsv_split(*batch, **options)
    assert fields.dtype == np.int64
    return [[BytesBatch(batch.values, row).item(k) for k in range(len(row))] for row in fields]


@backends
@pytest.mark.parametrize(
    ("row", "fields"),
    [
        (b"a\tb\tc\n", [b"a", b"b", b"c"]),
        (b"a\tb\r\n", [b"a", b"b"]),
        (b"a\tb\r", [b"a", b"b"]),
        (b"a\tb", [b"a", b"b"]),
        (b" a \t\t \n", [b" a ", b"", b" "]),
        (b"\t\n", [b"", b""]),
        (b"\n", [b""]),
        (b"", [b""]),
        (b'"a\tb"\n', [b'"a', b'b"']),
        (b"\xef\xbb\xbfa\t\0\x0b\x0c\xe2\x80\xa8\n", [b"\xef\xbb\xbfa", b"\0\x0b\x0c\xe2\x80\xa8"]),
    ],
)
def test_fields_of_a_row(backend, row, fields):
    assert split([row], backend=backend) == [fields]


@backends
def test_columns(backend):
    rows = [b"a\tb\tc\n", b"1\t2\t3\t4\n"]
    assert split(rows, columns=[2, 0, 2], backend=backend) == [
        [b"c", b"a", b"c"],
        [b"3", b"1", b"3"],
    ]
    assert split(rows, columns=[-1, 0, -3], backend=backend) == [
        [b"c", b"a", b"a"],
        [b"4", b"1", b"2"],
    ]
    assert split(rows, columns=[], backend=backend) == [[], []]
    assert split(rows, backend=backend) == [[b"a", b"b", b"c"], [b"1", b"2", b"3"]]


@backends
@pytest.mark.parametrize(
    ("row", "columns", "fault", "position"),
    [
        (b"a\tb\r\n", [2], "tsv_too_few_columns", 3),
        (b"a\n", [0, 1], "tsv_too_few_columns", 1),
        (b"\n", [1], "tsv_too_few_columns", 0),
        (b"a\tb\n", [-3], "tsv_too_few_columns", 3),
        (b"a\tb\rc\n", [1], "tsv_lone_cr", 3),
        (b"a\r\tb\n", [1], "tsv_lone_cr", 1),
        (b"a\tb\r\r\n", [1], "tsv_lone_cr", 3),
        (b"a\tb\r\n", None, "tsv_too_few_columns", 3),
    ],
)
def test_malformed_rows(backend, row, columns, fault, position):
    with pytest.raises(TsvError) as error:
        split([b"x\ty\tz\n", row, b"\n"], columns=columns, num_threads=2, backend=backend)
    assert (error.value.fault, error.value.item, error.value.position) == (fault, 1, position)


@backends
def test_carriage_returns_may_be_allowed(backend):
    assert split([b"a\rb\tc\r\r\n"], allow_cr=True, backend=backend) == [[b"a\rb", b"c\r"]]


@backends
def test_what_lies_behind_the_last_column_is_not_read(backend):
    assert split([b"a\tb\tc\rd\n"], columns=[1], backend=backend) == [[b"b"]]


@given(
    rows=st.lists(st.lists(st.sampled_from(b"\t\t\ta\r\n"), max_size=12).map(bytes), max_size=4),
    columns=st.none() | st.lists(st.integers(-3, 3), max_size=4),
    allow_cr=st.booleans(),
)
def test_equals_the_reference(rows, columns, allow_cr):
    def outcome(backend):
        try:
            return split(rows, columns=columns, allow_cr=allow_cr, backend=backend)
        except KernelError as error:
            return error.fault, error.item, error.position

    assert outcome("cpu") == outcome("reference")


@backends
def test_empty_batch(backend):
    spans = np.empty((0, 2), np.int64)
    values = np.empty(0, np.uint8)
    assert tsv_split(values, spans, columns=[0, 1], backend=backend).shape == (0, 2, 2)
    assert tsv_split(values, spans, backend=backend).shape == (0, 0, 2)


def test_wrong_arrays_are_refused():
    values, spans = BytesBatch.from_items(["a\tb"])
    with pytest.raises(TypeError, match="int64"):
        tsv_split(values, spans.astype(np.int32))
    with pytest.raises(ValueError, match="contiguous"):
        tsv_split(values, np.zeros((2, 4), np.int64)[:, ::2])
    with pytest.raises(KernelError, match="outside"):
        tsv_split(values, np.array([[0, 9]], np.int64))
