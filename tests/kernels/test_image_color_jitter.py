import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance
from tests.kernels.image_stacks import misaligned, stack

from refpix.errors import KernelError
from refpix.kernels import image_color_jitter, isas, use_isa

backends = pytest.mark.parametrize("backend", image_color_jitter.backends())
natives = pytest.mark.parametrize(
    "backend", [b for b in image_color_jitter.backends() if b != "reference"]
)
KEEP = (1.0, 1.0, 1.0, 0.0)
FACTORS = [
    *((step, factor) for step in range(3) for factor in (0, 0.1, 0.37, 0.5, 1, 1.25, 3.3, 1000)),
    *((3, factor) for factor in (0, 0.1, 0.37, 0.5, -0.5, -0.123)),
]
ALONE = np.array([[step, 4, 4, 4] for step in range(4)], np.uint8)


def every_native(*args, **kwargs):
    for isa in isas():
        with use_isa(isa):
            yield image_color_jitter(*args, **kwargs)


def colours(step):
    """uint8 (1, n, n, 3): every colour whose channels are multiples of a step, and 255."""
    values = np.unique([*range(0, 256, step), 255]).astype(np.uint8)
    grid = np.stack(np.meshgrid(values, values, values, indexing="ij"), -1)
    return np.ascontiguousarray(grid.reshape(1, len(values), -1, 3))


def changed(image, step, factor):
    """One step as torchvision has it of Pillow."""
    picture = Image.fromarray(image)
    if step < 3:
        enhancers = (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color)
        return np.asarray(enhancers[step](picture).enhance(factor))
    h, s, v = picture.convert("HSV").split()
    turned = np.asarray(h) + np.int32(factor * 255).astype(np.uint8)
    return np.asarray(Image.merge("HSV", (Image.fromarray(turned), s, v)).convert("RGB"))


@backends
@pytest.mark.parametrize(("step", "factor"), FACTORS)
def test_each_step_is_pillows(backend, step, factor):
    images = colours(15)
    factors = np.array([KEEP])
    factors[0, step] = factor
    got = image_color_jitter(images, factors, orders=ALONE[step : step + 1], backend=backend)
    np.testing.assert_array_equal(got[0], changed(images[0], step, factor))


@pytest.mark.parametrize("step", [0, 2])
def test_blends_of_more_colours(step):
    images = colours(5)
    for factor in np.random.default_rng(0).uniform(0, 2, 8):
        factors = np.array([KEEP])
        factors[0, step] = factor
        for got in every_native(images, factors, orders=ALONE[step : step + 1]):
            np.testing.assert_array_equal(got[0], changed(images[0], step, factor))


@pytest.mark.slow
@natives
@pytest.mark.parametrize("factor", [0, 0.25, -0.004])
def test_hue_of_all_colours(backend, factor):
    images = colours(1)
    factors = np.array([[1.0, 1, 1, factor]])
    wanted = changed(images[0], 3, factor)
    got = image_color_jitter(images, factors, orders=ALONE[3:], backend=backend)
    np.testing.assert_array_equal(got[0], wanted)


@natives
def test_hue_where_only_greatest_least_and_middle_count(backend):
    """All that the hue depends on, once: the least channel is 0, and saturation comes of itself."""
    values = np.arange(256, dtype=np.uint8)
    pairs = np.stack(np.meshgrid(values, values, indexing="ij"), -1).reshape(-1, 2)
    zero = np.zeros(len(pairs), np.uint8)
    a, b = pairs.T
    images = np.stack([np.stack(c, -1) for c in ((a, b, zero), (a, zero, b), (zero, a, b))])
    images = images.reshape(3, 256, 256, 3)
    for factor in (0, 0.5, -0.02):
        factors = np.tile([1.0, 1, 1, factor], (3, 1))
        got = image_color_jitter(
            images, factors, orders=np.repeat(ALONE[3:], 3, 0), backend=backend
        )
        for image, result in zip(images, got, strict=True):
            np.testing.assert_array_equal(result, changed(image, 3, factor))


factor = st.one_of(st.sampled_from([0.0, 1.0, 2.0]), st.floats(0, 4, width=32))


