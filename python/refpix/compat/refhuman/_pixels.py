"""Where this package decodes, resizes and normalises: refpix's kernels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from refpix import _pillow
from refpix.datasets._images import Decoder
from refpix.errors import ImageError
from refpix.kernels import image_normalize, image_resize
from refpix.types import BytesBatch, PassOrder

__all__ = ["Picture", "decode", "normalise", "resize", "size_of"]

Pixels = npt.NDArray[np.uint8]
#: What transforms take: a PIL image, or RGB uint8 (H, W, 3), which saves a copy.
Picture = Image.Image | Pixels

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


def size_of(image: Picture) -> tuple[int, int]:
    """Width and height."""
    if isinstance(image, Image.Image):
        return image.size
    return image.shape[1], image.shape[0]


def resize(image: Picture, size: tuple[int, int], order: PassOrder) -> Picture:
    """Pillow's bilinear resize to (height, width), antialiased."""
    if isinstance(image, Image.Image):
        if image.mode != "RGB":
            return image.resize(size[::-1], Image.Resampling.BILINEAR)
        resized = resize(np.asarray(image), size, order)
        assert isinstance(resized, np.ndarray)
        return Image.fromarray(resized)
    if image.shape[:2] == size:
        return np.ascontiguousarray(image)
    pixels = np.ascontiguousarray(image).reshape(-1)
    offsets, sizes = np.array([0, len(pixels)]), np.array([image.shape[:2]])
    return image_resize(
        pixels, offsets, sizes, out_size=size, filter="bilinear", order=order
    ).reshape(*size, 3)


def normalise(
    image: Pixels, mean: Sequence[float], std: Sequence[float]
) -> npt.NDArray[np.float32]:
    """uint8 (H, W, 3) as float32 (3, H, W): ``(v / 255 - mean) / std``."""
    (a, b, c), (d, e, f) = mean, std
    planes: npt.NDArray[np.float32] = image_normalize(
        np.ascontiguousarray(image)[np.newaxis], mean=(a, b, c), std=(d, e, f)
    )[0]
    return planes
