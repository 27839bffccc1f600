"""Referring segmentation: mIoU over expressions, cIoU, and precision at IoU thresholds."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from refpix import masks
from refpix.errors import KernelError
from refpix.kernels import rle_area, rle_overlap
from refpix.metrics.referring_predictions import (
    Key,
    Missing,
    as_runs,
    background,
    example_name,
    joined,
    match_predictions,
)
from refpix.types import RleBatch

__all__ = [
    "THRESHOLDS",
    "EmptyUnion",
    "Example",
    "ReferringAccuracy",
    "ReferringScores",
    "evaluate",
    "mask_overlap",
]

#: What IoU is where prediction and ground truth are both empty; ``"skip"`` leaves them out.
EmptyUnion = float | Literal["skip"]
THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)

_CHUNK = 256  # examples whose run lengths are in memory at a time
_FAULTS = (ValueError, TypeError, KeyError, OverflowError)


class Example(Protocol):
    """What is predicted for: ``refpix.datasets.RefCocoM(...).examples`` has these."""

    @property
    def key(self) -> Key:
        """Sample id and place of the sentence."""
        ...

    @property
    def rle(self) -> Mapping[str, Any]:
        """The ground truth as COCO run lengths."""
        ...


@dataclass(frozen=True, eq=False)
class ReferringScores:
    """Scores over examples; NaN where there is nothing to average.

    Attributes:
        miou: mean of the examples' IoU under the rule for empty unions.
        ciou: sum of intersections over sum of unions (also called oIoU).
        precision: threshold -> share of examples with IoU above it (strictly).
        precision_at_least: likewise, with IoU equal to the threshold counted too.
        empty_union: the rule that ``miou`` and the precisions follow.
        miou_by_rule: ``miou`` under each of the rules ``"0"``, ``"1"`` and ``"skip"``.
        examples: how many there were.
        empty_unions: how many of them had nothing in prediction and ground truth.
        missing: how many had no prediction and were taken as empty.
        intersection: int64 (examples,), pixels.
        union: int64 (examples,), pixels.
        iou: float64 (examples,), NaN for those left out.
    """

    miou: float
    ciou: float
    precision: dict[float, float]
    precision_at_least: dict[float, float]
    empty_union: EmptyUnion
    miou_by_rule: dict[str, float]
    examples: int
    empty_unions: int
    missing: int
    intersection: npt.NDArray[np.int64]
    union: npt.NDArray[np.int64]
    iou: npt.NDArray[np.float64]

    def to_dict(self) -> dict[str, Any]:
        """The scores without the arrays, as JSON takes them: None for NaN."""
        return {
            "miou": _number(self.miou),
            "ciou": _number(self.ciou),
            "precision": {str(t): _number(v) for t, v in self.precision.items()},
            "precision_at_least": {str(t): _number(v) for t, v in self.precision_at_least.items()},
            "empty_union": self.empty_union,
            "miou_by_rule": {rule: _number(v) for rule, v in self.miou_by_rule.items()},
            "examples": self.examples,
            "empty_unions": self.empty_unions,
            "missing": self.missing,
        }


class ReferringAccuracy:
    """Scores of predicted masks, gathered batch by batch.

    IoU is taken of whole numbers of pixels and divided in double.

    Args:
        empty_union: IoU where both masks are empty: 0 (as pycocotools says, and most published
            evaluation code), 1, or ``"skip"``, which leaves the example out of the mean and of
            the precisions. cIoU does not depend on it.

    Raises:
        ValueError: another rule.
    """

    def __init__(self, *, empty_union: EmptyUnion = 0.0) -> None:
        self.empty_union = _rule(empty_union)
        self.missing = 0
        self._parts: list[npt.NDArray[np.int64]] = []

    def update(
        self,
        pred: RleBatch | Sequence[Mapping[str, Any]],
        gt: RleBatch | Sequence[Mapping[str, Any]],
        *,
        num_threads: int = 1,
    ) -> None:
        """Adds a batch: item i of ``pred`` is for item i of ``gt``; errors as `mask_overlap`."""
        self._parts.append(mask_overlap(pred, gt, num_threads=num_threads))

    def add(self, overlap: npt.NDArray[np.int64]) -> None:
        """Adds int64 (n, 2), intersections and unions in pixels."""
        self._parts.append(np.asarray(overlap, np.int64).reshape(-1, 2))

    def merge(self, other: ReferringAccuracy) -> None:
        """Adds what another process gathered; ValueError when its rule differs."""
        if self.empty_union != other.empty_union:
            raise ValueError("merge: rules for empty unions differ")
        self._parts += other._parts
        self.missing += other.missing

    def compute(self) -> ReferringScores:
        """The scores of all so far."""
        overlap = np.concatenate([np.empty((0, 2), np.int64), *self._parts])
        intersection, union = overlap[:, 0], overlap[:, 1]
        by_rule: dict[str, EmptyUnion] = {"0": 0.0, "1": 1.0, "skip": "skip"}
        iou = _iou(intersection, union, self.empty_union)
        counted = iou[~np.isnan(iou)]
        return ReferringScores(
            miou=_mean(counted),
            ciou=_mean_of(int(intersection.sum()), int(union.sum())),
            precision={t: _mean(counted > t) for t in THRESHOLDS},
            precision_at_least={t: _mean(counted >= t) for t in THRESHOLDS},
            empty_union=self.empty_union,
            miou_by_rule={
                name: _mean(values[~np.isnan(values)])
                for name, rule in by_rule.items()
                for values in [_iou(intersection, union, rule)]
            },
            examples=len(union),
            empty_unions=int(np.count_nonzero(union == 0)),
            missing=self.missing,
            intersection=intersection,
            union=union,
            iou=iou,
        )


def mask_overlap(
    pred: RleBatch | Sequence[Mapping[str, Any]],
    gt: RleBatch | Sequence[Mapping[str, Any]],
    *,
    num_threads: int = 1,
) -> npt.NDArray[np.int64]:
    """Intersections and unions of masks, item i with item i.

    Args:
        pred: COCO run-length dicts, or columns of run lengths.
        gt: likewise, as many.
        num_threads: threads to use at most.

    Returns:
        int64 (n, 2), pixels.

    Raises:
        RleError: a malformed mask, or two of different sizes; names the item.
        ValueError: other numbers of masks.
    """
    first, second = (
        m if isinstance(m, RleBatch) else masks.from_coco(m, num_threads=num_threads)
        for m in (pred, gt)
    )
    if len(first.sizes) != len(second.sizes):
        raise ValueError(f"pred and gt: {len(first.sizes)} and {len(second.sizes)} masks")
    return _with_unions(masks.overlap(first, second, num_threads=num_threads))


def evaluate(
    dataset: Any,
    predictions: Any,
    *,
    empty_union: EmptyUnion = 0.0,
    missing: Missing = "error",
    num_threads: int = 1,
    progress: bool = False,
) -> ReferringScores:
    """Score predictions by RefCOCO-M's protocol: every (picture, sentence) is an example.

    Args:
        dataset: what has ``examples``, such as ``refpix.datasets.RefCocoM``, or the examples
            themselves: an iterable of `Example`.
        predictions: any of

            * a JSON file, or its content: a list of ``{"sample_id": ..., "sentence_index": ...,
              "segmentation": {"counts": ..., "size": [H, W]}}``. Without ``sentence_index`` it is
              the prediction for all sentences of the sample. ``"example"``, the number of the
              example, may stand instead of or beside the two, ``"mask"`` instead of
              ``"segmentation"``; other keys are ignored.
            * a folder of PNG files of two values, ``<sample_id>_<sentence_index>.png``, or
              ``<sample_id>.png`` for all sentences of the sample.
            * a mapping of ``(sample_id, sentence_index)``, or ``sample_id``, to masks.
            * masks in the order of the examples: an array (n, H, W), a sequence, an iterator
              (consumed piece by piece), or an ``RleBatch``.

            A mask is a COCO run-length dict or (H, W) of bool or of integers of two values.
        empty_union: as for `ReferringAccuracy`; all three results are in ``miou_by_rule``.
        missing: ``"error"``, or ``"empty"`` to take missing predictions (None among masks in
            order) as empty masks and report their number.
        num_threads: native threads.
        progress: a bar.

    Raises:
        ValueError: a prediction is missing, double, for an example that does not exist, malformed,
            or of another size than the ground truth; names the example.
        OSError: predictions cannot be read.

    Source: https://huggingface.co/datasets/moondream/refcoco-m (evaluation protocol).
    """
    if missing not in ("error", "empty"):
        raise ValueError(f"missing={missing!r}: expected 'error' or 'empty'")
    scores = ReferringAccuracy(empty_union=empty_union)
    examples: list[Example] = list(getattr(dataset, "examples", dataset))
    items = match_predictions([example.key for example in examples], predictions, missing)
    source = f"{os.fspath(predictions)}: " if isinstance(predictions, (str, os.PathLike)) else ""
    with tqdm(total=len(examples), unit="example", disable=not progress) as bar:
        for start in range(0, len(examples), _CHUNK):
            chunk = examples[start : start + _CHUNK]
            given = list(islice(items, len(chunk)))
            scores.missing += sum(item is None for item in given)
            scores.add(_chunk_overlap(chunk, given, source, num_threads))
            bar.update(len(chunk))
    next(items, None)  # lets the source complain about a mask too many
    return scores.compute()


def _chunk_overlap(
    examples: list[Example], given: list[Any], source: str, num_threads: int
) -> npt.NDArray[np.int64]:
    """Intersections and unions of some examples; errors name the example."""
    truths, which = _distinct([example.rle for example in examples])
    try:
        gt = masks.from_coco(truths, num_threads=num_threads)
        sizes = gt.sizes[which]
        filled = [
            background(size) if item is None else item
            for item, size in zip(given, sizes.tolist(), strict=True)
        ]
        pred = as_runs(filled, num_threads=num_threads)
        differ = np.flatnonzero((pred.sizes != sizes).any(axis=1))
        if len(differ) == 0:
            return _overlap(pred, gt, which, num_threads)
    except _FAULTS as error:
        raise _blamed(examples, given, source) or error from error
    i = int(differ[0])
    (height, width), (true_height, true_width) = pred.sizes[i].tolist(), sizes[i].tolist()
    raise ValueError(
        f"{source}{example_name(examples[i].key)}: the prediction is {height} x {width} "
        f"(height x width), the ground truth {true_height} x {true_width}"
    )


def _distinct(
    rles: list[Mapping[str, Any]],
) -> tuple[list[Mapping[str, Any]], npt.NDArray[np.int64]]:
    """Neighbours that are one object once, and where each is: an instance has many sentences."""
    kept: list[Mapping[str, Any]] = []
    which = np.empty(len(rles), np.int64)
    for i, rle in enumerate(rles):
        if not kept or rle is not kept[-1]:
            kept.append(rle)
        which[i] = len(kept) - 1
    return kept, which


def _overlap(
    pred: RleBatch, gt: RleBatch, which: npt.NDArray[np.int64], num_threads: int
) -> npt.NDArray[np.int64]:
    """Intersections and unions of item i of ``pred`` with item ``which[i]`` of ``gt``."""
    first = np.arange(len(which), dtype=np.int64)
    pairs = np.stack([first, which + len(which)], axis=1)
    return _with_unions(rle_overlap(*joined([pred, gt]), pairs, num_threads=num_threads))


def _with_unions(overlap: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Intersections and unions of intersections and both areas."""
    intersection = overlap[:, 0]
    return np.stack([intersection, overlap[:, 1] + overlap[:, 2] - intersection], axis=1)


