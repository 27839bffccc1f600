"""HWC bytes to normalised numbers, CHW or HWC."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from refpix.kernels._registry import Backend, kernel
from refpix.types import DType


def normalize_table(
    mean: tuple[float, float, float], std: tuple[float, float, float], dtype: DType
) -> npt.NDArray[Any]:
    """The 256 values of each channel.

    Args:
        mean: per channel, of values in 0..1.
        std: per channel.
        dtype: ``float32``, ``float16`` or ``bfloat16``.

    Returns:
        (3, 256), float32, float16, or bfloat16 as uint16 bit patterns.
    """
    scaled = np.arange(256, dtype=np.float32) / np.float32(255)
    means = np.array(mean, dtype=np.float32)[:, None]
    with np.errstate(all="ignore"):
        table: npt.NDArray[np.float32] = (scaled - means) / np.array(std, dtype=np.float32)[:, None]
        if dtype == "float32":
            return table
        if dtype == "float16":
            return table.astype(np.float16)
    if dtype != "bfloat16":
        raise ValueError(f"dtype: expected float32, float16 or bfloat16, got {dtype}")
    bits = table.view(np.uint32).astype(np.uint64)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16  # to nearest, ties to even
    return np.where(np.isnan(table), 0x7FC0, rounded).astype(np.uint16)


@kernel
def image_normalize(
    images: npt.NDArray[np.uint8],
    *,
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5),
    std: tuple[float, float, float] = (0.5, 0.5, 0.5),
    dtype: DType = "float32",
    channels_last: bool = False,
    out: npt.NDArray[Any] | None = None,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> npt.NDArray[Any]:
    """Scale bytes to 0..1, subtract the mean, divide by the standard deviation.

    Each step is rounded to float32 (``v / 255``, ``- mean``, ``/ std``); 16-bit types are rounded
    from that, to nearest, ties to even.

    Args:
        images: uint8 (n, H, W, 3); rows and images may be strided, the pixels of a row not.
        mean: per channel, of values in 0..1.
        std: per channel.
        dtype: ``float32``, ``float16`` or ``bfloat16``.
        channels_last: give (n, H, W, 3) instead of planes.
        out: optional array of that type and shape to fill.
        num_threads: threads to use at most.
        backend: which implementation.

    Returns:
        (n, 3, H, W), or (n, H, W, 3) with ``channels_last``: float32 or float16; bfloat16 as uint16
        bit patterns, for ``torch.from_numpy(...).view(torch.bfloat16)``.

    Raises:
        ValueError: wrong shape, strides or names.

    Source: torchvision, ``to_tensor`` and ``normalize``.
    """
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
        raise ValueError("images: expected uint8 (n, H, W, 3)")
    table = normalize_table(mean, std, dtype)
    planes = [table[c][images[..., c]] for c in range(3)]
    stacked = np.stack(planes, axis=3 if channels_last else 1)
    if out is None:
        return stacked
    out[...] = stacked
    return out
