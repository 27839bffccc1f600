import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from refpix.errors import RleError
from refpix.kernels import isas, rle_to_string, use_isa

backends = pytest.mark.parametrize("backend", rle_to_string.backends())
every_isa = pytest.mark.parametrize("isa", isas())

runs_of = st.lists(
    st.one_of(st.integers(0, 40), st.integers(0, 2000), st.integers(0, 2**32 - 1)), max_size=200
)


def write(runs, **options):
    values, offsets = rle_to_string(
        np.array(runs, np.uint32), np.array([0, len(runs)], np.int64), **options
    )
    assert values.dtype == np.uint8
    assert offsets.tolist() == [0, len(values)]
    return values.tobytes()


@backends
@pytest.mark.parametrize(
    ("runs", "text"),
    [
        ([], b""),
        ([0], b"0"),
        ([15, 16, 17], b"?`0a0"),
        ([1, 2, 3, 0], b"123N"),
        ([1, 2, 3, 2, 3 + 15, 2 + 16], b"1230?`0"),
        ([1, 40, 3, 24, 3, 7], b"1X13@0_O"),
        ([2**32 - 1], b"oooooo3"),
        ([1, 2, 3, 2**32 - 1, 5, 0, 6], b"123mooooo32QPPPPPL1"),
        ([1, 2**29, 0, 0], b"1PPPPP`00PPPPP@"),
    ],
)
def test_writes_numbers(backend, runs, text):
    assert write(runs, backend=backend) == text


@every_isa
@given(runs=runs_of)
@example(runs=[2**32 - 1, 0, 0] * 50)
@example(runs=[0, 2**32 - 1] * 50)
@example(runs=[0, 2**32 - 1, 2**32 - 1, 0, 0] * 20)
def test_agrees_with_the_reference(isa, runs):
    with use_isa(isa):
        assert write(runs, backend="cpu") == write(runs, backend="reference")


@every_isa
def test_every_length_of_a_number_on_both_sides(isa):
    edges = [d for bits in range(33) for d in (2**bits - 1, 2**bits, 2**bits + 1) if d < 2**32]
    runs = [0, 0, 0]
    for edge in edges:
        runs += [edge, edge, 0, 0]
    with use_isa(isa):
        assert write(runs, backend="cpu") == write(runs, backend="reference")


@every_isa
@given(runs=runs_of)
def test_agrees_with_pycocotools(isa, runs):
    mask = pytest.importorskip("pycocotools.mask")
    # Its buffer holds six characters a run and no zero at the end.
    runs = [run % 2**24 for run in runs] or [0]
    want = mask.frPyObjects({"size": [1, 1], "counts": runs}, 1, 1)["counts"]
    with use_isa(isa):
        assert write(runs, backend="cpu") == want


@backends
def test_batch_is_end_to_end(backend):
    counts = np.array([1, 2, 0, 6], np.uint32)
    for num_threads in (1, 2, 7):
        values, offsets = rle_to_string(
            counts, np.array([0, 2, 2, 4], np.int64), num_threads=num_threads, backend=backend
        )
        assert values.tobytes() == b"1206"
        assert offsets.tolist() == [0, 2, 2, 4]


@backends
def test_empty_batch(backend):
    values, offsets = rle_to_string(np.empty(0, np.uint32), np.zeros(1, np.int64), backend=backend)
    assert (values.dtype, values.size, offsets.tolist()) == (np.uint8, 0, [0])


@backends
@pytest.mark.parametrize("offsets", [[0, 1], [1, 2], [0, 3], [0, 2, 1, 2], [0, -1, 2]])
def test_offsets_outside_counts_are_refused(backend, offsets):
    with pytest.raises(RleError, match="offsets"):
        rle_to_string(np.ones(2, np.uint32), np.array(offsets, np.int64), backend=backend)


def test_wrong_arrays_are_refused():
    with pytest.raises(TypeError, match="counts: expected dtype uint32"):
        rle_to_string(np.ones(2, np.int64), np.array([0, 2], np.int64))
    with pytest.raises(ValueError, match="offsets"):
        rle_to_string(np.ones(2, np.uint32), np.empty(0, np.int64))
