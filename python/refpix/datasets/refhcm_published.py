"""The published program's way from a payload to a tensor, in Pillow and NumPy: what we equal."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from refpix import _pillow
from refpix.datasets._rows import Payloads

__all__ = ["published_batch", "published_image"]

_HALF = (0.5, 0.5, 0.5)
_STANDARD_ALPHABET = bytes.maketrans(b"-_", b"+/")


def published_image(
    payload: bytes,
    *,
    size: int | tuple[int, int] = 512,
    mean: Sequence[float] = _HALF,
    std: Sequence[float] = _HALF,
) -> npt.NDArray[np.float32]:
    """One picture as the published program hands it to the model.

    Args:
        payload: an image file's bytes.
        size: height and width of the result in pixels, or one number for both.
        mean: per channel, of values in 0..1.
        std: per channel.

    Returns:
        float32 (3, h, w).

    Raises:
        OSError: the payload is no picture, or a broken one. Data that ends early is accepted.

    Source: RefHCM, data/mm_data (``__getitem__``) with utils/transforms.py; its
    ``ImageFile.LOAD_TRUNCATED_IMAGES = True`` is here without changing Pillow's global.
    """
    height, width = (size, size) if isinstance(size, int) else size
    picture = _pillow.open_image(payload, allow_truncated=True)
    if picture is None:
        raise UnidentifiedImageError("cannot identify image")
    resized = picture.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
    pixels = np.ascontiguousarray(np.asarray(resized).transpose(2, 0, 1))
    tensor = pixels.astype(np.float32)
    tensor /= np.float32(255)
    tensor -= np.array(mean, np.float32).reshape(3, 1, 1)
    tensor /= np.array(std, np.float32).reshape(3, 1, 1)
    return tensor


def published_batch(
    payloads: Payloads, *, size: int | tuple[int, int] = 512
) -> npt.NDArray[np.float32]:
    """Pictures one by one as the published program reads them, then stacked.

    Args:
        payloads: as ``RefHCM.payloads`` gives them.
        size: as for `published_image`.

    Returns:
        float32 (n, 3, h, w).

    Raises:
        ValueError: a text is no base64.
        OSError: a payload is no picture.
    """
    values, spans, encoding = payloads
    tensors = []
    for start, stop in spans.tolist():
        payload = values[start:stop].tobytes()
        if encoding == "base64":
            # Both alphabets, as base64.urlsafe_b64decode() reads them today.
            payload = base64.b64decode(payload.translate(_STANDARD_ALPHABET))
        tensors.append(published_image(payload, size=size))
    return np.stack(tensors)
