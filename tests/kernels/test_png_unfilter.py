import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from refpix.errors import ImageError
from refpix.kernels import png_unfilter

backends = pytest.mark.parametrize("backend", png_unfilter.backends())
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # PNG's number per bytes of an 8-bit pixel


def through_pillow(rows, pixel_bytes):
    """The same rows in a PNG file, opened by Pillow."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    width = (rows.shape[1] - 1) // pixel_bytes
    header = struct.pack(">IIBBBBB", width, len(rows), 8, COLOUR_TYPES[pixel_bytes], 0, 0, 0)
    file = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    file += chunk(b"IDAT", zlib.compress(rows.tobytes())) + chunk(b"IEND", b"")
    return np.asarray(Image.open(io.BytesIO(file))).reshape(len(rows), -1)


@given(
    height=st.integers(1, 9),
    width=st.integers(1, 40),
    pixel_bytes=st.sampled_from([1, 2, 3, 4]),
    sparse=st.booleans(),
    seed=st.integers(0, 10**6),
)
def test_native_is_reference_is_pillow(height, width, pixel_bytes, sparse, seed):
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 256, (height, 1 + width * pixel_bytes), dtype=np.uint8)
    if sparse:  # as the rows of mattes are
        rows[rng.uniform(0, 1, rows.shape) < 0.9] = 0
    rows[:, 0] = rng.integers(0, 5, height)
    want = through_pillow(rows, pixel_bytes)
    for backend in png_unfilter.backends():
        got = png_unfilter(rows, pixel_bytes=pixel_bytes, backend=backend)
        np.testing.assert_array_equal(got, want)


@backends
def test_unknown_filter_names_the_row(backend):
    rows = np.zeros((4, 5), np.uint8)
    rows[2, 0] = 5
    with pytest.raises(ImageError) as error:
        png_unfilter(rows, backend=backend)
    assert error.value.item == 2


@backends
def test_empty(backend):
    assert png_unfilter(np.empty((0, 5), np.uint8), backend=backend).shape == (0, 4)
    assert png_unfilter(np.zeros((3, 1), np.uint8), backend=backend).shape == (3, 0)


def test_large():
    pixels = np.random.default_rng(0).integers(0, 4, (2000, 3000), dtype=np.uint8)
    rows = np.zeros((2000, 3001), np.uint8)
    rows[:, 0], rows[0, 1:] = 2, pixels[0]
    rows[1:, 1:] = pixels[1:] - pixels[:-1]
    out = np.empty_like(pixels)
    assert png_unfilter(rows, out=out) is out
    np.testing.assert_array_equal(out, pixels)


def test_wrong_arrays_are_refused():
    with pytest.raises(TypeError, match="uint8"):
        png_unfilter(np.zeros((2, 3), np.int8))
    with pytest.raises(ValueError, match="filter"):
        png_unfilter(np.zeros((2, 0), np.uint8))
    with pytest.raises(ValueError, match="pixel_bytes"):
        png_unfilter(np.zeros((2, 3), np.uint8), pixel_bytes=9)
    with pytest.raises(ValueError, match="contiguous"):
        png_unfilter(np.zeros((2, 6), np.uint8)[:, ::2])
