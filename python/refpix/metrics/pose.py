"""Poses: token strings to keypoints, object keypoint similarity."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from refpix.metrics.box import Protocol, check_protocol, rows
from refpix.types import KEYPOINT_NAMES

__all__ = [
    "KEYPOINT_SIGMAS",
    "PoseAccuracy",
    "decode_keypoints",
    "oks",
]

#: COCO's spread of annotators per keypoint, times ten.
_SIGMAS = (
    *(0.26, 0.25, 0.25, 0.35, 0.35, 0.79, 0.79, 0.72, 0.72),
    *(0.62, 0.62, 1.07, 1.07, 0.87, 0.87, 0.89, 0.89),
)
#: float64 (17,).
KEYPOINT_SIGMAS: npt.NDArray[np.float64] = np.array(_SIGMAS) / 10.0

_BIN = re.compile(r"<bin_(\d+)>")
_BOX = 4


def _bin(piece: str) -> int:
    match = _BIN.search(piece)
    if match is None:
        raise ValueError(f"not a coordinate bin: {piece!r}")
    return int(match[1])


def decode_keypoints(
    pieces: Sequence[str], *, protocol: Protocol = "paper"
) -> npt.NDArray[np.float32]:
    """A generated token sequence to a box and 17 keypoints, in bins.

    A piece that starts with ``<bin_`` is a coordinate. Other pieces spell names: a leading blank
    begins a new name, other pieces continue the last. Keypoints without coordinates stay (0, 0).

    Args:
        pieces: the tokens as text, blanks kept, without the end of sequence.
        protocol: ``"paper"`` hands the coordinates out by counting: four to the box, then two to
            each name in order, known or not, wherever they stood; when there are fewer than the
            names need, zeros are put *in front* of all of them, which shifts box and points.
            ``"standard"`` goes by position: the first four before any name are the box, the first
            two after a name its point, and nothing shifts; incomplete points and boxes are zero.

    Returns:
        float32 (38,), box x1, y1, x2, y2, then x, y of each of ``KEYPOINT_NAMES``.

    Raises:
        ValueError: a piece starts like a bin and is none.

    Source: RefHCM, tasks/mm_tasks/rkpt.py (_decode_keypoints).
    """
    check_protocol(protocol)
    names: list[str] = []
    coordinates: list[int] = []
    owners: list[int] = []  # names begun before each coordinate
    for piece in pieces:
        if piece.startswith("<bin_"):
            coordinates.append(_bin(piece))
            owners.append(len(names))
        elif piece.startswith(" ") or not names:
            names.append(piece.strip())
        else:
            names[-1] += piece
    if protocol == "standard":
        groups = [[c for c, o in zip(coordinates, owners, strict=True) if o == 0][:_BOX]]
        for i in range(len(names)):
            groups.append([c for c, o in zip(coordinates, owners, strict=True) if o == i + 1][:2])
    else:
        missing = 2 * len(names) + _BOX - len(coordinates)
        coordinates = [0] * missing + coordinates
        groups = [coordinates[:_BOX]]
        groups += [coordinates[_BOX + 2 * i : _BOX + 2 * i + 2] for i in range(len(names))]
    result = np.zeros(_BOX + 2 * len(KEYPOINT_NAMES), np.float32)
    if len(groups[0]) == _BOX:
        result[:_BOX] = groups[0]
    for name, point in zip(names, groups[1:], strict=True):
        if name in KEYPOINT_NAMES and len(point) == 2:
            start = _BOX + 2 * KEYPOINT_NAMES.index(name)
            result[start : start + 2] = point
    return result


def _points(values: npt.ArrayLike, name: str, dtype: Any) -> npt.NDArray[Any]:
    """(n, 2k) or (n, k, 2) as (n, 2k)."""
    array = np.asarray(values, dtype=dtype)
    if array.ndim == 3 and array.shape[2] == 2:
        array = array.reshape(len(array), 2 * array.shape[1])
    if array.ndim != 2 or array.shape[1] % 2:
        raise ValueError(f"{name}: expected shape (n, 34) or (n, 17, 2), got {array.shape}")
    return array


def _distances(
    pred: npt.NDArray[Any], gt: npt.NDArray[Any], boxes: npt.NDArray[Any], seen: npt.NDArray[Any]
) -> npt.NDArray[Any]:
    """Squared distances (n, 17) to the points; for rows without any, out of the enlarged box."""
    to_point = pred - gt
    size = boxes[:, 2:] - boxes[:, :2]
    low, high = (boxes[:, :2] - size)[:, None], (boxes[:, 2:] + size)[:, None]
    zero = pred.dtype.type(0)
    outside = np.maximum(zero, low - pred) + np.maximum(zero, pred - high)
    pointless = ~np.any(seen, axis=1, keepdims=True)
    apart = np.where(pointless[..., None], outside, to_point)
    squared: npt.NDArray[Any] = apart[..., 0] ** 2 + apart[..., 1] ** 2
    return squared


def oks(
    pred: npt.ArrayLike,
    gt: npt.ArrayLike,
    boxes: npt.ArrayLike,
    *,
    areas: npt.ArrayLike | None = None,
    visible: npt.ArrayLike | None = None,
    protocol: Protocol = "paper",
) -> npt.NDArray[np.float32] | npt.NDArray[np.float64]:
    """Object keypoint similarity, row by row.

    The mean over the visible keypoints of ``exp(-d^2 / (2 sigma)^2 / (area + eps) / 2)``. A row
    without a visible keypoint takes all 17, with distances out of the box enlarged by its own size
    on each side. None of the arguments is changed (the published code moves the corners of
    ``boxes``).

    Args:
        pred: (n, 34) or (n, 17, 2), pixels. The paper pads shorter rows with zeros.
        gt: (n, 34) or (n, 17, 2), pixels.
        boxes: (n, 4), ground truth x1, y1, x2, y2 in pixels.
        areas: (n,), areas of the objects in square pixels, ``"standard"`` only; without, the
            boxes' areas stand in.
        visible: (n, 17), non-zero where labelled, ``"standard"`` only; without, as for the paper.
        protocol: ``"paper"`` is float32, with the area of the box, and a keypoint counts when its
            x or its y is not 0. ``"standard"`` is COCO's: double, the object's area and the
            visibility flags.

    Returns:
        (n,), float32 for the paper (equal to torch's within 2e-6: exp and the order of a sum are
        not fixed to the bit) and float64 for the standard.

    Source: RefHCM, tasks/mm_tasks/rkpt.py (_calculate_oks_score); COCO API, cocoeval.py
    (computeOks).
    """
    check_protocol(protocol)
    paper = protocol == "paper"
    if paper and (areas is not None or visible is not None):
        raise ValueError("areas and visible: the paper's protocol takes neither")
    dtype: Any = np.float32 if paper else np.float64
    count = len(KEYPOINT_NAMES)
    found, target = _points(pred, "pred", dtype), _points(gt, "gt", dtype)
    if target.shape[1] != 2 * count:
        raise ValueError(f"gt: expected {count} keypoints, got {target.shape[1] // 2}")
    if paper and found.shape[1] < target.shape[1]:
        found = np.pad(found, ((0, 0), (0, target.shape[1] - found.shape[1])))
    if found.shape != target.shape:
        raise ValueError(f"pred: expected shape {target.shape}, got {found.shape}")
    corners = rows(boxes, 4, "boxes", dtype)
    if len(corners) != len(target):
        raise ValueError(f"boxes: expected {len(target)} rows, got {len(corners)}")
    points, wanted = found.reshape(-1, count, 2), target.reshape(-1, count, 2)
    seen = (wanted != 0).any(axis=2)
    if visible is not None:
        seen = rows(visible, count, "visible", np.float64) > 0
    with np.errstate(all="ignore"):  # boxes and points of any numbers
        sides = corners[:, 2:] - corners[:, :2]
        area = sides[:, 0] * sides[:, 1]
        if areas is not None:
            area = np.asarray(areas, dtype=np.float64).reshape(len(target))
        spread = (np.array(_SIGMAS, dtype) / dtype(10.0) * dtype(2)) ** 2
        squared = _distances(points, wanted, corners, seen)
        error = squared / spread / (area[:, None] + np.finfo(dtype).eps) / dtype(2)
        counted = seen | ~seen.any(axis=1, keepdims=True)
        total = np.where(counted, np.exp(-error), dtype(0)).sum(axis=1, dtype=dtype)
        similarity: npt.NDArray[Any] = total / counted.sum(axis=1).astype(dtype)
    return similarity


class PoseAccuracy:
    """Share of poses at or above an OKS, and the mean OKS, gathered batch by batch.

    Attributes:
        correct: poses that reached the threshold.
        total: sum of the similarities.
        count: poses seen.
    """

    def __init__(self, *, threshold: float = 0.5, protocol: Protocol = "paper") -> None:
        check_protocol(protocol)
        self.threshold = threshold
        self.protocol: Protocol = protocol
        self.correct = 0
        self.total = 0.0
        self.count = 0

    def update(
        self,
        pred: npt.ArrayLike,
        gt: npt.ArrayLike,
        boxes: npt.ArrayLike,
        *,
        areas: npt.ArrayLike | None = None,
        visible: npt.ArrayLike | None = None,
    ) -> None:
        """Adds a batch; arguments as for :func:`oks`."""
        values = oks(pred, gt, boxes, areas=areas, visible=visible, protocol=self.protocol)
        self.correct += int(np.count_nonzero(values >= values.dtype.type(self.threshold)))
        self.total += float(values.sum(dtype=np.float64))
        self.count += len(values)

    def merge(self, other: PoseAccuracy) -> None:
        """Adds what another process gathered; ValueError when it measured something else."""
        if (self.threshold, self.protocol) != (other.threshold, other.protocol):
            raise ValueError("merge: thresholds or protocols differ")
        self.correct += other.correct
        self.total += other.total
        self.count += other.count

    def compute(self) -> float:
        """The share at the threshold, the number the paper reports; NaN before the first pose."""
        return self.correct / self.count if self.count else float("nan")

    def mean_oks(self) -> float:
        """The mean similarity; NaN before the first pose."""
        return self.total / self.count if self.count else float("nan")
