"""Human parsing: predicted maps onto the canvas, confusion matrices, IoU and accuracies."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from refpix.kernels import confusion_matrix, label_zoom, parsing_paste
from refpix.kernels._label_zoom import ZoomRule
from refpix.metrics.box import Protocol, bins_to_boxes, check_protocol

__all__ = [
    "ParsingAccuracy",
    "ParsingScores",
    "count_labels",
    "parsing_scores",
    "paste_parsing",
    "zoom_labels",
]


def _labels(values: npt.ArrayLike, name: str) -> npt.NDArray[Any]:
    """Labels of any integer type as contiguous uint8 or int32."""
    array = np.asarray(values)
    if array.dtype.kind not in "biu":
        raise TypeError(f"{name}: expected integers, got {array.dtype}")
    if array.dtype == np.bool_:
        array = array.astype(np.uint8)
    elif array.dtype not in (np.uint8, np.int32):
        limits = np.iinfo(np.int32)
        if array.size and (int(array.min()) < limits.min or int(array.max()) > limits.max):
            raise ValueError(f"{name}: labels do not fit in 32 bits")
        array = array.astype(np.int32)
    return np.ascontiguousarray(array)


def zoom_labels(
    labels: npt.ArrayLike, size: tuple[int, int] = (512, 512), *, rule: ZoomRule = "scipy"
) -> npt.NDArray[np.int32]:
    """One label map to another size, every pixel showing one pixel of the source.

    Args:
        labels: integers (H, W).
        size: height and width to make.
        rule: ``"scipy"`` as for ground truth, ``"torch"`` as for predictions.

    Returns:
        int32 (*size).

    Source: see :func:`refpix.kernels.label_zoom`.
    """
    array = _labels(labels, "labels")
    if array.ndim != 2:
        raise ValueError(f"labels: expected shape (H, W), got {array.shape}")
    offsets = np.array([0, array.size], np.int64)
    sizes = np.array([array.shape], np.int64)
    zoomed = label_zoom(array.reshape(-1), offsets, sizes, out_size=size, rule=rule)
    return zoomed.reshape(size)


def paste_parsing(
    bins: npt.ArrayLike,
    maps: npt.ArrayLike,
    *,
    num_bins: int = 1000,
    max_image_size: int = 512,
    num_threads: int = 1,
) -> npt.NDArray[np.uint8]:
    """Predicted label maps into their predicted boxes, as the evaluation does.

    Args:
        bins: (n, 4), x1, y1, x2, y2 in coordinate bins.
        maps: uint8 (n, h, w), decoded labels.
        num_bins: number of coordinate bins.
        max_image_size: side of the square canvas in pixels.
        num_threads: threads to use at most.

    Returns:
        uint8 (n, max_image_size, max_image_size), 0 outside the boxes.

    Source: RefHCM, utils/eval_utils.py (eval_refparsing).
    """
    boxes = bins_to_boxes(bins, num_bins=num_bins, max_image_size=max_image_size)
    labels = np.ascontiguousarray(np.asarray(maps))
    size = (max_image_size, max_image_size)
    return parsing_paste(boxes, labels, size=size, num_threads=num_threads)


def count_labels(
    pred: npt.ArrayLike,
    gt: npt.ArrayLike,
    *,
    num_labels: int = 20,
    ignore: int = -1,
    num_threads: int = 1,
) -> npt.NDArray[np.int64]:
    """Confusion matrix of labels of any integer type.

    Args:
        pred: integers of any shape.
        gt: integers of the same shape.
        num_labels: number of classes.
        ignore: pixels with this ground truth are left out.
        num_threads: threads to use at most.

    Returns:
        int64 (num_labels, num_labels), rows are ground truth, columns predictions.

    Source: see :func:`refpix.kernels.confusion_matrix`, which says what becomes of labels out of
    range.
    """
    return confusion_matrix(
        _labels(pred, "pred"),
        _labels(gt, "gt"),
        num_labels=num_labels,
        ignore=ignore,
        num_threads=num_threads,
    )


class ParsingScores(NamedTuple):
    """Scores of a confusion matrix, NaN where there is nothing to average.

    Attributes:
        macc: mean class accuracy; what that is depends on the protocol.
        miou: mean intersection over union, over the classes that occur in either.
        pacc: share of pixels that are right.
        mean_precision: over the classes that were predicted.
        mean_recall: over the classes in the ground truth.
        class_iou: float64 (num_labels,), NaN for classes that occur in neither.
    """

    macc: float
    miou: float
    pacc: float
    mean_precision: float
    mean_recall: float
    class_iou: npt.NDArray[np.float64]


def parsing_scores(matrix: npt.ArrayLike, *, protocol: Protocol = "paper") -> ParsingScores:
    """Accuracies and IoU of a confusion matrix.

    Args:
        matrix: (num_labels, num_labels) counts, rows are ground truth, columns predictions.
        protocol: what ``macc`` is. The paper divides by the columns' sums, the pixels predicted
            as a class, which makes it mean precision; ``"standard"`` is mean recall, the usual
            mean class accuracy. ``miou`` and ``pacc`` are the same in both: the paper sums the
            IoU over the predicted classes only and divides by all that occur, and a class that is
            never predicted adds 0. (Its training log shows ``pacc`` and ``macc`` exchanged; its
            evaluation does not.)

    Returns:
        ParsingScores.

    Source: RefHCM, utils/eval_utils.py (compute_miou).
    """
    check_protocol(protocol)
    counts = np.asarray(matrix)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise ValueError(f"matrix: expected a square, got {counts.shape}")
    hits = counts.diagonal().astype(np.float64)
    predicted = counts.sum(axis=0).astype(np.float64)
    present = counts.sum(axis=1).astype(np.float64)
    occurs = predicted + present > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        iou = hits / (predicted + present - hits)
        precision = hits[predicted > 0] / predicted[predicted > 0]
        recall = hits[present > 0] / present[present > 0]
        mean_precision = float(precision.sum() / np.float64(precision.size))
        mean_recall = float(recall.sum() / np.float64(recall.size))
        miou = float(iou[predicted > 0].sum() / np.float64(np.count_nonzero(occurs)))
        pacc = float(hits.sum() / predicted.sum())
    macc = mean_precision if protocol == "paper" else mean_recall
    class_iou = np.where(occurs, iou, np.nan)
    return ParsingScores(macc, miou, pacc, mean_precision, mean_recall, class_iou)


class ParsingAccuracy:
    """Parsing scores gathered batch by batch.

    Attributes:
        matrix: int64 (num_labels, num_labels), the counts so far; sum it over processes.
    """

    def __init__(
        self, *, num_labels: int = 20, ignore: int = -1, protocol: Protocol = "paper"
    ) -> None:
        check_protocol(protocol)
        self.ignore = ignore
        self.protocol: Protocol = protocol
        self.matrix: npt.NDArray[np.int64] = np.zeros((num_labels, num_labels), np.int64)

    def update(self, pred: npt.ArrayLike, gt: npt.ArrayLike, *, num_threads: int = 1) -> None:
        """Adds a batch of label maps of any integer type and equal shapes."""
        self.matrix += count_labels(
            pred,
            gt,
            num_labels=len(self.matrix),
            ignore=self.ignore,
            num_threads=num_threads,
        )

    def merge(self, other: ParsingAccuracy) -> None:
        """Adds what another process gathered; ValueError when it measured something else."""
        mine = (self.ignore, self.protocol, self.matrix.shape)
        if mine != (other.ignore, other.protocol, other.matrix.shape):
            raise ValueError("merge: labels, ignore or protocols differ")
        self.matrix += other.matrix

    def compute(self) -> ParsingScores:
        """The scores of all batches so far."""
        return parsing_scores(self.matrix, protocol=self.protocol)
