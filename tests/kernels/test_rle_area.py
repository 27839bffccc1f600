import numpy as np
import pytest

from refpix.errors import RleError
from refpix.kernels import rle_area
from refpix.types import RleBatch

backends = pytest.mark.parametrize("backend", rle_area.backends())


@backends
@pytest.mark.parametrize(
    ("counts", "size", "area"),
    [
        ([6], (2, 3), 0),
        ([0, 6], (2, 3), 6),
        ([1, 2, 3], (2, 3), 2),
        ([1, 0, 2, 3, 0], (2, 3), 3),
        ([], (0, 5), 0),
        ([0], (0, 0), 0),
    ],
)
def test_counts_foreground(backend, counts, size, area):
    got = rle_area(*RleBatch.from_counts([counts], [size]), backend=backend)
    assert got.dtype == np.int64
    assert got.tolist() == [area]


@backends
def test_areas_beyond_32_bits(backend):
    batch = RleBatch.from_counts([[2**32 - 1, 2**32 - 1, 2, 2**32 - 1]], [(1, 3 * 2**32 - 1)])
    assert rle_area(*batch, backend=backend).tolist() == [2**33 - 2]


@backends
def test_empty_batch(backend):
    assert rle_area(*RleBatch.from_counts([], []), backend=backend).shape == (0,)


@backends
@pytest.mark.parametrize(
    ("counts", "size", "fault"),
    [
        ([5], (2, 3), "rle_too_short"),
        ([], (2, 3), "rle_too_short"),
        ([1, 6], (2, 3), "rle_too_long"),
        ([2**32 - 1] * 5, (2, 3), "rle_too_long"),
        ([1], (0, 3), "rle_too_long"),
        ([1], (-1, -1), "rle_bad_size"),
        ([1], (2**32, 2**31), "rle_bad_size"),
    ],
)
@pytest.mark.parametrize("num_threads", [1, 2])
def test_malformed_names_the_item(backend, counts, size, fault, num_threads):
    batch = RleBatch.from_counts([[6], counts, counts], [(2, 3), size, size])
    with pytest.raises(RleError) as error:
        rle_area(*batch, num_threads=num_threads, backend=backend)
    assert (error.value.fault, error.value.item) == (fault, 1)


@backends
@pytest.mark.parametrize("offsets", [[0, 1], [1, 2], [0, 3], [0, 2, 1, 2], [0, -1, 2]])
def test_offsets_outside_counts_are_refused(backend, offsets):
    sizes = np.array([[1, 1]] * (len(offsets) - 1), np.int64)
    with pytest.raises(RleError, match="offsets"):
        rle_area(np.ones(2, np.uint32), np.array(offsets, np.int64), sizes, backend=backend)


@backends
def test_threads_change_nothing(backend):
    rng = np.random.default_rng(0)
    counts = [rng.integers(0, 50, rng.integers(1, 40)).tolist() for _ in range(200)]
    batch = RleBatch.from_counts(counts, [(1, sum(runs)) for runs in counts])
    want = [sum(runs[1::2]) for runs in counts]
    for num_threads in (1, 2, 7):
        assert rle_area(*batch, num_threads=num_threads, backend=backend).tolist() == want


def test_wrong_arrays_are_refused():
    counts, offsets, sizes = RleBatch.from_counts([[6]], [(2, 3)])
    with pytest.raises(TypeError, match="counts: expected dtype uint32"):
        rle_area(counts.astype(np.int64), offsets, sizes)
    with pytest.raises(ValueError, match="offsets: expected shape"):
        rle_area(counts, offsets[:1], sizes)
    with pytest.raises(ValueError, match=r"\(n, 2\)"):
        rle_area(counts, offsets, sizes.T.copy())
