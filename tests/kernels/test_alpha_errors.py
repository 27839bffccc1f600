import numpy as np
import pytest
from tests.kernels import alpha_pair_cases as cases
from tests.kernels.drawn_mattes import SHAPES, pair

from refpix.kernels import alpha_errors, isas, use_isa

backends = pytest.mark.parametrize("backend", alpha_errors.backends())


def assert_same(got, want):
    for a, b in zip(got, want, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("labelled", [False, True])
def test_every_isa_is_the_reference_to_the_bit(shape, seed, labelled):
    pred, gt, trimap = pair(seed, 3, *shape)
    arrays = (pred, gt, trimap if labelled else None)
    want = alpha_errors(*arrays[:2], trimap=arrays[2], backend="reference")
    for isa in isas():
        with use_isa(isa):
            assert_same(alpha_errors(*arrays[:2], trimap=arrays[2], num_threads=2), want)


@backends
def test_what_the_sums_are(backend):
    pred, gt, trimap = pair(1, 2, 21, 34)
    areas, absolute, squared = alpha_errors(pred, gt, trimap=trimap, backend=backend)
    difference = pred.astype(np.float64) - gt
    for label in range(3):
        mine = trimap == label
        np.testing.assert_array_equal(areas[:, label], mine.sum(axis=(1, 2)))
        np.testing.assert_allclose(
            absolute[:, label], (np.abs(difference) * mine).sum(axis=(1, 2)), rtol=1e-6
        )
        np.testing.assert_allclose(
            squared[:, label], (difference**2 * mine).sum(axis=(1, 2)), rtol=1e-5
        )


@backends
def test_without_a_trimap_all_is_label_0(backend):
    pred, gt, _ = pair(0, 2, 5, 7)
    areas, absolute, squared = alpha_errors(pred, gt, backend=backend)
    assert areas.tolist() == [[35, 0, 0]] * 2
    assert (absolute[:, 1:] == 0).all()
    assert (squared[:, 1:] == 0).all()
    assert (absolute[:, 0] > 0).all()


@backends
def test_large_rows_are_counted_whole(backend):
    ones = np.ones((1, 2, 70_000), np.float32)
    trimap = np.full(ones.shape, 2, np.uint8)
    areas, absolute, _ = alpha_errors(ones, 0 * ones, trimap=trimap, backend=backend)
    assert areas.tolist() == [[0, 0, 140_000]]
    assert absolute.tolist() == [[0, 0, 140_000]]


@backends
def test_empty_batch(backend):
    empty = np.zeros((0, 4, 5), np.float32)
    assert [a.shape for a in alpha_errors(empty, empty, backend=backend)] == [(0, 3)] * 3


@backends
def test_bad_values_are_named(backend):
    for isa in isas():
        with use_isa(isa):
            cases.check_bad_values(alpha_errors, backend)
    cases.check_slack(alpha_errors, backend)


def test_wrong_arrays_are_refused():
    cases.check_wrong_arrays(alpha_errors)
