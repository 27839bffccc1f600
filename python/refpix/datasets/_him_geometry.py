"""Where training looks at a picture: crops around mattes, affine maps; one decision per sample."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from refpix.datasets import _opencv
from refpix.datasets._him_draws import Draws
from refpix.datasets._opencv_warp import Warp
from refpix.datasets.him_item import Planes, Stack

__all__ = ["crop_by_alpha", "draw_matrix", "flip", "warp"]

_OPAQUE = 127  # greater values of a matte are foreground
_ATTEMPTS = 3
_ROTATION, _SHEAR = 10, 5  # degrees, either way
_ZOOM = (0.95, 1.05)
_SHIFT = 0.03 * 255  # of colours


def crop_by_alpha(stack: Stack, draws: Draws, crop: tuple[int, int], padding_p: float) -> Stack:
    """A window that begins in the box of the mattes, or the whole picture made square and small.

    The box is that of pixels where the mean of all mattes is above 127, or the picture. Of three
    windows the first one with foreground is taken, else the last.

    Args:
        stack: at least as large as the window.
        draws: what is drawn with.
        crop: height and width of the window.
        padding_p: how likely the whole picture is taken.

    Source: MaGGIe, maggie/dataloader/transforms.py (RandomCropByAlpha).
    """
    left, top, right, bottom = _box(stack.alphas)
    if draws.happens(padding_p):
        return _whole(stack, crop)
    height, width = stack.alphas.shape[1:]
    right, bottom = max(right - crop[1], left + 1), max(bottom - crop[0], top + 1)
    for _ in range(_ATTEMPTS):
        x = min(draws.number(left, right), width - crop[1])
        y = min(draws.number(top, bottom), height - crop[0])
        window = (slice(None), slice(y, y + crop[0]), slice(x, x + crop[1]))
        if (stack.alphas[window] > _OPAQUE).any():
            break
    masks = None if stack.masks is None else stack.masks[window]
    return replace(stack, frames=stack.frames[window], alphas=stack.alphas[window], masks=masks)


def _box(alphas: Planes) -> tuple[int, int, int, int]:
    """Left, top, last column, last row of where the mean of the mattes is foreground."""
    high = alphas.sum(axis=0, dtype=np.uint32) > _OPAQUE * len(alphas)
    rows, columns = np.flatnonzero(high.any(axis=1)), np.flatnonzero(high.any(axis=0))
    if not rows.size:
        return 0, 0, high.shape[1], high.shape[0]
    return int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])


def _whole(stack: Stack, crop: tuple[int, int]) -> Stack:
    """All of the picture: zeros on both sides until it is square, then resized."""
    height, width = stack.alphas.shape[1:]
    y, x = (0, (height - width) // 2) if height > width else ((width - height) // 2, 0)

    def padded(plane: Planes) -> Planes:
        return np.pad(plane, [(y, y), (x, x), *[(0, 0)] * (plane.ndim - 2)])

    linear, nearest = _opencv.resize_linear, _opencv.resize_nearest
    masks = stack.masks
    return replace(
        stack,
        frames=np.stack([linear(padded(frame), crop) for frame in stack.frames]),
        alphas=np.stack([linear(padded(alpha), crop) for alpha in stack.alphas]),
        masks=None if masks is None else np.stack([nearest(padded(m), crop) for m in masks]),
    )


def flip(stack: Stack) -> Stack:
    """Left is right."""
    masks = None if stack.masks is None else stack.masks[:, :, ::-1]
    return replace(
        stack, frames=stack.frames[:, :, ::-1], alphas=stack.alphas[:, :, ::-1], masks=masks
    )


def draw_matrix(draws: Draws, size: tuple[int, int]) -> npt.NDArray[np.float64]:
    """Rotation by up to 10 degrees, shear by up to 5, zoom of 0.95 to 1.05 each way.

    Args:
        draws: what is drawn with.
        size: height and width of the picture, about whose centre things turn.

    Returns:
        float64 (2, 3), from input (x, y, 1) to output (x, y).

    Source: MaGGIe, maggie/dataloader/utils.py (random_transform): multiplied there in the order
    row, column, whose map this is.
    """
    uniform = draws.own.uniform
    turn = np.pi / 180 * uniform(-_ROTATION, _ROTATION)
    shear = np.pi / 180 * uniform(-_SHEAR, _SHEAR)
    zooms = uniform(*_ZOOM), uniform(*_ZOOM)
    cos, sin = np.cos(turn), np.sin(turn)
    matrix = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    cos, sin = np.cos(shear), np.sin(shear)
    if draws.happens(0.5):
        sheared = np.array([[1, -sin, 0], [0, cos, 0], [0, 0, 1]])
    else:
        sheared = np.array([[cos, 0, 0], [sin, 1, 0], [0, 0, 1]])
    matrix = matrix @ sheared @ np.diag([*zooms, 1.0])
    centre = [side / 2 + 0.5 for side in size]
    there, back = np.eye(3), np.eye(3)
    there[:2, 2], back[:2, 2] = centre, [-c for c in centre]
    matrix = there @ matrix @ back
    return np.ascontiguousarray(np.column_stack([matrix[1::-1, 1::-1], matrix[1::-1, 2]]))


def warp(stack: Stack, draws: Draws, *, masks_too: bool) -> Stack:
    """An affine map of frames (bilinear) and mattes (nearest), then colours brighter or darker.

    Args:
        stack: of uint8 frames.
        draws: what is drawn with.
        masks_too: move the masks as well, which the published program forgets.

    Returns:
        The stack with float32 frames: their shift of up to 7.65 levels is no integer. Each frame
        stays within its least and greatest value.
    """
    mapping = Warp(draw_matrix(draws, stack.alphas.shape[1:]), stack.alphas.shape[1:])
    frames = np.stack([mapping.linear(frame) for frame in stack.frames])
    alphas = np.stack([mapping.nearest(alpha) for alpha in np.ascontiguousarray(stack.alphas)])
    masks = stack.masks
    if masks is not None and masks_too:
        masks = np.stack([mapping.nearest(mask) for mask in np.ascontiguousarray(masks)])
    shift = draws.own.uniform(-_SHIFT, _SHIFT)
    least = frames.min(axis=(1, 2, 3), keepdims=True)
    most = frames.max(axis=(1, 2, 3), keepdims=True)
    shifted = np.clip(frames.astype(np.float64) + shift, least, most).astype(np.float32)
    return replace(stack, frames=shifted, alphas=alphas, masks=masks)
