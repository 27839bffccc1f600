"""From a network's mattes to the picture's: padding and resize undone, mattes cleaned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from refpix import kernels

__all__ = ["keep_largest", "resize_mattes", "snap_extremes", "undo_transforms"]

ResizeRule = Literal["opencv", "torch"]


def keep_largest(
    alpha: npt.ArrayLike, *, threshold: float = 0.05, num_threads: int = 1
) -> npt.NDArray[np.float32]:
    """The largest 8-connected part above a threshold of every map, zero elsewhere.

    Args:
        alpha: floating point (..., H, W).
        threshold: pixels above it count.
        num_threads: threads to use at most.

    Returns:
        float32, like ``alpha``; maps with nothing above the threshold as they were.

    Source: MaGGIe, maggie/utils/postprocessing.py (postprocess).
    """
    maps = _maps(alpha)
    flat = maps.reshape(-1, *maps.shape[-2:])
    kept = kernels.largest_component(flat, threshold=threshold, num_threads=num_threads)
    return kept.reshape(maps.shape)


def snap_extremes(alpha: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Values up to 1/255 become 0, from 254/255 on 1, as the published evaluation does.

    Args:
        alpha: floating point of any shape, 0..1.

    Returns:
        float32, a new array.

    Source: MaGGIe, maggie/engine/test.py (eval_image, eval_video).
    """
    snapped = np.array(alpha, dtype=np.float32)
    snapped[snapped <= np.float32(1 / 255)] = 0
    snapped[snapped >= np.float32(254 / 255)] = 1
    return snapped


def _maps(alpha: npt.ArrayLike) -> npt.NDArray[np.float32]:
    array = np.asarray(alpha)
    if array.dtype.kind != "f":
        raise TypeError(f"alpha: expected floating point, got {array.dtype}")
    if array.ndim < 2 or 0 in array.shape[-2:]:
        raise ValueError(f"alpha: expected (..., height, width), got {array.shape}")
    return np.ascontiguousarray(array, np.float32)


def _taps(
    n_in: int, n_out: int, rule: ResizeRule
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Lower and upper source of every output, and the weight of the upper."""
    at = np.arange(n_out)
    if rule == "opencv":  # pixel centres, in double up to the weight
        source = (at + 0.5) * (n_in / n_out) - 0.5
        low = np.floor(source).astype(np.int64)
        weight = (source - low).astype(np.float32)
        weight[(low < 0) | (low >= n_in - 1)] = 0
        low = low.clip(0, n_in - 1)
    else:  # corners on corners, float32 throughout
        scale = np.float32((n_in - 1) / (n_out - 1)) if n_out > 1 else np.float32(0)
        moved = at.astype(np.float32) * scale
        low = moved.astype(np.int64).clip(0, n_in - 1)
        weight = (moved - low.astype(np.float32)).clip(0, 1).astype(np.float32)
    return low, np.minimum(low + 1, n_in - 1), weight


def _between(
    a: npt.NDArray[np.float32],
    b: npt.NDArray[np.float32],
    weight: npt.NDArray[np.float32],
    rule: ResizeRule,
) -> npt.NDArray[np.float32]:
    if rule == "torch":
        return a * (1 - weight) + b * weight
    # OpenCV's fused multiply-add: the product of two float32 is exact in double.
    fused: npt.NDArray[np.float32] = ((b - a).astype(np.float64) * weight + a).astype(np.float32)
    return fused


def _resize_thin(maps: npt.NDArray[np.float32], size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """OpenCV's older code, which it takes where a side is one pixel: float32, nothing fused."""

    def taps(n_in: int, n_out: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        source = ((np.arange(n_out) + 0.5) * (n_in / n_out) - 0.5).astype(np.float32)
        low = np.floor(source)
        return low.astype(np.int64), source - low

    height, width = maps.shape[-2:]
    left, across = taps(width, size[1])
    across[(left < 0) | (left >= width - 1)] = 0  # rows beyond the edge keep their weights
    top, down = taps(height, size[0])
    down = down[:, None]
    wide = maps[..., left.clip(0, width - 1)] * (1 - across)
    wide += maps[..., (left + 1).clip(0, width - 1)] * across
    thin: npt.NDArray[np.float32] = wide[..., top.clip(0, height - 1), :] * (1 - down)
    thin += wide[..., (top + 1).clip(0, height - 1), :] * down
    return thin


def resize_mattes(
    alpha: npt.ArrayLike, size: tuple[int, int], *, rule: ResizeRule = "opencv"
) -> npt.NDArray[np.float32]:
    """Bilinear resize without antialiasing, as OpenCV or torch do it.

    Args:
        alpha: floating point (..., H, W).
        size: height and width to make.
        rule: ``"opencv"``, ``cv2.resize(..., INTER_LINEAR)``: pixel centres are half a pixel in;
            ``"torch"``, ``interpolate(..., mode="bilinear", align_corners=True)``: the corners'
            centres stay where they are.

    Returns:
        float32 (..., *size): OpenCV's to the bit where its code fuses multiplications, as on any
        recent machine; torch's within 2e-7, as how it rounds depends on the machine.
    """
    maps = _maps(alpha)
    if min(size) < 1:
        raise ValueError(f"size: must be positive, got {size}")
    if maps.shape[-2:] == tuple(size):
        return maps
    if rule == "opencv" and 1 in maps.shape[-2:]:
        return _resize_thin(maps, size)
    top, bottom, down = _taps(maps.shape[-2], size[0], rule)
    left, right, across = _taps(maps.shape[-1], size[1], rule)
    wide = _between(maps[..., left], maps[..., right], across, rule)
    return _between(wide[..., top, :], wide[..., bottom, :], down[:, None], rule)


def _pair(value: Any, name: str) -> tuple[int, int]:
    first, second = (int(v) for v in value)
    if min(first, second) < 0:
        raise ValueError(f"{name}: must not be negative, got {(first, second)}")
    return first, second


def undo_transforms(
    alpha: npt.ArrayLike,
    transforms: Sequence[Mapping[str, Any]],
    *,
    rule: ResizeRule = "torch",
) -> npt.NDArray[np.float32]:
    """Undoes, last first, what a loader did to a picture before the network saw it.

    Args:
        alpha: floating point (..., H, W).
        transforms: as the loaders give them: ``{"name": "padding", "pad_size": (bottom, right)}``
            cuts that many pixels off, ``{"name": "resize", "ori_size": (height, width)}`` resizes
            back; others changed no geometry.
        rule: of the resize; the published evaluation uses ``"torch"``, its NumPy variant
            ``"opencv"``. They differ.

    Returns:
        float32 (..., *original size).

    Source: MaGGIe, maggie/utils/postprocessing.py (reverse_transform, reverse_transform_tensor).
    """
    maps = _maps(alpha)
    for transform in reversed(transforms):
        name = transform["name"]
        name = name if isinstance(name, str) else name[0]
        if name == "padding":
            bottom, right = _pair(transform["pad_size"], "pad_size")
            height, width = maps.shape[-2:]
            if bottom >= height or right >= width:
                raise ValueError(f"pad_size: {(bottom, right)} leaves nothing of {maps.shape}")
            maps = maps[..., : height - bottom, : width - right]
        elif name == "resize":
            maps = resize_mattes(maps, _pair(transform["ori_size"], "ori_size"), rule=rule)
    return np.ascontiguousarray(maps)
