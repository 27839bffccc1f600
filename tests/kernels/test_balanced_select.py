import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refpix.errors import KernelError
from refpix.kernels import balanced_select, isas, use_isa

backends = pytest.mark.parametrize("backend", balanced_select.backends())


def published(vectors, count):
    """The published loop for one class, as it is written there."""
    test_dist = np.array([0.0 for _ in range(vectors.shape[1])])
    left = dict(enumerate(vectors))
    picked = []
    while len(picked) < count:
        min_std = 999999999.9
        min_key = min_val = None
        for key, val in left.items():
            val = (val > 0.5).astype(np.float32)
            if val.sum() == 0:
                continue
            tmp_dist = test_dist + val
            std = (tmp_dist / (tmp_dist.sum() + 1e-9)).std()
            if std < min_std:
                min_std, min_key, min_val = std, key, val
        picked.append(min_key)
        test_dist += min_val
        del left[min_key]
    return picked


def one_class(vectors, count, **options):
    vectors = np.ascontiguousarray(vectors)
    rows = np.arange(len(vectors))
    offsets = np.array([0, len(rows)])
    return balanced_select(vectors, rows, offsets, count=count, **options)[0].tolist()


def native_results(vectors, rows, offsets, count, threads=1):
    for isa in isas():
        with use_isa(isa):
            yield balanced_select(
                vectors, rows, offsets, count=count, num_threads=threads, backend="cpu"
            )


def some_vectors(rng, rows, width, density, kinds=None):
    """Values around 0.5; with kinds, so few different vectors that most picks are ties."""
    vectors = rng.random((rows if kinds is None else kinds, width)) ** (1 / max(density, 1e-9) / 2)
    return vectors if kinds is None else vectors[rng.integers(0, kinds, rows)]


@given(
    seed=st.integers(0, 2**32 - 1),
    width=st.integers(1, 300),
    rows=st.integers(1, 40),
    density=st.floats(0.02, 1),
    kinds=st.none() | st.integers(1, 6),
    dtype=st.sampled_from([np.float64, np.float32, np.bool_, np.uint8]),
    threads=st.integers(1, 3),
)
def test_all_agree_with_the_published_loop(seed, width, rows, density, kinds, dtype, threads):
    rng = np.random.default_rng(seed)
    vectors = some_vectors(rng, rows, width, density, kinds)
    usable = int(np.count_nonzero((vectors > 0.5).any(axis=1)))
    count = int(rng.integers(0, usable + 1))
    want = published(vectors, count)
    given = vectors.astype(dtype) if np.dtype(dtype).kind == "f" else (vectors > 0.5).astype(dtype)
    if dtype is np.float32:
        want = published(given, count)  # 0.5 and a little is 0.5 in float32
        usable = int(np.count_nonzero((given > 0.5).any(axis=1)))
        if usable < count:
            return
    assert one_class(given, count, backend="reference") == want
    rows_array, offsets = np.arange(rows), np.array([0, rows])
    for got in native_results(given, rows_array, offsets, count, threads):
        assert got[0].tolist() == want


@pytest.mark.parametrize("width", [1, 7, 8, 9, 63, 64, 65, 127, 128, 129, 136, 196, 256, 257, 300])
@pytest.mark.parametrize("kind", ["one attribute", "two", "all equal", "all but one"])
def test_inputs_that_are_all_ties(width, kind):
    rng = np.random.default_rng(width)
    rows = 60
    vectors = np.zeros((rows, width), bool)
    first = rng.integers(0, width, rows)
    vectors[np.arange(rows), first] = True
    if kind == "two":
        vectors[np.arange(rows), (first + rng.integers(1, width + 1, rows)) % width] = True
    elif kind == "all equal":
        vectors[:] = vectors[0]
    elif kind == "all but one" and width > 1:
        vectors = ~vectors
    want = published(vectors * 1.0, 40)
    assert one_class(vectors, 40, backend="reference") == want
    for got in native_results(vectors, np.arange(rows), np.array([0, rows]), 40):
        assert got[0].tolist() == want


def test_many_rows_against_one_numpy_evaluation():
    # All rows at once: the published formula over a matrix, which NumPy adds up row by row alike.
    rng = np.random.default_rng(5)
    vectors = (rng.random((3000, 196)) < rng.random(196) ** 3).astype(np.float64)
    left = vectors.copy()
    taken = np.zeros(196)
    want = []
    left_out = ~vectors.any(axis=1)
    for _ in range(120):
        together = taken + left
        spread = (together / (together.sum(axis=1, keepdims=True) + 1e-9)).std(axis=1)
        spread[left_out] = np.inf
        pick = int(spread.argmin())
        want.append(pick)
        left_out[pick] = True
        taken += vectors[pick]
    for got in native_results(vectors, np.arange(3000), np.array([0, 3000]), 120):
        assert got[0].tolist() == want


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_classes_are_picked_from_by_themselves(threads):
    rng = np.random.default_rng(1)
    vectors = some_vectors(rng, 200, 24, 0.6)
    rows = rng.permutation(200)[:150]
    offsets = np.array([0, 30, 90, 90 + 60])
    want = [
        rows[a:b][published(vectors[rows[a:b]], 20)].tolist()
        for a, b in itertools.pairwise(offsets)
    ]
    for got in native_results(vectors, rows, offsets, 20, threads):
        assert got.tolist() == want
        assert got.dtype == np.int64
    assert balanced_select(vectors, rows, offsets, count=20, backend="reference").tolist() == want


