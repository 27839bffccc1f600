import numpy as np
import pytest

from refpix.errors import CodesError, KernelError
from refpix.kernels import parsing_unpack
from refpix.types import BytesBatch

backends = pytest.mark.parametrize("backend", parsing_unpack.backends())


@backends
@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("15,31,26", [15, 31, 26]),
        (" 1 ,\t2\n", [1, 2]),
        ("+5,-1,1_0", [5, -1, 10]),
        ("2147483647,-2147483648", [2**31 - 1, -(2**31)]),
    ],
)
def test_reads_what_int_reads(backend, text, codes):
    got, offsets = parsing_unpack(*BytesBatch.from_items([text]), backend=backend)
    assert got.dtype == np.int32
    assert got.tolist() == codes
    assert offsets.tolist() == [0, len(codes)]


@backends
def test_batch_is_end_to_end(backend):
    batch = BytesBatch.from_items(["1,2", "3", "4,5,6"])
    got, offsets = parsing_unpack(*batch, num_threads=2, backend=backend)
    assert got.tolist() == [1, 2, 3, 4, 5, 6]
    assert offsets.tolist() == [0, 2, 3, 6]


@backends
def test_empty_batch(backend):
    got, offsets = parsing_unpack(*BytesBatch.from_items([]), backend=backend)
    assert got.size == 0
    assert offsets.tolist() == [0]


@backends
@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "codes_bad_character"),
        ("1,,2", "codes_bad_character"),
        ("1,2,", "codes_bad_character"),
        ("1;2", "codes_bad_character"),
        ("1 2", "codes_bad_character"),
        ("_1", "codes_bad_character"),
        ("1__0", "codes_bad_character"),
        ("1_", "codes_bad_character"),
        ("- 1", "codes_bad_character"),
        ("１", "codes_bad_character"),
        ("2147483648", "codes_out_of_range"),
        ("99999999999999999999999", "codes_out_of_range"),
    ],
)
def test_malformed_names_the_item(backend, text, fault):
    with pytest.raises(CodesError) as error:
        parsing_unpack(*BytesBatch.from_items(["1", text, "x"]), backend=backend)
    assert (error.value.fault, error.value.item) == (fault, 1)


@backends
def test_strict_wants_a_grid(backend):
    full = ",".join(str(i % 32) for i in range(48))
    codes, _ = parsing_unpack(*BytesBatch.from_items([full, full]), strict=True, backend=backend)
    assert codes.reshape(2, 8, 6)[1, 7, 5] == 47 % 32
    with pytest.raises(CodesError, match="expected 48"):
        parsing_unpack(*BytesBatch.from_items(["1,2"]), strict=True, backend=backend)
    with pytest.raises(CodesError, match="out of range"):
        parsing_unpack(
            *BytesBatch.from_items([full.replace("31", "32")]), strict=True, backend=backend
        )


def test_wrong_arrays_are_refused():
    values, spans = BytesBatch.from_items(["1"])
    with pytest.raises(TypeError, match="uint8"):
        parsing_unpack(values.astype(np.int32), spans)
    with pytest.raises(ValueError, match="contiguous"):
        parsing_unpack(np.zeros(8, np.uint8)[::2], spans)
    with pytest.raises(KernelError, match="outside"):
        parsing_unpack(values, np.array([[0, 2]], np.int64))
