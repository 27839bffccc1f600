"""JPEG files to test with, what Pillow makes of them, and what the kernel does."""

import io

import numpy as np
from PIL import Image, ImageFile

from refpix.errors import ImageError
from refpix.kernels import jpeg_decode
from refpix.types import BytesBatch

VARIANTS = [
    "arithmetic",
    "arithmetic_progressive",
    "arithmetic_restart",
    "chroma_finer",
    "cmyk_without_adobe",
    "gray_2x2",
    "progressive_440",
    "rgb_by_ids",
    "sequential_scans",
    "sub_410",
    "sub_411",
    "sub_440",
    "sub_441",
    "sub_444_2x1",
    "sub_uneven",
    "ycc_without_markers",
    "ycck",
    "ycck_420",
    "ycck_progressive",
]


def drawn(width, height, bands=3, seed=0):
    """Edges, gradients and noise: uint8 (height, width, bands)."""
    rng = np.random.default_rng([seed, width, height])
    coarse = rng.integers(0, 256, (height // 6 + 1, width // 6 + 1, bands))
    image = np.kron(coarse, np.ones((6, 6, 1)))[:height, :width]
    return np.clip(image + rng.normal(0, 12, image.shape), 0, 255).astype(np.uint8)


def encode(width, height, mode="RGB", seed=0, **options):
    image = Image.fromarray(drawn(width, height, 4, seed)[..., :3])
    if mode == "CMYK":
        bands = drawn(width, height, 4, seed)
        layers = [Image.fromarray(np.ascontiguousarray(bands[..., i])) for i in range(4)]
        image = Image.merge("CMYK", layers)
    file = io.BytesIO()
    image.convert(mode).save(file, "JPEG", **{"quality": 85, **options})
    return file.getvalue()


def pillow(payload, truncated=False):
    """What Pillow gives, or None for an error."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = truncated
    try:
        return np.asarray(Image.open(io.BytesIO(payload)).convert("RGB"))
    except Exception:
        return None
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def decode(payload, backend="cpu", **options):
    return jpeg_decode(*BytesBatch.from_items([payload]), backend=backend, **options).image(0)


def outcome(payload, backend="cpu", **options):
    """Pixels and "decoded", or None and the fault."""
    try:
        return decode(payload, backend, **options), "decoded"
    except ImageError as error:
        return None, error.fault


def damaged(rng, payload):
    """A file with some bytes other than they were, or gone."""
    broken = bytearray(payload)
    scan = payload.find(b"\xff\xda")
    for _ in range(rng.choice([1, 1, 2, 10])):
        at = rng.randrange(0 if rng.random() < 0.3 else scan, len(broken))
        broken[at] = rng.choice([0x00, 0xFF, rng.randrange(256)])
    if rng.random() < 0.2:
        at = rng.randrange(len(broken))
        del broken[at : at + rng.randrange(20)]
    return bytes(broken)