@backends
def test_the_first_of_equal_vectors_wins(backend):
    vectors = np.array([[0, 0], [0, 1], [1, 0], [0, 1], [1, 0], [1, 0]], np.uint8)
    assert one_class(vectors, 5, backend=backend) == published(vectors * 1.0, 5)
    assert one_class(vectors, 2, backend=backend) == [1, 2]
    rows = np.array([4, 3, 3, 1, 2])  # in the order they are given, and twice if they are
    got = balanced_select(vectors, rows, np.array([0, 5]), count=5, backend=backend)
    assert got.tolist() == [[4, 3, 2, 3, 1]] or sorted(got[0].tolist()) == [1, 2, 3, 3, 4]
    assert got[0, 0] == 4


@backends
def test_half_is_not_above_half(backend):
    vectors = np.array([[0.5, 0.5], [0.5, np.nextafter(0.5, 1)], [-3.0, 1e300]])
    assert one_class(vectors, 2, backend=backend) == [1, 2]
    with pytest.raises(KernelError, match="fewer rows with an attribute"):
        one_class(vectors, 3, backend=backend)


@backends
def test_nothing(backend):
    empty = np.zeros((0, 5))
    no_rows = np.zeros(0, np.int64)
    for classes in (0, 3):
        offsets = np.zeros(classes + 1, np.int64)
        got = balanced_select(empty, no_rows, offsets, count=0, backend=backend)
        assert got.shape == (classes, 0)
    assert one_class(np.zeros((3, 4)), 0, backend=backend) == []
    assert one_class(np.zeros((3, 0)), 0, backend=backend) == []
    got = balanced_select(empty, no_rows, np.zeros(1, np.int64), count=7, backend=backend)
    assert got.shape == (0, 7)


@backends
@pytest.mark.parametrize("dtype", [np.bool_, np.float32])
def test_too_few_names_the_class(backend, dtype):
    vectors = np.eye(8).astype(dtype)
    vectors[5:] = 0
    rows = np.arange(8)
    offsets = np.array([0, 4, 8])
    assert balanced_select(vectors, rows, offsets, count=1, backend=backend).tolist() == [[0], [4]]
    with pytest.raises(KernelError, match="item 1: fewer rows with an attribute") as error:
        balanced_select(vectors, rows, offsets, count=2, backend=backend)
    assert (error.value.fault, error.value.item) == ("selection_too_few", 1)
    with pytest.raises(KernelError, match="fewer rows"):
        balanced_select(vectors, rows, offsets, count=2**30 // 8, backend=backend)
    with pytest.raises(KernelError, match="fewer rows"):
        balanced_select(vectors, rows, offsets, count=2**62, backend=backend)
    for width in (0, 3):
        with pytest.raises(KernelError, match="fewer rows"):
            one_class(np.zeros((3, width), dtype), 1, backend=backend)


@backends
def test_more_than_can_be_counted(backend):
    rows = np.zeros(3000, np.int64)
    wide = np.ones((1, 1 << 20), bool)
    with pytest.raises(KernelError, match="overflow"):
        balanced_select(wide, rows, np.array([0, 3000]), count=2047, backend=backend)


@backends
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite(backend, dtype, value):
    vectors = np.ones((6, 70), dtype)
    vectors[4, 66] = value
    rows = np.array([0, 1, 2, 3, 4, 5])
    with pytest.raises(KernelError, match="must be finite") as error:
        balanced_select(vectors, rows, np.array([0, 3, 6]), count=2, backend=backend)
    where = (1 * 70 + 66) * np.dtype(dtype).itemsize
    assert (error.value.item, error.value.position) == (1, where)
    # Rows that are in no class are not looked at.
    got = balanced_select(vectors, rows[:4], np.array([0, 4]), count=2, backend=backend)
    assert got.tolist() == [[0, 1]]


@backends
@pytest.mark.parametrize(
    ("rows", "offsets", "item"),
    [
        ([0, 1, 4], [0, 3], 0),
        ([0, -1, 1], [0, 1, 3], 1),
        ([0, 1, 2], [0, 2], -1),
        ([0, 1, 2], [0, 4], -1),
        ([0, 1, 2], [1, 3], 0),
        ([0, 1, 2], [0, 2, 1, 3], 1),
        ([0, 1, 2], [-1, 3], 0),
    ],
)
def test_rows_and_offsets_that_point_nowhere(backend, rows, offsets, item):
    vectors = np.eye(4)
    with pytest.raises(KernelError) as error:
        balanced_select(vectors, np.array(rows), np.array(offsets), count=1, backend=backend)
    assert (error.value.fault, error.value.item) == ("span_out_of_bounds", item)


@backends
def test_wrong_arrays_are_refused(backend):
    vectors, rows, offsets = np.eye(4), np.arange(4), np.array([0, 4])
    with pytest.raises(TypeError, match="float32 or float64"):
        balanced_select(vectors.astype(int), rows, offsets, count=1, backend=backend)
    with pytest.raises(TypeError, match="rows"):
        balanced_select(vectors, rows.astype(np.int32), offsets, count=1, backend=backend)
    with pytest.raises(TypeError, match="offsets"):
        balanced_select(vectors, rows, offsets * 1.0, count=1, backend=backend)
    with pytest.raises(ValueError, match="2 dimensions"):
        balanced_select(vectors[0], rows, offsets, count=1, backend=backend)
    with pytest.raises(ValueError, match="offsets"):
        balanced_select(vectors, rows, offsets[:0], count=1, backend=backend)
    with pytest.raises(ValueError, match="count"):
        balanced_select(vectors, rows, offsets, count=-1, backend=backend)


def test_strided_vectors_are_refused_by_the_native_side():
    with pytest.raises(ValueError, match="contiguous"):
        balanced_select(np.eye(4)[:, ::2], np.arange(4), np.array([0, 4]), count=1, backend="cpu")
    with pytest.raises(TypeError, match="NumPy"):
        balanced_select([[1]], np.arange(1), np.array([0, 1]), count=1, backend="cpu")
