"""Any bytes as a JPEG: pixels as Pillow's, or an error where Pillow's is one; never a crash.

Boxes of it, drawn from the bytes: what the rows down to the box's last give, fault and all.
"""

import io
import warnings
import zlib
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


def decode(payload: bytes, **options: object) -> np.ndarray | tuple[str, int]:
    """Pixels, or the fault and its position."""
    batch = BytesBatch.from_items([payload])
    try:
        return jpeg_decode(*batch, pixel_limit=PIXEL_LIMIT, **options).image(0)
    except ImageError as error:
        return error.fault, error.position


def check_boxes(payload: bytes, truncated: bool, height: int, width: int) -> None:
    rng = np.random.default_rng(zlib.crc32(payload))
    for _ in range(3):
        x0, y0 = int(rng.integers(width)), int(rng.integers(height))
        x1, y1 = int(rng.integers(x0, width)) + 1, int(rng.integers(y0, height)) + 1
        got, rows = (
            decode(payload, allow_truncated=truncated, roi=np.array([box], np.int64))
            for box in ((x0, y0, x1, y1), (0, 0, width, y1))
        )
        if isinstance(rows, np.ndarray):
            same = isinstance(got, np.ndarray) and np.array_equal(got, rows[y0:, x0:x1])
        else:
            same = isinstance(got, tuple) and got == rows
        if not same:
            raise AssertionError(f"truncated={truncated}: box {x0} {y0} {x1} {y1} differs")


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
            if scale_denom != 1:
                continue
            if truncated and got is not None:
                check_boxes(payload, False, *got.shape[:2])
                check_boxes(payload, True, *got.shape[:2])
            if fault in OURS_ALONE:
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
