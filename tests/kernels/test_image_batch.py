import base64
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from refpix.kernels import fault_name, image_batch, isas, use_isa
from refpix.types import BytesBatch

SIZES = [(48, 64), (64, 48), (33, 91), (91, 33), (1, 1), (200, 3), (16, 16), (17, 15)]


def jpeg(size, seed=0, **options):
    height, width = size
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((width, height))
    buffer = io.BytesIO()
    image.convert(options.pop("mode", "RGB")).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def batch_of(payloads, encoding):
    if encoding == "base64":
        payloads = [base64.b64encode(payload) for payload in payloads]
    return BytesBatch.from_items(payloads)


def published(payload, size):
    """The published steps, one by one."""
    image = Image.open(io.BytesIO(payload)).convert("RGB")
    pixels = np.asarray(image.resize(size[::-1], Image.Resampling.BICUBIC))
    scaled = pixels.astype(np.float32) / np.float32(255)
    return np.moveaxis((scaled - np.float32(0.5)) / np.float32(0.5), 2, 0)


@pytest.mark.parametrize("isa", isas())
@pytest.mark.parametrize("encoding", ["base64", "raw"])
@pytest.mark.parametrize("size", [(32, 32), (16, 17), (40, 24), (100, 130)])
def test_equals_the_published_steps(isa, encoding, size):
    payloads = [jpeg(s, i) for i, s in enumerate(SIZES)]
    payloads += [jpeg((50, 70), 9, mode="L"), jpeg((70, 50), 9, progressive=True, subsampling=0)]
    payloads.append(jpeg((37, 45), 3, mode="CMYK"))
    with use_isa(isa):
        got, sizes, faults = image_batch(
            *batch_of(payloads, encoding), encoding=encoding, size=size, num_threads=3
        )
    assert not faults[:, 0].any()
    assert (faults[:, 1] == -1).all()
    for i, payload in enumerate(payloads):
        np.testing.assert_array_equal(got[i], published(payload, size), f"payload {i}")
    assert sizes[: len(SIZES)].tolist() == [list(s) for s in SIZES]


@given(
    st.integers(1, 80),
    st.integers(1, 80),
    st.integers(1, 50),
    st.integers(1, 50),
    st.sampled_from(["bicubic", "bilinear", "box", "lanczos"]),
    st.sampled_from(["pillow12", "pillow13"]),
    st.sampled_from(["float32", "float16", "bfloat16"]),
)
@settings(max_examples=40)
def test_native_equals_reference(h, w, out_h, out_w, name, order, dtype):
    batch = batch_of([jpeg((h, w))], "base64")
    options = {"size": (out_h, out_w), "filter": name, "order": order, "dtype": dtype}
    want, want_sizes, _ = image_batch(*batch, backend="reference", **options)
    for isa in isas():
        with use_isa(isa):
            got, sizes, faults = image_batch(*batch, **options)
        assert not faults[:, 0].any()
        np.testing.assert_array_equal(sizes, want_sizes)
        np.testing.assert_array_equal(got.view(np.uint8), want.view(np.uint8))


@pytest.mark.parametrize("backend", image_batch.exact_backends())
def test_a_bad_item_leaves_its_neighbours_alone(backend):
    good = jpeg((20, 30))
    png = io.BytesIO()
    Image.new("RGB", (4, 4)).save(png, "PNG")
    texts = [
        base64.b64encode(good),
        base64.b64encode(good) + b"A",  # after complete padding or not, one letter too many
        b"\xc3\xa4",
        base64.b64encode(png.getvalue()),
        b"",
        base64.b64encode(good[:40]),
        base64.b64encode(good),
    ]
    if base64.b64encode(good).endswith(b"="):
        texts[1] = b"AAAAA"
    got, sizes, faults = image_batch(*BytesBatch.from_items(texts), size=(8, 8), backend=backend)
    names = [fault_name(int(code)) for code in faults[:, 0]]
    assert names[0] == names[6] == "none"
    assert names[1] == "base64_bad_length"
    assert names[2] == "base64_not_ascii"
    assert names[3] == names[4] == "image_unrecognised"
    assert names[5].startswith("jpeg_")
    for item in (0, 6):
        np.testing.assert_array_equal(got[item], published(good, (8, 8)))
    assert sizes[[0, 6]].tolist() == [[20, 30], [20, 30]]


def test_truncation_is_an_option():
    payload = jpeg((64, 64), quality=95)
    cut = payload[: len(payload) * 2 // 3]
    batch = BytesBatch.from_items([cut])
    _, _, faults = image_batch(*batch, encoding="raw", size=(16, 16))
    assert fault_name(int(faults[0, 0])) == "none"
    _, _, faults = image_batch(*batch, encoding="raw", size=(16, 16), allow_truncated=False)
    assert fault_name(int(faults[0, 0])) == "jpeg_truncated"


def test_pixel_limit():
    batch = batch_of([jpeg((10, 10)), jpeg((10, 11))], "base64")
    _, _, faults = image_batch(*batch, size=(4, 4), pixel_limit=100)
    assert [fault_name(int(code)) for code in faults[:, 0]] == ["none", "image_pixel_limit"]


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_out_is_filled(dtype):
    batch = batch_of([jpeg(s) for s in SIZES], "raw")
    kind = np.uint16 if dtype == "bfloat16" else dtype
    out = np.zeros((len(SIZES), 3, 24, 20), kind)
    got, _, _ = image_batch(*batch, encoding="raw", size=(24, 20), dtype=dtype, out=out)
    assert got is out
    again, _, _ = image_batch(*batch, encoding="raw", size=(24, 20), dtype=dtype)
    np.testing.assert_array_equal(again.view(np.uint8), out.view(np.uint8))


@pytest.mark.parametrize("backend", image_batch.exact_backends())
def test_empty_batch(backend):
    batch, sizes, faults = image_batch(*BytesBatch.from_items([]), size=(8, 8), backend=backend)
    assert batch.shape == (0, 3, 8, 8)
    assert sizes.shape == faults.shape == (0, 2)


@pytest.mark.parametrize(
    "options",
    [
        {"encoding": "hex"},
        {"size": (0, 8)},
        {"dtype": "uint8"},
        {"filter": "hamming"},
        {"mean": (0.5, 0.5)},
        {"out": np.zeros((1, 3, 8, 9), np.float32)},
        {"out": np.zeros((1, 3, 8, 8), np.float64)},
    ],
)
def test_bad_options(options):
    with pytest.raises((ValueError, TypeError)):
        image_batch(*BytesBatch.from_items([b""]), **{"size": (8, 8), **options})
