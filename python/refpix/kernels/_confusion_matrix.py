"""Confusion matrix of label maps."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from refpix.errors import KernelError
from refpix.kernels._registry import Backend, kernel

Labels: TypeAlias = npt.NDArray[np.uint8] | npt.NDArray[np.int32]


@kernel
def confusion_matrix(
    pred: Labels,
    gt: Labels,
    *,
    num_labels: int,
    ignore: int = -1,
    out: npt.NDArray[np.int64] | None = None,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> npt.NDArray[np.int64]:
    """Count pixels by ground truth and prediction.

    A pixel counts for flat index ``gt * num_labels + pred``, computed without overflow, and the
    index is all that is looked at. So a prediction outside ``0..num_labels - 1`` lands in a
    neighbouring row (``pred=-1`` in the last column of the row above), and an index of
    ``num_labels ** 2`` or more counts for nothing. Both are the published behaviour. Check the
    ranges yourself where labels may be wrong.

    Args:
        pred: uint8 or int32, any shape with at least one axis.
        gt: uint8 or int32 (not necessarily the type of ``pred``), the same shape.
        num_labels: number of classes, at most 32768.
        ignore: pixels with this ground truth are left out, whatever their prediction.
        out: optional int64 (num_labels, num_labels), overwritten.
        num_threads: threads to use at most.
        backend: which implementation.

    Returns:
        int64 (num_labels, num_labels), rows are ground truth, columns predictions.

    Raises:
        KernelError: a negative flat index, which ``np.bincount`` refuses too; names the item along
            the first axis and the byte of ``gt`` within it.

    Source: RefHCM, tasks/mm_tasks/rpar.py (_calculate_confusion_matrix).
    """
    cells = num_labels * num_labels
    index = gt.astype(np.int64) * num_labels + pred
    valid = gt != ignore
    negative = np.flatnonzero(valid & (index < 0))
    if negative.size:
        item, label = divmod(int(negative[0]), gt[0].size)
        raise KernelError("label_negative", item, label * gt.itemsize)
    counted = index[valid & (index < cells)]
    matrix = np.bincount(counted, minlength=cells).reshape(num_labels, num_labels)
    if out is None:
        return matrix.astype(np.int64, copy=False)
    out[...] = matrix
    return out
