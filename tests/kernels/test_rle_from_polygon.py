import itertools

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from refpix.errors import RleError
from refpix.kernels import rle_from_polygon, rle_from_string
from refpix.types import BytesBatch, RleBatch

backends = pytest.mark.parametrize("backend", rle_from_polygon.backends())

numbers = st.one_of(
    st.integers(-4, 40).map(float),
    st.integers(-20, 90).map(lambda n: n / 2),
    st.integers(-100, 450).map(lambda n: n / 10),
    st.floats(-10, 50),
    st.floats(-1e4, 1e4),
)
polygons = st.lists(numbers, min_size=2, max_size=24)


def columns(polygons):
    """coordinates, offsets."""
    flat = np.array([number for polygon in polygons for number in polygon], np.float64)
    return flat, np.cumsum([0, *map(len, polygons)], dtype=np.int64)


def draw(polygon, height, width, **options):
    """Run lengths, or (fault, item, byte)."""
    sizes = np.array([[height, width]], np.int64)
    try:
        batch = RleBatch(*rle_from_polygon(*columns([polygon]), sizes, **options))
    except RleError as error:
        return error.fault, error.item, error.position
    assert batch.counts.dtype == np.uint32
    assert batch.offsets.dtype == np.int64
    assert batch.sizes.tolist() == [[height, width]]
    return batch.runs(0).tolist()


def published(polygons, height, width):
    """Run lengths as pycocotools has them."""
    masks = pytest.importorskip("pycocotools._mask").frPoly(polygons, height, width)
    counts, offsets = rle_from_string(*BytesBatch.from_items([m["counts"] for m in masks]))
    return [counts[a:b].tolist() for a, b in itertools.pairwise(offsets)]


@backends
@pytest.mark.parametrize(
    ("polygon", "runs"),
    [
        ([1, 1, 3, 1, 3, 3, 1, 3], [6, 2, 3, 2, 12]),
        ([0, 0, 5, 0, 5, 5, 0, 5], [0, 25]),
        ([-9, -9, 99, -9, 99, 99, -9, 99], [0, 25]),
        ([0, 0, 2, 0, 2, 5, 0, 5], [0, 10, 15]),
        ([3, 0, 5, 0, 5, 5, 3, 5], [15, 10]),
        ([1, 1], [25]),
        ([1, 1, 4, 4], [25]),
        ([1, 1, 4, 4, 2], [25]),
        ([7, 7, 9, 7, 9, 9], [25]),
        ([1, 1, 3, 1, 3, 3, 1, 3, 1, 1], [6, 2, 3, 2, 12]),
        ([1, 1, 3, 1, 3, 3, 1, 3, 1, 1, 3, 1, 3, 3, 1, 3], [25]),
    ],
)
def test_draws(backend, polygon, runs):
    assert draw(polygon, 5, 5, backend=backend) == runs


