"""RGB or gray pixels to JPEG files."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from refpix.errors import ImageError
from refpix.kernels._registry import Backend, kernel


@kernel
def jpeg_encode(
    images: npt.NDArray[np.uint8],
    *,
    quality: int = 75,
    canvas: tuple[int, int] | None = None,
    positions: npt.NDArray[np.int64] | None = None,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Encode pictures as baseline JPEG: libjpeg's defaults, 4:2:0, standard Huffman tables.

    The files are those of Pillow's ``save(..., "JPEG")`` wherever both are built on the same
    release line of libjpeg-turbo (seen equal, byte for byte, between 2.1 and 3.2).

    Args:
        images: uint8 (n, H, W, C), RGB or gray (one channel).
        quality: 1 to 100, libjpeg's scale.
        canvas: height and width of the pictures in the files; each image lies at its position on
            black. None: the images' own size.
        positions: int64 (n, 2), x and y of each image on its canvas, within which it lies; None:
            the upper left corner.
        num_threads: threads to use at most; each takes whole pictures.
        backend: which implementation.

    Returns:
        values uint8 (bytes,), the files end to end, and offsets int64 (n + 1,): file i is
        ``values[offsets[i]:offsets[i + 1]]``.

    Raises:
        ImageError: an image does not lie within its canvas.

    No CUDA implementation: nvJPEG's files have other pixels.

    Source: Pillow, PIL/JpegImagePlugin.py (_save) at its defaults; ITU-T T.81.
    """
    files = []
    size = images.shape[1:3] if canvas is None else canvas
    for item, image in enumerate(images):
        x, y = (0, 0) if positions is None else (int(v) for v in positions[item])
        h, w, channels = image.shape
        if x < 0 or y < 0 or x + w > size[1] or y + h > size[0]:
            raise ImageError("image_bad_roi", item)
        picture = np.zeros((*size, channels), np.uint8)
        picture[y : y + h, x : x + w] = image
        buffer = io.BytesIO()
        Image.fromarray(picture[..., 0] if channels == 1 else picture).save(
            buffer, "JPEG", quality=quality
        )
        files.append(np.frombuffer(buffer.getvalue(), np.uint8))
    offsets = np.cumsum([0, *(f.size for f in files)], dtype=np.int64)
    return (np.concatenate(files) if files else np.empty(0, np.uint8)), offsets
