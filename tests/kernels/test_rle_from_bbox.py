import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refpix.errors import RleError
from refpix.kernels import rle_from_bbox, rle_from_polygon, rle_from_string
from refpix.types import BytesBatch, RleBatch

backends = pytest.mark.parametrize("backend", rle_from_bbox.backends())

numbers = st.one_of(
    st.integers(-4, 40).map(float),
    st.integers(-20, 90).map(lambda n: n / 2),
    st.integers(-100, 450).map(lambda n: n / 10),
    st.floats(-1e4, 1e4),
)
boxes = st.tuples(numbers, numbers, numbers, numbers)
sizes = st.tuples(st.integers(0, 40), st.integers(0, 40))


def draw(box, height, width, **options):
    """Run lengths, or (fault, item, byte)."""
    size = np.array([[height, width]], np.int64)
    try:
        batch = RleBatch(*rle_from_bbox(np.array([box], np.float64), size, **options))
    except RleError as error:
        return error.fault, error.item, error.position
    assert batch.counts.dtype == np.uint32
    assert batch.sizes.tolist() == [[height, width]]
    return batch.runs(0).tolist()


@backends
@pytest.mark.parametrize(
    ("box", "runs"),
    [
        ([1, 1, 2, 2], [6, 2, 3, 2, 12]),
        ([0, 0, 5, 5], [0, 25]),
        ([-9, -9, 99, 99], [0, 25]),
        ([0, 0, 2, 5], [0, 10, 15]),
        ([3, 0, 2, 5], [15, 10]),
        ([3, 0, 9, 9], [15, 10]),
        ([0, 3, 5, 2], [3, 2, 3, 2, 3, 2, 3, 2, 3, 2]),
        ([4, 4, 1, 1], [24, 1]),
        ([1, 1, 0, 3], [25]),
        ([1, 1, 3, 0], [25]),
        ([6, 1, 3, 3], [25]),
        ([3, 3, -2, -2], [6, 2, 3, 2, 12]),
        ([0.4, 0.6, 1.1, 1.0], [1, 1, 4, 1, 18]),
    ],
)
def test_draws(backend, box, runs):
    assert draw(box, 5, 5, backend=backend) == runs


@backends
@given(batch=st.lists(boxes, min_size=1, max_size=5), size=sizes.filter(all))
def test_agrees_with_pycocotools(backend, batch, size):
    published = pytest.importorskip("pycocotools._mask")
    rows = np.array(batch, np.float64)
    got = rle_from_bbox(rows, np.tile(np.array(size, np.int64), (len(rows), 1)), backend=backend)
    want = [mask["counts"] for mask in published.frBbox(rows, *size)]
    counts, offsets = rle_from_string(*BytesBatch.from_items(want))
    assert np.array_equal(got[0], counts)
    assert np.array_equal(got[1], offsets)


@given(box=boxes, size=sizes)
def test_is_the_polygon_of_its_corners(box, size):
    x, y, width, height = box
    corners = [x, y, x, y + height, x + width, y + height, x + width, y]
    polygon = RleBatch(
        *rle_from_polygon(np.array(corners), np.array([0, 8]), np.array([size], np.int64))
    )
    for backend in rle_from_bbox.backends():
        assert draw(box, *size, backend=backend) == polygon.runs(0).tolist()


@backends
@pytest.mark.parametrize("size", [(0, 0), (0, 7), (7, 0)])
def test_pictures_without_pixels(backend, size):
    assert draw([0, 0, 9, 9], *size, backend=backend) == [0]


@backends
@pytest.mark.parametrize(
    ("box", "fault", "position"),
    [
        ([np.nan, 1, 2, 3], "polygon_not_finite", 0),
        ([1, np.inf, 2, 3], "polygon_not_finite", 8),
        ([1, 1, np.nan, 3], "polygon_not_finite", 16),
        ([1, 1, 2, -np.inf], "polygon_not_finite", 24),
        ([2**31 / 5, 1, 2, 3], "polygon_too_large", 0),
        ([2**30 / 5, 1, 2**30 / 5, 3], "polygon_too_large", 16),
        ([1, -(2**31 + 2) / 5, 2, 3], "polygon_too_large", 8),
        ([1, 1, 2, 1.7e308], "polygon_too_large", 24),
        ([1, np.nan, np.nan, 3], "polygon_not_finite", 16),
    ],
)
@pytest.mark.parametrize("num_threads", [1, 2])
def test_malformed_names_item_and_byte(backend, box, fault, position, num_threads):
    rows = np.array([[1, 1, 1, 1], box, box], np.float64)
    with pytest.raises(RleError) as error:
        rle_from_bbox(rows, np.full((3, 2), 5), num_threads=num_threads, backend=backend)
    assert (error.value.fault, error.value.item, error.value.position) == (fault, 1, position)


@backends
@pytest.mark.parametrize(
    ("box", "size", "want"),
    [
        ([0, 2, 1, 1], (2**32 - 1, 1), [2, 1, 2**32 - 4]),
        ([0, 2, 1, 1], (2**32, 1), [2, 1, 2**32 - 3]),
        ([0, 2, 1, 1], (2**32 + 3, 1), ("rle_run_overflow", 0, -1)),
        ([0, 2, 2, 1], (2**31 - 1, 2), [2, 1, 2**31 - 2, 1, 2**31 - 4]),
        ([9, 9, 9, 9], (2**16, 2**17), ("rle_run_overflow", 0, -1)),
        ([0, 0, 1e5, 1e5], (2**16, 2**16), ("rle_run_overflow", 0, -1)),
        ([0, 0, 2**15, 1e5], (2**16, 2**16), [0, 2**31, 2**31]),
    ],
)
def test_runs_fit_32_bits(backend, box, size, want):
    assert draw(box, *size, backend=backend) == want


@backends
@pytest.mark.parametrize("size", [(-1, 2), (2, -1), (2**32, 2**30)])
def test_bad_sizes_are_refused(backend, size):
    assert draw([1, 1, 2, 2], *size, backend=backend) == ("rle_bad_size", 0, -1)


@backends
def test_empty_batch(backend):
    empty = rle_from_bbox(np.empty((0, 4)), np.empty((0, 2), np.int64), backend=backend)
    assert [len(part) for part in empty] == [0, 1, 0]


def test_threads_change_nothing():
    rng = np.random.default_rng(1)
    rows = rng.uniform(-5, 60, (200, 4))
    size = rng.integers(0, 60, (200, 2))
    want = RleBatch(*rle_from_bbox(rows, size))
    ends = itertools.pairwise(want.offsets.tolist())
    assert [int(want.counts[a:b].sum()) for a, b in ends] == size.prod(axis=1).tolist()
    for num_threads in (2, 7):
        got = rle_from_bbox(rows, size, num_threads=num_threads)
        assert all(map(np.array_equal, got, want))


def test_wrong_arrays_are_refused():
    size = np.ones((1, 2), np.int64)
    with pytest.raises(TypeError, match="boxes: expected dtype float64"):
        rle_from_bbox(np.ones((1, 4), np.float32), size)
    with pytest.raises(ValueError, match=r"\(n, 4\)"):
        rle_from_bbox(np.ones((1, 5)), size)
    with pytest.raises(ValueError, match=r"sizes: expected shape \(2, 2\)"):
        rle_from_bbox(np.ones((2, 4)), size)
