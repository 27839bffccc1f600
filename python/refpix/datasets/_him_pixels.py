"""Colours as cameras and files change them: gamma, noise, blur, JPEG; training of matting models.

The published program leaves these steps to imgaug and albumentations. The same distributions are
drawn from here; the numbers drawn are others.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from refpix.datasets._him_draws import Draws
from refpix.datasets._opencv_warp import line_of_pixels
from refpix.datasets.him_item import Planes
from refpix.kernels import jpeg_decode, jpeg_encode
from refpix.types import BytesBatch, ImagesBatch

__all__ = ["blur", "change_gamma", "compress", "draw_line", "make_noisy"]

_GAMMA = (0.5, 1.5)  # and a deviation of 0.2 around 1
_NOISE = 0.03 * 255
_COMPRESSION = (20, 80)
_LINES = range(3, 50, 2)  # sides of the squares that lines of blur lie in


def change_gamma(frames: Planes, draws: Draws) -> Planes:
    """All frames to the power of one number: normal around 1, deviation 0.2, from 0.5 to 1.5.

    Args:
        frames: uint8 (T, H, W, 3).
        draws: what is drawn with.

    Source: imgaug, GammaContrast(TruncatedNormal(1.0, 0.2, 0.5, 1.5)).
    """
    gamma = draws.pixels.normal(1.0, 0.2)
    while not _GAMMA[0] <= gamma <= _GAMMA[1]:
        gamma = draws.pixels.normal(1.0, 0.2)
    levels = np.linspace(0, 1, 256, dtype=np.float32) ** np.float32(gamma) * np.float32(255)
    # A look-up of bytes that does not make indices of eight bytes first.
    changed = frames.tobytes().translate(levels.astype(np.uint8).tobytes())
    return np.frombuffer(changed, np.uint8).reshape(frames.shape)


def make_noisy(frames: Planes, draws: Draws) -> Planes:
    """One normal number a pixel, the same in all channels and frames; deviation of 0 to 7.65.

    Args:
        frames: uint8 (T, H, W, 3).
        draws: what is drawn with.

    Source: imgaug, AdditiveGaussianNoise(scale=(0, 0.03 * 255)).
    """
    deviation = draws.pixels.uniform(0, _NOISE)
    noise = draws.pixels.normal(0, deviation, frames.shape[1:3])
    noisy = frames + np.rint(noise).astype(np.int16)[..., None]
    np.clip(noisy, 0, 255, out=noisy)
    return noisy.astype(np.uint8)


def compress(frames: Planes, draws: Draws) -> Planes:
    """Written as JPEG of quality 23 to 80 and read again, all frames alike.

    Args:
        frames: uint8 (T, H, W, 3).
        draws: what is drawn with.

    Source: imgaug, JpegCompression(compression=(20, 80)).
    """
    compression = int(draws.pixels.uniform(*_COMPRESSION))
    quality = round(1 + 99 * (1 - compression / 101))
    files = jpeg_encode(np.ascontiguousarray(frames), quality=quality)
    images = ImagesBatch(*jpeg_decode(*BytesBatch.from_offsets(*files)))
    return np.stack([images.image(i) for i in range(len(frames))])


def draw_line(draws: Draws) -> list[tuple[int, int]]:
    """A line of blur: steps (y, x) from a pixel to those that it is the mean of.

    Between any two points of a square of 3 to 49 pixels around the pixel.
    """
    state = draws.pixels
    side = int(state.choice(_LINES))
    x = state.randint(0, side, 2).tolist()
    across = state.choice(side, 2, replace=False) if x[0] == x[1] else state.randint(0, side, 2)
    y = across.tolist()
    half = side // 2
    return [(v - half, u - half) for u, v in line_of_pixels((x[0], y[0]), (x[1], y[1]))]


def blur(planes: Planes, steps: list[tuple[int, int]]) -> Planes:
    """The mean of pixels along a line, rounded; the picture is reflected at its edges.

    Args:
        planes: uint8 (n, H, W) or (n, H, W, C); H and W are more than 24.
        steps: from `draw_line`.

    Source: albumentations, MotionBlur(blur_limit=(3, 49)); OpenCV, filter2D.
    """
    height, width = planes.shape[1:3]
    most = max(max(abs(dy), abs(dx)) for dy, dx in steps)
    around = [(0, 0), (most, most), (most, most), *[(0, 0)] * (planes.ndim - 3)]
    count = np.uint16(len(steps))
    blurred = np.empty_like(planes)
    for plane, out in zip(np.pad(planes, around, mode="reflect"), blurred, strict=True):
        total: npt.NDArray[np.uint16] = np.full(out.shape, count // 2, np.uint16)
        for dy, dx in steps:
            y, x = most + dy, most + dx
            total += plane[y : y + height, x : x + width]
        np.floor_divide(total, count, out=out, casting="unsafe")
    return blurred
