"""Foregrounds over backgrounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from refpix.kernels._registry import Backend, kernel

_BITS = 7


def _divide_255(biased: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """To the nearest, of a value that 128 was added to."""
    quotient: npt.NDArray[Any] = (biased + (biased >> 8)) >> 8
    return quotient


def _paste(
    under: npt.NDArray[np.uint8], over: npt.NDArray[np.uint8], matte: npt.NDArray[np.uint8]
) -> npt.NDArray[np.uint8]:
    b, f, m = (a.astype(np.uint32) for a in (under, over, matte[..., None]))
    return _divide_255(b * (255 - m) + f * m + 128).astype(np.uint8)


def _rgba(under: npt.NDArray[np.uint8], over: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    b, f = under.astype(np.uint32), over.astype(np.uint32)
    alpha = f[..., 3:]
    alpha_255 = alpha * 255 + b[..., 3:] * (255 - alpha)
    front = (alpha * (255 * 255) << _BITS) // np.maximum(alpha_255, 1)
    back = (255 << _BITS) - front
    colour = _divide_255(f[..., :3] * front + b[..., :3] * back + (128 << _BITS)) >> _BITS
    mixed = np.concatenate([colour, _divide_255(alpha_255 + 128)], axis=-1)
    return np.where(alpha == 0, b, mixed).astype(np.uint8)


def _light(level: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Linear light of sRGB levels 0..255 (IEC 61966-2-1), 0..1."""
    value = level / 255.0
    low, high = value / 12.92, ((value + 0.055) / 1.055) ** 2.4
    return np.where(value <= 0.04045, low, high).astype(np.float32)


def _mix(
    under: npt.NDArray[np.float32], over: npt.NDArray[np.float32], matte: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    m = matte[..., None]
    mixed: npt.NDArray[np.float32] = under * (np.float32(1) - m) + over * m
    return mixed


def _linear(
    under: npt.NDArray[np.uint8], over: npt.NDArray[np.uint8], matte: npt.NDArray[np.uint8]
) -> npt.NDArray[np.uint8]:
    light = _light(np.arange(256.0))
    thresholds = _light(np.arange(255) + 0.5)
    mixed = _mix(light[under], light[over], matte.astype(np.float32) / np.float32(255))
    levels = np.searchsorted(thresholds, mixed.reshape(-1), side="right").reshape(mixed.shape)
    return np.where(matte[..., None] == 0, under, levels).astype(np.uint8)


_MIXES: dict[str, Callable[..., npt.NDArray[Any]]] = {
    "paste": _paste,
    "linear": _linear,
    "float": _mix,
}


@kernel
def alpha_composite(
    backgrounds: npt.NDArray[Any],
    foregrounds: npt.NDArray[Any],
    mattes: npt.NDArray[Any] | None,
    *,
    positions: npt.NDArray[np.int64],
    mode: Literal["paste", "rgba", "linear", "float"] = "paste",
    out: npt.NDArray[Any] | None = None,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> npt.NDArray[Any]:
    """Lay foregrounds over backgrounds through mattes, each at its position, clipped.

    Alpha is straight (colours are not premultiplied). The modes:

    ``paste``
        ``t = b * (255 - m) + f * m + 128; (t + (t >> 8)) >> 8``: the quotient by 255 to the
        nearest, as Pillow's ``Image.paste`` through a mask of mode L, to the bit.
    ``rgba``
        RGBA over RGBA, as Pillow's ``Image.alpha_composite``, to the bit; no mattes.
    ``linear``
        As ``paste``, but mixed in linear light (sRGB curve, float32), then the nearest sRGB level.
    ``float``
        ``b * (1 - m) + f * m`` in float32, of any range.

    Args:
        backgrounds: uint8 (n, H, W, C), float32 in mode ``float``; 4 channels in ``rgba``.
        foregrounds: the same type, (n, h, w, C).
        mattes: the same type, (n, h, w), how much of the foreground shows, 0..255 or 0..1;
            None in mode ``rgba``.
        positions: int64 (n, 2), x and y of the foreground's first pixel in the background, which
            may lie outside; what falls outside is left away.
        mode: which arithmetic.
        out: optional array like ``backgrounds`` to fill. It may be ``backgrounds`` itself: then
            only the pixels under the foregrounds are touched.
        num_threads: threads to use at most; large pictures are split by rows.
        backend: which implementation.

    Returns:
        (n, H, W, C), the type of ``backgrounds``.

    On a device all arrays lie there, ``positions`` too, and a row holds less than 2**31 values. The
    background is copied in the same pass; in place, what does not change is not written.

    Source: Pillow, src/libImaging/Paste.c (paste_mask_L) and AlphaComposite.c.
    """
    result = np.empty_like(backgrounds) if out is None else out
    if result is not backgrounds:
        result[...] = backgrounds
    height, width = backgrounds.shape[1:3]
    fg_height, fg_width = foregrounds.shape[1:3]
    for item, (x, y) in enumerate(positions.tolist()):
        x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + fg_width, width), min(y + fg_height, height)
        if x0 >= x1 or y0 >= y1:
            continue
        seen = (item, slice(y0 - y, y1 - y), slice(x0 - x, x1 - x))
        under, over = result[item, y0:y1, x0:x1], foregrounds[seen]
        if mattes is None:
            under[...] = _rgba(under, over)
        else:
            under[...] = _MIXES[mode](under, over, mattes[seen])
    return result
