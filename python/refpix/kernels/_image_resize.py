"""Pillow's resize of 8-bit images, bit for bit."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt
import PIL

from refpix.errors import KernelError
from refpix.kernels._registry import Backend, kernel
from refpix.types import PassOrder, ResizeFilter

_BITS = 22
_A = -0.5


def _bicubic(x: float) -> float:
    x = abs(x)
    if x < 1.0:
        return ((_A + 2.0) * x - (_A + 3.0)) * x * x + 1.0
    return (((x - 5.0) * x + 8.0) * x - 4.0) * _A if x < 2.0 else 0.0


def _bilinear(x: float) -> float:
    return 1.0 - abs(x) if abs(x) < 1.0 else 0.0


def _box(x: float) -> float:
    return 1.0 if -0.5 < x <= 0.5 else 0.0


def _sinc(x: float) -> float:
    return math.sin(x * math.pi) / (x * math.pi) if x != 0.0 else 1.0


def _lanczos(x: float) -> float:
    return _sinc(x) * _sinc(x / 3.0) if -3.0 <= x < 3.0 else 0.0


_FILTERS = {
    "bicubic": (_bicubic, 2.0),
    "bilinear": (_bilinear, 1.0),
    "box": (_box, 0.5),
    "lanczos": (_lanczos, 3.0),
}


def pass_order(order: PassOrder) -> Literal["pillow12", "pillow13"]:
    """Resolves ``auto`` to what the installed Pillow does.

    Args:
        order: a pass order.

    Raises:
        ValueError: an unknown name.
    """
    if order == "auto":
        return "pillow13" if int(PIL.__version__.split(".")[0]) >= 13 else "pillow12"
    if order not in ("pillow12", "pillow13"):
        raise ValueError(f"order: expected pillow13, pillow12 or auto, got {order}")
    return order


def _vertical_first(order: str, shrinks_by: int, h: int, w: int, narrows_by: int) -> bool:
    """Whether rows are combined before columns; Pillow 12 does so for slivers only."""
    return shrinks_by > 0 and (shrinks_by > 2 * narrows_by if order == "pillow13" else h > 100 * w)


def _taps(n_in: int, n_out: int, name: ResizeFilter) -> list[tuple[int, npt.NDArray[np.int64]]]:
    """First input pixel and fixed-point weights of each output pixel."""
    weight, support = _FILTERS[name]
    scale = n_in / n_out
    stretch = max(scale, 1.0)
    support *= stretch
    reciprocal = 1.0 / stretch
    taps = []
    for output in range(n_out):
        centre = (output + 0.5) * scale
        low = max(0, int(centre - support + 0.5))
        high = min(n_in, int(centre + support + 0.5))
        line = [weight((x - centre + 0.5) * reciprocal) for x in range(low, high)]
        total = 0.0
        for w in line:  # one by one: the order of the additions is part of the result
            total += w
        if total != 0.0:
            line = [w / total for w in line]
        fixed = [int(w * (1 << _BITS) + (0.5 if w >= 0 else -0.5)) for w in line]
        taps.append((low, np.array(fixed, dtype=np.int64)))
    return taps


def _pass(
    image: npt.NDArray[np.uint8], n_out: int, name: ResizeFilter, axis: int
) -> npt.NDArray[np.uint8]:
    """One pass along an axis, rounded to 8 bits."""
    if image.shape[axis] == n_out:
        return image
    lines = np.moveaxis(image, axis, 0).astype(np.int64)
    out = np.empty((n_out, *lines.shape[1:]), dtype=np.uint8)
    for o, (low, weights) in enumerate(_taps(lines.shape[0], n_out, name)):
        total = np.tensordot(weights, lines[low : low + len(weights)], axes=1)
        out[o] = np.clip((total + (1 << (_BITS - 1))) >> _BITS, 0, 255)
    return np.moveaxis(out, 0, axis)


@kernel
def image_resize(
    pixels: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    *,
    out_size: tuple[int, int],
    channels: int = 3,
    filter: ResizeFilter = "bicubic",
    order: PassOrder = "auto",
    out: npt.NDArray[np.uint8] | None = None,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> npt.NDArray[np.uint8]:
    """Resize images as Pillow's ``Image.resize`` does, antialiased, to the bit.

    Args:
        pixels: uint8 (bytes,), images end to end, each (H, W, channels) in C order
            (``refpix.types.ImagesBatch``).
        offsets: int64 (n + 1,); image i is ``pixels[offsets[i]:offsets[i + 1]]``.
        sizes: int64 (n, 2), height and width in pixels.
        out_size: height and width of the results in pixels.
        channels: 1 (mode L) or 3 (RGB).
        filter: ``bicubic``, ``bilinear``, ``box`` or ``lanczos``.
        order: which pass goes first, as in ``pillow13`` or ``pillow12``; ``auto`` is what the
            installed Pillow does. The first pass is rounded to 8 bits, so results differ.
        out: optional uint8 (n, h, w, channels) to fill.
        num_threads: threads to use at most; each takes whole images.
        backend: which implementation.

    Returns:
        uint8 (n, h, w, channels).

    Raises:
        KernelError: an image of no pixels, or offsets that do not match the sizes.

    Source: Pillow, src/libImaging/Resample.c.
    """
    first = pass_order(order)
    height, width = out_size
    count = len(sizes)
    result = np.empty((count, height, width, channels), np.uint8) if out is None else out
    for item in range(count):
        h, w = (int(s) for s in sizes[item])
        if h < 1 or w < 1:
            raise KernelError("bad_size", item)
        start, stop = offsets[item], offsets[item + 1]
        if start < 0 or stop > len(pixels) or stop - start != h * w * channels:
            raise KernelError("span_out_of_bounds", item, int(start))
        image = pixels[start:stop].reshape(h, w, channels)
        if _vertical_first(first, h - height, h, w, w - width):
            result[item] = _pass(_pass(image, height, filter, 0), width, filter, 1)
        else:
            result[item] = _pass(_pass(image, width, filter, 1), height, filter, 0)
    return result
