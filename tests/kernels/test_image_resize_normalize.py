import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refpix.errors import KernelError
from refpix.kernels import image_normalize, image_resize, image_resize_normalize, isas, use_isa
from refpix.types import ImagesBatch

backends = pytest.mark.parametrize("backend", image_resize_normalize.backends())
DTYPES = ["float32", "float16", "bfloat16"]
IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
# Slivers, one side unchanged, both passes first, more taps than a device keeps.
SIZES = [(1, 1), (33, 35), (40, 64), (61, 47), (20, 700), (910, 9), (37, 50)]


def batch(sizes, seed=0):
    rng = np.random.default_rng(seed)
    pictures = [rng.choice(np.array([0, 255, 17, 99], np.uint8), (*size, 3)) for size in sizes]
    return ImagesBatch.from_images(pictures)


def two_steps(images, channels_last=False, dtype="float32", mean=None, std=None, **resize):
    numbers = {} if mean is None else {"mean": mean, "std": std}
    return image_normalize(
        image_resize(*images, **resize, backend="cpu"),
        dtype=dtype,
        channels_last=channels_last,
        **numbers,
        backend="cpu",
    )


def assert_same_bits(got, want):
    assert (got.shape, got.dtype) == (want.shape, want.dtype)
    np.testing.assert_array_equal(got.view(np.uint8), want.view(np.uint8))


@backends
@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("out_size", [(37, 50), (64, 64), (1, 1), (7, 70)])
def test_is_resize_then_normalize(backend, channels_last, out_size):
    images = batch(SIZES)
    for dtype in DTYPES:
        options = {"out_size": out_size, "dtype": dtype, "channels_last": channels_last, **IMAGENET}
        got = image_resize_normalize(*images, **options, backend=backend)
        assert_same_bits(got, two_steps(images, **options))


@given(
    sizes=st.lists(st.tuples(st.integers(1, 90), st.integers(1, 90)), max_size=3),
    out_size=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    filter=st.sampled_from(["box", "bilinear", "bicubic", "lanczos"]),
    order=st.sampled_from(["pillow12", "pillow13"]),
    dtype=st.sampled_from(DTYPES),
    channels_last=st.booleans(),
    threads=st.integers(1, 3),
)
def test_every_isa(sizes, out_size, filter, order, dtype, channels_last, threads):
    images = batch(sizes, len(sizes))
    options = {"out_size": out_size, "filter": filter, "order": order}
    options |= {"dtype": dtype, "channels_last": channels_last}
    want = two_steps(images, **options)
    for isa in isas():
        with use_isa(isa):
            got = image_resize_normalize(*images, **options, num_threads=threads, backend="cpu")
        assert_same_bits(got, want)


@backends
@pytest.mark.parametrize("order", ["pillow12", "pillow13"])
@pytest.mark.parametrize("filter", ["box", "bilinear", "bicubic"])
def test_filters_and_orders(backend, filter, order):
    images = batch(SIZES)
    options = {"out_size": (40, 47), "filter": filter, "order": order}
    got = image_resize_normalize(*images, **options, backend=backend)
    assert_same_bits(got, two_steps(images, **options))


@backends
@pytest.mark.parametrize(("item", "size"), [(2, (0, 3)), (0, (1, 2)), (3, (60, 47))])
def test_faults_are_those_of_image_resize(backend, item, size):
    pixels, offsets, sizes = batch(SIZES)
    sizes = sizes.copy()
    sizes[item] = size
    with pytest.raises(KernelError) as want:
        image_resize(pixels, offsets, sizes, out_size=(8, 8), backend="cpu")
    with pytest.raises(KernelError) as got:
        image_resize_normalize(pixels, offsets, sizes, out_size=(8, 8), backend=backend)
    assert str(got.value) == str(want.value)
    assert got.value.item == item


@backends
def test_empty_batch_and_out(backend):
    got = image_resize_normalize(*batch([]), out_size=(4, 5), backend=backend)
    assert got.shape == (0, 3, 4, 5)
    images = batch([(9, 8), (4, 70)])
    for channels_last, shape in ((False, (2, 3, 6, 7)), (True, (2, 6, 7, 3))):
        out = np.full(shape, np.nan, np.float16)
        options = {"out_size": (6, 7), "dtype": "float16", "channels_last": channels_last}
        assert image_resize_normalize(*images, **options, out=out, backend=backend) is out
        assert_same_bits(out, two_steps(images, **options))


def test_wrong_arguments_are_refused():
    images = batch([(4, 4)])
    with pytest.raises(TypeError, match="uint8"):
        image_resize_normalize(images[0].astype(np.int16), *images[1:], out_size=(2, 2))
    with pytest.raises(ValueError, match="offsets: expected shape"):
        image_resize_normalize(images[0], images[1][:1], images[2], out_size=(2, 2))
    with pytest.raises(ValueError, match="out_size"):
        image_resize_normalize(*images, out_size=(0, 2))
    with pytest.raises(ValueError, match="three numbers"):
        image_resize_normalize(*images, out_size=(2, 2), mean=(0.5,))
    with pytest.raises(ValueError, match="dtype"):
        image_resize_normalize(*images, out_size=(2, 2), dtype="float64")
    wrong = np.zeros((1, 3, 2, 2), np.float32)
    with pytest.raises(ValueError, match="out"):
        image_resize_normalize(*images, out_size=(2, 2), channels_last=True, out=wrong)