@backends
@given(shapes=st.lists(polygons, min_size=1, max_size=4), size=st.tuples(*[st.integers(1, 40)] * 2))
@example(shapes=[[0.0, 0.0], [1.5, 2.5, 1.5, 2.5], [0.0, 0.0, 9.0, 0.0, 9.0]], size=(8, 8))
@example(shapes=[[-0.3, -0.7, 4.5, 9.1, 12.5, -3.3]], size=(1, 9))
def test_agrees_with_pycocotools(backend, shapes, size):
    sizes = np.tile(np.array(size, np.int64), (len(shapes), 1))
    got = RleBatch(*rle_from_polygon(*columns(shapes), sizes, backend=backend))
    want = published([shape[: len(shape) // 2 * 2] for shape in shapes], *size)
    assert [got.runs(i).tolist() for i in range(len(shapes))] == want


@given(shape=polygons, size=st.tuples(*[st.integers(0, 40)] * 2))
def test_agrees_with_the_reference(shape, size):
    want = draw(shape, *size, backend="reference")
    assert sum(want) == size[0] * size[1]
    for backend in rle_from_polygon.backends():
        assert draw(shape, *size, backend=backend) == want


@pytest.mark.parametrize("d", [1, 10, 1_000, 99_999, 300_000])
@pytest.mark.parametrize("e", [-1, -0.2, 0, 0.2, 1])
def test_long_edges_near_the_diagonal(d, e):
    shapes = [
        [0, 0, d, d + e, 5, 100],
        [-d, -d, d, d + e, 7, -100],
        [d / 5, 0, 0, d / 5 + e, 0, 0],
        [d, 0.5, -d, 0.7 + e, 3, 300],
    ]
    want = published(shapes, 300, 290)
    for shape, runs in zip(shapes, want, strict=True):
        for backend in rle_from_polygon.backends():
            assert draw(shape, 300, 290, backend=backend) == runs


def test_outlines_of_people():
    rng = np.random.default_rng(0)
    shapes = []
    for points in (10, 60, 400):
        angle = np.sort(rng.uniform(0, 2 * np.pi, points))
        radius = rng.uniform(60, 230, points)
        shapes.append(np.stack([320 + radius * np.cos(angle), 240 + radius * np.sin(angle)], 1))
    shapes = [np.round(shape, 2).reshape(-1).tolist() for shape in shapes]
    want = published(shapes, 480, 640)
    for backend in rle_from_polygon.backends():
        assert [draw(shape, 480, 640, backend=backend) for shape in shapes] == want


def test_many_crossings_of_a_column():
    zigzag = [number for i in range(2_000) for number in (i % 2 * 6, i * 0.37 % 50)]
    (want,) = published([zigzag], 50, 7)
    for backend in rle_from_polygon.backends():
        assert draw(zigzag, 50, 7, backend=backend) == want


@given(
    shape=st.lists(st.integers(-(2**31), 2**31 - 1).map(lambda n: n / 5), min_size=6, max_size=8),
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
)
def test_far_away_costs_no_more(shape, size):
    want = draw(shape, *size, backend="reference")
    assert sum(want) == size[0] * size[1]
    for backend in rle_from_polygon.backends():
        assert draw(shape, *size, backend=backend) == want


@backends
@pytest.mark.parametrize("size", [(0, 0), (0, 7), (7, 0)])
def test_pictures_without_pixels(backend, size):
    assert draw([0, 0, 9, 0, 9, 9, 0, 9], *size, backend=backend) == [0]


@backends
@pytest.mark.parametrize(
    ("polygon", "fault", "position"),
    [
        ([], "polygon_empty", -1),
        ([1.0], "polygon_empty", -1),
        ([1.0, np.nan], "polygon_not_finite", 8),
        ([1, 2, np.inf, 3], "polygon_not_finite", 16),
        ([1, 2, 3, -np.inf], "polygon_not_finite", 24),
        ([2**31 / 5, 2], "polygon_too_large", 0),
        ([1, -(2**31 + 2) / 5], "polygon_too_large", 8),
        ([1, 2, 1e300, np.nan], "polygon_too_large", 16),
        ([1, 2, 1.7e308, 2], "polygon_too_large", 16),
    ],
)
@pytest.mark.parametrize("num_threads", [1, 2])
def test_malformed_names_item_and_byte(backend, polygon, fault, position, num_threads):
    shapes = [[1, 2, 3, 4], polygon, polygon]
    sizes = np.full((3, 2), 5, np.int64)
    with pytest.raises(RleError) as error:
        rle_from_polygon(*columns(shapes), sizes, num_threads=num_threads, backend=backend)
    assert (error.value.fault, error.value.item, error.value.position) == (fault, 1, position)


@backends
def test_a_lone_last_number_is_not_looked_at(backend):
    assert draw([1, 1, 3, 1, 3, 3, np.nan], 5, 5, backend=backend) == draw(
        [1, 1, 3, 1, 3, 3], 5, 5, backend=backend
    )


@backends
def test_the_largest_coordinates(backend):
    far = (2**31 - 1) / 5
    assert draw([-far, -far, far, -far, far, far, -far, far], 3, 3, backend=backend) == [0, 9]


@backends
@pytest.mark.parametrize(
    ("size", "runs"),
    [
        ((2**32 - 1, 1), [2, 1, 2**32 - 4]),
        ((2**32, 1), [2, 1, 2**32 - 3]),
        ((2**32 + 3, 1), ("rle_run_overflow", 0, -1)),
        ((5, 2**32), ("rle_run_overflow", 0, -1)),
        ((2**31, 3), ("rle_run_overflow", 0, -1)),
        ((2**31 - 1, 3), [2, 1, 2**31 - 2, 1, 2**32 - 5]),
    ],
)
def test_runs_fit_32_bits(backend, size, runs):
    columns = 2 if size[0] == 2**31 - 1 else 1
    got = draw([0, 2, columns, 2, columns, 3, 0, 3], *size, backend=backend)
    assert got == runs


@backends
@pytest.mark.parametrize("offsets", [[0, 1], [1, 2], [0, 3], [0, 2, 1, 2], [0, -1, 2]])
def test_offsets_outside_coordinates_are_refused(backend, offsets):
    sizes = np.ones((len(offsets) - 1, 2), np.int64)
    with pytest.raises(RleError, match="offsets"):
        rle_from_polygon(np.ones(2), np.array(offsets, np.int64), sizes, backend=backend)


@backends
@pytest.mark.parametrize("size", [(-1, 2), (2, -1), (2**32, 2**30)])
def test_bad_sizes_are_refused(backend, size):
    assert draw([1, 1, 2, 2], *size, backend=backend) == ("rle_bad_size", 0, -1)


@backends
def test_empty_batch(backend):
    empty = rle_from_polygon(
        np.empty(0), np.zeros(1, np.int64), np.empty((0, 2), np.int64), backend=backend
    )
    assert [len(part) for part in empty] == [0, 1, 0]


def test_threads_change_nothing():
    rng = np.random.default_rng(1)
    shapes = [rng.uniform(-5, 60, 2 * rng.integers(1, 20)).tolist() for _ in range(200)]
    sizes = rng.integers(0, 60, (200, 2))
    want = rle_from_polygon(*columns(shapes), sizes)
    for num_threads in (2, 7):
        got = rle_from_polygon(*columns(shapes), sizes, num_threads=num_threads)
        assert all(map(np.array_equal, got, want))


def test_wrong_arrays_are_refused():
    sizes = np.ones((1, 2), np.int64)
    offsets = np.array([0, 2], np.int64)
    with pytest.raises(TypeError, match="coordinates: expected dtype float64"):
        rle_from_polygon(np.ones(2, np.float32), offsets, sizes)
    with pytest.raises(ValueError, match="offsets: expected shape"):
        rle_from_polygon(np.ones(2), offsets[:1], sizes)
    with pytest.raises(ValueError, match=r"\(n, 2\)"):
        rle_from_polygon(np.ones(2), offsets, np.ones((1, 3), np.int64))
