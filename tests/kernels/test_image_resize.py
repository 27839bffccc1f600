import json
from functools import partial

import numpy as np
import PIL
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from refpix.errors import KernelError
from refpix.kernels import image_resize, isas, use_isa
from refpix.types import ImagesBatch

FILTERS = {
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def resize(image, out_size, **options):
    channels = 1 if image.ndim == 2 else image.shape[2]
    out = image_resize(
        *ImagesBatch.from_images([image]), out_size=out_size, channels=channels, **options
    )[0]
    return out[:, :, 0] if image.ndim == 2 else out


def pillow(image, out_size, name):
    return np.asarray(Image.fromarray(image).resize(out_size[::-1], FILTERS[name]))


def hard_edges(rng, shape):
    """Black and white pixels: where bicubic overshoots most."""
    return rng.integers(0, 2, shape, dtype=np.uint8) * 255


def check_cases(folder, run):
    pixels = np.load(folder / "cases.npz")
    cases = json.loads((folder / "cases.json").read_text())
    assert cases
    for case in cases:
        old = f"out12_{case['key']}" if case["hfirst_differs"] else f"out_{case['key']}"
        for order, expected in (("pillow13", f"out_{case['key']}"), ("pillow12", old)):
            got = run(pixels[case["input"]], case["out_hw"], filter=case["filter"], order=order)
            np.testing.assert_array_equal(got, pixels[expected], f"{case['key']} {order}")


@pytest.mark.parametrize("isa", isas())
def test_golden_subset(data, isa):
    with use_isa(isa):
        check_cases(data / "resize", resize)


@pytest.mark.parametrize("isa", isas())
def test_golden(golden, isa):
    with use_isa(isa):
        check_cases(golden / "resize", resize)


def test_golden_subset_reference(data):
    check_cases(data / "resize", partial(resize, backend="reference"))


@pytest.mark.parametrize("isa", isas())
@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("channels", [1, 3])
def test_equals_the_installed_pillow(isa, name, channels):
    rng = np.random.default_rng(7)
    with use_isa(isa):
        for _ in range(60):
            h, w, out_h, out_w = (int(n) for n in np.exp(rng.uniform(0, 6, 4)))
            image = hard_edges(rng, (h, w) if channels == 1 else (h, w, 3))
            np.testing.assert_array_equal(
                resize(image, (out_h, out_w), filter=name),
                pillow(image, (out_h, out_w), name),
                f"{image.shape} -> {out_h}x{out_w}",
            )


@pytest.mark.parametrize("isa", isas())
def test_every_number_of_taps(isa):
    # Windows of 1, 2, 4, 5, 6, 8, 9 ... taps take different SIMD paths.
    rng = np.random.default_rng(3)
    with use_isa(isa):
        for n_in in (1, 2, 3, 4, 5, 6, 7, 9, 13, 16, 17, 31, 33, 64, 100):
            for n_out in (1, 2, 3, 4, 5, 15, 16, 17, 40, 64, 65):
                for shape, out in (((n_in, 5, 3), (n_out, 5)), ((5, n_in, 3), (5, n_out))):
                    image = hard_edges(rng, shape)
                    np.testing.assert_array_equal(
                        resize(image, out), pillow(image, out, "bicubic"), f"{shape} -> {out}"
                    )


@given(
    st.integers(1, 60),
    st.integers(1, 60),
    st.integers(1, 60),
    st.integers(1, 60),
    st.sampled_from(sorted(FILTERS)),
    st.sampled_from(["pillow12", "pillow13"]),
    st.sampled_from([1, 3]),
    st.integers(0, 2**32),
)
def test_native_equals_reference(h, w, out_h, out_w, name, order, channels, seed):
    image = hard_edges(np.random.default_rng(seed), (h, w, channels))
    options = {"filter": name, "order": order}
    expected = resize(image, (out_h, out_w), backend="reference", **options)
    for isa in isas():
        with use_isa(isa):
            np.testing.assert_array_equal(resize(image, (out_h, out_w), **options), expected, isa)


def test_order_follows_the_installed_pillow():
    rng = np.random.default_rng(1)
    image = hard_edges(rng, (640, 480, 3))
    installed = "pillow13" if int(PIL.__version__.split(".")[0]) >= 13 else "pillow12"
    other = {"pillow13": "pillow12", "pillow12": "pillow13"}[installed]
    auto = resize(image, (512, 512))
    np.testing.assert_array_equal(auto, resize(image, (512, 512), order=installed))
    assert not np.array_equal(auto, resize(image, (512, 512), order=other))


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_slivers_in_pillow_12_go_vertically_first(backend):
    rng = np.random.default_rng(2)
    for h, w, out in (
        (301, 3, (290, 1)),
        (300, 3, (290, 1)),
        (301, 3, (301, 1)),
        (301, 3, (310, 2)),
    ):
        image = hard_edges(rng, (h, w))
        vertical = resize(resize(image, (out[0], w)), out)
        horizontal = resize(resize(image, (h, out[1])), out)
        expected = vertical if h > 100 * w and out[0] < h else horizontal
        got = resize(image, out, order="pillow12", backend=backend)
        np.testing.assert_array_equal(got, expected, f"{h}x{w} -> {out}")
        np.testing.assert_array_equal(resize(image, out), pillow(image, out, "bicubic"))


def test_images_of_different_sizes_on_several_threads():
    rng = np.random.default_rng(5)
    images = [rng.integers(0, 256, (h, 2 * h + 1, 3), dtype=np.uint8) for h in range(1, 40)]
    out = np.empty((len(images), 32, 24, 3), np.uint8)
    got = image_resize(*ImagesBatch.from_images(images), out_size=(32, 24), out=out, num_threads=4)
    assert got is out
    for image, result in zip(images, got, strict=True):
        np.testing.assert_array_equal(result, pillow(image, (32, 24), "bicubic"))


def test_empty_batch():
    assert image_resize(*ImagesBatch.from_images([]), out_size=(4, 4)).shape == (0, 4, 4, 3)


@pytest.mark.parametrize("backend", image_resize.backends())
def test_bad_sizes_name_the_item(backend):
    pixels, offsets, sizes = ImagesBatch.from_images([np.zeros((2, 2, 3), np.uint8)] * 2)
    wrong = sizes.copy()
    wrong[1] = 0, 7
    with pytest.raises(KernelError) as error:
        image_resize(pixels, offsets, wrong, out_size=(4, 4), backend=backend)
    assert (error.value.fault, error.value.item) == ("bad_size", 1)
    wrong[1] = 2, 3
    with pytest.raises(KernelError) as error:
        image_resize(pixels, offsets, wrong, out_size=(4, 4), backend=backend)
    assert (error.value.fault, error.value.item) == ("span_out_of_bounds", 1)


@pytest.mark.parametrize(
    "options",
    [
        {"filter": "nearest"},
        {"order": "pillow11"},
        {"channels": 4},
        {"out_size": (0, 4)},
        {"out": np.zeros((1, 4, 5, 3), np.uint8)},
        {"out": np.zeros((1, 4, 8, 3), np.uint8)[:, :, ::2]},
    ],
)
def test_bad_options(options):
    batch = ImagesBatch.from_images([np.zeros((2, 2, 3), np.uint8)])
    with pytest.raises((ValueError, TypeError)):
        image_resize(*batch, **{"out_size": (4, 4), **options})
