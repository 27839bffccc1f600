"""Long-tailed classification: accuracy, precision and F1, in all and in groups.

Source: Generalized-Long-Tailed-Benchmarks, utils/general_utils.py and test_baseline.py.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from refpix.metrics.box import Protocol, check_protocol

__all__ = ["FREQUENCY_NAMES", "GroupScores", "LongTailAccuracy", "LongTailScores"]

Counts = npt.NDArray[np.int64]

#: The groups of classes by frequency 0, 1, 2.
FREQUENCY_NAMES: Final = ("many", "medium", "few")


@dataclass(frozen=True)
class GroupScores:
    """Scores of some samples; NaN where there is nothing to average.

    Attributes:
        samples: how many.
        classes: how many classes precision (and recall) is a mean over.
        accuracy: share of samples that are right.
        recall: mean over classes of the share of their samples that are right.
        precision: mean over classes of the share of predictions that are right.
        f1: ``"paper"``: of accuracy and precision; ``"standard"``: mean over classes.
    """

    samples: int
    classes: int
    accuracy: float
    recall: float
    precision: float
    f1: float


@dataclass(frozen=True)
class LongTailScores:
    """Scores of a test set.

    Attributes:
        all: of all samples.
        frequencies: by name of the group of classes: those of many, medium and few samples in
            training. Groups without samples are not there.
        attributes: by group of attributes, 0 the most usual. Empty where no groups were given.
    """

    all: GroupScores
    frequencies: dict[str, GroupScores]
    attributes: dict[int, GroupScores]

    def groups(self) -> dict[str, GroupScores]:
        """All groups by name: ``all``, ``many``, ..., ``attribute 0``, ..."""
        attributes = {f"attribute {group}": s for group, s in self.attributes.items()}
        return {"all": self.all, **self.frequencies, **attributes}

    def to_dict(self) -> dict[str, Any]:
        """The same as values for JSON; NaN is None there."""
        return {
            name: {k: None if v != v else v for k, v in asdict(scores).items()}
            for name, scores in self.groups().items()
        }


class LongTailAccuracy:
    """Accuracy, precision and F1 of a long-tailed test set, gathered batch by batch.

    Under ``"paper"`` numbers are the published program's (which sums in float32):

    * precision is the mean over the classes that *occur* in a group; what is predicted as another
      class lowers the precision of none. A class never predicted counts 0;
    * within a group of frequencies, predictions are counted over the whole test set; within a
      group of attributes, over the group only;
    * F1 is the harmonic mean of the overall accuracy and precision, not a mean over classes. Where
      both are 0 the published program divides by zero; it is 0 here. Groups have none as
      published; they get theirs by the same formula.

    Under ``"standard"`` predictions are counted alike, but means are over the classes that occur in
    the group or are predicted in it (a class predicted and absent counts 0), and F1 is the mean of
    the classes' own: macro averages as scikit-learn's. A class belongs to a group of frequencies by
    its samples, so one that is predicted only is in no such group.

    Args:
        num_classes: of the model.
        protocol: see above.
        num_frequencies: groups of classes, numbered from 0.
        num_attributes: groups of attributes, likewise.

    Attributes:
        truth: int64 (num_frequencies, num_attributes + 1, num_classes), samples by group and
            class; the last attribute group holds those without one.
        hits: likewise, those that are right.
        predicted: likewise, by the class that they are taken for.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        protocol: Protocol = "paper",
        num_frequencies: int = 3,
        num_attributes: int = 3,
    ) -> None:
        check_protocol(protocol)
        self.shape = (num_frequencies, num_attributes + 1, num_classes)
        if min(num_classes, num_frequencies) < 1 or num_attributes < 0:
            raise ValueError(f"classes, frequencies and attributes: {self.shape} groups")
        self.protocol: Protocol = protocol
        self.truth: Counts = np.zeros(self.shape, np.int64)
        self.hits: Counts = np.zeros(self.shape, np.int64)
        self.predicted: Counts = np.zeros(self.shape, np.int64)

    def update(
        self,
        predictions: npt.ArrayLike,
        labels: npt.ArrayLike,
        frequencies: npt.ArrayLike,
        attributes: npt.ArrayLike | None = None,
    ) -> None:
        """Adds a batch.

        Args:
            predictions: integers (n,), classes; or (n, num_classes), scores, of which the highest
                counts, and of several equal ones the first.
            labels: integers (n,), true classes.
            frequencies: integers (n,), the group of each label.
            attributes: integers (n,), the group of each sample; None if there are none.

        Raises:
            TypeError: classes or groups that are not integers.
            ValueError: lengths that differ, numbers out of range, scores that are NaN; names the
                sample.
        """
        num_frequencies, num_attributes, num_classes = self.shape
        found = as_classes(predictions, num_classes)
        n = len(found)
        true = integers(labels, "labels", n, num_classes)
        by_frequency = integers(frequencies, "frequencies", n, num_frequencies)
        if attributes is None:
            by_attribute = np.full(n, num_attributes - 1, np.int64)
        else:
            by_attribute = integers(attributes, "attributes", n, num_attributes - 1)
        group = (by_frequency * num_attributes + by_attribute) * num_classes
        for counts, places in (
            (self.truth, group + true),
            (self.hits, (group + true)[found == true]),
            (self.predicted, group + found),
        ):
            counts += np.bincount(places, minlength=counts.size).reshape(self.shape)

    def merge(self, other: LongTailAccuracy) -> None:
        """Adds what another process gathered; ValueError when it measured something else."""
        if (self.protocol, self.shape) != (other.protocol, other.shape):
            raise ValueError("merge: classes, groups or protocols differ")
        self.truth += other.truth
        self.hits += other.hits
        self.predicted += other.predicted

    def compute(self) -> LongTailScores:
        """The scores of all batches so far."""
        truth, hits = self.truth.sum(axis=1), self.hits.sum(axis=1)
        predicted = self.predicted.sum(axis=(0, 1))
        names = [*FREQUENCY_NAMES, *(f"frequency {i}" for i in range(3, len(truth)))]
        return LongTailScores(
            all=self._scores(truth.sum(axis=0), hits.sum(axis=0), predicted),
            frequencies={
                names[i]: self._scores(truth[i], hits[i], predicted, of_classes=True)
                for i in range(len(truth))
                if truth[i].any()
            },
            attributes={
                i: self._scores(*(c[:, i].sum(axis=0) for c in self._counts()))
                for i in range(self.shape[1] - 1)
                if self.truth[:, i].any()
            },
        )

    def _counts(self) -> tuple[Counts, Counts, Counts]:
        return self.truth, self.hits, self.predicted

    def _scores(
        self,
        truth: Counts,
        hits: Counts,
        predicted: Counts,
        of_classes: bool = False,
    ) -> GroupScores:
        """Scores of counts per class; other classes' are no part of a group ``of_classes``."""
        paper = self.protocol == "paper"
        occurs = truth > 0
        if not (paper or of_classes):
            occurs |= predicted > 0
        samples, classes = int(truth.sum()), int(occurs.sum())
        if samples == 0:
            return GroupScores(0, 0, *[float("nan")] * 4)
        kept = [c[occurs].astype(np.float64) for c in (truth, hits, predicted)]
        recalls = kept[1] / np.maximum(kept[0], 1)
        precisions = kept[1] / np.maximum(kept[2], 1)
        accuracy, precision = int(hits.sum()) / samples, float(precisions.mean())
        f1 = float((2 * kept[1] / (kept[0] + kept[2])).mean())
        if paper:
            both = accuracy + precision
            f1 = 2 * accuracy * precision / both if both else 0.0
        return GroupScores(samples, classes, accuracy, float(recalls.mean()), precision, f1)


