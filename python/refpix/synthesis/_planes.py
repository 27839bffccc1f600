"""Mattes of floating point on their way to bytes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from refpix.kernels import alpha_quantize

__all__ = ["quantized", "zero_planes"]

_MOST_BYTES: Final = 1 << 27  # what is larger is not kept

_kept = threading.local()


@contextmanager
def zero_planes(
    count: int, height: int, width: int
) -> Iterator[tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]]:
    """Planes and boxes, both zero; what is written lies within the boxes when the block ends.

    A thread keeps the planes: clearing a few boxes takes a fraction of the time of getting tens of
    megabytes of zeros.

    Yields:
        float32 (count, height, width), only good within the block, and int64 (count, 4): x, y,
        width and height per plane.
    """
    values: npt.NDArray[np.float32] = _kept.__dict__.pop("values", np.empty(0, np.float32))
    size = count * height * width
    if values.size < size:
        values = np.zeros(size, np.float32)
    planes = values[:size].reshape(count, height, width)
    boxes = np.zeros((count, 4), np.int64)
    yield planes, boxes
    # Not after an exception, which may have left something anywhere.
    for plane, (x, y, w, h) in zip(planes, boxes.tolist(), strict=True):
        plane[y : y + h, x : x + w] = 0
    if values.nbytes <= _MOST_BYTES:
        _kept.values = values


def quantized(
    planes: npt.NDArray[Any], boxes: npt.NDArray[np.int64]
) -> list[npt.NDArray[np.uint8]]:
    """Of each plane its box as bytes.

    Args:
        planes: float32 or float64 (n, H, W), 0..1.
        boxes: int64 (n, 4): x, y, width and height of each.

    Returns:
        n arrays, uint8 (height, width) each.
    """
    # Bytes are copied rather than the planes' boxes, which the kernel takes as they lie.
    work = np.empty((1, *planes.shape[1:]), np.uint8)
    patches = []
    for i, (x, y, w, h) in enumerate(boxes.tolist()):
        alpha_quantize(planes[i : i + 1], boxes=boxes[i : i + 1], out=work)
        patches.append(work[0, y : y + h, x : x + w].copy())
    return patches