@natives
@given(
    shape=st.tuples(st.integers(1, 9), st.integers(1, 70)),
    factors=st.lists(
        st.tuples(factor, factor, factor, st.floats(-0.5, 0.5, width=32)), min_size=1, max_size=3
    ),
    seed=st.integers(0, 99),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_native_is_reference(backend, shape, factors, seed, dtype):
    count, rng = len(factors), np.random.default_rng(seed)
    images = misaligned(stack(count, (*shape, 3), np.uint8, seed))
    orders = np.stack([rng.permutation(5)[:4] for _ in range(count)]).astype(np.uint8)
    orders = None if seed % 4 == 0 else orders
    args = (images, np.array(factors, dtype))
    wanted = image_color_jitter(*args, orders=orders, backend="reference")
    got = image_color_jitter(*args, orders=orders, num_threads=2, backend=backend)
    np.testing.assert_array_equal(got, wanted)


@backends
def test_contrast_of_a_large_picture(backend):
    images = np.repeat(stack(2, (37, 501, 3), np.uint8), 2, 1)
    images[1] //= 3
    factors, orders = np.array([[1.1, 0.5, 1.3, 0.1]] * 2), np.array([[2, 3, 1, 0]] * 2, np.uint8)
    wanted = images[1]
    for step in orders[1]:
        wanted = changed(wanted, step, factors[1, step])
    got = image_color_jitter(images, factors, orders=orders, backend=backend)
    np.testing.assert_array_equal(got[1], wanted)


@backends
def test_no_steps_and_factors_of_one_change_nothing(backend):
    images = stack(2, (5, 7, 3), np.uint8)
    orders = np.array([[4, 4, 4, 4], [0, 1, 2, 4]], np.uint8)
    out = np.zeros_like(images)
    got = image_color_jitter(
        images, np.array([[0, 0, 0, 0.5], KEEP]), orders=orders, out=out, backend=backend
    )
    assert got is out
    np.testing.assert_array_equal(got, images)


@backends
@pytest.mark.parametrize("shape", [(0, 4, 5, 3), (2, 0, 5, 3), (2, 4, 0, 3)])
def test_empty(backend, shape):
    factors = np.ones((shape[0], 4)) / 2
    assert image_color_jitter(np.empty(shape, np.uint8), factors, backend=backend).shape == shape


@backends
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("step", "value", "fault"),
    [
        (0, np.nan, "augment_not_finite"),
        (3, -np.inf, "augment_not_finite"),
        (1, -0.001, "augment_out_of_range"),
        (3, 0.5001, "augment_out_of_range"),
        (3, -0.51, "augment_out_of_range"),
    ],
)
def test_bad_factors_name_item_and_byte(backend, dtype, step, value, fault):
    factors = np.array([KEEP] * 4, dtype)
    factors[2:, step] = value
    with pytest.raises(KernelError) as error:
        image_color_jitter(stack(4, (2, 2, 3), np.uint8), factors, backend=backend)
    assert (error.value.fault, error.value.item) == (fault, 2)
    assert error.value.position == step * factors.itemsize


@backends
@pytest.mark.parametrize("order", [(0, 1, 2, 5), (0, 1, 2, 2), (255, 4, 4, 4)])
def test_bad_orders_name_the_item(backend, order):
    orders = np.array([(3, 2, 1, 0), order, order], np.uint8)
    with pytest.raises(KernelError) as error:
        image_color_jitter(
            stack(3, (2, 2, 3), np.uint8), np.array([KEEP] * 3), orders=orders, backend=backend
        )
    assert (error.value.fault, error.value.item) == ("augment_out_of_range", 1)


@natives
def test_wrong_arrays_are_refused(backend):
    images, factors = stack(2, (4, 6, 3), np.uint8), np.array([KEEP] * 2)
    with pytest.raises(TypeError, match="images"):
        image_color_jitter(images.astype(np.float32), factors, backend=backend)
    with pytest.raises(TypeError, match="factors"):
        image_color_jitter(images, factors.astype(np.float16), backend=backend)
    with pytest.raises(TypeError, match="orders"):
        image_color_jitter(images, factors, orders=np.zeros((2, 4), int), backend=backend)
    for wrong in (factors[:1], factors[:, :3]):
        with pytest.raises(ValueError, match="factors"):
            image_color_jitter(images, wrong.copy(), backend=backend)
    with pytest.raises(ValueError, match="orders: expected shape"):
        image_color_jitter(images, factors, orders=ALONE[:1], backend=backend)
    with pytest.raises(ValueError, match="images: expected shape"):
        image_color_jitter(images[..., :2].copy(), factors, backend=backend)
    with pytest.raises(ValueError, match="out"):
        image_color_jitter(images, factors, out=images[:1], backend=backend)
    with pytest.raises(ValueError, match="overlap"):
        image_color_jitter(images, factors, out=images, backend="cpu")
