"""Native payload-to-batch against the reference, on mutated pictures, as files and as base64."""

import base64
import warnings

import numpy as np
from fuzz_jpeg import corpus as pictures
from harness import run

from refpix.kernels import fault_name, image_batch, isas, use_isa
from refpix.types import BytesBatch

PIXEL_LIMIT = 1 << 18
DTYPES = ["float32", "float16", "bfloat16"]
FILTERS = ["bicubic", "bilinear", "box", "lanczos"]
# What the native decoder leaves to Pillow, which the reference is.
LEFT = {"jpeg_unsupported"}
# Counted differently in damaged files: the reference counts markers behind the end of the picture.
SCANS = "jpeg_scan_limit"


def name_of(fault):
    """A fault; what is wrong with a JPEG, and where, is Pillow's to say or ours."""
    name = fault_name(int(fault[0]))
    if name.startswith("base64_"):
        return name, int(fault[1])
    return "jpeg" if name.startswith("jpeg_") else name


def one_input(data: bytes) -> None:
    """The first byte picks the options; good pictures stand on either side."""
    flags, payload = (data[0], data[1:]) if data else (0, b"")
    encoding = "base64" if flags & 1 else "raw"
    batch = BytesBatch.from_items([GOOD[encoding], payload, GOOD[encoding]])
    options = {
        "encoding": encoding,
        "size": (5 + flags % 7, 9 - flags % 5),
        "filter": FILTERS[flags >> 1 & 3],
        "order": "pillow12" if flags & 8 else "pillow13",
        "dtype": DTYPES[flags % 3],
        "allow_truncated": bool(flags & 16),
        "pixel_limit": PIXEL_LIMIT,
    }
    alone = BytesBatch.from_items([payload])
    want, want_sizes, want_faults = image_batch(*alone, backend="reference", **options)
    every = isas()
    with use_isa(every[len(payload) % len(every)]):
        got, sizes, faults = image_batch(*batch, num_threads=2, backend="cpu", **options)
    assert not faults[[0, 2], 0].any(), faults
    assert got[0].tobytes() == got[2].tobytes()
    name = fault_name(int(faults[1, 0]))
    if SCANS in (name, fault_name(int(want_faults[0, 0]))):
        return
    if name not in LEFT:
        assert name_of(faults[1]) == name_of(want_faults[0]), (faults, want_faults)
    if name == "none":
        np.testing.assert_array_equal(sizes[1], want_sizes[0])
        assert got[1].tobytes() == want[0].tobytes()


def corpus() -> list[bytes]:
    """Small pictures only: each is decoded by the reference too, and under sanitizers."""
    files = pictures()[-4:]
    raw = [bytes([2 * i]) + file for i, file in enumerate(files)]
    text = [bytes([2 * i | 17]) + base64.b64encode(file) for i, file in enumerate(files)]
    return [*raw, *text, b"\0"]


GOOD = {"raw": pictures()[-1]}
GOOD["base64"] = base64.b64encode(GOOD["raw"])

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    run(one_input, corpus())
