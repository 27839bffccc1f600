import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.kernels.drawn_masks import MALFORMED, batches, dense, random_batch

from refpix.errors import RleError
from refpix.kernels import isas, rle_overlap, use_isa
from refpix.types import RleBatch

backends = pytest.mark.parametrize("backend", rle_overlap.backends())
every_isa = pytest.mark.parametrize("isa", isas())
MAX = 2**32 - 1


def all_pairs(batch):
    items = len(batch.sizes)
    return np.array(list(np.ndindex(items, items)), np.int64).reshape(-1, 2)


@backends
@pytest.mark.parametrize(
    ("a", "b", "size", "want"),
    [
        ([6], [6], (2, 3), [0, 0, 0]),
        ([0, 6], [6], (2, 3), [0, 6, 0]),
        ([0, 6], [0, 6], (2, 3), [6, 6, 6]),
        ([1, 2, 3], [2, 2, 2], (2, 3), [1, 2, 2]),
        ([0, 3, 0, 3], [1, 1, 0, 2, 2], (2, 3), [3, 6, 3]),
        ([], [0], (0, 3), [0, 0, 0]),
        ([1, MAX, 0, MAX, 1], [0, MAX, 0, MAX, 2], (1, 2**33), [2**33 - 3, 2**33 - 2, 2**33 - 2]),
        ([MAX, 0, MAX, 2], [MAX, 1, MAX, 1], (2**33, 1), [1, 2, 2]),
    ],
)
def test_counts_pixels(backend, a, b, size, want):
    batch = RleBatch.from_counts([a, b], [size] * 2)
    got = rle_overlap(*batch, np.array([[0, 1], [1, 0]]), backend=backend)
    assert got.dtype == np.int64
    assert got.tolist() == [want, [want[0], want[2], want[1]]]


@every_isa
@given(batch=batches(), num_threads=st.sampled_from([1, 2]))
def test_agrees_with_pixels(isa, batch, num_threads):
    pairs = all_pairs(batch)
    masks = dense(batch)
    want = [[(masks[a] & masks[b]).sum(), masks[a].sum(), masks[b].sum()] for a, b in pairs]
    assert rle_overlap(*batch, pairs, backend="reference").tolist() == want
    with use_isa(isa):
        got = rle_overlap(*batch, pairs, num_threads=num_threads, backend="cpu")
    assert got.tolist() == want


@backends
def test_nothing_to_compare(backend):
    none = np.empty((0, 2), np.int64)
    assert rle_overlap(*RleBatch.from_counts([], []), none, backend=backend).shape == (0, 3)
    assert rle_overlap(*RleBatch.from_counts([[6]], [(2, 3)]), none, backend=backend).size == 0


@backends
@pytest.mark.parametrize(("counts", "size", "fault"), MALFORMED)
@pytest.mark.parametrize("num_threads", [1, 2])
def test_malformed_names_the_item(backend, counts, size, fault, num_threads):
    batch = RleBatch.from_counts([[6], counts, counts], [(2, 3), size, size])
    with pytest.raises(RleError) as error:
        rle_overlap(*batch, np.array([[0, 0]]), num_threads=num_threads, backend=backend)
    assert (error.value.fault, error.value.item) == (fault, 1)


@backends
def test_faulty_pairs_are_named(backend):
    batch = RleBatch.from_counts([[6], [6], [6]], [(2, 3), (2, 3), (3, 2)])
    for pair in ([-1, 0], [0, -1], [3, 0], [0, 2**62]):
        with pytest.raises(RleError) as error:
            rle_overlap(*batch, np.array([[0, 1], pair], np.int64), backend=backend)
        assert (error.value.fault, error.value.item) == ("rle_bad_offsets", 1)
    with pytest.raises(RleError) as error:
        rle_overlap(*batch, np.array([[2, 2], [0, 1], [1, 2]]), backend=backend)
    assert (error.value.fault, error.value.item) == ("rle_size_mismatch", 2)


@backends
def test_threads_change_nothing(backend):
    batch = random_batch(np.random.default_rng(0), 30)
    pairs = all_pairs(batch)
    want = rle_overlap(*batch, pairs, backend="reference").tolist()
    for num_threads in (1, 2, 7):
        assert rle_overlap(*batch, pairs, num_threads=num_threads, backend=backend).tolist() == want


def test_wrong_arrays_are_refused():
    batch = RleBatch.from_counts([[6]], [(2, 3)])
    with pytest.raises(TypeError, match="pairs: expected dtype int64"):
        rle_overlap(*batch, np.zeros((1, 2), np.int32))
    with pytest.raises(ValueError, match=r"pairs: expected shape \(n, 2\)"):
        rle_overlap(*batch, np.zeros((1, 3), np.int64))
