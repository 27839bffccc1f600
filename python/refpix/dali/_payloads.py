"""Encoded pictures that DALI decodes to our pixels, whatever a row holds.

A picture that DALI refuses ends its whole pipeline, and a few it reads differently. So payloads
are looked at first: JPEGs and PNGs that are whole and of a common kind pass as they are; all others
are decoded here, as `refpix.Loader` would, and passed on as uncompressed BMP.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from refpix import _pillow
from refpix.datasets._images import Decoder
from refpix.errors import ImageError, KernelError

__all__ = ["NOTHING", "Presenter"]

Bytes = npt.NDArray[np.uint8]

_JPEG, _JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
_PNG, _PNG_END = b"\x89PNG\r\n\x1a\n", b"\0\0\0\0IEND\xaeB`\x82"
# Modes that Pillow opens such a file in and that DALI was seen to read to the same pixels.
_MODES = {_JPEG: ("L", "RGB"), _PNG: ("1", "L", "LA", "P", "RGB", "RGBA")}
_ENDS = {_JPEG: _JPEG_END, _PNG: _PNG_END}


def _bmp(pixels: Bytes) -> Bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "BMP")
    return np.frombuffer(file.getvalue(), np.uint8)


#: Stands for a batch of which no row is left: DALI takes no empty batches. One black pixel.
NOTHING = _bmp(np.zeros((1, 1, 3), np.uint8))


@dataclass(frozen=True)
class Presenter:
    """How payloads are handed to DALI.

    Attributes:
        allow_truncated: keep what arrived of a picture whose data ends early.
        pixel_limit: most pixels of a picture; None for no limit.
    """

    allow_truncated: bool
    pixel_limit: int | None

    def present(self, payload: Bytes) -> Bytes:
        """The payload itself, or its pixels as BMP; uint8 (bytes,).

        Raises:
            KernelError: no picture, a damaged one, or one with too many pixels.
        """
        if self._passes(payload.tobytes()):
            return payload
        span = np.array([[0, len(payload)]], np.int64)
        decoder = Decoder(self.allow_truncated, self.pixel_limit)
        (picture,) = decoder.decode(payload, span, "raw")
        if isinstance(picture, KernelError):
            raise picture
        if isinstance(picture, MemoryError):
            raise KernelError("out_of_memory") from picture
        if isinstance(picture, Exception):
            raise ImageError("image_corrupt") from picture
        return _bmp(picture)

    def _passes(self, payload: bytes) -> bool:
        for head, end in _ENDS.items():
            if payload.startswith(head) and payload.endswith(end):
                break
        else:
            return False
        try:
            image = _pillow.open_image(payload, allow_truncated=False)
        except Exception:  # whatever the plugin raises: the decoder will say what is wrong
            return False
        if image is None or image.mode not in _MODES[head]:
            return False
        return self.pixel_limit is None or image.width * image.height <= self.pixel_limit
