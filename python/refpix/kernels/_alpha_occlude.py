"""A stack of mattes when a new one comes in front."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from refpix.kernels._alpha_quantize import box_slices, whole_boxes
from refpix.kernels._registry import Backend, kernel


@kernel(mutates="stack")
def alpha_occlude(
    stack: npt.NDArray[Any],
    front: npt.NDArray[np.uint8],
    *,
    index: int,
    position: tuple[int, int],
    boxes: npt.NDArray[np.int64] | None = None,
    write: bool = True,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> npt.NDArray[np.float64]:
    """Put a matte in front of those before it, in place, and say how much of each is left.

    Under the front, clipped to the planes, plane ``index`` becomes ``front / 255`` and each plane
    before it is multiplied by one minus that, every operation rounded to the stack's type. That
    equals what the published generators do with whole planes: outside the front the factor is 1.

    Args:
        stack: float32 (image synthesis) or float64 (video) (n, H, W), values 0..1; updated.
        front: uint8 (h, w).
        index: the plane that takes the front; planes after it are not looked at.
        position: x and y of the front's first pixel, which may lie outside.
        boxes: int64 (n, 4), x, y, width, height outside which a plane is zero so far; sums look
            no further. None: planes are read whole.
        write: False only tells the areas that there would be.
        num_threads: threads to use at most; each takes whole planes.
        backend: which implementation.

    Returns:
        float64 (index + 1, 2), sums of planes 0..index before and after, added up in double
        precision: native implementations give the same bits whatever the instruction set, on a
        device too; NumPy may differ in the last ones.

    Raises:
        KernelError: a box outside its plane.

    On a device ``stack``, ``front`` and ``boxes`` lie there, and so do the areas: who decides by
    them on the host waits for them.

    Source: MaGGIe, tools/synthesize_image_him.py and synthesize_video_him.py, as described in
    docs/synthesis.md.
    """
    height, width = stack.shape[1:]
    regions = whole_boxes(stack, boxes)
    if not 0 <= index < len(stack):
        raise ValueError("index: no such plane")
    x, y = position
    x0, y0 = max(x, 0), max(y, 0)
    x1, y1 = min(x + front.shape[1], width), min(y + front.shape[0], height)
    under = (slice(y0, max(y0, y1)), slice(x0, max(x0, x1)))
    seen = front[max(0, -y) : max(0, y1 - y), max(0, -x) : max(0, x1 - x)]
    matte = (seen / 255.0).astype(stack.dtype)
    if x0 >= x1 or y0 >= y1:
        under, matte = (slice(0, 0), slice(0, 0)), matte[:0, :0]
    areas = np.empty((index + 1, 2), np.float64)
    for item in range(index + 1):
        before = np.zeros((height, width), stack.dtype)
        box = box_slices(regions[item])
        before[box] = stack[item][box]
        if item == index:
            before[under] = stack[item][under]
        after = before.copy()
        after[under] = matte if item == index else before[under] * (1 - matte)
        areas[item] = before.sum(dtype=np.float64), after.sum(dtype=np.float64)
        if write:
            stack[item][under] = after[under]
    return areas
