import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from refpix.errors import KernelError
from refpix.kernels import confusion_matrix, isas, use_isa

backends = pytest.mark.parametrize("backend", confusion_matrix.backends())
types = st.sampled_from([np.uint8, np.int32])


def published(pred, gt, num_labels, ignore):
    """The evaluation code's count, with its index kept from wrapping in narrow types."""
    valid = gt != ignore
    index = gt[valid].astype(np.int64) * num_labels + pred[valid]
    count = np.bincount(index)
    matrix = np.zeros(num_labels * num_labels, np.int64)
    count = count[: matrix.size]
    matrix[: count.size] = count
    return matrix.reshape(num_labels, num_labels)


def in_runs(rng, pixels, low, high, dtype):
    """Labels as they come: runs of any length."""
    lengths = rng.integers(1, 90, pixels)
    return np.repeat(rng.integers(low, high, pixels), lengths)[:pixels].astype(dtype)


@backends
def test_golden(backend, data):
    z = np.load(data / "eval" / "parsing.npz")
    for pred_type in (np.uint8, np.int32):
        got = confusion_matrix(
            z["pred"].astype(pred_type), z["gt"].astype(np.int32), num_labels=20, backend=backend
        )
        assert got.dtype == np.int64
        np.testing.assert_array_equal(got, z["cm"])


@given(
    seed=st.integers(0, 2**32 - 1),
    pixels=st.integers(0, 700),
    labels=st.integers(1, 40),
    ignore=st.sampled_from([-1, 0, 3, 255, 2**40]),
    types=st.tuples(types, types),
    threads=st.integers(1, 3),
)
def test_native_is_reference_is_bincount(seed, pixels, labels, ignore, types, threads):
    rng = np.random.default_rng(seed)
    pred = in_runs(rng, pixels, 0, labels + 3, types[0])
    gt = in_runs(rng, pixels, 0, labels + 3, types[1])
    if types[1] is np.int32 and ignore == -1:
        gt[rng.random(pixels) < 0.3] = -1
    want = confusion_matrix(pred, gt, num_labels=labels, ignore=ignore, backend="reference")
    np.testing.assert_array_equal(want, published(pred, gt, labels, ignore))
    for isa in isas():
        with use_isa(isa):
            got = confusion_matrix(
                pred, gt, num_labels=labels, ignore=ignore, num_threads=threads, backend="cpu"
            )
        np.testing.assert_array_equal(got, want)


@given(
    pred=hnp.arrays(np.int32, 70, elements=st.integers(-(2**31), 2**31 - 1)),
    gt=hnp.arrays(np.int32, 70, elements=st.integers(-3, 2**31 - 1)),
)
def test_any_numbers(pred, gt):
    results = []
    for backend in confusion_matrix.backends():
        try:
            results.append(confusion_matrix(pred, gt, num_labels=5, backend=backend).tolist())
        except KernelError as error:
            results.append((error.fault, error.item, error.position))
    assert all(result == results[0] for result in results)


@pytest.mark.parametrize("labels", [2, 32, 33, 150])
def test_threads_share_the_pixels(labels):
    rng = np.random.default_rng(labels)
    pred = rng.integers(0, labels, (4, 301, 257), dtype=np.int32)
    gt = rng.integers(-1, labels, (4, 301, 257), dtype=np.int32)
    want = published(pred, gt, labels, -1)
    for isa in isas():
        with use_isa(isa):
            for threads in (1, 2, 5):
                got = confusion_matrix(pred, gt, num_labels=labels, num_threads=threads)
                np.testing.assert_array_equal(got, want)


@backends
def test_flat_index_is_all_that_counts(backend):
    gt = np.array([0, 1, 1, 2], np.int32)
    pred = np.array([3, -1, 2, 3], np.int32)  # row 1 column 0; row 0 column 2; itself; lost
    got = confusion_matrix(pred, gt, num_labels=3, backend=backend)
    assert got.tolist() == [[0, 0, 1], [1, 0, 1], [0, 0, 0]]


@backends
@pytest.mark.parametrize("dtype", [np.int32, np.uint8])
def test_negative_index_names_the_pixel(backend, dtype):
    gt = np.zeros((3, 4, 50), dtype)
    pred = np.zeros((3, 4, 50), np.int32)
    pred[1, 2, 3] = -1
    pred[2] = -5
    with pytest.raises(KernelError) as error:
        confusion_matrix(pred, gt, num_labels=20, backend=backend)
    where = (2 * 50 + 3) * np.dtype(dtype).itemsize
    assert (error.value.fault, error.value.item, error.value.position) == (
        "label_negative",
        1,
        where,
    )


def test_lowest_negative_pixel_whatever_the_threads():
    gt = np.zeros((8, 256, 256), np.uint8)
    pred = np.zeros((8, 256, 256), np.int32)
    pred[2, 0, 9] = pred[5:, 0, 0] = -1
    for _ in range(10):
        with pytest.raises(KernelError) as error:
            confusion_matrix(pred, gt, num_labels=2, num_threads=8)
        assert (error.value.item, error.value.position) == (2, 9)


@backends
def test_nothing_to_count(backend):
    for shape in [(0,), (0, 4, 4), (2, 0, 4)]:
        empty = np.empty(shape, np.uint8)
        got = confusion_matrix(empty, empty, num_labels=3, backend=backend)
        assert got.shape == (3, 3)
        assert not got.any()
    ignored = np.full((2, 99), -1, np.int32)
    pred = np.full((2, 99), -(2**31), np.int32)
    assert not confusion_matrix(pred, ignored, num_labels=3, backend=backend).any()


@backends
def test_out_is_overwritten(backend):
    out = np.full((2, 2), 7, np.int64)
    label = np.ones(5, np.uint8)
    assert confusion_matrix(label, label, num_labels=2, out=out, backend=backend) is out
    assert out.tolist() == [[0, 0], [0, 5]]


def test_wrong_arrays_are_refused():
    labels = np.zeros((2, 4), np.int32)
    with pytest.raises(TypeError, match="uint8 or int32"):
        confusion_matrix(labels.astype(np.int64), labels, num_labels=2)
    with pytest.raises(TypeError, match="gt"):
        confusion_matrix(labels, labels.astype(np.float32), num_labels=2)
    with pytest.raises(TypeError, match="NumPy"):
        confusion_matrix([0], labels, num_labels=2)
    with pytest.raises(ValueError, match="shapes"):
        confusion_matrix(labels, labels[:1], num_labels=2)
    with pytest.raises(ValueError, match="shapes"):
        confusion_matrix(labels, labels.ravel(), num_labels=2)
    with pytest.raises(ValueError, match="axis"):
        confusion_matrix(np.array(0, np.int32), labels, num_labels=2)
    with pytest.raises(ValueError, match="contiguous"):
        confusion_matrix(labels[:, ::2], labels[:, ::2], num_labels=2)
    with pytest.raises(ValueError, match="num_labels"):
        confusion_matrix(labels, labels, num_labels=0)
    with pytest.raises(TypeError, match="int64"):
        confusion_matrix(labels, labels, num_labels=2, out=np.zeros((2, 2), np.int32))
