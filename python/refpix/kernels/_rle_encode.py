"""Masks to run lengths."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from refpix.kernels._registry import Backend, kernel
from refpix.kernels._rle import Columns, columns, run_lengths


@kernel
def rle_encode(
    masks: npt.NDArray[Any],
    *,
    rule: Literal["nonzero", "change"] = "nonzero",
    num_threads: int = 1,
    backend: Backend = "auto",
) -> Columns:
    """Run lengths of masks, down the columns, background run first.

    Args:
        masks: uint8 or bool (n, H, W) of any strides; read where it lies.
        rule: ``"nonzero"``: what is not 0 is foreground. ``"change"``: a run ends where the byte
            changes and the first run is of 0; the same for masks of 0 and one other value.
        num_threads: threads to use at most, over items.
        backend: which implementation.

    Returns:
        counts uint32 (runs,), offsets int64 (n + 1,), sizes int64 (n, 2). Only the first run of
        a mask can be 0. A mask without pixels has one run of 0.

    On a device it waits once for the stream, as only the device knows how many runs there are.

    Raises:
        RleError: a run does not fit in 32 bits; names the item.
        ValueError, TypeError: wrong dtype or number of dimensions.

    Source: COCO API, common/maskApi.c (rleEncode), whose rule is ``"change"``.
    """
    if masks.dtype not in (np.uint8, np.bool_):
        raise TypeError(f"masks: expected dtype uint8 or bool, got {masks.dtype}")
    if masks.ndim != 3:
        raise ValueError(f"masks: expected 3 dimensions, got {masks.ndim}")
    if rule not in ("nonzero", "change"):
        raise ValueError(f"rule: expected nonzero or change, got {rule}")
    values = masks != 0 if rule == "nonzero" else masks
    sizes = np.array([masks.shape[1:]] * len(masks), dtype=np.int64).reshape(-1, 2)
    return columns(map(run_lengths, values), sizes)
