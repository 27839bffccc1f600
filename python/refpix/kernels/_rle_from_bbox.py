"""Boxes as masks, pixel for pixel as the COCO API draws them."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from refpix.errors import RleError
from refpix.kernels._registry import Backend, kernel
from refpix.kernels._rle import Columns, check_sizes, columns
from refpix.kernels._rle_from_polygon import cell, grid_line, runs_between


def _side(start: float, length: float, cells: int, item: int, position: int) -> range:
    """The columns (or rows) that start..start + length covers."""
    first = grid_line(start, item, position)
    if not math.isfinite(length):
        raise RleError("polygon_not_finite", item, position + 16)
    if not math.isfinite(start + length):
        raise RleError("polygon_too_large", item, position + 16)
    last = grid_line(start + length, item, position + 16)
    return range(cell(min(first, last), cells), cell(max(first, last), cells))


@kernel
def rle_from_bbox(
    boxes: npt.NDArray[np.float64],
    sizes: npt.NDArray[np.int64],
    *,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> Columns:
    """Draw boxes as masks, run for run as the COCO API does.

    The result is that of ``rle_from_polygon`` for the box's four corners: a rectangle of whole
    pixels, cut off at the picture's edge. Negative widths and heights go to the left and upwards.

    Args:
        boxes: float64 (n, 4), x, y, width, height in pixels.
        sizes: int64 (n, 2), height and width of each box's picture in pixels.
        num_threads: threads to use at most.
        backend: which implementation. There is no CUDA one: run lengths live on the host.

    Returns:
        Masks as columns: counts uint32 (runs,), offsets int64 (n + 1,), sizes (as given).

    Raises:
        RleError: a number that is not finite, a corner that, times five, does not fit in 32 bits,
            or a run of 2**32 pixels or more; names the box and the byte in its row.

    Source: COCO API, common/maskApi.c (rleFrBbox).
    """
    check_sizes(sizes)
    items = []
    for item, (box, (height, width)) in enumerate(zip(boxes.tolist(), sizes.tolist(), strict=True)):
        x, y, box_width, box_height = box
        xs = _side(x, box_width, width, item, 0)
        ys = _side(y, box_height, height, item, 8)
        positions = [column * height + row for column in xs for row in (ys.start, ys.stop)]
        items.append(runs_between(positions, height * width, item))
    return columns(items, sizes)
