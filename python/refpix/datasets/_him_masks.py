"""Guidance masks for training: mattes made binary, and damaged as a segmenter damages them."""

from __future__ import annotations

import numpy as np

from refpix.datasets._him_draws import Draws
from refpix.datasets.him_item import Planes, down_up

__all__ = ["cut", "dilate", "drop", "erode", "perturbed", "roughened"]

_ORDERS = ("dilate_erode", "erode_dilate", "dilate", "erode")


def perturbed(masks: Planes, draws: Draws, *, kernel: int, coarse_p: float, holes: bool) -> Planes:
    """The published chain of mask perturbations.

    Args:
        masks: uint8 (n, H, W), mattes or 0 and 255.
        draws: what is drawn with.
        kernel: dilation and erosion are by squares of 1 to ``kernel - 1`` pixels.
        coarse_p: how likely a mask goes down to an eighth and back.
        holes: cut holes too, as for clips.

    Returns:
        uint8 (n, H, W), 0 and 255.

    Source: MaGGIe, maggie/dataloader/transforms.py (RandomBinarizedMask, DownUpMask, CutMask,
    MaskDropout).
    """
    rough = np.stack([roughened(mask, draws, kernel) for mask in masks])
    for mask in rough:
        if draws.happens(coarse_p):
            mask[:] = down_up(mask)
    cut(rough, draws)
    if holes:
        drop(rough, draws)
    return rough


def roughened(matte: Planes, draws: Draws, kernel: int) -> Planes:
    """A matte above a threshold of 10 to 95 %, then dilated, eroded, or both in either order.

    Args:
        matte: uint8 (H, W).
        draws: what is drawn with.
        kernel: squares are of 1 to ``kernel - 1`` pixels.
    """
    threshold = int(draws.own.uniform(0.1, 0.95) * 255)
    mask: Planes = (matte > threshold).astype(np.uint8) * np.uint8(255)
    sizes = {"dilate": draws.number(1, kernel), "erode": draws.number(1, kernel)}
    for step in draws.one_of(_ORDERS).split("_"):
        mask = (dilate if step == "dilate" else erode)(mask, sizes[step])
    return mask


def dilate(mask: Planes, size: int) -> Planes:
    """Greatest value in a square, as OpenCV's ``dilate``; pixels beyond the picture do not count.

    Args:
        mask: uint8 (H, W).
        size: of the square; of an even one the left and upper half is the larger.
    """
    for axis in (0, 1):
        mask = _window_most(mask, size, axis)
    return mask


def erode(mask: Planes, size: int) -> Planes:
    """Least value in a square, as OpenCV's ``erode``; otherwise as `dilate`."""
    return ~dilate(~mask, size)


def _window_most(mask: Planes, size: int, axis: int) -> Planes:
    """Maximum over windows of ``size`` along an axis, that begin ``size // 2`` before."""
    lines = np.moveaxis(mask, axis, 0)
    before = size // 2
    pad = np.zeros((size, *lines.shape[1:]), np.uint8)
    most = np.concatenate([pad[:before], lines, pad[: size - 1 - before]])
    reach = 1  # most[i] is the maximum of so many from i on
    while reach < size:
        step = min(reach, size - reach)
        most = np.maximum(most[: len(most) - step], most[step:])
        reach += step
    return np.moveaxis(most, 0, axis)


def cut(masks: Planes, draws: Draws) -> None:
    """Pieces out of place, in the masks themselves.

    Half of the time each mask may have a piece of itself copied elsewhere, else two masks may
    exchange what they have in the same place. Pieces measure an eighth to a quarter of the sides.

    Args:
        masks: uint8 (n, H, W).
        draws: what is drawn with.
    """
    height, width = masks.shape[1:]

    def piece() -> tuple[int, int]:
        return draws.number(height // 8, height // 4), draws.number(width // 8, width // 4)

    def place(h: int, w: int) -> tuple[slice, slice]:
        y, x = draws.number(0, height - h), draws.number(0, width - w)
        return slice(y, y + h), slice(x, x + w)

    if draws.happens(0.5):
        for mask in masks:
            if draws.happens(0.5):
                size = piece()
                there = place(*size)
                mask[there] = mask[place(*size)].copy()
    elif draws.happens(0.5) and len(masks) > 1:
        i, j = draws.pair(len(masks))
        there = place(*piece())
        masks[i][there], masks[j][there] = masks[j][there].copy(), masks[i][there].copy()


def drop(masks: Planes, draws: Draws) -> None:
    """Half of the time, holes in up to half of the masks, in the masks themselves.

    A hole lies at a pixel of the mask and measures a sixteenth to an eighth of the mask's box.
    Fewer than six masks, and masks of less than 16 pixels, are left alone.

    Args:
        masks: uint8 (n, H, W).
        draws: what is drawn with.
    """
    if draws.happens(0.5) or len(masks) // 2 < 3:
        return
    chosen = draws.own.choice(len(masks), draws.number(1, len(masks) // 2), replace=False)
    for mask in (masks[i] for i in chosen.tolist()):
        ys, xs = np.nonzero(mask)
        if not len(ys):
            continue
        bottom, right = int(ys.max()), int(xs.max())
        height, width = bottom - int(ys.min()) + 1, right - int(xs.min()) + 1
        if height < 16 or width < 16:
            continue
        h = draws.number(height // 16, height // 8)
        w = draws.number(width // 16, width // 8)
        at = int(draws.own.choice(len(ys)))
        y, x = min(int(ys[at]), bottom - h), min(int(xs[at]), right - w)
        mask[y : y + h, x : x + w] = 0
