"""Matting: SAD, MAD, MSE, Grad, Conn over pictures, dtSSD and MESSDdt over clips.

Every metric is an object that gathers batches, and a function that scores one. Mattes are floating
point in 0..1, arrays or CPU tensors; trimaps are 0 background, 1 transition, 2 foreground.
"""

from __future__ import annotations

import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from refpix import kernels
from refpix.metrics import _mattes
from refpix.metrics._mattes import Mattes, Region, total
from refpix.metrics._messddt import flows_of_clip, warp_errors
from refpix.metrics.box import Protocol, check_protocol

__all__ = [
    "MAD",
    "MATTING_METRICS",
    "MSE",
    "SAD",
    "Conn",
    "Grad",
    "MESSDdt",
    "MattingMetric",
    "dtSSD",
]


class Added(NamedTuple):
    """What a batch adds to a metric."""

    score: float
    number: int


class MattingMetric(ABC):
    """A matting metric, gathered batch by batch.

    Attributes:
        protocol: ``"paper"``, the published code's number with its quirks, or ``"standard"``.
        region: the pixels that count. ``"whole"`` is all of them, but under ``"paper"`` a trimap
            that is given narrows it as the published code does; the others need a trimap.
        score: sum so far.
        count: what to divide it by.
    """

    #: Labels of the whole when the published code is given a trimap.
    _paper_whole: ClassVar[tuple[int, ...]] = (1, 2)
    #: Added to the count by the published code, in `average` and in what `update` returns.
    _paper_epsilon: ClassVar[float] = 0.0

    def __init__(self, *, protocol: Protocol = "paper", region: Region = "whole") -> None:
        check_protocol(protocol)
        _mattes.check_region(region)
        self.protocol: Protocol = protocol
        self.region: Region = region
        self.reset()

    def reset(self) -> None:
        """Forgets all batches."""
        self.score = 0.0
        self.count = 0

    def update(
        self,
        pred: npt.ArrayLike,
        gt: npt.ArrayLike,
        trimap: npt.ArrayLike | None = None,
        *,
        num_threads: int = 1,
    ) -> float:
        """Adds a batch.

        Args:
            pred: (..., H, W) floating point, 0..1. dtSSD and MESSDdt take clips, (T, n, H, W):
                frames, instances; or with the videos of a batch in front.
            gt: likewise.
            trimap: likewise, of any number type, or None.
            num_threads: threads to use at most, over the maps.

        Returns:
            The score of this batch alone; NaN when nothing counted.

        Raises:
            TypeError: mattes that are not floating point.
            ValueError: shapes that differ or are empty, a region without its trimap.
            KernelError: a value that is not finite or not in 0..1; names map and byte.
        """
        mattes = _mattes.as_mattes(pred, gt, trimap)
        return self.add(self.measure(mattes, num_threads))

    def measure(self, mattes: Mattes, num_threads: int) -> Added:
        """What a batch adds, without adding it."""
        whole = self._paper_whole if self.protocol == "paper" else (0, 1, 2)
        labels = _mattes.region_labels(self.region, mattes, whole)
        return self.reduce(self.sums(mattes, self.protocol, num_threads), labels)

    def add(self, added: Added) -> float:
        """Adds what `measure` or `reduce` gave; the score of that alone."""
        self.score += added.score
        self.count += added.number
        divisor = added.number + (self._paper_epsilon if self.protocol == "paper" else 0)
        return added.score / divisor if divisor else math.nan

    @staticmethod
    @abstractmethod
    def sums(mattes: Mattes, protocol: Protocol, num_threads: int) -> Any:
        """By label, so that one pass over the pixels serves all regions."""

    @abstractmethod
    def reduce(self, sums: Any, labels: list[int]) -> Added:
        """The sums of some labels as score and count."""

    def average(self) -> float:
        """Score over count; NaN before the first batch (``"paper"``: 0, it adds 1e-6)."""
        if self.protocol == "paper":
            return self.score / (self.count + 1e-6)
        return self.score / self.count if self.count else math.nan

    def merge(self, other: MattingMetric) -> None:
        """Adds what another process gathered; ValueError when it measured something else."""
        mine = (type(self), self.protocol, self.region)
        if mine != (type(other), other.protocol, other.region):
            raise ValueError("merge: metrics, protocols or regions differ")
        self.score += other.score
        self.count += other.count


