"""Where this package decodes: refpix's kernels, and what the published program takes as stored."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from refpix import _pillow
from refpix.datasets._images import Decoder
from refpix.errors import ImageError
from refpix.types import BytesBatch

__all__ = ["decode"]

Pixels = npt.NDArray[np.uint8]

_JPEG_MAGIC = b"\xff\xd8\xff"
#: Pixels of these modes the published program takes as they are stored.
_RAW_MODES = ("P", "YCbCr", "LAB", "HSV")
#: Of these it makes pictures that its own program can use.
_GOOD_MODES = ("RGB", "L", *_RAW_MODES)


def decode(
    payload: bytes, decoder: Decoder, *, palette_colours: bool, published_errors: bool
) -> Pixels:
    """A picture: uint8 (H, W, 3).

    Args:
        payload: the file.
        decoder: how.
        palette_colours: False takes palette indices for gray.
        published_errors: raise where the published program fails later on.

    Raises:
        ImageError: no picture, or a broken one.
        RuntimeError: a picture that is neither gray nor of three channels.
    """
    jpeg = payload.startswith(_JPEG_MAGIC)
    mode = "RGB"
    if published_errors or not jpeg:
        image = _open(payload)
        mode = image.mode
        if published_errors and mode not in _GOOD_MODES:
            raise RuntimeError(f"a picture of mode {mode} does not normalise with three channels")
    if mode in _RAW_MODES and not jpeg and not (mode == "P" and palette_colours):
        return _raw(payload, decoder, mode)
    (picture,) = decoder.decode(*BytesBatch.from_items([payload]), "raw")
    if isinstance(picture, Exception):
        raise picture
    return picture


def _open(payload: bytes) -> Any:
    try:
        image = _pillow.open_image(payload, allow_truncated=True)
    except MemoryError:
        raise
    except Exception as e:  # plugins let anything through
        raise ImageError("image_corrupt") from e
    if image is None:
        raise ImageError("image_unrecognised")
    return image


def _raw(payload: bytes, decoder: Decoder, mode: str) -> Pixels:
    """The numbers as they are stored; gray ones three times."""
    image = _open(payload) if decoder.allow_truncated else _strictly(payload)
    if decoder.pixel_limit is not None and image.width * image.height > decoder.pixel_limit:
        raise ImageError("image_pixel_limit")
    try:
        stored = np.array(image)
    except MemoryError:
        raise
    except Exception as e:
        cut = "truncated" in str(e).lower()
        raise ImageError("image_truncated" if cut else "image_corrupt") from e
    return np.repeat(stored[..., np.newaxis], 3, axis=2) if stored.ndim == 2 else stored


def _strictly(payload: bytes) -> Any:
    try:
        return _pillow.open_image(payload, allow_truncated=False)
    except MemoryError:
        raise
    except Exception as e:
        raise ImageError("image_corrupt") from e
