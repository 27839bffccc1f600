"""Mattes of floating point to bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from refpix.errors import KernelError
from refpix.kernels._registry import Backend, kernel


def box_slices(box: npt.NDArray[np.int64]) -> tuple[slice, slice]:
    """Rows and columns of x, y, w, h."""
    x, y, w, h = (int(v) for v in box)
    return slice(y, y + h), slice(x, x + w)


def whole_boxes(
    planes: npt.NDArray[Any], boxes: npt.NDArray[np.int64] | None
) -> npt.NDArray[np.int64]:
    """The boxes, checked; None stands for whole planes.

    Raises:
        KernelError: a box lies outside its plane.
    """
    height, width = planes.shape[1:]
    if boxes is None:
        return np.tile(np.array([0, 0, width, height], np.int64), (len(planes), 1))
    for item, (x, y, w, h) in enumerate(boxes.tolist()):
        if min(x, y, w, h) < 0 or x + w > width or y + h > height:
            raise KernelError("alpha_bad_box", item)
    return boxes


@kernel
def alpha_quantize(
    planes: npt.NDArray[Any],
    *,
    boxes: npt.NDArray[np.int64] | None = None,
    out: npt.NDArray[np.uint8] | None = None,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> npt.NDArray[np.uint8]:
    """Mattes of 0..1 to bytes: ``value * 255`` in the planes' own type, truncated.

    ``k / 255`` gives k again in both types. Other values lose up to one level: the published
    generators truncate.

    Args:
        planes: float32 or float64 (n, H, W), values 0..1.
        boxes: int64 (n, 4), x, y, width, height outside which a plane is zero; it is not read
            there. None: planes are read whole.
        out: optional uint8 (n, H, W) to fill.
        num_threads: threads to use at most; each takes whole planes.
        backend: which implementation.

    Returns:
        uint8 (n, H, W).

    Raises:
        KernelError: a value outside 0..1, or NaN (names plane and byte), or a box outside its
            plane.

    No CUDA implementation yet: what comes out goes to PNG on the host.

    Source: MaGGIe, tools/synthesize_image_him.py and synthesize_video_him.py, as described in
    docs/synthesis.md.
    """
    result = np.empty(planes.shape, np.uint8) if out is None else out
    result[...] = 0
    for item, box in enumerate(whole_boxes(planes, boxes)):
        rows = box_slices(box)
        values = planes[item][rows]
        wrong = np.argwhere(~((values >= 0) & (values <= 1)))
        if wrong.size:
            y, x = wrong[0] + (rows[0].start, rows[1].start)
            at = int(y * planes.shape[2] + x) * planes.itemsize
            raise KernelError("alpha_out_of_range", item, at)
        result[item][rows] = (values * planes.dtype.type(255)).astype(np.uint8)
    return result
