"""Brightness, contrast, saturation and hue, as Pillow changes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageEnhance

from refpix.errors import KernelError
from refpix.kernels._registry import Backend, kernel

_ENHANCERS = (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color)
_HUE, _NOTHING = 3, 4


def _shift_hue(picture: Image.Image, factor: float) -> Image.Image:
    hue, saturation, value = picture.convert("HSV").split()
    shifted = hue.point([(h + int(factor * 255)) % 256 for h in range(256)])
    return Image.merge("HSV", (shifted, saturation, value)).convert("RGB")


def _check(item: int, factors: npt.NDArray[Any], order: list[int]) -> None:
    for step, factor in enumerate(factors.tolist()):
        at = step * factors.itemsize
        if not np.isfinite(factor):
            raise KernelError("augment_not_finite", item, at)
        allowed = -0.5 <= factor <= 0.5 if step == _HUE else 0 <= factor <= np.finfo("f4").max
        if not allowed:
            raise KernelError("augment_out_of_range", item, at)
    steps = [step for step in order if step != _NOTHING]
    if max(order) > _NOTHING or len(set(steps)) != len(steps):
        raise KernelError("augment_out_of_range", item)


@kernel
def image_color_jitter(
    images: npt.NDArray[np.uint8],
    factors: npt.NDArray[np.float32] | npt.NDArray[np.float64],
    *,
    orders: npt.NDArray[np.uint8] | None = None,
    out: npt.NDArray[np.uint8] | None = None,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> npt.NDArray[np.uint8]:
    """Change brightness, contrast, saturation and hue of each picture of a batch.

    To the bit what torchvision's ``ColorJitter`` makes of a Pillow image of the same factors and
    order: each step is rounded to bytes. A hue factor of 0 is not nothing, as the way to HSV and
    back loses a little: torchvision leaves the step out then, and so can ``orders``.

    Args:
        images: uint8 (n, H, W, 3), C-contiguous.
        factors: float32 or float64 (n, 4): brightness, contrast and saturation, not negative, 1
            changes nothing; hue in turns, -0.5 to 0.5.
        orders: uint8 (n, 4), the steps as they come, each at most once: 0 brightness, 1 contrast,
            2 saturation, 3 hue, 4 no step; None: 0, 1, 2, 3.
        out: optional uint8 (n, H, W, 3) to fill, on other memory.
        num_threads: threads to use at most.
        backend: which implementation. ``cuda``: two passes, the first for the mean that contrast
            needs; nothing is waited for.

    Returns:
        uint8 (n, H, W, 3).

    Raises:
        KernelError: a factor that is not finite (``augment_not_finite``) or out of its range
            (``augment_out_of_range``), with its byte within the item's factors; an order with an
            unknown step or the same twice (``augment_out_of_range``). Names the item.

    Source: Pillow, ``ImageEnhance``, src/libImaging/Blend.c and Convert.c; torchvision,
    ``ColorJitter`` and ``adjust_hue``.
    """
    count = len(images)
    steps = np.tile(np.arange(4, dtype=np.uint8), (count, 1)) if orders is None else orders
    result = np.empty_like(images) if out is None else out
    for item in range(count):
        _check(item, factors[item], steps[item].tolist())
    for item in range(count if images.size else 0):
        picture = Image.fromarray(images[item])
        for step in steps[item].tolist():
            factor = float(factors[item, step]) if step != _NOTHING else 1.0
            if step == _HUE:
                picture = _shift_hue(picture, factor)
            elif step != _NOTHING:
                picture = _ENHANCERS[step](picture).enhance(factor)
        result[item] = np.asarray(picture)
    return result
