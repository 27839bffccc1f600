"""Boxes: from bins to pixels, intersection over union, accuracy at a threshold."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

__all__ = ["BoxAccuracy", "Protocol", "bins_to_boxes", "box_correct", "box_iou"]

#: ``paper`` gives the published code's numbers, quirks included; ``standard`` the usual definition.
Protocol = Literal["paper", "standard"]


def check_protocol(protocol: str) -> None:
    """Raises ValueError for a name that is no protocol."""
    if protocol not in ("paper", "standard"):
        raise ValueError(f"protocol: expected 'paper' or 'standard', got {protocol!r}")


def rows(values: npt.ArrayLike, columns: int, name: str, dtype: Any) -> npt.NDArray[Any]:
    """Values as (n, columns) of a type; raises ValueError with the argument's name."""
    array = np.asarray(values, dtype=dtype)
    if array.ndim == 1 and array.size == 0:
        array = array.reshape(0, columns)
    if array.ndim != 2 or array.shape[1] != columns:
        raise ValueError(f"{name}: expected shape (n, {columns}), got {array.shape}")
    return array


def bins_to_boxes(
    bins: npt.ArrayLike,
    w_ratio: npt.ArrayLike | None = None,
    h_ratio: npt.ArrayLike | None = None,
    *,
    num_bins: int = 1000,
    max_image_size: int = 512,
) -> npt.NDArray[np.float32]:
    """Coordinate bins back to pixels, float32 at every step.

    Args:
        bins: (n, 2k), x and y taking turns: boxes, or boxes followed by keypoints.
        w_ratio: float32 (n,), width of the resized picture over that of the original; without,
            x stays in pixels of the resized picture.
        h_ratio: likewise for the height and y.
        num_bins: number of coordinate bins.
        max_image_size: what the last bin stands for, in pixels of the resized picture.

    Returns:
        float32 (n, 2k) in pixels of the original picture.

    Source: RefHCM, utils/eval_utils.py (eval_refcoco, eval_refpose).
    """
    values = np.asarray(bins)
    if values.ndim != 2 or values.shape[1] % 2:
        raise ValueError(f"bins: expected shape (n, 2k), got {values.shape}")
    pixels: npt.NDArray[np.float32] = (
        values.astype(np.float32) / np.float32(num_bins - 1) * np.float32(max_image_size)
    )
    for axis, name, given in ((0, "w_ratio", w_ratio), (1, "h_ratio", h_ratio)):
        if given is None:
            continue
        ratio = np.asarray(given, dtype=np.float32)
        if ratio.shape != (len(values),):
            raise ValueError(f"{name}: expected shape ({len(values)},), got {ratio.shape}")
        with np.errstate(divide="ignore", invalid="ignore"):
            pixels[:, axis::2] /= ratio[:, None]
    return pixels


def _overlap(
    pred: npt.NDArray[Any], gt: npt.NDArray[Any]
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Width and height of the intersections, negative for boxes apart."""
    top_left = np.where(pred[:, :2] < gt[:, :2], gt[:, :2], pred[:, :2])
    bottom_right = np.where(pred[:, 2:] < gt[:, 2:], pred[:, 2:], gt[:, 2:])
    size = bottom_right - top_left
    return size[:, 0], size[:, 1]


def _iou(
    pred: npt.ArrayLike, gt: npt.ArrayLike, protocol: Protocol
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Intersection over union, and which boxes meet."""
    check_protocol(protocol)
    paper = protocol == "paper"
    dtype = np.float32 if paper else np.float64
    first, second = rows(pred, 4, "pred", dtype), rows(gt, 4, "gt", dtype)
    if len(first) != len(second):
        raise ValueError(f"pred and gt: {len(first)} and {len(second)} boxes")
    with np.errstate(all="ignore"):  # boxes of any numbers: NaN in, NaN out
        width, height = _overlap(first, second)
        meets = (width > 0) & (height > 0)
        inter = width * height
        areas = []
        for boxes in (first, second):
            sides = boxes[:, 2:] - boxes[:, :2]
            areas.append(sides[:, 0] * sides[:, 1])
        union = areas[0] + areas[1] - inter
        if paper:
            union = union + np.float32(1e-6)
        return inter / union, meets


def box_iou(
    pred: npt.ArrayLike, gt: npt.ArrayLike, *, protocol: Protocol = "paper"
) -> npt.NDArray[np.float32] | npt.NDArray[np.float64]:
    """Intersection over union, row by row.

    Args:
        pred: (n, 4), x1, y1, x2, y2.
        gt: (n, 4) likewise.
        protocol: ``"paper"`` is float32 with 1e-6 added to the union: small equal boxes stay
            a little below 1; ``"standard"`` is double without it.

    Returns:
        (n,), float32 for the paper and float64 for the standard; 0 where the boxes do not meet
        (reversed and empty boxes meet nothing).

    Source: RefHCM, tasks/mm_tasks/refcoco.py (_calculate_ap_score).
    """
    iou, meets = _iou(pred, gt, protocol)
    return np.where(meets, iou, iou.dtype.type(0))


def box_correct(
    pred: npt.ArrayLike,
    gt: npt.ArrayLike,
    *,
    threshold: float = 0.5,
    protocol: Protocol = "paper",
) -> npt.NDArray[np.bool_]:
    """Which boxes reach an IoU: those that meet, with ``iou >= threshold`` in the IoU's type.

    Args:
        pred: (n, 4), x1, y1, x2, y2.
        gt: (n, 4) likewise.
        threshold: least IoU.
        protocol: as in :func:`box_iou`.

    Returns:
        bool (n,).

    Source: RefHCM, tasks/mm_tasks/refcoco.py (_calculate_ap_score).
    """
    iou, meets = _iou(pred, gt, protocol)
    with np.errstate(invalid="ignore"):
        correct: npt.NDArray[np.bool_] = meets & (iou >= iou.dtype.type(threshold))
    return correct


class BoxAccuracy:
    """Share of boxes at or above an IoU, gathered batch by batch.

    Attributes:
        correct: boxes that reached the threshold.
        count: boxes seen.
    """

    def __init__(self, *, threshold: float = 0.5, protocol: Protocol = "paper") -> None:
        check_protocol(protocol)
        self.threshold = threshold
        self.protocol: Protocol = protocol
        self.correct = 0
        self.count = 0

    def update(self, pred: npt.ArrayLike, gt: npt.ArrayLike) -> None:
        """Adds a batch, (n, 4) each."""
        correct = box_correct(pred, gt, threshold=self.threshold, protocol=self.protocol)
        self.correct += int(np.count_nonzero(correct))
        self.count += len(correct)

    def merge(self, other: BoxAccuracy) -> None:
        """Adds what another process gathered; ValueError when it measured something else."""
        if (self.threshold, self.protocol) != (other.threshold, other.protocol):
            raise ValueError("merge: thresholds or protocols differ")
        self.correct += other.correct
        self.count += other.count

    def compute(self) -> float:
        """The share, NaN before the first box."""
        return self.correct / self.count if self.count else float("nan")
