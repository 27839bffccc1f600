"""8-bit pictures to another size as OpenCV makes it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from refpix.kernels._registry import Backend, kernel

_ONE = 2048  # weights have 11 fractional bits


@kernel
def image_resize_opencv(
    images: npt.NDArray[np.uint8],
    *,
    size: tuple[int, int],
    out: npt.NDArray[np.uint8] | None = None,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> npt.NDArray[np.uint8]:
    """Resize pictures as OpenCV's ``resize`` with ``INTER_LINEAR``, to the bit.

    Two taps each way, no antialiasing: of a large picture made small most pixels are not looked at.
    Halving both sides averages four pixels, as OpenCV does: ties go up with 1, 3 or 4 channels,
    else to even. The same size is a copy.

    Args:
        images: uint8 (n, H, W, C), H and W at least 1.
        size: height and width of the results in pixels.
        out: optional uint8 (n, h, w, C) to fill.
        num_threads: threads to use at most; each takes whole pictures.
        backend: which implementation.

    Returns:
        uint8 (n, h, w, C).

    Raises:
        ValueError: a side is 0.

    No CUDA implementation: pictures and mattes come from decoders on the host.

    Source: OpenCV, modules/imgproc/src/resize.cpp (fixed-point bilinear of 8-bit images).
    """
    if min(images.shape[1:3]) < 1 or min(size) < 1:
        raise ValueError(f"from {images.shape[1:3]} to {size}: sides must be positive")
    result = np.empty((len(images), *size, images.shape[3]), np.uint8) if out is None else out
    for image, resized in zip(images, result, strict=True):
        resized[...] = _resized(image, size)
    return result


def _resized(image: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[Any]:
    height, width = image.shape[:2]
    new_height, new_width = size
    if (height, width) == size:
        return image
    if (height, width) == (2 * new_height, 2 * new_width):
        total = image.astype(np.uint16)
        total = total[0::2] + total[1::2]
        total = total[:, 0::2] + total[:, 1::2]
        half = 2 if image.shape[2] in (1, 3, 4) else 1 + (total >> 2 & 1)  # else: ties to even
        return (total + half) >> 2
    left, rest = _taps(width, new_width)
    rest[(left < 0) | (left >= width - 1)] = 0  # columns beyond the edge repeat it
    left = np.clip(left, 0, width - 1)
    top, below = _taps(height, new_height)  # of rows, both taps are clipped instead
    rows, which = np.unique(np.clip([top, top + 1], 0, height - 1), return_inverse=True)
    first, second = which.reshape(2, new_height)
    source = image[rows]
    u, v = _weights(rest)
    lines = source[:, left] * u[:, None] + source[:, np.minimum(left + 1, width - 1)] * v[:, None]
    lines >>= 4
    u, v = _weights(below)
    total = (u[:, None, None] * lines[first]) >> 16
    total += (v[:, None, None] * lines[second]) >> 16
    resized: npt.NDArray[Any] = np.minimum((total + 2) >> 2, 255)
    return resized


def _taps(old: int, new: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """First of the two input pixels of each output pixel, and the second's weight."""
    at = ((np.arange(new) + 0.5) * (1 / (new / old)) - 0.5).astype(np.float32)
    first = np.floor(at)
    return first.astype(np.int64), at - first


def _weights(rest: npt.NDArray[np.float32]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    scale = np.float32(_ONE)
    return (
        np.rint((np.float32(1) - rest) * scale).astype(np.int32),
        np.rint(rest * scale).astype(np.int32),
    )
