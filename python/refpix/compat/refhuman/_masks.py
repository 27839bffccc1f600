"""Masks as the transforms see them: pixels in a tensor, or run lengths until the last step.

Run lengths go through flips, crops and resizes many times faster than pixels, with the same pixels
at the end. The dataset hands them to its own transforms; others get tensors.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from refpix import masks as runs
from refpix.kernels import rle_area, rle_crop, rle_flip, rle_resize
from refpix.metrics import zoom_labels
from refpix.types import RleBatch

__all__ = ["Masks", "areas", "count", "crop", "flip", "outside", "resize", "select", "to_tensor"]

#: uint8 or bool (n, H, W), or n masks as run lengths.
Masks = torch.Tensor | RleBatch


def count(masks: Masks) -> int:
    """How many there are."""
    return len(masks.sizes) if isinstance(masks, RleBatch) else len(masks)


def select(masks: Masks, keep: torch.Tensor) -> Masks:
    """Those that a bool tensor (n,) marks."""
    if isinstance(masks, RleBatch):
        return masks.take(np.flatnonzero(keep.numpy()))
    return masks[keep]


def flip(masks: Masks) -> Masks:
    """Mirrored left to right."""
    if isinstance(masks, RleBatch):
        return RleBatch(*rle_flip(*masks, axis="horizontal"))
    return masks.flip(-1)


def crop(masks: Masks, top: int, left: int, height: int, width: int) -> Masks:
    """A region of each."""
    if isinstance(masks, RleBatch):
        box = np.array([[left, top, left + width, top + height]], np.int64)
        return RleBatch(*rle_crop(*masks, np.repeat(box, count(masks), axis=0)))
    return masks[:, top : top + height, left : left + width]


def resize(masks: Masks, size: tuple[int, int]) -> Masks:
    """At (height, width), each pixel the nearest in torch's way; tensors become bool."""
    if isinstance(masks, RleBatch):
        sizes = np.array([size] * count(masks), np.int64)
        return RleBatch(*rle_resize(*masks, sizes, rule="torch"))
    plain = np.ascontiguousarray(masks.numpy()).view(np.uint8)
    zoomed = np.empty((len(plain), *size), np.bool_)
    for one, mask in zip(zoomed, plain, strict=True):
        one[...] = zoom_labels(mask, size, rule="torch")
    return torch.from_numpy(zoomed)


def areas(masks: Masks) -> torch.Tensor:
    """Pixels of each: float32 (n,)."""
    if isinstance(masks, RleBatch):
        return torch.from_numpy(rle_area(*masks).astype(np.float32))
    return masks.flatten(1).sum(1, dtype=torch.float32)


def to_tensor(masks: Masks, dtype: Any = "uint8") -> torch.Tensor:
    """Pixels (n, H, W), ``"uint8"`` or ``"bool"``; tensors stay as they are."""
    if isinstance(masks, RleBatch):
        return torch.from_numpy(runs.decode(masks, dtype=dtype))
    return masks


def outside(masks: RleBatch, points: npt.NDArray[np.int64]) -> list[int]:
    """Which point sets leave their mask.

    Args:
        masks: n masks, m of which are compared with as many point sets.
        points: int64 (m, k, 2), x and y; as in Python negative ones count from the far side.
    """
    found = []
    for item in range(min(count(masks), len(points))):
        height, width = masks.sizes[item].tolist()
        x, y = points[item].T
        within = (x >= -width) & (x < width) & (y >= -height) & (y < height)
        stops = np.cumsum(masks.runs(item), dtype=np.int64)
        places = np.where(within, x % width * height + y % height, 0)
        # Runs alternate, background first.
        if not (within & (np.searchsorted(stops, places, side="right") % 2 == 1)).all():
            found.append(item)
    return found
