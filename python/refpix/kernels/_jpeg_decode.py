"""JPEG files to RGB pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import ImageFile

from refpix import _pillow
from refpix.errors import ImageError, KernelError
from refpix.kernels._registry import Backend, kernel
from refpix.types import PIXEL_LIMIT, ImagesBatch

SCAN_LIMIT = 100


@kernel(inexact=("cuda",))
def jpeg_decode(
    values: npt.NDArray[np.uint8],
    spans: npt.NDArray[np.int64],
    *,
    roi: npt.NDArray[np.int64] | None = None,
    scale_denom: int = 1,
    allow_truncated: bool = False,
    pixel_limit: int = PIXEL_LIMIT,
    scan_limit: int = SCAN_LIMIT,
    out: npt.NDArray[np.uint8] | None = None,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> ImagesBatch:
    """Decode JPEG files to what ``PIL.Image.open(...).convert("RGB")`` gives, bit for bit.

    Baseline and progressive, Huffman and arithmetic coding, any sampling, gray (replicated),
    YCbCr, RGB, CMYK and YCCK (taken as Adobe's, inverted). EXIF orientation is not applied.

    ``backend="cuda"``, which ``auto`` never chooses, is inexact: nvJPEG decodes what it reads
    nearly as libjpeg-turbo does, the CPU the rest, exactly. How near that is has not been measured
    on a GPU (``refpix.kernels._nvjpeg.BOUND``). Files and pixels are NumPy arrays there too; to
    keep the pixels on the device use ``refpix.cuda.JpegDecoder``. It takes ``scale_denom=1`` and
    the default ``scan_limit`` only.

    Args:
        values: uint8 (bytes,).
        spans: int64 (n, 2); item i is the file ``values[spans[i, 0]:spans[i, 1]]``.
        roi: int64 (n, 4), x0, y0, x1, y1 in pixels of the output: only this box of each image,
            the same pixels as a crop of all of it. What lies above and beside is only skipped
            over; rows below are not read, damage there is not found.
        scale_denom: 1, 2, 4 or 8. Other than 1 is inexact: the inverse DCT gives every n-th
            pixel, which equals Pillow's ``draft`` mode and not its ``resize``.
        allow_truncated: as with ``ImageFile.LOAD_TRUNCATED_IMAGES = True``: once the header is
            whole, damaged or missing data is no fault, what cannot be decoded is blank.
        pixel_limit: greatest width * height of a file, checked before anything is allocated.
        scan_limit: greatest number of scans of a progressive file; Pillow has no such limit.
        out: optional uint8 (bytes,) to fill, at least as long as the pixels.
        num_threads: threads to use at most.
        backend: which implementation.

    Returns:
        The images end to end: pixels uint8 (bytes,), offsets int64 (n + 1,), sizes int64 (n, 2)
        as height and width. ``.image(i)`` is uint8 (H, W, 3).

    Raises:
        ImageError: names the item and the byte. Reasons: no JPEG (``image_unrecognised``), too
            large (``image_pixel_limit``, ``jpeg_scan_limit``), a box outside (``image_bad_roi``),
            damage (``jpeg_bad_header``, ``jpeg_corrupt``, ``jpeg_truncated``), or
            ``jpeg_unsupported``: 12 bits, lossless, two components, arithmetic coding over 64 KiB
            and, with libjpeg-turbo before 3.0.1, progressive files that were cut. Decode those by
            ``refpix.io.image.decode_image``.

    Source: Pillow, src/libImaging/JpegDecode.c, PIL/JpegImagePlugin.py; ITU-T T.81.
    """
    images = []
    for item, (start, stop) in enumerate(spans):
        payload = values[start:stop].tobytes()
        try:
            image = _open(payload, scale_denom, allow_truncated, pixel_limit, scan_limit)
            box = None if roi is None else tuple(int(edge) for edge in roi[item])
            images.append(_pixels(image, box))
        except KernelError as error:
            raise ImageError(error.fault, item, error.position) from error
    batch = ImagesBatch.from_images(images)
    if out is None:
        return batch
    if out.size < batch.pixels.size:
        raise ValueError(f"out: too small: expected at least {batch.pixels.size} bytes")
    out[: batch.pixels.size] = batch.pixels
    return batch._replace(pixels=out)


def _open(
    payload: bytes, scale_denom: int, allow_truncated: bool, pixel_limit: int, scan_limit: int
) -> ImageFile.ImageFile:
    if not payload.startswith(b"\xff\xd8\xff"):
        raise ImageError("image_unrecognised")
    try:
        image = _pillow.open_jpeg(payload, allow_truncated=allow_truncated)
    except Exception as error:
        unsupported = "cannot handle" in str(error)
        raise ImageError("jpeg_unsupported" if unsupported else "jpeg_bad_header") from error
    width, height = image.size
    if width * height > pixel_limit:
        raise ImageError("image_pixel_limit")
    if _count_scans(payload) > scan_limit:
        raise ImageError("jpeg_scan_limit")
    if scale_denom != 1:
        # What draft() does when it finds that a scale fits the size asked for.
        image._size = -(-width // scale_denom), -(-height // scale_denom)
        name, _, at, args = image.tile[0]
        tile: Any = (name, (0, 0, *image.size), at, args)
        image.tile = [tile]
        image.decoderconfig = (scale_denom, 0)
    return image


def _pixels(image: ImageFile.ImageFile, box: tuple[int, ...] | None) -> npt.NDArray[np.uint8]:
    x0, y0, x1, y1 = (0, 0, *image.size) if box is None else box
    if not (0 <= x0 < x1 <= image.width and 0 <= y0 < y1 <= image.height):
        raise ImageError("image_bad_roi")
    try:
        return _pillow.to_rgb(image)[y0:y1, x0:x1]
    except MemoryError:
        raise
    except Exception as error:
        truncated = "truncated" in str(error)
        raise ImageError("jpeg_truncated" if truncated else "jpeg_corrupt") from error


def _count_scans(payload: bytes) -> int:
    scans = 0
    at = 2
    while True:
        at = payload.find(b"\xff", at)
        if at < 0 or at + 4 > len(payload):
            return scans
        marker = payload[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker == 0x00 or 0xD0 <= marker <= 0xD9:
            at += 2
        else:
            scans += marker == 0xDA
            at += 2 + int.from_bytes(payload[at + 2 : at + 4], "big")
