import io
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from refpix.errors import ImageError
from refpix.kernels import jpeg_encode

backends = pytest.mark.parametrize("backend", jpeg_encode.backends())


def smooth(shape, seed=0):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    waves = [128 + 90 * np.sin(x / rng.uniform(5, 40) + y / rng.uniform(5, 40)) for _ in range(3)]
    noisy = np.stack(waves[: shape[2]], -1) + rng.normal(0, 6, shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def files(result):
    values, offsets = result
    return [values[a:b].tobytes() for a, b in pairwise(offsets)]


def decoded(payload):
    image = Image.open(io.BytesIO(payload))
    image.load()
    return image


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (33, 47), (8, 100), (120, 7)])
@pytest.mark.parametrize("channels", [1, 3])
def test_decodes_as_pillows_own(size, channels):
    images = np.stack([smooth((*size, channels), seed) for seed in range(2)])
    got, want = files(jpeg_encode(images)), files(jpeg_encode(images, backend="reference"))
    for ours, theirs in zip(got, want, strict=True):
        mine, other = decoded(ours), decoded(theirs)
        assert mine.mode == other.mode == ("L" if channels == 1 else "RGB")
        assert mine.quantization == other.quantization
        # The same coefficients, where both are on libjpeg-turbo: then the pixels are equal.
        difference = np.abs(np.asarray(mine).astype(int) - np.asarray(other).astype(int))
        assert difference.max() <= 2


@backends
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("position", [(0, 0), (13, 5), (60 - 21, 50 - 30)])
def test_canvas_is_the_image_on_black(backend, channels, position):
    image = smooth((30, 21, channels))
    picture = np.zeros((50, 60, channels), np.uint8)
    x, y = position
    picture[y : y + 30, x : x + 21] = image
    got = jpeg_encode(image[None], canvas=(50, 60), positions=np.array([position], np.int64),
                      backend=backend)  # fmt: skip
    assert files(got) == files(jpeg_encode(picture[None], backend=backend))


def test_full_width_on_a_canvas():
    image = smooth((20, 40, 3))
    picture = np.zeros((45, 40, 3), np.uint8)
    picture[17:37] = image
    got = jpeg_encode(image[None], canvas=(45, 40), positions=np.array([[0, 17]], np.int64))
    assert files(got) == files(jpeg_encode(picture[None]))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("quality", [1, 75, 100])
@pytest.mark.parametrize("size", [(170, 190), (176, 208)])
def test_patches_of_large_canvases(channels, quality, size):
    """There only the rectangle's blocks are encoded; the bytes must be the same."""
    rng = np.random.default_rng([channels, quality])
    height, width = size
    for i in range(30):
        h, w = int(rng.integers(1, height)), int(rng.integers(1, width // 2))
        y, x = int(rng.integers(0, height - h + 1)), int(rng.integers(0, width - w + 1))
        if i % 5 == 0:  # to the bottom, where blocks may end outside
            y = height - h
        image = smooth((h, w, channels), i)
        if i % 3 == 0:
            image = rng.integers(0, 256, image.shape, np.uint8)
        picture = np.zeros((*size, channels), np.uint8)
        picture[y : y + h, x : x + w] = image
        got = jpeg_encode(
            image[None], canvas=size, positions=np.array([[x, y]], np.int64), quality=quality
        )
        assert files(got) == files(jpeg_encode(picture[None], quality=quality)), (x, y, w, h)


@backends
def test_quality(backend):
    image = smooth((64, 64, 3))[None]
    low, high = (files(jpeg_encode(image, quality=q, backend=backend))[0] for q in (10, 95))
    assert len(low) < len(high)
    assert decoded(low).quantization[0][0] > decoded(high).quantization[0][0]


@backends
def test_outside_of_the_canvas_names_the_item(backend):
    images = np.zeros((2, 4, 4, 3), np.uint8)
    with pytest.raises(ImageError) as error:
        jpeg_encode(images, canvas=(8, 8), positions=np.array([[0, 0], [5, 0]], np.int64),
                    backend=backend)  # fmt: skip
    assert (error.value.fault, error.value.item) == ("image_bad_roi", 1)
    with pytest.raises(ImageError):
        jpeg_encode(images, canvas=(3, 8), backend=backend)


@backends
def test_empty_batch(backend):
    values, offsets = jpeg_encode(np.empty((0, 4, 4, 3), np.uint8), backend=backend)
    assert values.size == 0
    assert offsets.tolist() == [0]


def test_threads_give_the_same():
    images = np.stack([smooth((70, 90, 3), seed) for seed in range(7)])
    assert files(jpeg_encode(images, num_threads=4)) == files(jpeg_encode(images))


def test_wrong_arrays_are_refused():
    with pytest.raises(TypeError, match="uint8"):
        jpeg_encode(np.zeros((1, 4, 4, 3), np.float32))
    with pytest.raises(ValueError, match="channels"):
        jpeg_encode(np.zeros((1, 4, 4, 4), np.uint8))
    with pytest.raises(ValueError, match="65500"):
        jpeg_encode(np.zeros((1, 0, 4, 3), np.uint8))
    with pytest.raises(ValueError, match="65500"):
        jpeg_encode(np.zeros((1, 1, 70000, 1), np.uint8))
    with pytest.raises(ValueError, match="quality"):
        jpeg_encode(np.zeros((1, 4, 4, 3), np.uint8), quality=0)
    with pytest.raises(ValueError, match="contiguous"):
        jpeg_encode(np.zeros((1, 4, 8, 3), np.uint8)[:, :, ::2])
