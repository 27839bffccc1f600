"""Background, transition and foreground of mattes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from refpix.kernels._alpha_pair import check_finite
from refpix.kernels._registry import Backend, kernel


def _ellipse(size: int) -> list[tuple[int, int]]:
    """Offsets (row, column) of OpenCV's ellipse; of an even size it is not symmetric."""
    radius = size // 2
    offsets = []
    for dy in range(-radius, size - radius):
        half = radius * np.sqrt((radius**2 - dy**2) / radius**2) if radius else 0.0
        dx = int(np.rint(half))
        offsets += [(dy, j) for j in range(-dx, min(dx, size - 1 - radius) + 1)]
    return offsets


def _moved(matte: npt.NDArray[Any], dy: int, dx: int, fill: Any) -> npt.NDArray[Any]:
    """The matte as seen from (dy, dx) away, ``fill`` beyond the picture."""
    height, width = matte.shape
    out = np.full(matte.shape, fill, matte.dtype)
    if abs(dy) < height and abs(dx) < width:
        to_y, from_y = (
            slice(max(0, -dy), height - max(0, dy)),
            slice(max(0, dy), height + min(0, dy)),
        )
        to_x, from_x = slice(max(0, -dx), width - max(0, dx)), slice(max(0, dx), width + min(0, dx))
        out[to_y, to_x] = matte[from_y, from_x]
    return out


@kernel
def trimap_from_alpha(
    alpha: npt.NDArray[Any],
    *,
    size: int = 25,
    iterations: int = 1,
    foreground: float | None = None,
    out: npt.NDArray[np.uint8] | None = None,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> npt.NDArray[np.uint8]:
    """Regions of mattes: where they change within an ellipse, and what lies on either side.

    A pixel is in transition when dilation and erosion by OpenCV's ellipse, the pixels beyond the
    picture left out, differ there. So of a matte with two values, 0 and more than ``foreground``,
    the result is its dilation where it is not 0, and its erosion where it is 2.

    Args:
        alpha: float32 or uint8 (n, H, W), of any scale.
        size: height and width of the ellipse in pixels, 1 to 32767. Even sizes are not symmetric,
            as OpenCV's are not.
        iterations: how often dilation and erosion are applied.
        foreground: greater values are foreground; by default 0.5 of float32, 127 of uint8.
        out: optional uint8 (n, H, W) to fill.
        num_threads: threads to use at most.
        backend: which implementation.

    Returns:
        uint8 (n, H, W): 0 background, 1 transition, 2 foreground.

    Raises:
        KernelError: a value is not finite; names map and byte.

    No CUDA implementation: it is done once a picture, and close to reading it.

    Source: MaGGIe, maggie/dataloader/utils.py (gen_transition_gt), him.py (trimap); OpenCV,
    getStructuringElement(MORPH_ELLIPSE), dilate, erode.
    """
    check_finite(alpha)
    trimap = np.empty(alpha.shape, np.uint8) if out is None else out
    limit = foreground if foreground is not None else 127 if alpha.dtype == np.uint8 else 0.5
    offsets = _ellipse(size)
    for item, matte in enumerate(alpha):
        least, most = matte, matte
        for _ in range(iterations):
            least = np.minimum.reduce([_moved(least, *at, matte.max()) for at in offsets])
            most = np.maximum.reduce([_moved(most, *at, matte.min()) for at in offsets])
        above = matte.astype(np.float64) > limit
        trimap[item] = np.where(most > least, 1, np.where(above, 2, 0))
    return trimap