class _Errors(NamedTuple):
    pixels: int  # of a map
    areas: npt.NDArray[np.int64]
    absolute: npt.NDArray[np.float64]
    squared: npt.NDArray[np.float64]


def _maps(mattes: Mattes) -> Mattes:
    return _mattes.reshaped(mattes, -1)


class _Differences(MattingMetric):
    @staticmethod
    def sums(mattes: Mattes, protocol: Protocol, num_threads: int) -> _Errors:
        """Areas, absolute and squared differences."""
        maps = _maps(mattes)
        found = kernels.alpha_errors(
            maps.pred, maps.gt, trimap=maps.trimap, num_threads=num_threads
        )
        return _Errors(maps.pred[0].size, *found)

    def _mean(
        self, sums: _Errors, differences: npt.NDArray[np.float64], labels: list[int]
    ) -> Added:
        """The published mean is divided by the area twice: by the map's, then by the region's."""
        areas, errors = total(sums.areas, labels), total(differences, labels)
        if self.protocol == "paper":
            each = errors / sums.pixels / (areas + 1e-6)
            return Added(float(each.sum()) * 1e10, len(each))
        seen = areas > 0
        each = errors[seen] / areas[seen]
        return Added(float(each.sum()) * 1e3, len(each))


class SAD(_Differences):
    """Sum of absolute differences, in thousands, per map."""

    def reduce(self, sums: _Errors, labels: list[int]) -> Added:
        """See `MattingMetric.reduce`."""
        return Added(float(total(sums.absolute, labels).sum()) * 1e-3, len(sums.absolute))


class MAD(_Differences):
    """Mean absolute difference: times 1000 (standard), or divided by the area twice (paper)."""

    def reduce(self, sums: _Errors, labels: list[int]) -> Added:
        """See `MattingMetric.reduce`."""
        return self._mean(sums, sums.absolute, labels)


class MSE(_Differences):
    """Mean squared difference: times 1000 (standard), or divided by the area twice (paper)."""

    def reduce(self, sums: _Errors, labels: list[int]) -> Added:
        """See `MattingMetric.reduce`."""
        return self._mean(sums, sums.squared, labels)


class _SumPerMap(MattingMetric):
    def reduce(self, sums: npt.NDArray[np.float64], labels: list[int]) -> Added:
        """See `MattingMetric.reduce`."""
        return Added(float(total(sums, labels).sum()) * 1e-3, len(sums))


class Grad(_SumPerMap):
    """Squared differences of gradient magnitudes, in thousands, per map.

    ``"paper"`` stretches the batch as a whole to 0..1 first, so that the number depends on what is
    scored together, and takes zeros beyond the picture; ``"standard"`` takes mattes as they are and
    repeats the edge.
    """

    @staticmethod
    def sums(mattes: Mattes, protocol: Protocol, num_threads: int) -> npt.NDArray[np.float64]:
        """See `refpix.kernels.alpha_gradient`."""
        pred, gt, trimap = _maps(mattes)
        rules: dict[str, Any] = {"trimap": trimap, "num_threads": num_threads}
        if protocol == "paper":
            rules |= {"normalize": "batch", "padding": "zero"}
        return kernels.alpha_gradient(pred, gt, **rules)


class Conn(_SumPerMap):
    """Differences of connectivity, in thousands, per map; the protocols agree."""

    @staticmethod
    def sums(mattes: Mattes, protocol: Protocol, num_threads: int) -> npt.NDArray[np.float64]:
        """See `refpix.kernels.alpha_connectivity`."""
        pred, gt, trimap = _maps(mattes)
        return kernels.alpha_connectivity(pred, gt, trimap=trimap, num_threads=num_threads)


def _clips(mattes: Mattes, what: str) -> Mattes:
    """As (videos, T, n, H, W)."""
    shape = mattes.pred.shape
    if len(shape) not in (4, 5):
        raise ValueError(f"{what}: expected (T, n, H, W) or (videos, T, n, H, W), got {shape}")
    return _mattes.reshaped(mattes, *(shape[:-2] if len(shape) == 5 else (1, *shape[:2])))


class _Changes(NamedTuple):
    areas: npt.NDArray[np.int64]  # (videos, T - 1, n, 3)
    squared: npt.NDArray[np.float64]


