"""The motion of true mattes, and errors followed along it."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from refpix.errors import MissingExtraError
from refpix.metrics.box import Protocol

__all__ = ["flows_of_clip", "warp_errors"]


def _opencv() -> Any:
    try:
        return importlib.import_module("cv2")
    except ImportError as error:
        raise MissingExtraError("MESSDdt", "OpenCV", "matting") from error


def flows_of_clip(gt: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Motion of every instance from each frame to the next, in whole pixels.

    Args:
        gt: float32 (T, n, H, W), 0..1.

    Returns:
        int64 (n, T - 1, H, W, 2), x and y.

    Raises:
        MissingExtraError: OpenCV is not installed.

    Source: MaGGIe, maggie/utils/metric.py (MESSDdt.calcOpticalFlow).
    """
    cv2 = _opencv()
    frames, count, height, width = gt.shape
    flows = np.zeros((count, frames - 1, height, width, 2), np.int64)
    # Truncated: 255 * (v / 255) in float32 may fall short of v, and the published flow sees that.
    grey = (gt * np.float32(255)).clip(0, 255).astype(np.uint8)
    for instance in range(count):
        for frame in range(frames - 1):
            flow = cv2.calcOpticalFlowFarneback(
                grey[frame, instance], grey[frame + 1, instance], None,
                0.5, 5, 10, 2, 7, 1.5, cv2.OPTFLOW_FARNEBACK_GAUSSIAN,
            )  # fmt: skip
            flows[instance, frame] = np.rint(flow)
    return flows


def _published_indices(flow: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Into the flattened maps from the second frame on: (T - 1, H, W)."""
    _, height, width, _ = flow.shape
    y, x = np.mgrid[:height, :width]
    down = np.clip(x + flow[..., 0], 0, height - 1)  # x and y exchanged
    across = np.clip(y + flow[..., 1], 0, width - 1)
    indices: npt.NDArray[np.int64] = down * width + across  # of the first map, whatever the frame
    return indices


def _indices(flow: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The same, of the moved pixel in the next frame."""
    frames, height, width, _ = flow.shape
    y, x = np.mgrid[:height, :width]
    across = np.clip(x + flow[..., 0], 0, width - 1)
    down = np.clip(y + flow[..., 1], 0, height - 1)
    frame = np.arange(frames)[:, None, None]
    indices: npt.NDArray[np.int64] = (frame * height + down) * width + across
    return indices


def warp_errors(
    pred: npt.NDArray[np.float32],
    gt: npt.NDArray[np.float32],
    mask: npt.NDArray[np.bool_] | None,
    flows: npt.NDArray[np.int64],
    protocol: Protocol,
) -> npt.NDArray[np.float64]:
    """Change of the squared error along the motion, per pixel of the mask.

    Args:
        pred: float32 (T, n, H, W).
        gt: likewise.
        mask: bool, likewise, or None for all pixels.
        flows: int64 (n, T - 1, H, W, 2), see :func:`flows_of_clip`.
        protocol: how the moved pixel is looked up.

    Returns:
        float64 (n,); of a single frame (0,): the published code drops such instances, which a
        warning says.
    """
    if len(pred) < 2:
        warnings.warn("MESSDdt: a single frame has no motion, it counts for nothing", stacklevel=5)
        return np.zeros(0)
    squared = (pred - gt) ** 2
    found = []
    for instance, flow in enumerate(flows):
        errors = squared[:, instance]
        weights = np.ones_like(errors) if mask is None else mask[:, instance].astype(np.float32)
        errors = errors * weights
        indices = _published_indices(flow) if protocol == "paper" else _indices(flow)
        change = np.abs(errors[:-1] - errors[1:].reshape(-1)[indices])
        pixels = weights[:-1].sum(dtype=np.float64) + len(flow)  # one more for every pair
        found.append(change.sum(dtype=np.float64) / pixels)
    return np.array(found)
