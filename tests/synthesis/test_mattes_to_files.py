import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from refpix.synthesis import _png
from refpix.synthesis._planes import quantized, zero_planes
from refpix.synthesis._png import png_bytes


@pytest.fixture(params=["installed", "standard library"])
def deflate(request, monkeypatch):
    if request.param != "installed":
        monkeypatch.setattr(_png, "_zlib", zlib)
    _png._zeros.cache_clear()
    yield
    _png._zeros.cache_clear()


def opened(payload):
    with Image.open(io.BytesIO(payload)) as image:
        assert (image.format, image.mode) == ("PNG", "L")
        image.load()
        return np.asarray(image)


def deflated(payload):
    """The picture's zlib stream: one IDAT chunk behind IHDR."""
    (length,) = struct.unpack_from(">I", payload, 33)
    assert payload[37:41] == b"IDAT"
    return payload[41 : 41 + length]


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (64, 80), (301, 211)])
def test_png_of_a_patch_is_that_of_the_canvas(deflate, size):
    rng = np.random.default_rng(size)
    height, width = size
    for _ in range(20):
        h, w = int(rng.integers(1, height + 1)), int(rng.integers(1, width + 1))
        y, x = int(rng.integers(0, height - h + 1)), int(rng.integers(0, width - w + 1))
        patch = rng.integers(0, 256, (h, w), np.uint8)
        patch[:, : w // 2] = rng.choice([0, 255])
        whole = np.zeros(size, np.uint8)
        whole[y : y + h, x : x + w] = patch
        payload = png_bytes(patch, size, (x, y))
        np.testing.assert_array_equal(opened(payload), whole)
        # The standard library checks what Pillow does not: the checksum at the end.
        assert len(zlib.decompress(deflated(payload))) == height * (width + 1)
        np.testing.assert_array_equal(opened(png_bytes(whole)), whole)


def test_png_of_nothing_is_black(deflate):
    payload = png_bytes(np.empty((0, 0), np.uint8), (1080, 1920))
    assert not opened(payload).any()
    assert len(zlib.decompress(deflated(payload))) == 1080 * 1921
    assert len(payload) < 4096


@pytest.mark.parametrize("noise", [0, 10])
def test_png_is_about_as_small_as_pillows(deflate, noise):
    y, x = np.mgrid[:400, :300]
    matte = 255 * np.clip((1 - np.hypot((x - 150) / 100, (y - 200) / 150)) * 30, 0, 1)
    edge = (matte > 0) & (matte < 255)
    matte += edge * np.random.default_rng(0).normal(0, noise, matte.shape)
    matte = np.clip(matte, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(matte).save(file, "PNG")
    assert len(png_bytes(matte)) < 1.3 * len(file.getvalue())


def test_planes_are_zero_each_time():
    for _ in range(3):
        with zero_planes(2, 30, 40) as (planes, boxes):
            assert planes.shape == (2, 30, 40)
            assert not planes.any()
            assert not boxes.any()
            planes[1, 5:9, 7:20] = 0.5
            boxes[1] = 7, 5, 13, 4
            empty, written = quantized(planes, boxes)
            assert empty.size == 0
            assert written.shape == (4, 13)
            assert (written == 127).all()
        with zero_planes(1, 12, 10) as (planes, _):
            assert not planes.any()


def test_planes_are_not_kept_after_an_error():
    def fail():
        with zero_planes(1, 8, 8) as (planes, _):
            planes[...] = 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with zero_planes(1, 8, 8) as (planes, _):
        assert not planes.any()


def test_planes_within_planes_are_others():
    with zero_planes(1, 8, 8) as (outer, outer_boxes):
        outer[...] = 1
        outer_boxes[0] = 0, 0, 8, 8
        with zero_planes(1, 8, 8) as (inner, _):
            assert not inner.any()
    with zero_planes(1, 8, 8) as (planes, _):
        assert not planes.any()
