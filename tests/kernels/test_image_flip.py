import numpy as np
import pytest
from PIL import Image
from tests.kernels.image_stacks import misaligned, shapes, stack, types

from refpix.errors import KernelError
from refpix.kernels import image_flip, isas, use_isa

backends = pytest.mark.parametrize("backend", image_flip.backends())

FLIPS = np.array([0, 1, 2, 3, 3, 1, 2], np.uint8)
AXES = {0: (), 1: (1,), 2: (0,), 3: (0, 1)}


def flipped(images, flips):
    return np.stack([np.flip(image, AXES[flip]) for image, flip in zip(images, flips, strict=True)])


@backends
@shapes
@types
def test_is_numpys(backend, shape, dtype):
    images = stack(len(FLIPS), shape, dtype)
    got = image_flip(images, FLIPS, backend=backend)
    assert got.dtype == dtype
    np.testing.assert_array_equal(got, flipped(images, FLIPS))


@pytest.mark.parametrize("channels", [(), (3,)])
def test_every_width_and_alignment(channels):
    for width in range(1, 140):
        images = misaligned(stack(2, (3, width, *channels), np.uint8, width))
        flips = np.array([1, 3], np.uint8)
        for isa in isas():
            with use_isa(isa):
                got = image_flip(images, flips)
            np.testing.assert_array_equal(got, flipped(images, flips))


@backends
def test_is_pillows(backend):
    image = stack(1, (19, 31, 3), np.uint8)
    wanted = Image.fromarray(image[0]).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    got = image_flip(image, np.array([1], np.uint8), backend=backend)
    np.testing.assert_array_equal(got[0], np.asarray(wanted))


@backends
@pytest.mark.parametrize("width", [171, 700])
def test_wide_rows_and_threads(backend, width):
    images = stack(5, (3, width, 3), np.uint8)
    got = image_flip(images, FLIPS[:5], num_threads=3, backend=backend)
    np.testing.assert_array_equal(got, flipped(images, FLIPS[:5]))


@backends
def test_out(backend):
    images = stack(2, (4, 5, 3), np.uint8)
    out = np.zeros_like(images)
    assert image_flip(images, FLIPS[1:3], out=out, backend=backend) is out
    np.testing.assert_array_equal(out, flipped(images, FLIPS[1:3]))


@backends
@pytest.mark.parametrize("shape", [(0, 4, 5, 3), (2, 0, 5, 3), (2, 4, 0), (2, 4, 5, 0)])
def test_empty(backend, shape):
    got = image_flip(np.empty(shape, np.uint8), FLIPS[: shape[0]], backend=backend)
    assert got.shape == shape


@backends
def test_other_flips_name_the_item(backend):
    images = stack(4, (2, 2), np.uint8)
    for bad in (4, 255):
        with pytest.raises(KernelError, match="out of its range") as error:
            image_flip(images, np.array([3, 0, bad, 4], np.uint8), backend=backend)
        assert (error.value.fault, error.value.item) == ("augment_out_of_range", 2)


@pytest.mark.parametrize("backend", [b for b in image_flip.backends() if b != "reference"])
def test_wrong_arrays_are_refused(backend):
    images, flips = stack(2, (4, 6, 3), np.uint8), FLIPS[:2]
    with pytest.raises(TypeError, match="images"):
        image_flip(images.astype(np.float64), flips, backend=backend)
    with pytest.raises(TypeError, match="flips"):
        image_flip(images, flips.astype(np.int32), backend=backend)
    with pytest.raises(ValueError, match="flips: expected shape"):
        image_flip(images, flips[:1], backend=backend)
    with pytest.raises(ValueError, match="images: expected 4 dimensions"):
        image_flip(images[0, 0], flips, backend=backend)
    with pytest.raises(ValueError, match="out"):
        image_flip(images, flips, out=np.empty((2, 4, 5, 3), np.uint8), backend=backend)


def test_what_the_cpu_refuses():
    images, flips = stack(2, (4, 6, 3), np.uint8), FLIPS[:2]
    with pytest.raises(ValueError, match="contiguous"):
        image_flip(images[:, :, ::2], flips, backend="cpu")
    with pytest.raises(ValueError, match="out: must not overlap"):
        image_flip(images, flips, out=images, backend="cpu")
    with pytest.raises(TypeError, match="images"):
        image_flip([[1]], flips, backend="cpu")