class dtSSD(MattingMetric):
    """How differently prediction and truth change from frame to frame.

    ``"paper"``: root of the sum over a clip, times 0.1, per instance, so that it grows with length
    and size; a trimap narrows it to the transition. ``"standard"``: root of the mean over the
    pixels of a pair of frames, times 100, per pair and instance. The trimap is the earlier frame's.
    """

    _paper_whole = (1,)
    _paper_epsilon = 1e-10

    @staticmethod
    def sums(mattes: Mattes, protocol: Protocol, num_threads: int) -> _Changes:
        """See `refpix.kernels.alpha_temporal`."""
        pred, gt, trimap = _clips(mattes, "dtSSD")
        found = [
            kernels.alpha_temporal(
                pred[i],
                gt[i],
                trimap=None if trimap is None else trimap[i],
                num_threads=num_threads,
            )
            for i in range(len(pred))
        ]
        return _Changes(np.stack([areas for areas, _ in found]), np.stack([s for _, s in found]))

    def reduce(self, sums: _Changes, labels: list[int]) -> Added:
        """See `MattingMetric.reduce`."""
        areas, squared = total(sums.areas, labels), total(sums.squared, labels)
        if self.protocol == "paper":
            each = np.sqrt(squared.sum(axis=(0, 1)))
            return Added(float(each.sum()) * 0.1, len(each))
        seen = areas > 0
        each = np.sqrt(squared[seen] / areas[seen])
        return Added(float(each.sum()) * 100, len(each))


class MESSDdt(MattingMetric):
    """How errors change along the motion of the truth, per instance, times 10,000.

    The motion is OpenCV's Farneback flow, so it needs ``refpix[matting]``. ``"paper"`` looks up the
    moved pixel as published: with x and y exchanged, and always in the second frame of the clip; a
    trimap narrows it to the transition, but in a clip with a leading axis fails it. ``"standard"``
    looks in the next frame at (x + dx, y + dy).
    """

    _paper_whole = (1,)
    _paper_epsilon = 1e-8

    def measure(self, mattes: Mattes, num_threads: int) -> Added:
        """See `MattingMetric.measure`."""
        whole = self._paper_whole if self.protocol == "paper" else (0, 1, 2)
        labels = _mattes.region_labels(self.region, mattes, whole)
        return self.reduce(self.sums(mattes, self.protocol, num_threads), labels)

    @staticmethod
    def sums(
        mattes: Mattes, protocol: Protocol, num_threads: int
    ) -> Callable[[list[int]], tuple[float, int]]:
        """A function, as the sums of regions do not add up; the flow is found once."""
        lost = protocol == "paper" and mattes.pred.ndim == 5 and mattes.trimap is not None
        clips = _clips(mattes, "MESSDdt")
        if protocol == "paper" and len(clips.pred) != 1:
            raise ValueError(f"MESSDdt: the published code takes one video, got {len(clips.pred)}")
        checked = _maps(mattes)
        kernels.alpha_errors(
            checked.pred, checked.gt, trimap=checked.trimap, num_threads=num_threads
        )
        if lost:
            what = "a clip with a leading axis and a trimap counts for nothing, as published"
            warnings.warn(f"MESSDdt: {what}; squeeze the axis", stacklevel=4)
            return lambda labels: (0.0, 0)
        flows = [flows_of_clip(gt) for gt in clips.gt]

        def of_labels(labels: list[int]) -> tuple[float, int]:
            parts = []
            for i, flow in enumerate(flows):
                trimap = None if clips.trimap is None else clips.trimap[i]
                mask = None if trimap is None else np.isin(trimap, labels)
                parts.append(warp_errors(clips.pred[i], clips.gt[i], mask, flow, protocol))
            each = np.concatenate(parts)
            return float(each.sum()), len(each)

        return of_labels

    def reduce(self, sums: Callable[[list[int]], tuple[float, int]], labels: list[int]) -> Added:
        """See `MattingMetric.reduce`."""
        score, count = sums(labels)
        return Added(score * 1e4, count)


#: The metrics by name.
MATTING_METRICS: Final[dict[str, type[MattingMetric]]] = {
    metric.__name__: metric for metric in (SAD, MAD, MSE, Grad, Conn, dtSSD, MESSDdt)
}
