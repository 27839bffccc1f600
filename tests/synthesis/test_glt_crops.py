"""Crops of MSCOCO-GLT: the box rule, padding and pixels of the published program."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from refpix.errors import ImageError
from refpix.synthesis import crop_box, glt_crop, glt_crop_jpegs, glt_crops


def published(image, bbox):
    """The published steps, in Pillow."""
    x, y, w, h = bbox
    edges = []
    for start, size, limit in ((x, w, image.width), (y, h, image.height)):
        if size < 100:
            edges.append((max(start - 50, 0), min(start + 50 + size, limit)))
        else:
            edges.append((max(start - size * 0.2, 0), min(start + 1.2 * size, limit)))
    (x1, x2), (y1, y2) = edges
    image = image.crop((x1, y1, x2, y2))
    w, h = image.size
    pad = (max(w, h) - min(w, h)) / 2
    return image.crop((0, -pad, w, h + pad) if w > h else (-pad, 0, w + pad, h))


def picture(mode="RGB", size=(160, 120), seed=0, **options):
    rng = np.random.default_rng(seed)
    bands = {"RGB": 3, "L": 1, "CMYK": 4, "RGBA": 4}[mode]
    coarse = rng.integers(0, 256, (size[1] // 4, size[0] // 4, bands), dtype=np.uint8)
    layers = [
        Image.fromarray(np.ascontiguousarray(coarse[..., i])).resize(size) for i in range(bands)
    ]
    image = layers[0] if bands == 1 else Image.merge(mode, layers)
    buffer = io.BytesIO()
    image.save(buffer, options.pop("format", "JPEG"), **options)
    return buffer.getvalue()


def opened(payload):
    return Image.open(io.BytesIO(payload))


numbers = st.one_of(
    st.integers(-20, 200).map(float),
    st.integers(-40, 400).map(lambda v: v / 2),
    st.floats(-20, 200),
    st.sampled_from([99.99, 100.0, 0.5, 1.5, 50.5]),
)


@given(numbers, numbers, numbers, numbers, st.integers(1, 300), st.integers(1, 300))
def test_box_is_as_published(x, y, w, h, width, height):
    image = Image.new("L", (width, height), 255)
    try:
        box = crop_box((x, y, w, h), width, height)
    except ValueError:
        outside = x >= width or y >= height or x + w <= 0 or y + h <= 0
        assert w <= 0 or h <= 0 or outside
        return
    expected = np.asarray(published(image, (x, y, w, h)))
    assert (box.height, box.width) == expected.shape
    filled = np.zeros(expected.shape, np.uint8)
    filled[
        box.top : box.top + box.y1 - box.y0,
        box.left : box.left + box.x1 - box.x0,
    ] = 255
    np.testing.assert_array_equal(filled, expected)
    cured = crop_box((x, y, w, h), width, height, cures=["non-square"])
    assert cured[:4] == box[:4]
    assert cured.width == cured.height == max(box.x1 - box.x0, box.y1 - box.y0)


BOXES = [
    (5.5, 4.25, 20.3, 30.6),
    (0.0, 0.0, 160.0, 60.0),
    (100.0, 80.0, 60.0, 40.0),
    (40.0, 20.0, 10.5, 99.99),
    (-5.0, 3.0, 12.0, 11.0),
    (20.0, 10.0, 120.0, 100.0),
]


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_pixels_are_as_published(mode, options):
    payload = picture(mode, **options)
    crops = glt_crops(payload, BOXES)
    for crop, bbox in zip(crops, BOXES, strict=True):
        expected = np.asarray(published(opened(payload), bbox))
        np.testing.assert_array_equal(crop, expected)
        np.testing.assert_array_equal(glt_crop(payload, bbox), expected)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_saved_files_decode_as_published(mode):
    payload = picture(mode)
    for file, bbox in zip(glt_crop_jpegs(payload, BOXES), BOXES, strict=True):
        buffer = io.BytesIO()
        published(opened(payload), bbox).save(buffer, "JPEG")
        assert opened(file).mode == mode
        np.testing.assert_array_equal(
            np.asarray(opened(file)), np.asarray(opened(buffer.getvalue()))
        )


def test_path_and_other_formats(tmp_path):
    payload = picture(format="PNG")
    path = tmp_path / "COCO_000000000001.jpg"
    path.write_bytes(payload)
    np.testing.assert_array_equal(
        glt_crop(path, BOXES[0]), np.asarray(published(opened(payload), BOXES[0]))
    )
    np.testing.assert_array_equal(glt_crop(str(path), BOXES[0]), glt_crop(payload, BOXES[0]))


@pytest.mark.parametrize(
    ("bbox", "words"),
    [
        ((10, 10, 0, 5), "no area"),
        ((10, 10, 5, 0.0), "no area"),
        ((10, 10, -4, 5), "no area"),
        ((160, 10, 5, 5), "outside the picture of 160 x 120"),
        ((10, 120.5, 5, 5), "outside"),
        ((-8, 10, 8, 5), "outside"),
        ((10, -8, 5, 7.5), "outside"),
        ((float("nan"), 10, 5, 5), "not finite"),
        ((10, 10, 5, float("inf")), "not finite"),
    ],
)
def test_malformed_boxes(bbox, words):
    with pytest.raises(ValueError, match=f"object 1: box .*{words}"):
        glt_crops(picture(), [BOXES[0], bbox])


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_a_cut_file_is_refused_even_above_the_cut(options):
    payload = picture(**options)
    for cut in (len(payload) - 40, len(payload) * 2 // 3):
        with pytest.raises(ImageError, match="end"):
            glt_crop(payload[:cut], (5, 5, 10, 10))
        with pytest.raises(OSError, match="truncated"):
            published(opened(payload[:cut]), (5, 5, 10, 10))


def test_other_files_are_refused(tmp_path):
    with pytest.raises(ImageError, match="neither RGB, gray nor CMYK"):
        glt_crop(picture("RGBA", format="PNG"), BOXES[0])
    for payload in (b"", b"\xff\xd8\xff", b"hello", picture()[:30]):
        with pytest.raises(ImageError):
            glt_crop(payload, BOXES[0])
    with pytest.raises(FileNotFoundError):
        glt_crop(tmp_path / "none.jpg", BOXES[0])


def test_no_objects():
    assert glt_crops(picture(), []) == []
    assert glt_crop_jpegs(picture(), []) == []
