"""jpeg_decode against Pillow and simplejpeg, on photo-like 640x480 files of about 146 KB."""

import io
from functools import partial

import numpy as np
import simplejpeg
from PIL import Image
from timing import compare

from refpix.kernels import jpeg_decode
from refpix.types import BytesBatch


def photo(rng: np.random.Generator, height: int = 480, width: int = 640) -> Image.Image:
    """Noise whose spectrum falls as 1/f, the way photographs' does, alike in all colours."""
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequency[0, 0] = 1 / width

    def noise() -> np.ndarray:
        spectrum = np.fft.rfft2(rng.standard_normal((height, width))) / frequency
        values = np.fft.irfft2(spectrum, (height, width))
        return (values - values.mean()) / values.std()

    luma = noise()
    bands = [np.clip(120 + 50 * luma + 15 * noise(), 0, 255) for _ in range(3)]
    return Image.fromarray(np.stack(bands, axis=-1).astype(np.uint8))


def encode(image: Image.Image, wanted: int = 146_000, **options: object) -> bytes:
    """The file of the quality that comes closest to the size wanted."""
    files = []
    for quality in range(60, 99, 2):
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality, **options)
        files.append(file.getvalue())
    return min(files, key=lambda f: abs(len(f) - wanted))


def pillow(payload: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(payload)).convert("RGB"))


def compare_on(title: str, payloads: list[bytes]) -> None:
    batch = BytesBatch.from_items(payloads)
    decoded = jpeg_decode(*batch)
    for i, payload in enumerate(payloads):
        np.testing.assert_array_equal(decoded.image(i), pillow(payload))
        np.testing.assert_array_equal(decoded.image(i), simplejpeg.decode_jpeg(payload))
    out = np.empty_like(decoded.pixels)
    one = np.empty((480, 640, 3), np.uint8)
    boxes = {
        f"roi of 200x200 {where}": np.tile(np.array(box), (len(payloads), 1))
        for where, box in {
            "on top": (200, 0, 400, 200),
            "in the middle": (200, 140, 400, 340),
            "at the bottom": (200, 280, 400, 480),
        }.items()
    }
    for roi in boxes.values():
        x0, y0, x1, y1 = roi[0]
        parts = jpeg_decode(*batch, roi=roi)
        for i, payload in enumerate(payloads):
            np.testing.assert_array_equal(parts.image(i), pillow(payload)[y0:y1, x0:x1])
    mean = sum(map(len, payloads)) / len(payloads) / 1e3
    compare(
        f"{len(payloads)} images of 640x480, {title}, mean {mean:.0f} KB",
        {
            "Pillow": lambda: [pillow(p) for p in payloads],
            "simplejpeg": lambda: [simplejpeg.decode_jpeg(p) for p in payloads],
            "simplejpeg, buffer=": lambda: [
                simplejpeg.decode_jpeg(p, buffer=one) for p in payloads
            ],
            "Pillow, cropped": lambda: [pillow(p)[140:340, 200:400] for p in payloads],
            **{name: partial(jpeg_decode, *batch, roi=roi) for name, roi in boxes.items()},
            "scale_denom=2": lambda: jpeg_decode(*batch, scale_denom=2, out=out),
            "new array": lambda: jpeg_decode(*batch),
            "out=": lambda: jpeg_decode(*batch, out=out),
        },
    )


def main() -> None:
    rng = np.random.default_rng(0)
    images = [photo(rng) for _ in range(8)]
    for title, options in (
        ("4:2:0", {"subsampling": 2}),
        ("4:4:4", {"subsampling": 0}),
        ("4:2:0 progressive", {"subsampling": 2, "progressive": True}),
    ):
        compare_on(title, [encode(image, **options) for image in images])


if __name__ == "__main__":
    main()
