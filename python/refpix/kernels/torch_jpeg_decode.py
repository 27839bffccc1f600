"""``jpeg_decode`` on a device: nvJPEG where it reads a file as Pillow does, the CPU elsewhere."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from refpix.errors import from_fault
from refpix.kernels import _registry
from refpix.kernels._jpeg_decode import SCAN_LIMIT
from refpix.kernels.torch_jpeg import DecodedImages, shared_decoder
from refpix.types import ImagesBatch


def jpeg_decode(
    values: npt.NDArray[np.uint8],
    spans: npt.NDArray[np.int64],
    *,
    roi: npt.NDArray[np.int64] | None,
    scale_denom: int,
    allow_truncated: bool,
    pixel_limit: int,
    scan_limit: int,
    out: npt.NDArray[np.uint8] | None,
    num_threads: int,
) -> ImagesBatch:
    """Decodes on torch's current device, waits, and brings the pixels back to host memory.

    Raises:
        ValueError: ``scale_denom`` or ``scan_limit`` are not the defaults.
    """
    if scale_denom != 1 or scan_limit != SCAN_LIMIT:
        raise ValueError("scale_denom, scan_limit: not available on a device")
    images = shared_decoder(num_threads).decode_as(
        values, spans, roi=roi, allow_truncated=allow_truncated, pixel_limit=pixel_limit
    )
    _raise_first(images)
    pixels = images.pixels.cpu().numpy()
    if out is not None:
        if not isinstance(out, np.ndarray) or out.dtype != np.uint8:
            raise TypeError("out: expected a NumPy array of dtype uint8")
        if out.ndim != 1 or out.size < pixels.size:
            raise ValueError(
                f"out: too small: expected at least {pixels.size} bytes, got {out.size}"
            )
        out[: pixels.size] = pixels
        pixels = out
    return ImagesBatch(pixels, images.host_offsets, images.host_sizes)


def _raise_first(images: DecodedImages) -> None:
    bad = np.flatnonzero(images.faults[:, 0])
    if len(bad):
        item = int(bad[0])
        fault, position = (int(number) for number in images.faults[item])
        raise from_fault(_registry.fault_name(fault), item, position)
