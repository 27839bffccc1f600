"""What the references of the matting metrics share: checks, and sums in a fixed order."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from refpix.errors import KernelError

__all__ = ["LABELS", "check_finite", "check_pair", "label_areas", "label_sums"]

#: Labels of a trimap: background, transition, foreground.
LABELS: Final = 3
#: Half a grey level of 255 is let through on either side of 0..1.
_SLACK: Final = np.float32(1 / 512)


def _first(wrong: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """Item and position of the first wrong pixel of maps (n, H, W)."""
    item = int(np.argmax(wrong.any(axis=(1, 2))))
    return item, int(np.argmax(wrong[item].reshape(-1)))


def check_pair(
    pred: npt.NDArray[np.float32],
    gt: npt.NDArray[np.float32],
    trimap: npt.NDArray[np.uint8] | None,
) -> None:
    """Raises KernelError for the first map (n, H, W) with a value out of range."""
    faults: list[tuple[int, int, str, int]] = []
    for name, alpha in (("pred", pred), ("gt", gt)):
        wrong = ~((alpha >= -_SLACK) & (alpha <= 1 + _SLACK))
        if wrong.any():
            item, pixel = _first(wrong)
            finite = bool(np.isfinite(alpha[item].reshape(-1)[pixel]))
            fault = f"{name}_out_of_range" if finite else f"{name}_not_finite"
            faults.append((item, len(faults), fault, pixel * 4))
    if trimap is not None and (trimap >= LABELS).any():
        item, pixel = _first(trimap >= LABELS)
        faults.append((item, len(faults), "trimap_out_of_range", pixel))
    if faults:
        item, _, fault, position = min(faults)
        raise KernelError(fault, item, position)


def check_finite(alpha: npt.NDArray[Any]) -> None:
    """Raises KernelError for the first map (n, H, W) with a value that is not finite."""
    wrong = ~np.isfinite(alpha)
    if wrong.any():
        item, pixel = _first(wrong)
        raise KernelError("alpha_not_finite", item, pixel * alpha.itemsize)


def _ordered_sum(terms: npt.NDArray[np.float32]) -> float:
    """Sum of one map in double, in the order that every implementation keeps.

    Eight running sums a row, column x in sum ``x % 8``, added up as
    ``((0 + 1) + (2 + 3)) + ((4 + 5) + (6 + 7))``; then row after row.
    """
    height, width = terms.shape
    padded = np.zeros((height, -(-width // 8) * 8))
    padded[:, :width] = terms
    s = np.cumsum(padded.reshape(height, -1, 8), axis=1)[:, -1]  # one by one, unlike np.sum
    rows = ((s[:, 0] + s[:, 1]) + (s[:, 2] + s[:, 3])) + ((s[:, 4] + s[:, 5]) + (s[:, 6] + s[:, 7]))
    return float(np.cumsum(rows)[-1])


def label_sums(
    terms: npt.NDArray[np.float32], trimap: npt.NDArray[np.uint8] | None
) -> npt.NDArray[np.float64]:
    """Sums of maps (n, H, W) over each label of the trimap, (n, 3); without one all are label 0."""
    sums = np.zeros((len(terms), LABELS))
    for item, values in enumerate(terms):
        if trimap is None:
            sums[item, 0] = _ordered_sum(values)
            continue
        for label in range(LABELS):
            mine = np.where(trimap[item] == label, values, np.float32(0))
            sums[item, label] = _ordered_sum(mine)
    return sums


def label_areas(
    shape: tuple[int, ...], trimap: npt.NDArray[np.uint8] | None
) -> npt.NDArray[np.int64]:
    """Pixels of each label in maps of this shape (n, H, W), (n, 3)."""
    areas = np.zeros((shape[0], LABELS), np.int64)
    areas[:, 0] = shape[1] * shape[2]
    if trimap is not None:
        for label in range(LABELS):
            areas[:, label] = (trimap == label).sum(axis=(1, 2))
    return areas
