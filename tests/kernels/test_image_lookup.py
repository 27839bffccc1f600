import numpy as np
import pytest
from PIL import Image
from tests.kernels.image_stacks import misaligned, stack

from refpix.errors import KernelError
from refpix.kernels import gamma_tables, image_gamma, image_lookup

backends = pytest.mark.parametrize("backend", image_lookup.backends())
natives = pytest.mark.parametrize(
    "backend", [b for b in image_lookup.backends() if b != "reference"]
)
TABLES = np.random.default_rng(2).integers(0, 256, (4, 5, 256), np.uint8)


@backends
@pytest.mark.parametrize("shape", [(1, 1), (5, 33), (3, 7, 1), (2, 19, 3), (4, 100, 5)])
def test_one_table_and_one_a_channel(backend, shape):
    images = misaligned(stack(4, shape, np.uint8))
    tables = TABLES[:, 0].copy()
    got = image_lookup(images, tables, num_threads=2, backend=backend)
    np.testing.assert_array_equal(got, [t[i] for t, i in zip(tables, images, strict=True)])
    tables = TABLES[:, : (shape[2:] or (1,))[0]].copy()
    got = image_lookup(images, tables, backend=backend)
    pixels = images.reshape(*images.shape[:3], -1)
    for item in range(4):
        for channel, table in enumerate(tables[item]):
            made = got.reshape(pixels.shape)[item, ..., channel]
            np.testing.assert_array_equal(made, table[pixels[item, ..., channel]])


@backends
def test_empty_and_out(backend):
    for shape in ((0, 4, 5, 3), (2, 0, 5)):
        images = np.empty(shape, np.uint8)
        got = image_lookup(images, TABLES[: shape[0], 0].copy(), backend=backend)
        assert got.shape == shape
    images, out = stack(2, (4, 5), np.uint8), np.zeros((2, 4, 5), np.uint8)
    inverted = np.tile(np.arange(255, -1, -1, dtype=np.uint8), (2, 1))
    assert image_lookup(images, inverted, out=out, backend=backend) is out
    np.testing.assert_array_equal(out, 255 - images)


@natives
def test_wrong_arrays_are_refused(backend):
    images = stack(2, (4, 6, 3), np.uint8)
    with pytest.raises(TypeError, match="images"):
        image_lookup(images.astype(np.int32), TABLES[:2, 0].copy(), backend=backend)
    with pytest.raises(TypeError, match="tables"):
        image_lookup(images, TABLES[:2, 0].astype(float), backend=backend)
    for wrong in (TABLES[:1, 0], TABLES[:2, 0, :255], TABLES[:2, :2], TABLES[:2, :3, 1:]):
        with pytest.raises(ValueError, match="tables: expected shape"):
            image_lookup(images, wrong.copy(), backend=backend)
    with pytest.raises(ValueError, match="contiguous"):
        image_lookup(images, TABLES[:2, 0, ::1][:, ::-1], backend=backend)
    with pytest.raises(ValueError, match="overlap"):
        image_lookup(images, TABLES[:2, 0].copy(), out=images, backend="cpu")


@backends
@pytest.mark.parametrize("gain", [1, 0.5, 1.7])
def test_gamma_is_torchvisions_on_pillow(backend, gain):
    images = stack(7, (16, 16, 3), np.uint8)
    gammas = np.array([0, 0.4545, 1, 2.2, 1 / 3, 17, 1e9])
    got = image_gamma(images, gammas, gain=gain, backend=backend)
    for image, gamma, result in zip(images, gammas, got, strict=True):
        table = [int((255 + 1 - 1e-3) * gain * pow(v / 255.0, gamma)) for v in range(256)] * 3
        np.testing.assert_array_equal(result, np.asarray(Image.fromarray(image).point(table)))


def test_gamma_one_changes_nothing():
    np.testing.assert_array_equal(gamma_tables(np.ones(1))[0], np.arange(256))
    assert (gamma_tables(np.zeros(1)) == 255).all()
    assert gamma_tables(np.empty(0)).shape == (0, 256)
    assert (gamma_tables(np.ones(1), gain=1e300)[0, 1:] == 255).all()


@pytest.mark.parametrize(
    ("gamma", "fault"), [(np.nan, "augment_not_finite"), (-0.1, "augment_out_of_range")]
)
def test_bad_gammas_name_the_item(gamma, fault):
    with pytest.raises(KernelError) as error:
        image_gamma(stack(3, (2, 2), np.uint8), np.array([1, gamma, gamma]))
    assert (error.value.fault, error.value.item) == (fault, 1)


@pytest.mark.parametrize("gain", [-1, np.nan, np.inf, 1e308])
def test_bad_gains(gain):
    with pytest.raises(ValueError, match="gain"):
        gamma_tables(np.ones(1), gain=gain)