def integers(values: npt.ArrayLike, name: str, count: int, limit: int) -> Counts:
    """Values as int64 (count,), from 0 up to a limit; errors name the sample."""
    array = np.asarray(values)
    if array.dtype.kind not in "iu" and array.size:
        raise TypeError(f"{name}: expected integers, got {array.dtype}")
    if array.shape != (count,):
        raise ValueError(f"{name}: expected shape ({count},), got {array.shape}")
    wrong = np.flatnonzero((array < 0) | (array >= limit))
    if len(wrong):
        first = int(wrong[0])
        raise ValueError(f"{name}: sample {first}: expected 0 to {limit - 1}, got {array[first]}")
    return array.astype(np.int64)


def as_classes(predictions: npt.ArrayLike, num_classes: int) -> Counts:
    """Predicted classes int64 (n,), of classes or of scores (n, num_classes)."""
    array = np.asarray(predictions)
    if array.ndim != 2:
        return integers(array, "predictions", array.size, num_classes)
    if array.shape[1] != num_classes:
        raise ValueError(f"predictions: expected {num_classes} scores each, got {array.shape[1]}")
    if array.dtype.kind not in "iuf":
        raise TypeError(f"predictions: expected numbers, got {array.dtype}")
    missing = np.flatnonzero(np.isnan(array).any(axis=1))
    if len(missing):
        raise ValueError(f"predictions: sample {missing[0]}: a score is NaN")
    classes: Counts = array.argmax(axis=1).astype(np.int64)
    return classes
