"""Resize and normalise, fused."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from refpix.kernels._image_normalize import image_normalize
from refpix.kernels._image_resize import image_resize
from refpix.kernels._registry import Backend, kernel
from refpix.types import DType, PassOrder, ResizeFilter


@kernel
def image_resize_normalize(
    pixels: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    *,
    out_size: tuple[int, int],
    filter: ResizeFilter = "bicubic",
    order: PassOrder = "auto",
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5),
    std: tuple[float, float, float] = (0.5, 0.5, 0.5),
    dtype: DType = "float32",
    channels_last: bool = False,
    out: npt.NDArray[Any] | None = None,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> npt.NDArray[Any]:
    """Resize RGB images to one size and normalise them, without bytes in between.

    The result is that of ``image_resize`` and ``image_normalize`` one after the other, to the bit.

    Args:
        pixels: uint8 (bytes,), images end to end, each (H, W, 3) in C order
            (``refpix.types.ImagesBatch``).
        offsets: int64 (n + 1,); image i is ``pixels[offsets[i]:offsets[i + 1]]``.
        sizes: int64 (n, 2), height and width in pixels.
        out_size: height and width of the results in pixels.
        filter: as ``image_resize``; on a device no ``lanczos``.
        order: as ``image_resize``.
        mean: per channel, of values in 0..1.
        std: per channel.
        dtype: ``float32``, ``float16`` or ``bfloat16``.
        channels_last: give (n, h, w, 3) instead of planes.
        out: optional array of that type and shape to fill.
        num_threads: threads to use at most; each takes whole images.
        backend: which implementation.

    Returns:
        (n, 3, h, w), or (n, h, w, 3) with ``channels_last``: float32 or float16; bfloat16 as uint16
        bit patterns.

    Raises:
        KernelError: an image of no pixels, or offsets that do not match the sizes.

    Source: Pillow, src/libImaging/Resample.c; torchvision, ``to_tensor`` and ``normalize``.
    """
    resized = image_resize(
        pixels, offsets, sizes, out_size=out_size, filter=filter, order=order, backend="reference"
    )
    return image_normalize(
        resized,
        mean=mean,
        std=std,
        dtype=dtype,
        channels_last=channels_last,
        out=out,
        backend="reference",
    )
