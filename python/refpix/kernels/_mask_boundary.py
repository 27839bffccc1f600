"""The pixels of masks near their outline."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from refpix.kernels._registry import Backend, kernel


@kernel
def mask_boundary(
    masks: npt.NDArray[np.uint8] | npt.NDArray[np.bool_],
    *,
    distance: int | None = None,
    ratio: float = 0.02,
    out: npt.NDArray[np.uint8] | None = None,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> npt.NDArray[np.uint8]:
    """The pixels of masks that have background within a distance, as boundary IoU takes them.

    Distance is the larger of those along x and y: these are the pixels that an erosion by a square
    of ``2 * distance + 1`` removes. What lies outside the picture is background.

    Args:
        masks: uint8 or bool (n, H, W), C-contiguous; what is not 0 is foreground.
        distance: in pixels; None takes ``round(ratio * sqrt(H**2 + W**2))``, at least 1, halves
            rounded to even.
        ratio: part of the picture's diagonal; used if ``distance`` is None.
        out: optional uint8 (n, H, W) to fill.
        num_threads: threads to use at most; each takes whole masks.
        backend: which implementation.

    Returns:
        uint8 (n, H, W), 1 on the boundary, else 0.

    Raises:
        ValueError: distance or ratio is negative, or ratio is not finite.

    No CUDA implementation: evaluation is a small part of a run, and masks are in host memory.

    Source: Cheng et al., Boundary IoU (CVPR 2021), boundary_iou_api: ``cv2.erode`` with 3x3 ones,
        as many times as the distance, of the mask with one pixel of background around it.
    """
    if not (math.isfinite(ratio) and ratio >= 0) or (distance is not None and distance < 0):
        raise ValueError("distance and ratio must be finite and not negative")
    foreground = masks != 0
    _, height, width = masks.shape
    if distance is None:
        distance = max(1, round(ratio * math.sqrt(height * height + width * width)))
    distance = min(distance, max(height, width))
    kept = foreground
    for axis in (1, 2) if foreground.size else ():
        border = [(distance, distance) if axis == side else (0, 0) for side in range(3)]
        windows = sliding_window_view(np.pad(kept, border), 2 * distance + 1, axis)
        kept = windows.all(axis=-1)
    boundary = np.empty(masks.shape, np.uint8) if out is None else out
    boundary[...] = foreground & ~kept
    return boundary
