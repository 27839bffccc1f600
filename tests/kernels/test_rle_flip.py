import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.kernels.rle_masks import batch_of, decoded, encoded, masks, people

from refpix.errors import RleError
from refpix.kernels import rle_flip
from refpix.types import RleBatch

backends = pytest.mark.parametrize("backend", rle_flip.backends())
FLIPS = {"horizontal": np.fliplr, "vertical": np.flipud}
axes = pytest.mark.parametrize("axis", FLIPS)


def flip(items, **options):
    got = RleBatch(*rle_flip(*batch_of(items), **options))
    assert got.counts.dtype == np.uint32
    assert got.offsets.dtype == np.int64
    assert got.sizes.tolist() == [list(size) for _, size in items]
    return [got.runs(i).tolist() for i in range(len(items))]


@axes
@given(items=st.lists(masks(), min_size=1, max_size=4))
def test_is_the_flip_of_the_decoded_mask(axis, items):
    want = [encoded(FLIPS[axis](decoded(*item))) for item in items]
    for backend in rle_flip.backends():
        assert flip(items, axis=axis, backend=backend) == want


@backends
def test_horizontal_is_the_default(backend):
    assert flip([([1, 1, 4], (2, 3))], backend=backend) == [[5, 1]]


@axes
def test_people_on_many_threads(axis):
    items = people(np.random.default_rng(0), 12, 120, 90)
    want = [encoded(FLIPS[axis](decoded(*item))) for item in items]
    for num_threads in (1, 2, 7):
        assert flip(items, axis=axis, num_threads=num_threads) == want


@axes
def test_twice_is_the_same(axis):
    items = people(np.random.default_rng(1), 3, 480, 640)
    once = rle_flip(*batch_of(items), axis=axis)
    assert all(map(np.array_equal, rle_flip(*once, axis=axis), batch_of(items)))


@axes
@backends
@pytest.mark.parametrize(("runs", "size"), [([], (0, 3)), ([0], (3, 0)), ([0, 0, 0], (0, 0))])
def test_pictures_without_pixels(backend, axis, runs, size):
    assert flip([(runs, size)], axis=axis, backend=backend) == [[0]]


@axes
@backends
@pytest.mark.parametrize(
    ("runs", "size", "fault"),
    [
        ([5], (2, 3), "rle_too_short"),
        ([1, 6], (2, 3), "rle_too_long"),
        ([1], (0, 3), "rle_too_long"),
        ([1], (-1, -1), "rle_bad_size"),
    ],
)
@pytest.mark.parametrize("num_threads", [1, 2])
def test_malformed_names_the_item(backend, axis, runs, size, fault, num_threads):
    batch = batch_of([([6], (2, 3)), (runs, size), (runs, size)])
    with pytest.raises(RleError) as error:
        rle_flip(*batch, axis=axis, num_threads=num_threads, backend=backend)
    assert (error.value.fault, error.value.item) == (fault, 1)


@backends
def test_empty_batch(backend):
    assert flip([], backend=backend) == []


def test_larger_than_32_bits():
    huge = RleBatch.from_counts([[2**32 - 1, 5, 2**32 - 4]], [(2, 2**32)])
    assert rle_flip(*huge, axis="vertical")[0].tolist() == [2**32 - 2, 1, 1, 4, 2**32 - 4]
    assert rle_flip(*huge)[0].tolist() == [2**32 - 4, 4, 1, 1, 2**32 - 2]
    with pytest.raises(RleError, match="32 bits"):
        rle_flip(*RleBatch.from_counts([[2**32 - 1, 0, 1]], [(1, 2**32)]))


def test_unknown_axis():
    with pytest.raises(ValueError, match="axis"):
        rle_flip(*batch_of([]), axis="both")
