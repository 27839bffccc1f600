"""Masks stored as pictures: two values, nothing else."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from refpix import _pillow
from refpix.types import PIXEL_LIMIT

__all__ = ["as_mask", "read_mask"]


def as_mask(values: Any) -> npt.NDArray[np.bool_]:
    """An array as a mask, if it can only be meant as one.

    Args:
        values: bool or integers (H, W), of the latter 0 and at most one other value.

    Raises:
        ValueError: another kind or shape, or more values: it wants a threshold.
    """
    array = np.asarray(values)
    if array.ndim != 2 or array.dtype.kind not in "biu":
        raise ValueError(
            f"expected a mask of bool or integers, (H, W), got {array.dtype} {array.shape}"
        )
    if array.dtype == np.bool_:
        return array
    foreground: npt.NDArray[np.bool_] = array != 0
    low, high = int(array.min(initial=0)), int(array.max(initial=0))
    other = high or low
    if other not in (0, 1) and not (array[foreground] == other).all():
        few = ", ".join(map(str, np.unique(array)[:4].tolist()))
        raise ValueError(f"a mask has 0 and at most one other value, this has {few}, ...")
    if low < 0 < high:
        raise ValueError(f"a mask has 0 and at most one other value, this has {low}, {high}")
    return foreground


def read_mask(
    path: str | os.PathLike[str], *, pixel_limit: int | None = PIXEL_LIMIT
) -> npt.NDArray[np.bool_]:
    """Reads a mask from a PNG file of mode 1 or L.

    Args:
        path: of the file.
        pixel_limit: greatest width * height; None for any.

    Returns:
        bool (H, W).

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no whole PNG, of another mode (colours, palette, alpha, 16 bits), too
            large, or has more values than `as_mask` takes; names the file.
    """
    with open(path, "rb") as file:
        payload = file.read()
    try:
        image = _pillow.open_image(payload, allow_truncated=False) if payload else None
        if image is None or image.format != "PNG":
            kind = "no picture" if image is None else f"a {image.format} file"
            raise ValueError(f"expected a PNG, this is {kind}")
        if image.mode not in ("1", "L"):
            raise ValueError(f"expected mode 1 or L (8-bit gray), this has mode {image.mode}")
        if pixel_limit is not None and image.width * image.height > pixel_limit:
            raise ValueError(f"{image.width} x {image.height} is more than {pixel_limit} pixels")
        image.load()
        return as_mask(np.asarray(image))
    except MemoryError:
        raise
    except Exception as error:  # Plugins let anything through when a header is broken.
        raise ValueError(f"{os.fspath(path)}: {error}") from error
