import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.kernels.drawn_mattes import SHAPES, smooth

from refpix.errors import KernelError
from refpix.kernels import isas, trimap_from_alpha, use_isa

backends = pytest.mark.parametrize("backend", trimap_from_alpha.backends())


def sparse(seed, count, height, width):
    """Few edges, so that little is transition."""
    rng = np.random.default_rng(seed)
    alpha = np.zeros((count, height, width), np.float32)
    for matte in alpha:
        for _ in range(2):
            y, x = rng.integers(0, height), rng.integers(0, width)
            matte[y : y + rng.integers(1, height + 1), x : x + rng.integers(1, width + 1)] = (
                rng.random()
            )
    return alpha


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("size", "times"), [(1, 3), (2, 1), (2, 5), (3, 4), (4, 3), (7, 2), (25, 1)]
)
def test_every_isa_is_the_reference(shape, size, times):
    for alpha in (sparse(size, 2, *shape), smooth(np.random.default_rng(1), 1, *shape)):
        rules = {"size": size, "iterations": times}
        want = trimap_from_alpha(alpha, **rules, backend="reference")
        grey = (alpha * 255).round().astype(np.uint8)
        for isa in isas():
            with use_isa(isa):
                got = trimap_from_alpha(alpha, **rules, num_threads=2)
                np.testing.assert_array_equal(got, want)
                got = trimap_from_alpha(grey, **rules)
            want_grey = trimap_from_alpha(grey, **rules, backend="reference")
            np.testing.assert_array_equal(got, want_grey)


@given(
    seed=st.integers(0, 2**16),
    height=st.integers(1, 40),
    width=st.integers(1, 150),
    size=st.integers(1, 40),
    times=st.integers(1, 5),
)
def test_any_size_as_opencv(seed, height, width, size, times):
    cv2 = pytest.importorskip("cv2")
    alpha = sparse(seed, 1, height, width)
    element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    most = cv2.dilate(alpha[0], element, iterations=times)
    least = cv2.erode(alpha[0], element, iterations=times)
    want = np.where(most > least, 1, np.where(alpha[0] > 0.5, 2, 0))
    got = trimap_from_alpha(alpha, size=size, iterations=times)
    np.testing.assert_array_equal(got[0], want)


@backends
def test_an_ellipse_is_drawn(backend):
    alpha = np.zeros((1, 9, 9), np.float32)
    alpha[0, 4, 4] = 1
    got = trimap_from_alpha(alpha, size=5, backend=backend)[0]
    assert ["".join(map(str, row)) for row in got[2:7, 2:7].tolist()] == [
        "00100",
        "11111",
        "11111",
        "11111",
        "00100",
    ]
    assert got.sum() == 17


def test_far_more_than_the_picture():
    alpha = np.zeros((1, 6, 90), np.float32)
    alpha[0, 5, 89] = 1
    assert (trimap_from_alpha(alpha, size=32767, iterations=2**31 - 1) == 1).all()
    # Of an even size nothing is below or right of the anchor: edges mark what is before them.
    got = trimap_from_alpha(alpha, size=2, iterations=1000)
    want = trimap_from_alpha(alpha, size=2, iterations=100, backend="reference")
    np.testing.assert_array_equal(got, want)


@backends
def test_dilation_and_erosion(backend):
    ndimage = pytest.importorskip("scipy.ndimage")
    mask = np.zeros((1, 12, 40), np.uint8)
    mask[0, 3:9, 5:30] = 255
    got = trimap_from_alpha(mask, size=3, backend=backend)
    cross = ndimage.generate_binary_structure(2, 1)
    np.testing.assert_array_equal(got[0] > 0, ndimage.binary_dilation(mask[0], cross))
    eroded = ndimage.binary_erosion(mask[0], cross, border_value=1)
    np.testing.assert_array_equal(got[0] == 2, eroded)


@backends
@pytest.mark.parametrize("limit", [0.0, 0.1, 0.5, 0.7])
def test_foreground_is_compared_in_double(backend, limit):
    near = np.float32(limit)
    values = np.array([near, np.nextafter(near, 2), np.nextafter(near, -1)], np.float32)
    flat = np.repeat(values, 6).reshape(3, 2, 3)
    got = trimap_from_alpha(flat, foreground=limit, backend=backend)
    np.testing.assert_array_equal(got[:, 0, 0], np.where(values.astype(float) > limit, 2, 0))


@backends
def test_bytes_and_out(backend):
    alpha = np.full((2, 3, 3), 127, np.uint8)
    alpha[1] = 128
    out = np.full(alpha.shape, 9, np.uint8)
    assert trimap_from_alpha(alpha, out=out, backend=backend) is out
    assert out[:, 0, 0].tolist() == [0, 2]
    assert trimap_from_alpha(alpha, foreground=300, backend=backend).max() == 0
    assert trimap_from_alpha(alpha[:0], backend=backend).shape == (0, 3, 3)


@backends
def test_not_finite_is_named(backend):
    alpha = np.zeros((3, 2, 70), np.float32)
    alpha[1:, 1, 65] = np.nan
    for isa in isas():
        with use_isa(isa), pytest.raises(KernelError) as error:
            trimap_from_alpha(alpha, backend=backend)
        found = error.value
        assert (found.fault, found.item, found.position) == ("alpha_not_finite", 1, 135 * 4)


def test_wrong_arrays_are_refused():
    alpha = np.zeros((2, 3, 4), np.float32)
    with pytest.raises(TypeError, match="float32"):
        trimap_from_alpha(alpha.astype(np.int32))
    with pytest.raises(ValueError, match="dimensions"):
        trimap_from_alpha(alpha[0])
    with pytest.raises(ValueError, match="pixels"):
        trimap_from_alpha(alpha[..., :0].copy())
    for size in (0, -3, 40000):
        with pytest.raises(ValueError, match="size"):
            trimap_from_alpha(alpha, size=size)
    with pytest.raises(ValueError, match="iterations"):
        trimap_from_alpha(alpha, iterations=0)
    for limit in (-1, float("nan")):
        with pytest.raises(ValueError, match="foreground"):
            trimap_from_alpha(alpha, foreground=limit)
    with pytest.raises(ValueError, match="out: expected shape"):
        trimap_from_alpha(alpha, out=np.zeros((1, 3, 4), np.uint8))
