"""image_resize_opencv: the reference against OpenCV, the native one against the reference."""

import numpy as np
import pytest

from refpix.kernels import image_resize_opencv, isas, use_isa

backends = pytest.mark.parametrize("backend", image_resize_opencv.backends())


def every_native(*args, **kwargs):
    for isa in isas():
        with use_isa(isa):
            yield image_resize_opencv(*args, **kwargs)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
def test_native_is_the_reference(channels):
    rng = np.random.default_rng(channels)
    for trial in range(80):
        height, width, h, w = (int(n) for n in rng.integers(1, 70, 4))
        if trial % 8 == 0:
            height, width = 2 * h, 2 * w
        images = rng.integers(0, 256, (2, height, width, channels), dtype=np.uint8)
        want = image_resize_opencv(images, size=(h, w), backend="reference")
        for threads in (1, 3):
            for got in every_native(images, size=(h, w), num_threads=threads):
                np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 8])
def test_reference_is_opencv(channels):
    cv2 = pytest.importorskip("cv2")
    rng = np.random.default_rng(channels)
    for trial in range(60):
        height, width, h, w = (int(n) for n in rng.integers(1, 90, 4))
        if trial % 8 == 0:
            height, width = 2 * h, 2 * w
        image = rng.integers(0, 256, (height, width, channels), dtype=np.uint8)
        want = cv2.resize(image, (w, h), interpolation=cv2.INTER_LINEAR).reshape(h, w, channels)
        got = image_resize_opencv(image[None], size=(h, w), backend="reference")[0]
        np.testing.assert_array_equal(got, want)


@backends
def test_by_hand(backend):
    image = np.array([[0, 100], [200, 40]], np.uint8)[None, ..., None]

    def resized(h, w):
        return image_resize_opencv(image, size=(h, w), backend=backend)[0, ..., 0].tolist()

    assert resized(2, 2) == [[0, 100], [200, 40]]
    assert resized(1, 1) == [[85]]
    assert resized(2, 4) == [[0, 25, 75, 100], [200, 160, 80, 40]]
    assert resized(4, 1) == [[50], [68], [103], [120]]


@backends
@pytest.mark.parametrize("level", [0, 1, 127, 254, 255])
def test_flat_pictures_stay_flat(backend, level):
    images = np.full((1, 37, 53, 3), level, np.uint8)
    for size in ((90, 91), (7, 200), (36, 52), (1, 1)):
        assert (image_resize_opencv(images, size=size, backend=backend) == level).all()


@backends
def test_out_is_filled(backend):
    images = np.arange(2 * 6 * 8, dtype=np.uint8).reshape(2, 6, 8, 1)
    out = np.zeros((2, 5, 9, 1), np.uint8)
    assert image_resize_opencv(images, size=(5, 9), out=out, backend=backend) is out
    np.testing.assert_array_equal(out, image_resize_opencv(images, size=(5, 9)))


@backends
def test_nothing_to_do(backend):
    empty = np.zeros((0, 6, 8, 3), np.uint8)
    assert image_resize_opencv(empty, size=(2, 3), backend=backend).shape == (0, 2, 3, 3)
    none = np.zeros((2, 6, 8, 0), np.uint8)
    assert image_resize_opencv(none, size=(2, 3), backend=backend).shape == (2, 2, 3, 0)


@backends
@pytest.mark.parametrize(
    ("shape", "size"),
    [((0, 4), (2, 2)), ((4, 0), (2, 2)), ((4, 4), (0, 2)), ((4, 4), (2, -1))],
)
def test_sides_of_zero_are_refused(backend, shape, size):
    with pytest.raises(ValueError, match="positive"):
        image_resize_opencv(np.zeros((1, *shape, 1), np.uint8), size=size, backend=backend)


def test_wrong_arrays_are_refused():
    images = np.zeros((1, 6, 8, 3), np.uint8)
    with pytest.raises(TypeError, match="uint8"):
        image_resize_opencv(images.astype(np.float32), size=(2, 2))
    with pytest.raises(ValueError, match="4 dimensions"):
        image_resize_opencv(images[0], size=(2, 2))
    with pytest.raises(ValueError, match="C-contiguous"):
        image_resize_opencv(images[:, :, ::-1], size=(2, 2))
    with pytest.raises(ValueError, match="out: expected shape"):
        image_resize_opencv(images, size=(2, 2), out=np.zeros((1, 2, 3, 3), np.uint8))
    with pytest.raises(ValueError, match="size: too large"):
        image_resize_opencv(images, size=(2, 2**40))
