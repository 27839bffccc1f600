import math
from statistics import NormalDist

import numpy as np
import pytest
from tests.kernels.image_stacks import misaligned, stack

from refpix.errors import KernelError
from refpix.kernels import image_noise, isas, use_isa
from refpix.kernels._image_noise import normals, philox

backends = pytest.mark.parametrize("backend", image_noise.backends())
natives = pytest.mark.parametrize(
    "backend", [b for b in image_noise.backends() if b != "reference"]
)
KEYS = np.array([[1, 0], [1, 1], [-1, 2**63 - 1], [2**40 + 5, -(2**63)]], np.int64)
SIGMAS = np.array([25, 0.3, 1e6, 0])
ALL_BITS = np.arange(1 << 16).astype(np.uint16)


def test_philox_of_the_paper():
    """Known answers of Random123 (kat_vectors) that a counter of two words can be asked for."""
    assert philox(0, 0, 1).tolist() == [[0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]]


def test_normals_are_normal():
    values = normals(ALL_BITS) / 65536
    assert values.sum() == 0
    wanted = [NormalDist().inv_cdf((i + 0.5) / 65536) for i in range(65536)]
    assert abs(np.sort(values) - wanted).max() < 3e-4
    assert abs(values.var() - 1) < 3e-4
    assert abs((values**4).mean() - 3) < 5e-3
    assert values.max() < 4.33


@natives
def test_every_normal_number(backend):
    """With a large sigma and as many bytes, nearly all of the 65536 show their sign and size."""
    images = np.full((1, 512, 512), 128, np.uint8)
    for sigma in (3.0, 30.0):
        args = (images, np.array([sigma]), KEYS[2:3])
        wanted = image_noise(*args, backend="reference")
        np.testing.assert_array_equal(image_noise(*args, backend=backend), wanted)
        noise = wanted.astype(float) - 128
        assert abs(noise.mean()) < 6 * sigma / 512
        assert abs(noise.std() - math.sqrt(sigma**2 + 1 / 12)) < 0.01 * sigma


@natives
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (7, 11, 3), (40, 33, 3), (2, 700), (16, 32, 3)])
def test_native_is_reference(backend, shape, dtype):
    images = misaligned(stack(4, shape, np.uint8))
    sigmas = SIGMAS.astype(dtype)
    wanted = image_noise(images, sigmas, KEYS, backend="reference")
    for isa in isas():
        with use_isa(isa):
            got = image_noise(images, sigmas, KEYS, num_threads=3, backend=backend)
        np.testing.assert_array_equal(got, wanted)
    np.testing.assert_array_equal(got[3], images[3])


@backends
def test_noise_depends_on_seed_id_and_place_alone(backend):
    image = stack(1, (9, 14, 3), np.uint8)
    keys = KEYS[[0, 1, 0]]
    batch = image_noise(np.repeat(image, 3, 0), np.full(3, 9.0), keys, backend=backend)
    np.testing.assert_array_equal(batch[0], batch[2])
    assert (batch[0] != batch[1]).mean() > 0.9
    alone = image_noise(image[:, :4].copy(), np.full(1, 9.0), keys[1:2], backend=backend)
    np.testing.assert_array_equal(alone[0], batch[1, :4])


@backends
def test_empty_and_out(backend):
    for shape in ((0, 4, 5, 3), (2, 0, 5)):
        count = shape[0]
        got = image_noise(np.empty(shape, np.uint8), np.ones(count), KEYS[:count], backend=backend)
        assert got.shape == shape
    images = stack(2, (4, 5), np.uint8)
    out = np.zeros_like(images)
    assert image_noise(images, np.zeros(2), KEYS[:2], out=out, backend=backend) is out
    np.testing.assert_array_equal(out, images)


@backends
@pytest.mark.parametrize(
    ("sigma", "fault"),
    [
        (np.nan, "augment_not_finite"),
        (np.inf, "augment_not_finite"),
        (-1e-9, "augment_out_of_range"),
        (1.1e6, "augment_out_of_range"),
    ],
)
def test_bad_sigmas_name_the_item(backend, sigma, fault):
    images = stack(4, (2, 2), np.uint8)
    with pytest.raises(KernelError) as error:
        image_noise(images, np.array([1, 0, sigma, sigma]), KEYS, backend=backend)
    assert (error.value.fault, error.value.item) == (fault, 2)


@natives
def test_wrong_arrays_are_refused(backend):
    images, sigmas, keys = stack(2, (4, 6, 3), np.uint8), np.ones(2), KEYS[:2]
    with pytest.raises(TypeError, match="images"):
        image_noise(images.astype(np.float32), sigmas, keys, backend=backend)
    with pytest.raises(TypeError, match="sigmas"):
        image_noise(images, np.ones(2, int), keys, backend=backend)
    with pytest.raises(TypeError, match="keys"):
        image_noise(images, sigmas, keys.astype(np.int32), backend=backend)
    with pytest.raises(ValueError, match="sigmas: expected shape"):
        image_noise(images, sigmas[:1], keys, backend=backend)
    with pytest.raises(ValueError, match="keys: expected shape"):
        image_noise(images, sigmas, keys[:1], backend=backend)
    with pytest.raises(ValueError, match="overlap"):
        image_noise(images, sigmas, keys, out=images, backend="cpu")