def _blamed(examples: list[Example], given: list[Any], source: str) -> ValueError | None:
    """The error of the first bad mask among some, found by trying each alone."""
    for example, item in zip(examples, given, strict=True):
        tries = {"ground truth": example.rle, "prediction": item}
        for what, rle in tries.items():
            if rle is None:
                continue
            try:
                rle_area(*as_runs([rle]))
            except _FAULTS as e:
                reason = _why(e)
                where = source if what == "prediction" else ""
                error = ValueError(f"{where}{example_name(example.key)}: {what}: {reason}")
                error.__cause__ = e
                return error
    return None


def _why(error: Exception) -> str:
    """What is wrong, without the item number of a call about one item."""
    if not isinstance(error, KernelError):
        return str(error)
    return error.reason + (f" (at byte {error.position})" if error.position >= 0 else "")


def _rule(empty_union: Any) -> EmptyUnion:
    if empty_union == "skip":
        return "skip"
    if not isinstance(empty_union, str) and empty_union in (0, 1):
        return float(empty_union)
    raise ValueError(f"empty_union={empty_union!r}: expected 0, 1 or 'skip'")


def _iou(
    intersection: npt.NDArray[np.int64], union: npt.NDArray[np.int64], rule: EmptyUnion
) -> npt.NDArray[np.float64]:
    empty = union == 0
    iou: npt.NDArray[np.float64] = intersection / np.where(empty, 1, union)
    iou[empty] = np.nan if rule == "skip" else rule
    return iou


def _mean(values: npt.NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _mean_of(total: int, count: int) -> float:
    return total / count if count else float("nan")


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
