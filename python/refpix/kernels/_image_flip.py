"""Pictures mirrored, each as it is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from refpix.errors import KernelError
from refpix.kernels._registry import Backend, kernel

_HORIZONTAL, _VERTICAL = 1, 2


@kernel
def image_flip(
    images: npt.NDArray[Any],
    flips: npt.NDArray[np.uint8],
    *,
    out: npt.NDArray[Any] | None = None,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> npt.NDArray[Any]:
    """Mirror each picture, mask or matte of a batch, or not.

    Args:
        images: uint8, float32 or int32 (n, H, W) or (n, H, W, C), C-contiguous.
        flips: uint8 (n,): 0 keeps, 1 mirrors left and right, 2 top and bottom, 3 both.
        out: optional array like ``images`` to fill, on other memory.
        num_threads: threads to use at most.
        backend: which implementation. ``cuda``: one pass, nothing is waited for.

    Returns:
        An array like ``images``.

    Raises:
        KernelError: another flip (``augment_out_of_range``); names the item.

    Source: torchvision, ``hflip`` and ``vflip``; Pillow's ``FLIP_LEFT_RIGHT``, ``FLIP_TOP_BOTTOM``.
    """
    result = np.empty_like(images) if out is None else out
    for item in np.flatnonzero(flips > (_HORIZONTAL | _VERTICAL)).tolist():
        raise KernelError("augment_out_of_range", item)
    for item, flip in enumerate(flips.tolist()):
        rows = slice(None, None, -1 if flip & _VERTICAL else 1)
        columns = slice(None, None, -1 if flip & _HORIZONTAL else 1)
        result[item] = images[item, rows, columns]
    return result
