import numpy as np
import pytest
from PIL import Image

from refpix.io.mask_image import as_mask, read_mask

MASK = np.array([[0, 1, 1], [0, 0, 1]], bool)


@pytest.mark.parametrize("foreground", [1, 7, 255])
def test_two_values(tmp_path, foreground):
    path = tmp_path / "a.png"
    Image.fromarray(MASK * np.uint8(foreground)).save(path)
    assert np.array_equal(read_mask(path), MASK)


def test_one_bit_and_one_value(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(MASK).save(path)
    with Image.open(path) as stored:
        assert stored.mode == "1"
    assert np.array_equal(read_mask(path), MASK)
    for value in (0, 255):
        Image.fromarray(np.full((2, 3), value, np.uint8)).save(path)
        assert read_mask(path).tolist() == [[bool(value)] * 3] * 2


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (Image.fromarray(np.array([[0, 100, 255]], np.uint8)), "this has 0, 100, 255"),
        (Image.fromarray(np.array([[1, 2, 2]], np.uint8)), "at most one other value"),
        (Image.new("RGB", (2, 2)), "this has mode RGB"),
        (Image.new("P", (2, 2)), "this has mode P"),
        (Image.new("LA", (2, 2)), "this has mode LA"),
        (Image.new("I;16", (2, 2)), "this has mode I"),
    ],
)
def test_other_pictures_are_refused(tmp_path, image, reason):
    path = tmp_path / "a.png"
    image.save(path)
    with pytest.raises(ValueError, match=reason) as caught:
        read_mask(path)
    assert str(caught.value).startswith(str(path))


def test_what_is_no_png(tmp_path):
    path = tmp_path / "a.png"
    Image.new("L", (200, 200)).save(path)
    whole = path.read_bytes()
    with pytest.raises(ValueError, match="200 x 200 is more than 39999 pixels"):
        read_mask(path, pixel_limit=39999)
    for content in (b"", b"nothing", whole[:20], whole[:-30]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"a\.png: "):
            read_mask(path)
    Image.new("L", (2, 2)).save(path, format="JPEG")
    with pytest.raises(ValueError, match="this is a JPEG file"):
        read_mask(path)
    with pytest.raises(FileNotFoundError):
        read_mask(tmp_path / "none.png")


def test_arrays():
    for dtype in (bool, np.uint8, np.int64):
        assert np.array_equal(as_mask(MASK.astype(dtype)), MASK)
    assert np.array_equal(as_mask(MASK * np.int32(-1)), MASK)
    assert as_mask(np.zeros((0, 4), np.uint8)).shape == (0, 4)
    for bad in (MASK * 0.5, MASK[np.newaxis], np.array(["a"]), [[-1, 0, 1]], [[0, 1, 2]]):
        with pytest.raises(ValueError, match="mask"):
            as_mask(bad)
