import numpy as np
import pytest
from PIL import Image

from refpix.errors import SampleError
from refpix.synthesis._pictures import Source


def said_by_pillow(path):
    try:
        with Image.open(path) as image:
            return image.mode, *image.size
    except Exception:
        return None


def said_by_us(path):
    try:
        return Source("s", str(path)).header()[:3]
    except SampleError:
        return None


def test_headers_are_those_of_pillow(data, tmp_path):
    paths = sorted((data / "images").glob("*.jpg"))
    assert len(paths) > 10
    for mode in ("RGB", "L", "CMYK"):
        paths.append(tmp_path / f"{mode}.jpg")
        Image.new(mode, (33, 21)).save(paths[-1], comment="x" * 40)
    for path in paths:
        assert said_by_us(path) == said_by_pillow(path), path


@pytest.mark.parametrize("progressive", [False, True])
def test_damaged_headers(tmp_path, progressive):
    """What is odd is left to Pillow; nothing is said where a file does not open at all."""
    whole, path = tmp_path / "whole.jpg", tmp_path / "damaged.jpg"
    Image.new("RGB", (40, 30), "red").save(whole, progressive=progressive)
    payload = whole.read_bytes()
    frame = payload.find(b"\xff\xc2" if progressive else b"\xff\xc0")
    for cut in range(frame + 10):
        path.write_bytes(payload[:cut])
        assert said_by_us(path) is None
    rng = np.random.default_rng(0)
    for at in range(2, frame + 10):
        broken = bytearray(payload)
        broken[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(broken)
        ours, theirs = said_by_us(path), said_by_pillow(path)
        # Pillow also reads what lies behind the frame; files that it does not open do not decode.
        assert ours == theirs or theirs is None


def test_missing_file_is_named(tmp_path):
    with pytest.raises(SampleError, match=r"nowhere\.jpg"):
        Source("s", str(tmp_path / "nowhere.jpg")).header()
