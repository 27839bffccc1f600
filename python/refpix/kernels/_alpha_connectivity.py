"""Connectivity of mattes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from refpix.kernels._alpha_pair import check_pair, label_sums
from refpix.kernels._components import largest
from refpix.kernels._registry import Backend, kernel


def _phi(alpha: npt.NDArray[np.float32], level: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    difference = alpha - level
    phi: npt.NDArray[np.float32] = np.float32(1) - difference * (difference >= np.float32(0.15))
    return phi


@kernel
def alpha_connectivity(
    pred: npt.NDArray[np.float32],
    gt: npt.NDArray[np.float32],
    *,
    trimap: npt.NDArray[np.uint8] | None = None,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> npt.NDArray[np.float64]:
    """Differences of connectivity, per region.

    For each threshold 0.1, 0.2, ... 1 the largest 4-connected part of what both mattes reach is
    taken, the first of equals. A pixel's level is the threshold below the first whose part it is
    not in, 1 if it is in all; its connectivity is 1, less what its alpha exceeds the level by if
    that is 0.15 or more.

    Args:
        pred: float32 (n, H, W), predicted mattes, 0..1; half a grey level of 255 beyond is let
            through.
        gt: float32 (n, H, W), true mattes, likewise.
        trimap: uint8 (n, H, W), 0 background, 1 transition, 2 foreground; None: all pixels count
            as label 0.
        num_threads: threads to use at most.
        backend: which implementation.

    Returns:
        float64 (n, 3), sums of absolute differences of connectivity by label. Thresholds are
        compared in double, all but the sums is float32 otherwise; all implementations agree to the
        bit.

    Raises:
        KernelError: a value is not finite or out of range; names map and byte.

    No CUDA implementation: evaluation is a small part of a run.

    Source: MaGGIe, maggie/utils/metric.py (Conn); Rhemann et al., A Perceptually Motivated Online
    Benchmark for Image Matting, CVPR 2009.
    """
    check_pair(pred, gt, trimap)
    thresholds = np.arange(11) * 0.1
    errors = np.zeros((len(pred), 3))
    for item, (p, g) in enumerate(zip(pred, gt, strict=True)):
        level = np.full(g.shape, -1, np.float32)
        for step in range(1, 11):
            both = (np.minimum(p, g).astype(np.float64)) >= thresholds[step]
            outside = ~largest(both, connectivity=4)
            level[(level < 0) & outside] = thresholds[step - 1]
        level[level < 0] = 1
        labels = None if trimap is None else trimap[item : item + 1]
        errors[item] = label_sums(np.abs(_phi(p, level) - _phi(g, level))[None], labels)[0]
    return errors
