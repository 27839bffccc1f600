"""Polygons as masks, pixel for pixel as the COCO API draws them."""

from __future__ import annotations

import bisect
import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from refpix.errors import RleError
from refpix.kernels._registry import Backend, kernel
from refpix.kernels._rle import Columns, check_sizes, columns


def grid_line(coordinate: float, item: int, position: int) -> int:
    """A coordinate in fifths of a pixel, half a fifth added and truncated towards zero.

    Raises:
        RleError: it is not finite, or does not fit in 32 bits; names item and byte.
    """
    if not math.isfinite(coordinate):
        raise RleError("polygon_not_finite", item, position)
    value = 5.0 * coordinate + 0.5
    if not -(2.0**31) - 1 < value < 2.0**31:
        raise RleError("polygon_too_large", item, position)
    return int(value)


def cell(line: int, cells: int) -> int:
    """The first column (or row) that begins at or after a line: its middle is not before it."""
    return min(max((line + 2) // 5, 0), cells)


def _crossings(a: tuple[int, int], b: tuple[int, int], width: int) -> Iterator[tuple[int, int]]:
    """Column and line of y wherever an edge steps from line 5c + 2 of x to line 5c + 3."""
    (xs, ys), (xe, ye) = a, b
    dx, dy = abs(xe - xs), abs(ye - ys)
    if (xs > xe) if dx >= dy else (ys > ye):
        xs, ys, xe, ye = xe, ye, xs, ys
    for column in range(cell(min(xs, xe), width), cell(max(xs, xe), width)):
        line = 5 * column + 2
        if dx >= dy:  # a point on every line of x; of the two at the step the upper one counts
            slope = (ye - ys) / dx
            yield column, min(int(ys + slope * (x - xs) + 0.5) for x in (line, line + 1))
        else:  # a point on every line of y
            slope = (xe - xs) / dy

            def beyond(step: int, slope: float = slope, line: int = line) -> bool:
                return (int(xs + slope * step + 0.5) > line) == (slope > 0)

            yield column, ys + bisect.bisect_left(range(dy + 1), True, key=beyond) - 1


def runs_between(positions: Iterable[int], pixels: int, item: int) -> list[int]:
    """Run lengths of a mask that changes at these positions; two equal ones cancel.

    Raises:
        RleError: a run does not fit in 32 bits; names the item.
    """
    odd = (position for position, times in Counter(positions).items() if times % 2 == 1)
    changes = sorted(position for position in odd if position < pixels)
    runs = [end - start for start, end in itertools.pairwise([0, *changes, pixels])]
    if max(runs) >= 2**32:
        raise RleError("rle_run_overflow", item)
    return runs


def _draw(xy: list[float], height: int, width: int, item: int) -> list[int]:
    xy = xy[: len(xy) // 2 * 2]
    if not xy:
        raise RleError("polygon_empty", item)
    lines = [grid_line(value, item, 8 * i) for i, value in enumerate(xy)]
    points = list(zip(lines[::2], lines[1::2], strict=True))
    edges = itertools.pairwise([*points, points[0]])
    positions = [
        column * height + cell(y, height) for a, b in edges for column, y in _crossings(a, b, width)
    ]
    return runs_between(positions, height * width, item)


@kernel
def rle_from_polygon(
    coordinates: npt.NDArray[np.float64],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    *,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> Columns:
    """Draw polygons as masks, run for run as the COCO API does.

    A pixel belongs to the mask if the outline, drawn on a grid five times as fine and closed from
    the last point to the first, is crossed an odd number of times above its middle. So polygons
    may cut themselves, and parts outside the picture are cut off.

    Args:
        coordinates: float64 (c,), x, y, x, y, ... in pixels, all polygons end to end.
        offsets: int64 (n + 1,); polygon i is ``coordinates[offsets[i]:offsets[i + 1]]``. The last
            one of an odd number of coordinates is ignored.
        sizes: int64 (n, 2), height and width of each polygon's picture in pixels.
        num_threads: threads to use at most.
        backend: which implementation. There is no CUDA one: run lengths live on the host.

    Returns:
        Masks as columns: counts uint32 (runs,), offsets int64 (n + 1,), sizes (as given). One mask
        per polygon (merge those of an object); runs are never empty but for the first.

    Raises:
        RleError: a polygon without a point, a coordinate that is not finite or, times five, does
            not fit in 32 bits, or a run of 2**32 pixels or more; names the polygon and the byte.

    Source: COCO API, common/maskApi.c (rleFrPoly), whose behaviour is undefined in these cases.
    """
    if offsets[0] != 0 or offsets[-1] != len(coordinates):
        raise RleError("rle_bad_offsets")
    spans = list(itertools.pairwise(offsets.tolist()))
    for item, (start, stop) in enumerate(spans):
        if not start <= stop <= len(coordinates):
            raise RleError("rle_bad_offsets", item)
    check_sizes(sizes)
    items = [
        _draw(coordinates[start:stop].tolist(), height, width, item)
        for item, ((start, stop), (height, width)) in enumerate(
            zip(spans, sizes.tolist(), strict=True)
        )
    ]
    return columns(items, sizes)
