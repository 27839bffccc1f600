import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from tests.kernels.drawn_mattes import SHAPES, noise, smooth

from refpix.errors import KernelError
from refpix.kernels import isas, largest_component, use_isa

backends = pytest.mark.parametrize("backend", largest_component.backends())


def by_scipy(alpha, threshold, connectivity):
    kept = alpha.copy()
    structure = np.ones((3, 3)) if connectivity == 8 else None
    for matte in kept:
        parts, count = ndimage.label(matte > np.float32(threshold), structure)
        if count:
            matte[parts != np.argmax(np.bincount(parts.reshape(-1))[1:]) + 1] = 0
    return kept


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("draw", [smooth, noise])
@pytest.mark.parametrize("threshold", [0.05, 0.5, 1.0])
def test_every_isa_is_the_reference_is_scipy(shape, connectivity, draw, threshold):
    alpha = draw(np.random.default_rng(5), 2, *shape)
    rules = {"threshold": threshold, "connectivity": connectivity}
    want = by_scipy(alpha, threshold, connectivity)
    got = largest_component(alpha, **rules, backend="reference")
    np.testing.assert_array_equal(got, want)
    for isa in isas():
        with use_isa(isa):
            got = largest_component(alpha, **rules, num_threads=2)
        np.testing.assert_array_equal(got, want)


@given(
    bits=st.integers(0, 2**60 - 1),
    width=st.sampled_from([1, 3, 5, 6, 10, 12, 20, 60]),
    connectivity=st.sampled_from([4, 8]),
)
def test_any_mask(bits, width, connectivity):
    mask = np.array([bits >> i & 1 for i in range(60)], np.float32).reshape(1, -1, width)
    got = largest_component(mask, connectivity=connectivity)
    np.testing.assert_array_equal(got, by_scipy(mask, 0.05, connectivity))


@pytest.mark.parametrize("connectivity", [4, 8])
def test_spirals_and_combs(connectivity):
    alpha = np.zeros((2, 101, 203), np.float32)
    alpha[0, ::2] = 1  # rows, joined at alternate ends
    alpha[0, 1::4, -1] = alpha[0, 3::4, 0] = 1
    alpha[1, :, ::2] = 0.5  # teeth, joined at the bottom only
    alpha[1, -1] = 1
    got = largest_component(alpha, connectivity=connectivity)
    np.testing.assert_array_equal(got, alpha)


@backends
def test_bytes(backend):
    alpha = np.zeros((1, 6, 70), np.uint8)
    alpha[0, 1:3, 1:3], alpha[0, 4:, 60:], alpha[0, 0, 20:60] = 200, 13, 12
    got = largest_component(alpha, backend=backend)  # 12 / 255 is not above 0.05, 13 / 255 is
    assert got.dtype == np.uint8
    want = np.where(alpha == 13, alpha, 0)
    np.testing.assert_array_equal(got, want)
    for threshold in (-1.0, 2.0):  # all, nothing
        got = largest_component(alpha, threshold=threshold, backend=backend)
        np.testing.assert_array_equal(got, alpha)


@backends
def test_out_and_empty(backend):
    alpha = smooth(np.random.default_rng(0), 2, 9, 9)
    out = np.full_like(alpha, 7)
    assert largest_component(alpha, out=out, backend=backend) is out
    np.testing.assert_array_equal(out, by_scipy(alpha, 0.05, 8))
    assert largest_component(alpha[:0], backend=backend).shape == (0, 9, 9)


@backends
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_not_finite_is_named(backend, bad):
    alpha = np.zeros((3, 2, 70), np.float32)
    alpha[1:, 1, 65] = bad
    for isa in isas():
        with use_isa(isa), pytest.raises(KernelError) as error:
            largest_component(alpha, backend=backend)
        found = error.value
        assert (found.fault, found.item, found.position) == ("alpha_not_finite", 1, 135 * 4)


def test_wrong_arrays_are_refused():
    alpha = np.zeros((2, 3, 4), np.float32)
    with pytest.raises(TypeError, match="float32"):
        largest_component(alpha.astype(np.float64))
    with pytest.raises(TypeError, match="NumPy"):
        largest_component(alpha.tolist())
    with pytest.raises(ValueError, match="dimensions"):
        largest_component(alpha[0])
    with pytest.raises(ValueError, match="pixels"):
        largest_component(alpha[:, :0].copy())
    with pytest.raises(ValueError, match="connectivity"):
        largest_component(alpha, connectivity=6)
    with pytest.raises(ValueError, match="threshold"):
        largest_component(alpha, threshold=float("nan"))
    with pytest.raises(ValueError, match="overlap"):
        largest_component(alpha, out=alpha)
    with pytest.raises(TypeError, match="out"):
        largest_component(alpha, out=np.zeros(alpha.shape, np.uint8))
