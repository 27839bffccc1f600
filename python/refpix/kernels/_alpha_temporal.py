"""How mattes change from frame to frame."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from refpix.errors import KernelError
from refpix.kernels._alpha_pair import LABELS, check_pair, label_areas, label_sums
from refpix.kernels._registry import Backend, kernel


@kernel
def alpha_temporal(
    pred: npt.NDArray[np.float32],
    gt: npt.NDArray[np.float32],
    *,
    trimap: npt.NDArray[np.uint8] | None = None,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Squared differences of the changes between neighbouring frames, per region.

    Args:
        pred: float32 (T, n, H, W), predicted mattes of n instances in T >= 1 frames, 0..1.
        gt: float32 (T, n, H, W), true mattes.
        trimap: uint8 (T, n, H, W), 0 background, 1 transition, 2 foreground; a pair of frames
            takes the earlier one's. None: all pixels count as label 0.
        num_threads: threads to use at most.
        backend: which implementation.

    Returns:
        Number of pixels int64 (T - 1, n, 3) and sum of ``(d pred - d gt) ** 2``, d from a frame to
        the next, float64 (T - 1, n, 3), each by label. All but the sums is float32.

    Raises:
        KernelError: a value is not finite or out of range; names the map, counted over all
            frames, and the byte. The trimap of the last frame is not looked at, nor is anything
            of a single frame.

    No CUDA implementation: evaluation is a small part of a run.

    Source: MaGGIe, maggie/utils/metric.py (dtSSD).
    """
    frames, count, height, width = pred.shape
    areas = np.zeros((frames - 1, count, LABELS), np.int64)
    squared = np.zeros((frames - 1, count, LABELS))
    for frame in range(frames - 1):
        labels = None if trimap is None else trimap[frame]
        for ahead, own in ((0, labels), (1, None)):
            try:
                check_pair(pred[frame + ahead], gt[frame + ahead], own)
            except KernelError as error:
                item = (frame + ahead) * count + error.item
                raise KernelError(error.fault, item, error.position) from None
        difference = (pred[frame + 1] - pred[frame]) - (gt[frame + 1] - gt[frame])
        areas[frame] = label_areas((count, height, width), labels)
        squared[frame] = label_sums(difference * difference, labels)
    return areas, squared
