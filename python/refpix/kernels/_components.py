"""Connected components, for the references."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["largest"]


def largest(mask: npt.NDArray[np.bool_], connectivity: int) -> npt.NDArray[np.bool_]:
    """The component of bool (H, W) with most pixels, of equals the one a scan meets first.

    Each component is flooded from the first of its pixels; empty when there is none.
    """
    reached = np.zeros(mask.shape, bool)
    best = np.zeros(mask.shape, bool)
    most = 0
    for y, x in zip(*np.nonzero(mask), strict=True):
        if reached[y, x]:
            continue
        part = _flood(mask, (int(y), int(x)), connectivity)
        reached |= part
        area = int(np.count_nonzero(part))
        if area > most:
            best, most = part, area
    return best


def _flood(
    mask: npt.NDArray[np.bool_], seed: tuple[int, int], connectivity: int
) -> npt.NDArray[np.bool_]:
    height, width = mask.shape
    part = np.zeros(mask.shape, bool)
    part[seed] = True
    waiting = [seed]
    while waiting:
        y, x = waiting.pop()
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                at = (y + dy, x + dx)
                if not (0 <= at[0] < height and 0 <= at[1] < width):
                    continue
                if (connectivity == 8 or dy == 0 or dx == 0) and mask[at] and not part[at]:
                    part[at] = True
                    waiting.append(at)
    return part
