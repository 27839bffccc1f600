import numpy as np
import pytest
from scipy import ndimage
from tests.kernels import alpha_pair_cases as cases
from tests.kernels.drawn_mattes import SHAPES, pair

from refpix.kernels import alpha_gradient, isas, use_isa

backends = pytest.mark.parametrize("backend", alpha_gradient.backends())


def published_filter():
    """The 9 x 9 filter, in double."""
    x = np.arange(-4, 5)
    smooth = np.exp(-(x**2) / (2 * 1.4**2)) / (1.4 * np.sqrt(2 * np.pi))
    both = np.outer(smooth, -x * smooth / 1.4**2)
    return both / np.sqrt((both**2).sum())


def by_scipy(pred, gt, trimap, normalize, padding):
    """The published steps in double."""

    def stretched(alpha):
        if normalize == "none":
            return alpha
        axes = (1, 2) if normalize == "map" else None
        low = alpha.min(axis=axes, keepdims=True)
        return (alpha - low) / (alpha.max(axis=axes, keepdims=True) - low + 1e-6)

    def magnitude(alpha):
        mode = {"zero": "constant", "edge": "nearest"}[padding]
        x = ndimage.correlate(alpha, published_filter(), mode=mode)
        y = ndimage.correlate(alpha, published_filter().T, mode=mode)
        return np.sqrt(x**2 + y**2)

    maps = [[magnitude(a) for a in stretched(m.astype(np.float64))] for m in (pred, gt)]
    difference = (np.array(maps[0]) - maps[1]) ** 2
    return np.stack([(difference * (trimap == i)).sum(axis=(1, 2)) for i in range(3)], axis=1)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("normalize", ["none", "map", "batch"])
@pytest.mark.parametrize("padding", ["zero", "edge"])
def test_every_isa_is_the_reference_to_the_bit(shape, normalize, padding):
    pred, gt, trimap = pair(3, 2, *shape)
    rules = {"normalize": normalize, "padding": padding}
    for labels in (None, trimap):
        want = alpha_gradient(pred, gt, trimap=labels, **rules, backend="reference")
        for isa in isas():
            with use_isa(isa):
                got = alpha_gradient(pred, gt, trimap=labels, **rules, num_threads=2)
            np.testing.assert_array_equal(got, want)


@backends
@pytest.mark.parametrize("shape", [(1, 1), (3, 20), (30, 41)])
@pytest.mark.parametrize("normalize", ["none", "map", "batch"])
@pytest.mark.parametrize("padding", ["zero", "edge"])
def test_published_steps(backend, shape, normalize, padding):
    pred, gt, trimap = pair(0, 2, *shape)
    got = alpha_gradient(
        pred, gt, trimap=trimap, normalize=normalize, padding=padding, backend=backend
    )
    want = by_scipy(pred, gt, trimap, normalize, padding)
    np.testing.assert_allclose(got, want, rtol=2e-5, atol=1e-9)


@backends
def test_flat_mattes_have_no_gradient(backend):
    flat = np.full((1, 20, 30), 0.25, np.float32)
    got = alpha_gradient(flat, 0 * flat, backend=backend)
    np.testing.assert_allclose(got, 0, atol=1e-10)
    # Zeros beyond the picture make an edge of its border.
    assert alpha_gradient(flat, 0 * flat, padding="zero", backend=backend)[0, 0] > 0.1


@backends
def test_empty_batch(backend):
    empty = np.zeros((0, 4, 5), np.float32)
    assert alpha_gradient(empty, empty, normalize="batch", backend=backend).shape == (0, 3)


@backends
def test_bad_values_are_named(backend):
    for isa in isas():
        with use_isa(isa):
            cases.check_bad_values(alpha_gradient, backend)
    cases.check_slack(alpha_gradient, backend)


def test_wrong_arrays_are_refused():
    cases.check_wrong_arrays(alpha_gradient)
    a = np.zeros((1, 2, 2), np.float32)
    with pytest.raises(ValueError, match="normalize"):
        alpha_gradient(a, a, normalize="all")
    with pytest.raises(ValueError, match="padding"):
        alpha_gradient(a, a, padding="wrap")
