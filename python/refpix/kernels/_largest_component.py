"""Of every matte, the largest connected part."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from refpix.kernels._alpha_pair import check_finite
from refpix.kernels._components import largest
from refpix.kernels._registry import Backend, kernel


@kernel
def largest_component(
    alpha: npt.NDArray[Any],
    *,
    threshold: float = 0.05,
    connectivity: Literal[4, 8] = 8,
    out: npt.NDArray[Any] | None = None,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> npt.NDArray[Any]:
    """Keep of every matte the largest part above a threshold, zero elsewhere.

    Args:
        alpha: float32 or uint8 (n, H, W); of uint8, 255 stands for 1.
        threshold: pixels above it count, compared in float32.
        connectivity: 4, or 8 where diagonal neighbours touch too.
        out: optional array to fill, like ``alpha`` but apart from it.
        num_threads: threads to use at most.
        backend: which implementation.

    Returns:
        Like ``alpha``. Of parts with as many pixels the one that a scan by rows meets first is
        kept. A matte with nothing above the threshold stays as it is.

    Raises:
        KernelError: a value is not finite; names map and byte.

    No CUDA implementation: evaluation is a small part of a run.

    Source: MaGGIe, maggie/utils/postprocessing.py (postprocess).
    """
    check_finite(alpha)
    kept = np.empty_like(alpha) if out is None else out
    scale = np.float32(255) if alpha.dtype == np.uint8 else np.float32(1)
    for item, matte in enumerate(alpha):
        mask = matte.astype(np.float32) / scale > np.float32(threshold)
        kept[item] = np.where(largest(mask, connectivity), matte, 0) if mask.any() else matte
    return kept
