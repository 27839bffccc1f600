"""Pictures from bytes, of any format, through Pillow: the readable path."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from refpix import _pillow
from refpix.errors import ImageError

__all__ = ["decode_image"]


def decode_image(
    payload: bytes, *, allow_truncated: bool = True, pixel_limit: int | None = None
) -> npt.NDArray[np.uint8]:
    """Decode a picture of any format that Pillow knows, told by its content.

    The pixels are those of ``PIL.Image.open(...).convert("RGB")`` in the published pipelines:
    EXIF orientation is not applied, alpha is dropped without blending, palettes are looked up,
    gray is replicated and, where it has 16 bits, clipped at 255. Of an animation it is the first
    picture. Pillow's global settings are neither looked at nor changed; any thread may call this.

    Args:
        payload: the file.
        allow_truncated: as with ``ImageFile.LOAD_TRUNCATED_IMAGES = True``: of a file that was
            cut after its header, what is there is decoded. A JPEG's missing blocks are gray 128,
            a PNG's missing rows black.
        pixel_limit: greatest width * height, checked before pixels are allocated. None: any size,
            as the published pipelines; set one for files that you do not trust.

    Returns:
        uint8 (H, W, 3), RGB, C order, writable.

    Raises:
        ImageError: the payload is no picture, too large, cut or damaged; ``fault`` is
            ``image_unrecognised``, ``image_pixel_limit``, ``image_truncated`` or
            ``image_corrupt``. What Pillow said is its ``__cause__``.
        MemoryError: the pixels do not fit.
    """
    if not payload:  # which some plugins would call damaged
        raise ImageError("image_unrecognised")
    try:
        image = _pillow.open_image(payload, allow_truncated=allow_truncated)
    except MemoryError:
        raise
    except Exception as error:  # Plugins let anything through when a header is broken.
        raise ImageError(_fault(error)) from error
    if image is None:
        raise ImageError("image_unrecognised")
    if pixel_limit is not None and image.width * image.height > pixel_limit:
        raise ImageError("image_pixel_limit")
    try:
        return _pillow.to_rgb(image)
    except MemoryError:
        raise
    except Exception as error:
        raise ImageError(_fault(error)) from error


def _fault(error: Exception) -> str:
    return "image_truncated" if "truncated" in str(error).lower() else "image_corrupt"
