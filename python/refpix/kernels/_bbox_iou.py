"""Overlap of boxes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from refpix.kernels._registry import Backend, kernel


@kernel
def bbox_iou(
    dt: npt.NDArray[np.float64],
    gt: npt.NDArray[np.float64],
    iscrowd: npt.NDArray[np.uint8],
    *,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> npt.NDArray[np.float64]:
    """Intersection over union of every detection's box with every ground truth's.

    Args:
        dt: float64 (m, 4), x, y, width, height.
        gt: float64 (n, 4), likewise.
        iscrowd: uint8 (n,); where not 0, the detection's area stands for the union.
        num_threads: threads to use at most.
        backend: which implementation.

    Returns:
        float64 (m, n), 0 where boxes do not overlap.

    Source: COCO API, common/maskApi.c (bbIou). Unlike ``refpix.metrics.box_iou`` it adds no
    epsilon, and it computes in double precision.
    """
    out = np.zeros((len(dt), len(gt)))
    with np.errstate(all="ignore"):  # boxes may be infinite, or have no area
        corners = [np.stack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]]) for boxes in (dt, gt)]
        areas = [boxes[:, 2] * boxes[:, 3] for boxes in (dt, gt)]
        for g in range(len(gt)):
            low = np.fmax(corners[0][0], corners[1][0][g])
            high = np.fmin(corners[0][1], corners[1][1][g])
            sides = high - low
            both = sides[:, 0] * sides[:, 1]
            union = areas[0] if iscrowd[g] else areas[0] + areas[1][g] - both
            out[:, g] = np.where((sides <= 0).any(axis=1), 0.0, both / union)
    return out
