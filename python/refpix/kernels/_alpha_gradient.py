"""Gradients of mattes."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from refpix.kernels._alpha_pair import check_pair, label_sums
from refpix.kernels._registry import Backend, kernel

Normalize = Literal["none", "map", "batch"]
Padding = Literal["zero", "edge"]

_SIGMA: Final = 1.4
_RADIUS: Final = 4  # where the Gaussian falls below 0.01, rounded up


def _filters() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """From the centre outwards: a Gaussian and its derivative, each divided by its norm."""
    x = np.arange(_RADIUS + 1.0)
    smooth = np.exp(-(x**2) / (2 * _SIGMA**2))
    derivative = -x * smooth
    both = []
    for half in (smooth, derivative):
        norm = np.sqrt(half[0] ** 2 + 2 * (half[1:] ** 2).sum())
        both.append((half / norm).astype(np.float32))
    return both[0], both[1]


def _correlate(
    values: npt.NDArray[np.float32], half: npt.NDArray[np.float32], axis: int, sign: int
) -> npt.NDArray[np.float32]:
    """One pass along an axis that has _RADIUS more values on both ends than the result."""
    length = values.shape[axis] - 2 * _RADIUS

    def at(k: int) -> npt.NDArray[np.float32]:
        taken = [slice(None)] * values.ndim
        taken[axis] = slice(_RADIUS + k, _RADIUS + k + length)
        return values[tuple(taken)]

    total = half[0] * at(0) if sign > 0 else np.zeros_like(at(0))
    for k in range(1, _RADIUS + 1):
        total = total + half[k] * (at(-k) + at(k) if sign > 0 else at(k) - at(-k))
    return total


def _magnitude(alpha: npt.NDArray[np.float32], padding: Padding) -> npt.NDArray[np.float32]:
    smooth, derivative = _filters()
    how: Literal["constant", "edge"] = "constant" if padding == "zero" else "edge"
    padded = np.pad(alpha, _RADIUS, how)
    along_x = _correlate(_correlate(padded, smooth, 0, 1), derivative, 1, -1)
    along_y = _correlate(_correlate(padded, derivative, 0, -1), smooth, 1, 1)
    return np.sqrt(along_x * along_x + along_y * along_y)


def _normalized(alpha: npt.NDArray[np.float32], rule: Normalize) -> npt.NDArray[np.float32]:
    if rule == "none" or alpha.size == 0:
        return alpha
    axes = (1, 2) if rule == "map" else (0, 1, 2)
    low = alpha.min(axis=axes, keepdims=True)
    divisor = (alpha.max(axis=axes, keepdims=True) - low) + np.float32(1e-6)
    normalized: npt.NDArray[np.float32] = (alpha - low) / divisor
    return normalized


@kernel
def alpha_gradient(
    pred: npt.NDArray[np.float32],
    gt: npt.NDArray[np.float32],
    *,
    trimap: npt.NDArray[np.uint8] | None = None,
    normalize: Normalize = "none",
    padding: Padding = "edge",
    num_threads: int = 1,
    backend: Backend = "auto",
) -> npt.NDArray[np.float64]:
    """Squared differences of gradient magnitudes, per region.

    The gradient is that of a Gaussian of sigma 1.4, cut to 9 x 9 and divided by its norm.

    Args:
        pred: float32 (n, H, W), predicted mattes, 0..1; half a grey level of 255 beyond is let
            through.
        gt: float32 (n, H, W), true mattes, likewise.
        trimap: uint8 (n, H, W), 0 background, 1 transition, 2 foreground; None: all pixels count
            as label 0.
        normalize: what a matte becomes first: ``"none"``, or ``(x - min) / (max - min + 1e-6)``
            with the extremes of each ``"map"`` or of the whole ``"batch"``.
        padding: what lies beyond the picture: ``"zero"`` or its ``"edge"``.
        num_threads: threads to use at most.
        backend: which implementation.

    Returns:
        float64 (n, 3), by label. All but the sums is float32, columns filtered before rows; all
        implementations agree to the bit.

    Raises:
        KernelError: a value is not finite or out of range; names map and byte.

    No CUDA implementation: evaluation is a small part of a run.

    Source: MaGGIe, maggie/utils/metric.py (Grad); there one 9 x 9 filter, which differs from two
    passes by rounding only.
    """
    check_pair(pred, gt, trimap)
    pred, gt = _normalized(pred, normalize), _normalized(gt, normalize)
    squared = np.zeros((len(pred), 3))
    for item in range(len(pred)):
        difference = _magnitude(gt[item], padding) - _magnitude(pred[item], padding)
        labels = None if trimap is None else trimap[item : item + 1]
        squared[item] = label_sums((difference * difference)[None], labels)[0]
    return squared
