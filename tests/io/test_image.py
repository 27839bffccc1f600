import base64
import hashlib
import io
import json
import threading

import numpy as np
import pytest
from PIL import Image, ImageFile, JpegImagePlugin, PngImagePlugin, features

from refpix import _pillow
from refpix.errors import ImageError
from refpix.io.image import decode_image


def picture(mode="RGB", size=(23, 17)):
    rng = np.random.default_rng(3)
    image = Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))
    return image.convert(mode)


def encode(image, file_format, **options):
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("mode", "file_format"),
    [
        ("RGB", "PNG"),
        ("RGBA", "PNG"),
        ("P", "PNG"),
        ("L", "PNG"),
        ("LA", "PNG"),
        ("1", "PNG"),
        ("RGB", "BMP"),
        ("P", "GIF"),
        ("CMYK", "JPEG"),
        ("RGB", "TIFF"),
        ("RGB", "PPM"),
    ],
)
def test_formats_by_content(mode, file_format):
    payload = encode(picture(mode), file_format)
    got = decode_image(payload)
    assert got.dtype == np.uint8
    assert got.flags.c_contiguous
    assert got.flags.writeable
    np.testing.assert_array_equal(got, np.asarray(Image.open(io.BytesIO(payload)).convert("RGB")))


def test_16_bit_gray_is_clipped():
    gray = np.array([[0, 254, 255, 256, 65535]], np.uint16)
    got = decode_image(encode(Image.fromarray(gray), "PNG"))
    assert got.tolist() == [[[0] * 3, [254] * 3, [255] * 3, [255] * 3, [255] * 3]]


def test_transparent_palette_warns_nobody():
    image = picture("P")
    payload = encode(image, "PNG", transparency=bytes(range(256)))
    np.testing.assert_array_equal(decode_image(payload), np.asarray(image.convert("RGB")))


def test_cut_png_has_black_rows():
    payload = encode(picture(size=(64, 64)), "PNG")
    cut = payload[: len(payload) // 2]
    got = decode_image(cut)
    whole = np.asarray(picture(size=(64, 64)))
    np.testing.assert_array_equal(got[:20], whole[:20])
    assert not got[-10:].any()
    with pytest.raises(ImageError, match="ends early"):
        decode_image(cut, allow_truncated=False)


def test_png_with_broken_text_chunk():
    info = PngImagePlugin.PngInfo()
    info.add_text("name", "value")
    payload = bytearray(encode(picture(), "PNG", pnginfo=info))
    payload[payload.index(b"value")] ^= 1  # its checksum does not hold any more
    np.testing.assert_array_equal(decode_image(bytes(payload)), np.asarray(picture()))
    with pytest.raises(ImageError):
        decode_image(bytes(payload), allow_truncated=False)


def test_cut_jpeg_keeps_what_is_there():
    payload = encode(picture("L", size=(64, 64)), "JPEG")
    got = decode_image(payload[: len(payload) // 2])
    assert (got[-1] == 128).all()
    with pytest.raises(ImageError, match="ends early"):
        decode_image(payload[: len(payload) // 2], allow_truncated=False)


@pytest.mark.parametrize("payload", [b"", b"hello", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"])
def test_no_picture(payload):
    with pytest.raises(ImageError) as error:
        decode_image(payload)
    assert error.value.fault in {"image_unrecognised", "image_corrupt", "image_truncated"}
    assert error.value.reason


def test_pixel_limit():
    payload = encode(picture(size=(10, 10)), "PNG")
    assert decode_image(payload, pixel_limit=100).shape == (10, 10, 3)
    with pytest.raises(ImageError, match="more pixels"):
        decode_image(payload, pixel_limit=99)


def test_exif_orientation_is_not_applied():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode_image(encode(picture(size=(20, 10)), "JPEG", exif=exif)).shape == (10, 20, 3)


def test_settings_of_the_program_are_neither_used_nor_changed(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 16)
    payload = encode(picture(size=(64, 64)), "PNG")
    assert decode_image(payload).shape == (64, 64, 3)
    assert Image.MAX_IMAGE_PIXELS == 16
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", False)
    decode_image(payload[:-100])
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_other_threads_never_see_the_switch():
    cut = encode(picture(size=(64, 64)), "JPEG")[:-300]
    stop = threading.Event()
    strict = []

    def program():
        while not stop.is_set():
            try:
                Image.open(io.BytesIO(cut)).load()
                strict.append(False)
            except OSError:
                strict.append(True)

    thread = threading.Thread(target=program)
    thread.start()
    for _ in range(200):
        decode_image(cut)
    stop.set()
    thread.join()
    assert strict
    assert all(strict)


def test_tolerant_plugins_are_made_in_any_order(monkeypatch):
    for first in (PngImagePlugin.PngStream, PngImagePlugin.ChunkStream):
        monkeypatch.setattr(_pillow, "_classes", {})
        monkeypatch.setattr(_pillow, "_namespaces", {})
        stream = _pillow.tolerant(first)
        plugin = _pillow.tolerant(PngImagePlugin.PngImageFile)
        globals_ = plugin._open.__globals__
        assert globals_["PngStream"] is _pillow.tolerant(PngImagePlugin.PngStream)
        assert _pillow.tolerant(first) is stream
    assert _pillow.tolerant(Image.Image) is Image.Image
    assert issubclass(
        _pillow.tolerant(JpegImagePlugin.JpegImageFile), JpegImagePlugin.JpegImageFile
    )


def decoded_otherwise(name):
    """Smoothing of cut progressive JPEGs was mended in libjpeg-turbo 3.0.1."""
    version = features.version("libjpeg_turbo") or "0"
    return name == "truncated_progressive_60" and int(version.split(".")[0]) < 3


def test_golden_subset(data):
    folder = data / "images"
    for name, sha in json.loads((folder / "odd.json").read_text()).items():
        payload = (folder / f"odd_{name}").read_bytes()
        if decoded_otherwise(name):
            continue
        if sha is None:
            with pytest.raises(ImageError):
                decode_image(payload)
        else:
            assert hashlib.sha256(decode_image(payload)).hexdigest() == sha, name


def test_all_golden_pictures(golden):
    rows = json.loads((golden / "refhcm/expected/odd_images.json").read_text())
    expected = {
        row["id"]: row.get("decoded_sha256") for row in rows["configs"]["96"]["rows"] if "id" in row
    }
    seen = 0
    for line in (golden / "refhcm/odd_images.tsv").read_text().splitlines():
        name, _, _, _, text = line.split("\t")
        if expected.get(name) is None or decoded_otherwise(name):
            continue
        payload = base64.urlsafe_b64decode(text.replace("+", "-").replace("/", "_"))
        assert hashlib.sha256(decode_image(payload)).hexdigest() == expected[name], name
        seen += 1
    assert seen > 50
