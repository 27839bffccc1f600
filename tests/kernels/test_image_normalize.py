import numpy as np
import pytest

from refpix.kernels import image_normalize, isas, use_isa

HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
# A divisor of no use: division by it cannot be done by multiplication.
ODD = ((0.1, 0.9, 0.0), (1e-30, 3.0, 1e30))
ALL_BYTES = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, 16, 16, 3)


def expected(images, mean, std):
    scaled = images.astype(np.float32) / np.float32(255)
    values = (scaled - np.float32(mean)) / np.float32(std)
    assert values.dtype == np.float32
    return np.moveaxis(values, 3, 1)


@pytest.mark.parametrize("isa", isas())
@pytest.mark.parametrize(("mean", "std"), [HALF, IMAGENET, ODD])
def test_every_byte_to_the_bit(isa, mean, std):
    want = expected(ALL_BYTES, mean, std)
    with use_isa(isa):
        got = image_normalize(ALL_BYTES, mean=mean, std=std)
        np.testing.assert_array_equal(
            got.view(np.uint32), np.ascontiguousarray(want).view(np.uint32)
        )
        with np.errstate(over="ignore", under="ignore"):
            half = np.ascontiguousarray(want.astype(np.float16))
        got = image_normalize(ALL_BYTES, mean=mean, std=std, dtype="float16")
        assert got.dtype == np.float16
        np.testing.assert_array_equal(got.view(np.uint16), half.view(np.uint16))


@pytest.mark.parametrize("isa", isas())
@pytest.mark.parametrize(("mean", "std"), [HALF, IMAGENET, ODD])
def test_bfloat16_is_torchs(isa, mean, std):
    torch = pytest.importorskip("torch")
    want = torch.from_numpy(np.ascontiguousarray(expected(ALL_BYTES, mean, std))).bfloat16()
    with use_isa(isa):
        got = image_normalize(ALL_BYTES, mean=mean, std=std, dtype="bfloat16")
    assert torch.equal(torch.from_numpy(got).view(torch.bfloat16), want)


@pytest.mark.parametrize("isa", isas())
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize(("mean", "std"), [HALF, IMAGENET, ODD])
def test_channels_last_are_the_planes(isa, dtype, mean, std):
    options = {"mean": mean, "std": std, "dtype": dtype}
    with use_isa(isa):
        got = image_normalize(ALL_BYTES, **options, channels_last=True)
        want = np.ascontiguousarray(np.moveaxis(image_normalize(ALL_BYTES, **options), 1, 3))
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got.view(np.uint8), want.view(np.uint8))


def test_golden_table(golden):
    table = np.load(golden / "refhcm" / "expected" / "normalise_lut.npz")
    for key, (mean, std) in {"half": HALF, "imagenet": IMAGENET}.items():
        got = image_normalize(ALL_BYTES, mean=mean, std=std)
        np.testing.assert_array_equal(got.reshape(3, 256), table[key])


@pytest.mark.parametrize("backend", image_normalize.backends())
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("width", [1, 7, 8, 15, 16, 17, 33, 100])
def test_any_width_and_strides(backend, dtype, width, channels_last):
    rng = np.random.default_rng(width)
    images = rng.integers(0, 256, (2, 9, width + 5, 3), dtype=np.uint8)[:, ::2, 2 : 2 + width]
    if backend == "reference":
        return
    options = {"dtype": dtype, "channels_last": channels_last}
    want = image_normalize(images, **options, backend="reference")
    for isa in isas():
        with use_isa(isa):
            got = image_normalize(images, **options, backend=backend)
        np.testing.assert_array_equal(got.view(np.uint8), want.view(np.uint8))


@pytest.mark.parametrize("backend", image_normalize.backends())
def test_out_and_threads(backend):
    images = np.random.default_rng(0).integers(0, 256, (3, 200, 31, 3), dtype=np.uint8)
    out = np.full((3, 3, 200, 31), np.nan, np.float32)
    got = image_normalize(images, out=out, num_threads=3, backend=backend)
    assert got is out
    np.testing.assert_array_equal(out, expected(images, *HALF))
    half = np.empty(out.shape, np.float16)
    assert image_normalize(images, dtype="float16", out=half, backend=backend) is half
    np.testing.assert_array_equal(half, out.astype(np.float16))
    last = np.full((3, 200, 31, 3), np.nan, np.float32)
    options = {"channels_last": True, "num_threads": 3, "backend": backend}
    assert image_normalize(images, out=last, **options) is last
    np.testing.assert_array_equal(last, np.moveaxis(out, 1, 3))


@pytest.mark.parametrize("backend", image_normalize.backends())
def test_empty(backend):
    assert image_normalize(np.empty((0, 4, 4, 3), np.uint8), backend=backend).shape == (0, 3, 4, 4)


@pytest.mark.parametrize("backend", image_normalize.backends())
def test_bad_input(backend):
    image = np.zeros((1, 4, 4, 3), np.uint8)
    for wrong in (image[0], image[..., :2], image.astype(np.int16)):
        with pytest.raises((ValueError, TypeError)):
            image_normalize(wrong, backend=backend)
    with pytest.raises(ValueError, match="dtype"):
        image_normalize(image, dtype="float64", backend=backend)
    if backend != "reference":
        with pytest.raises(TypeError, match="images: expected dtype uint8, got int16"):
            image_normalize(image.astype(np.int16), backend=backend)
        with pytest.raises(ValueError, match=r"images: expected shape \(n, any, any, 3\)"):
            image_normalize(np.zeros((1, 4, 4, 4), np.uint8), backend=backend)


def test_bad_native_arguments():
    image = np.zeros((1, 4, 4, 3), np.uint8)
    with pytest.raises(ValueError, match="side by side"):
        image_normalize(np.zeros((1, 4, 8, 3), np.uint8)[:, :, ::2])
    with pytest.raises(ValueError, match="three numbers"):
        image_normalize(image, mean=(0.5,))
    with pytest.raises(TypeError, match="out"):
        image_normalize(image, out=np.zeros((1, 3, 4, 4), np.float64))
    with pytest.raises(ValueError, match="out"):
        image_normalize(image, channels_last=True, out=np.zeros((1, 3, 4, 4), np.float32))
