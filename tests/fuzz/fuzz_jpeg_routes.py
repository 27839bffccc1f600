"""Any bytes as a JPEG: which decoder it is for; what is for the GPU is what it is said to be.

Never a crash; a header refused exactly where the kernel refuses it; a file for the GPU ends with an
end-of-image marker where it says, and Pillow takes it for gray or YCbCr of that size.
"""

import io
import warnings
from pathlib import Path

import numpy as np
from harness import run
from PIL import Image

from refpix.errors import ImageError
from refpix.kernels import _registry, fault_name, jpeg_decode
from refpix.types import BytesBatch

IMAGES = Path(__file__).resolve().parent.parent / "data" / "images"
PIXEL_LIMIT = 1 << 18


def route(payload: bytes) -> tuple[list[int], int, int, str]:
    """Size, bytes, engine and fault."""
    sizes, _, lengths, engines, _, faults = _registry.cpu_extension.jpeg_routes(
        *BytesBatch.from_items([payload]),
        roi=None,
        allow_truncated=True,
        pixel_limit=PIXEL_LIMIT,
        num_threads=1,
    )
    return sizes[0].tolist(), int(lengths[0]), int(engines[0]), fault_name(int(faults[0, 0]))


def decoded(payload: bytes) -> np.ndarray | str:
    try:
        batch = BytesBatch.from_items([payload])
        return jpeg_decode(*batch, allow_truncated=True, pixel_limit=PIXEL_LIMIT).image(0)
    except ImageError as error:
        return error.fault


def one_input(payload: bytes) -> None:
    size, length, engine, fault = route(payload)
    whole = decoded(payload)
    if engine == 0:
        assert size == [0, 0]
        assert whole == fault, (whole, fault)
        return
    assert fault == "none"
    if isinstance(whole, np.ndarray):
        assert list(whole.shape[:2]) == size
    if engine == 1:
        return
    # For nvJPEG: what follows the end is cut off, and that makes no difference.
    assert payload[:2] == b"\xff\xd8"
    assert payload[length - 2 : length] == b"\xff\xd9"
    again = decoded(payload[:length])
    assert np.array_equal(whole, again) if isinstance(whole, np.ndarray) else whole == again
    with Image.open(io.BytesIO(payload[:length])) as image:
        assert [image.height, image.width] == size
        assert image.mode in ("L", "RGB")
        assert min(size) >= 16


def corpus() -> list[bytes]:
    seeds = [path.read_bytes() for path in sorted(IMAGES.glob("*.jpg"))]
    rng = np.random.default_rng(2)
    for options in (
        {"subsampling": 0},
        {"subsampling": 2},
        {"subsampling": 1, "restart_marker_blocks": 2},
        {"progressive": True},
    ):
        file = io.BytesIO()
        pixels = rng.integers(0, 256, (24, 33, 3), np.uint8)
        Image.fromarray(pixels).save(file, "JPEG", **options)
        seeds.append(file.getvalue())
    return seeds


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    run(one_input, corpus())
