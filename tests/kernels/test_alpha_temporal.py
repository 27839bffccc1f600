import numpy as np
import pytest
from tests.kernels import alpha_pair_cases as cases
from tests.kernels.drawn_mattes import SHAPES, pair

from refpix.kernels import alpha_temporal, isas, use_isa

backends = pytest.mark.parametrize("backend", alpha_temporal.backends())


def clip(seed, frames, count, height, width):
    return [
        a.reshape(frames, count, height, width) for a in pair(seed, frames * count, height, width)
    ]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("labelled", [False, True])
def test_every_isa_is_the_reference_to_the_bit(shape, labelled):
    pred, gt, trimap = clip(3, 4, 2, *shape)
    arrays = (pred, gt, trimap if labelled else None)
    want = alpha_temporal(*arrays[:2], trimap=arrays[2], backend="reference")
    for isa in isas():
        with use_isa(isa):
            got = alpha_temporal(*arrays[:2], trimap=arrays[2], num_threads=3)
        for a, b in zip(got, want, strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)


@backends
def test_what_the_sums_are(backend):
    pred, gt, trimap = clip(1, 3, 2, 12, 19)
    areas, squared = alpha_temporal(pred, gt, trimap=trimap, backend=backend)
    change = np.diff(pred.astype(np.float64), axis=0) - np.diff(gt.astype(np.float64), axis=0)
    for label in range(3):
        mine = trimap[:-1] == label
        np.testing.assert_array_equal(areas[..., label], mine.sum(axis=(2, 3)))
        np.testing.assert_allclose(
            squared[..., label], (change**2 * mine).sum(axis=(2, 3)), rtol=1e-5
        )


@backends
def test_one_frame_has_no_change(backend):
    one = np.zeros((1, 2, 3, 4), np.float32)
    assert [a.shape for a in alpha_temporal(one, one, backend=backend)] == [(0, 2, 3)] * 2


@backends
def test_no_instance(backend):
    none = np.zeros((3, 0, 3, 4), np.float32)
    assert [a.shape for a in alpha_temporal(none, none, backend=backend)] == [(2, 0, 3)] * 2


@backends
def test_bad_values_are_named(backend):
    cases.check_bad_values(alpha_temporal, backend, leading=(3, 1))
    cases.check_bad_values(alpha_temporal, backend, leading=(2, 2))
    cases.check_slack(alpha_temporal, backend, leading=(2, 1))


@backends
def test_a_bad_last_frame_is_named(backend):
    pred = np.zeros((3, 2, 4, 5), np.float32)
    pred[2, 1, 0, 1] = np.nan
    with pytest.raises(ValueError, match="item 5: predicted alpha must be finite"):
        alpha_temporal(pred, np.zeros_like(pred), backend=backend)


def test_wrong_arrays_are_refused():
    cases.check_wrong_arrays(alpha_temporal, leading=(2, 2))
    none = np.zeros((0, 2, 3, 4), np.float32)
    with pytest.raises(ValueError, match="no frame"):
        alpha_temporal(none, none)
