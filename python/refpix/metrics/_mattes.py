"""Mattes and trimaps as the matting metrics take them: checked, and in the kernels' types."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = [
    "REGIONS",
    "Mattes",
    "Region",
    "as_mattes",
    "as_trimap",
    "check_region",
    "region_labels",
    "reshaped",
    "total",
]

Region = Literal["whole", "transition", "foreground", "background"]

#: Labels of a trimap by the region they make up.
REGIONS: Final[dict[Region, tuple[int, ...]]] = {
    "whole": (0, 1, 2),
    "transition": (1,),
    "foreground": (2,),
    "background": (0,),
}


class Mattes(NamedTuple):
    """Mattes beside their ground truth.

    Attributes:
        pred: float32 (n, H, W), or (T, n, H, W) in a clip.
        gt: likewise.
        trimap: uint8, likewise, 0 background, 1 transition, 2 foreground; or None.
    """

    pred: npt.NDArray[np.float32]
    gt: npt.NDArray[np.float32]
    trimap: npt.NDArray[np.uint8] | None


def _alpha(values: npt.ArrayLike, name: str) -> npt.NDArray[np.float32]:
    array = np.asarray(values)
    if array.dtype.kind != "f":
        hint = ": divide by 255" if array.dtype == np.uint8 else ""
        raise TypeError(f"{name}: expected floating point in 0..1, got {array.dtype}{hint}")
    return np.ascontiguousarray(array, dtype=np.float32)


def as_trimap(values: npt.ArrayLike) -> npt.NDArray[np.uint8]:
    """A trimap of any number type as uint8.

    Raises:
        ValueError: a value is not 0, 1 or 2.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"trimap: expected numbers, got {array.dtype}")
    if array.dtype == np.uint8:  # the kernels check the values
        return np.ascontiguousarray(array)
    wrong = ~np.isin(array, (0, 1, 2))
    if wrong.any():
        raise ValueError(
            f"trimap: expected 0 (background), 1 (transition), 2 (foreground), "
            f"got {array[wrong].flat[0]}"
        )
    return np.ascontiguousarray(array.astype(np.uint8))


def as_mattes(pred: npt.ArrayLike, gt: npt.ArrayLike, trimap: npt.ArrayLike | None) -> Mattes:
    """Arguments of a metric, float32 and uint8, of one shape with at least (H, W).

    Raises:
        TypeError: a matte is not floating point.
        ValueError: shapes differ, or there is no pixel.
    """
    arrays = Mattes(
        _alpha(pred, "pred"),
        _alpha(gt, "gt"),
        None if trimap is None else as_trimap(trimap),
    )
    for name, array in (("gt", arrays.gt), ("trimap", arrays.trimap)):
        if array is not None and array.shape != arrays.pred.shape:
            raise ValueError(
                f"{name}: shape {array.shape} is not that of pred, {arrays.pred.shape}"
            )
    if arrays.pred.ndim < 2:
        raise ValueError(f"pred: expected (..., height, width), got {arrays.pred.shape}")
    if arrays.pred.size == 0:
        raise ValueError(f"pred: there is nothing to score, its shape is {arrays.pred.shape}")
    return arrays


def reshaped(mattes: Mattes, *leading: int) -> Mattes:
    """The same with other axes before (H, W)."""
    shape = (*leading, *mattes.pred.shape[-2:])
    trimap = None if mattes.trimap is None else mattes.trimap.reshape(shape)
    return Mattes(mattes.pred.reshape(shape), mattes.gt.reshape(shape), trimap)


def region_labels(region: Region, mattes: Mattes, whole: tuple[int, ...]) -> list[int]:
    """The labels that a region takes in; ``whole``: what it is when there is a trimap.

    Raises:
        ValueError: the region needs a trimap, and there is none.
    """
    if region == "whole":
        return [0, 1, 2] if mattes.trimap is None else list(whole)
    if mattes.trimap is None:
        raise ValueError(f"region {region!r} needs a trimap")
    return list(REGIONS[region])


def check_region(region: str) -> None:
    """Raises ValueError for a name that is no region."""
    if region not in REGIONS:
        raise ValueError(f"region: expected one of {', '.join(REGIONS)}, got {region!r}")


def total(sums: npt.NDArray[Any], labels: list[int]) -> npt.NDArray[Any]:
    """Sums by label (..., 3) added up over some of the labels, (...)."""
    added: npt.NDArray[Any] = sums[..., labels].sum(axis=-1)
    return added
