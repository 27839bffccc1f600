"""Where this package decodes and zooms: refpix's kernels."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from refpix.errors import ImageError
from refpix.io.image import decode_image
from refpix.kernels import base64_decode, jpeg_decode
from refpix.metrics import zoom_labels as _zoom_integers
from refpix.types import PIXEL_LIMIT, BytesBatch

__all__ = ["Pixels", "decode_base64", "decode_file", "zoom_labels"]

Pixels = npt.NDArray[np.uint8]

_JPEG_MAGIC = b"\xff\xd8\xff"


def decode_base64(text: str) -> Pixels:
    """The picture of a base64 text, either alphabet: uint8 (H, W, 3) RGB.

    Raises:
        Base64Error: the text is no base64.
        ImageError: the payload is no picture.
    """
    return _decode(base64_decode(*BytesBatch.from_items([text]))[0])


def decode_file(path: str | os.PathLike[str]) -> Pixels:
    """The picture of a file: uint8 (H, W, 3) RGB.

    Raises:
        OSError: the file cannot be read.
        ImageError: it is no picture; names the file.
    """
    try:
        return _decode(np.fromfile(path, dtype=np.uint8))
    except ImageError as e:
        raise ValueError(f"{os.fspath(path)}: {e.reason}") from e


def _decode(payload: Pixels) -> Pixels:
    if payload[:3].tobytes() == _JPEG_MAGIC:
        span = np.array([[0, len(payload)]])
        try:
            images = jpeg_decode(payload, span, allow_truncated=True)
            return images.image(0)
        except ImageError as e:
            if e.fault != "jpeg_unsupported":
                raise
    return decode_image(payload.tobytes(), allow_truncated=True, pixel_limit=PIXEL_LIMIT)


def zoom_labels(labels: npt.NDArray[Any], size: tuple[int, int]) -> npt.NDArray[np.int32]:
    """A label map (H, W) of any type at another size, nearest in SciPy's way: int32."""
    integers = labels if labels.dtype.kind in "biu" else labels.astype(np.int32)
    return _zoom_integers(integers, size, rule="scipy")
