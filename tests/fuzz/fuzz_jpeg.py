"""Any bytes as a JPEG: pixels as Pillow's, or an error where Pillow's is one; never a crash."""

import io
import warnings
from pathlib import Path

import numpy as np
from harness import run
from PIL import Image

from refpix import _pillow
from refpix.errors import ImageError
from refpix.kernels import jpeg_decode
from refpix.types import BytesBatch

IMAGES = Path(__file__).resolve().parent.parent / "data" / "images"
PIXEL_LIMIT = 1 << 18
# The kernel's own limits, and what it leaves to Pillow.
OURS_ALONE = {"image_pixel_limit", "jpeg_scan_limit", "jpeg_unsupported"}


def pillow(payload: bytes, truncated: bool) -> np.ndarray | None:
    try:
        return _pillow.to_rgb(_pillow.open_jpeg(payload, allow_truncated=truncated))
    except Exception:
        return None


def one_input(payload: bytes) -> None:
    batch = BytesBatch.from_items([payload])
    for truncated in (False, True):
        for scale_denom in (1, 4):
            try:
                got = jpeg_decode(
                    *batch,
                    allow_truncated=truncated,
                    scale_denom=scale_denom,
                    pixel_limit=PIXEL_LIMIT,
                ).image(0)
                fault = None
            except ImageError as error:
                got, fault = None, error.fault
            if scale_denom != 1 or fault in OURS_ALONE:
                continue
            expected = pillow(payload, truncated)
            if (got is None) != (expected is None):
                raise AssertionError(f"truncated={truncated}: {fault}, Pillow: {expected is None}")
            if got is not None and not np.array_equal(got, expected):
                raise AssertionError(f"truncated={truncated}: pixels differ from Pillow's")


def corpus() -> list[bytes]:
    files = [path.read_bytes() for path in sorted(IMAGES.glob("*.jpg"))]
    for options in ({}, {"progressive": True}, {"restart_marker_blocks": 1}, {"optimize": True}):
        noise = np.random.default_rng(0).integers(0, 256, (19, 22, 3), dtype=np.uint8)
        file = io.BytesIO()
        Image.fromarray(noise).save(file, "JPEG", **options)
        files.append(file.getvalue())
    return files


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    run(one_input, corpus())
