"""Intersection over union of masks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from refpix.errors import RleError
from refpix.kernels._registry import Backend, kernel
from refpix.kernels._rle import checked_runs, intersection
from refpix.kernels._rle_bbox import rle_bbox


@kernel
def rle_iou(
    dt_counts: npt.NDArray[np.uint32],
    dt_offsets: npt.NDArray[np.int64],
    dt_sizes: npt.NDArray[np.int64],
    gt_counts: npt.NDArray[np.uint32],
    gt_offsets: npt.NDArray[np.int64],
    gt_sizes: npt.NDArray[np.int64],
    iscrowd: npt.NDArray[np.uint8],
    *,
    strict: bool = True,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> npt.NDArray[np.float64]:
    """Intersection over union of every detection with every ground truth.

    Args:
        dt_counts: uint32 (runs,), detections end to end, background run first.
        dt_offsets: int64 (m + 1,); item i is ``dt_counts[dt_offsets[i]:dt_offsets[i + 1]]``.
        dt_sizes: int64 (m, 2), height and width in pixels.
        gt_counts: the same of the ground truth.
        gt_offsets: int64 (n + 1,).
        gt_sizes: int64 (n, 2).
        iscrowd: uint8 (n,); where not 0, the union is the area of the detection alone.
        strict: whether masks of different sizes are an error. If not, pairs of different sizes
            get -1 where their bounding boxes overlap and 0 elsewhere, as in pycocotools.
        num_threads: threads to use at most.
        backend: which implementation.

    Returns:
        float64 (m, n); 0 where nothing is shared, also between empty masks.

    On a device nothing waits. At most 2**31 - 1 runs of detections, and of ground truth.

    Raises:
        RleError: runs of an item do not sum to height * width, or sizes differ from those of the
            first; names the item, detections 0 to m - 1, ground truth from m on.

    Source: COCO API, common/maskApi.c (rleIou), which adds up in 32 bits.
    """
    dt = checked_runs(dt_counts, dt_offsets, dt_sizes)
    try:
        gt = checked_runs(gt_counts, gt_offsets, gt_sizes)
    except RleError as error:
        item = error.item + len(dt) if error.item >= 0 else -1
        raise RleError(error.fault, item, error.position) from None
    sizes = np.concatenate([dt_sizes, gt_sizes])
    differ = np.flatnonzero((sizes != sizes[:1]).any(axis=1))
    if strict and len(dt) and len(gt) and len(differ):
        raise RleError("rle_size_mismatch", int(differ[0]))
    boxes = [rle_bbox(dt_counts, dt_offsets, dt_sizes, backend="reference").tolist()]
    boxes.append(rle_bbox(gt_counts, gt_offsets, gt_sizes, backend="reference").tolist())
    areas = [[int(item[1::2].sum(dtype=np.int64)) for item in items] for items in (dt, gt)]
    out = np.zeros((len(dt), len(gt)))
    for d, g in np.ndindex(out.shape):
        if not _boxes_overlap(boxes[0][d], boxes[1][g]):
            continue
        if not np.array_equal(dt_sizes[d], gt_sizes[g]):
            out[d, g] = -1
            continue
        shared = intersection(dt[d], gt[g])
        union = areas[0][d] if iscrowd[g] else areas[0][d] + areas[1][g] - shared
        out[d, g] = shared / union if shared else 0.0
    return out


def _boxes_overlap(a: list[int], b: list[int]) -> bool:
    return all(a[k] < b[k] + b[k + 2] and b[k] < a[k] + a[k + 2] for k in (0, 1))
