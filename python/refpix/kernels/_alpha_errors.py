"""Differences of mattes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from refpix.kernels._alpha_pair import check_pair, label_areas, label_sums
from refpix.kernels._registry import Backend, kernel


@kernel
def alpha_errors(
    pred: npt.NDArray[np.float32],
    gt: npt.NDArray[np.float32],
    *,
    trimap: npt.NDArray[np.uint8] | None = None,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Sums of absolute and squared differences, per region in one pass.

    Args:
        pred: float32 (n, H, W), predicted mattes, 0..1; half a grey level of 255 beyond is let
            through.
        gt: float32 (n, H, W), true mattes, likewise.
        trimap: uint8 (n, H, W), 0 background, 1 transition, 2 foreground; None: all pixels count
            as label 0.
        num_threads: threads to use at most.
        backend: which implementation.

    Returns:
        Number of pixels int64 (n, 3), sum of ``|pred - gt|`` and of its square float64 (n, 3),
        each by label. Differences and squares are float32, sums double; their order is fixed, so
        that all implementations agree to the bit.

    Raises:
        KernelError: a value is not finite or out of range; names map and byte.

    No CUDA implementation: evaluation is a small part of a run.

    Source: MaGGIe, maggie/utils/metric.py (SAD, MAD, MSE).
    """
    check_pair(pred, gt, trimap)
    difference = pred - gt
    return (
        label_areas(pred.shape, trimap),
        label_sums(np.abs(difference), trimap),
        label_sums(difference * difference, trimap),
    )
