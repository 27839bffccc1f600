import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests.kernels.image_stacks import misaligned, shapes, stack, types

from refpix.errors import ImageError
from refpix.kernels import image_crop

backends = pytest.mark.parametrize("backend", image_crop.backends())
natives = pytest.mark.parametrize("backend", [b for b in image_crop.backends() if b != "reference"])


def corners_inside(rng, count, shape, size):
    return np.stack([rng.integers(0, shape[i] - size[i] + 1, count) for i in range(2)], 1)


def cropped(images, corners, size):
    (height, width), pairs = size, zip(images, corners, strict=True)
    return np.stack([image[y : y + height, x : x + width] for image, (y, x) in pairs])


@backends
@shapes
@types
def test_is_a_slice(backend, shape, dtype):
    rng = np.random.default_rng(1)
    images = stack(6, shape, dtype)
    for size in {(1, 1), (shape[0], shape[1] // 2 + 1), shape[:2]}:
        corners = corners_inside(rng, 6, shape, size)
        got = image_crop(images, corners, size=size, backend=backend)
        assert got.dtype == dtype
        np.testing.assert_array_equal(got, cropped(images, corners, size))


@backends
@types
@pytest.mark.parametrize("channels", [(), (3,)])
def test_padded(backend, dtype, channels):
    images = stack(1, (5, 23, *channels), dtype)
    places = np.array([(y, x) for y in range(-7, 6, 2) for x in (-90, -40, -7, -1, 0, 3, 22, 23)])
    got = image_crop(
        np.repeat(images, len(places), 0), places, size=(6, 41), pad=7, backend=backend
    )
    canvas = np.full((1, 30, 260, *channels), 7, dtype)
    canvas[:, 12:17, 100:123] = images
    wanted = cropped(np.repeat(canvas, len(places), 0), places + np.array([12, 100]), (6, 41))
    np.testing.assert_array_equal(got, wanted)


@natives
@given(
    places=st.lists(st.tuples(st.integers(-9, 9), st.integers(-70, 70)), max_size=4),
    size=st.tuples(st.integers(1, 6), st.integers(1, 80)),
    shape=st.tuples(st.integers(0, 5), st.integers(0, 50), st.integers(1, 4)),
)
def test_native_is_reference(backend, places, size, shape):
    images = misaligned(stack(len(places), shape, np.uint8))
    corners = np.array(places, np.int64).reshape(-1, 2)
    got = image_crop(images, corners, size=size, pad=200, num_threads=2, backend=backend)
    wanted = image_crop(images, corners, size=size, pad=200, backend="reference")
    np.testing.assert_array_equal(got, wanted)


@backends
def test_is_pillows(backend):
    image = stack(1, (19, 31, 3), np.uint8)
    wanted = Image.fromarray(image[0]).crop((-4, 3, 20, 40))  # torchvision's crop
    got = image_crop(image, np.array([[3, -4]]), size=(37, 24), pad=0, backend=backend)
    np.testing.assert_array_equal(got[0], np.asarray(wanted))


@backends
@pytest.mark.parametrize("far", [2**63 - 1, -(2**63)])
def test_windows_as_far_away_as_can_be(backend, far):
    corners = np.array([[far, 0], [0, far], [far, far]], np.int64)
    images = stack(3, (4, 5), np.float32)
    got = image_crop(images, corners, size=(3, 40), pad=-0.25, backend=backend)
    np.testing.assert_array_equal(got, np.full((3, 3, 40), -0.25))
    with pytest.raises(ImageError):
        image_crop(images, corners, size=(3, 4), backend=backend)


@backends
@pytest.mark.parametrize("corner", [(-1, 0), (0, -1), (3, 0), (0, 4), (2**62, 0)])
def test_outside_names_the_item(backend, corner):
    corners = np.array([[2, 3], corner, corner], np.int64)
    with pytest.raises(ImageError) as error:
        image_crop(stack(3, (4, 5), np.uint8), corners, size=(2, 2), backend=backend)
    assert (error.value.fault, error.value.item) == ("image_bad_roi", 1)


@backends
def test_larger_than_the_picture(backend):
    with pytest.raises(ImageError):
        image_crop(stack(1, (4, 5), np.uint8), np.zeros((1, 2), int), size=(5, 5), backend=backend)


@backends
def test_empty_and_out(backend):
    nothing = image_crop(
        np.empty((0, 4, 5, 3), np.uint8), np.empty((0, 2), np.int64), size=(2, 3), backend=backend
    )
    assert nothing.shape == (0, 2, 3, 3)
    hollow = image_crop(
        np.empty((2, 0, 5), np.int32), np.zeros((2, 2), np.int64), size=(2, 3), pad=-1,
        backend=backend,
    )  # fmt: skip
    assert (hollow == -1).all()
    images = stack(2, (4, 5, 3), np.uint8)
    out = np.zeros((2, 2, 3, 3), np.uint8)
    corners = np.array([[0, 1], [2, 2]])
    assert image_crop(images, corners, size=(2, 3), out=out, backend=backend) is out
    np.testing.assert_array_equal(out, cropped(images, corners, (2, 3)))


@natives
def test_wrong_arguments_are_refused(backend):
    images, corners = stack(2, (4, 6, 3), np.uint8), np.zeros((2, 2), np.int64)
    with pytest.raises(TypeError, match="images"):
        image_crop(images.astype(np.int16), corners, size=(1, 1), backend=backend)
    with pytest.raises(TypeError, match="corners"):
        image_crop(images, corners.astype(np.int32), size=(1, 1), backend=backend)
    with pytest.raises(ValueError, match="corners: expected shape"):
        image_crop(images, corners[:1], size=(1, 1), backend=backend)
    with pytest.raises(ValueError, match="corners: expected shape"):
        image_crop(images, np.zeros((2, 3), np.int64), size=(1, 1), backend=backend)
    with pytest.raises(ValueError, match="size: must be positive"):
        image_crop(images, corners, size=(1, 0), backend=backend)
    for pad in (-1, 256, 0.5, float("nan")):
        with pytest.raises(ValueError, match="pad: not a value"):
            image_crop(images, corners, size=(1, 1), pad=pad, backend=backend)
    with pytest.raises(ValueError, match="out"):
        image_crop(images, corners, size=(1, 1), out=images, backend=backend)
