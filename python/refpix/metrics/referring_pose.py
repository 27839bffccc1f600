"""Referring pose and mask scores as RefHuman's evaluation computes them, per kind of prompt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple
from typing import Protocol as Structure

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from refpix import masks
from refpix.errors import RecordError
from refpix.metrics.box import Protocol, check_protocol
from refpix.metrics.coco_ap import average_precision
from refpix.metrics.coco_results import Predictions, PromptKind, Results, read_results
from refpix.types import RleBatch

__all__ = [
    "IOU_THRESHOLDS",
    "Evaluation",
    "MaskScores",
    "Pckh",
    "PromptScores",
    "evaluate",
    "mask_scores",
    "pckh",
]

#: Of P@k: the share of examples whose IoU is above.
IOU_THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)

_LEFT_EAR, _RIGHT_EAR = 3, 4
_EPS = 1e-6
_SHOWN = 5  # ids in a message


class Pckh(NamedTuple):
    """Keypoints within reach of the truth, reach being a share of the head's length.

    Attributes:
        correct: keypoints that are.
        keypoints: labelled keypoints of the people measured.
        skipped: people without both ears labelled, who have no head length.
    """

    correct: int
    keypoints: int
    skipped: int

    @property
    def value(self) -> float:
        """The share; NaN where nobody could be measured."""
        return self.correct / self.keypoints if self.keypoints else float("nan")


def pckh(
    pred: npt.ArrayLike,
    gt: npt.ArrayLike,
    *,
    threshold: float = 0.5,
    protocol: Protocol = "paper",
) -> Pckh:
    """PCKh with the head's length taken from ear to ear.

    A keypoint is correct when its distance to the truth is at most ``threshold`` times that
    length; all labelled keypoints of all people count alike. People with an unlabelled ear are
    skipped. (Ears in one place make a length of 0: only exact points are correct then.)

    Args:
        pred: (n, 17, 2) or (n, 17, 3), pixels; what follows x and y is not looked at.
        gt: (n, 17, 3), x, y and COCO's flag, labelled where it is above 0.
        threshold: share of the head's length.
        protocol: ``"paper"`` computes in float32, ``"standard"`` in double.

    Source: RefHuman, engine.py (calculate_pckh).
    """
    check_protocol(protocol)
    dtype: Any = np.float32 if protocol == "paper" else np.float64
    with np.errstate(over="ignore"):  # points may lie anywhere
        truth, found = np.asarray(gt, dtype), np.asarray(pred, dtype)
    if truth.ndim != 3 or truth.shape[1:] != (17, 3):
        raise ValueError(f"gt: expected shape (n, 17, 3), got {truth.shape}")
    if found.shape[:2] != truth.shape[:2] or found.ndim != 3 or found.shape[2] not in (2, 3):
        raise ValueError(f"pred: expected shape ({len(truth)}, 17, 2 or 3), got {found.shape}")
    labelled = truth[..., 2] > 0
    measured = labelled[:, _LEFT_EAR] & labelled[:, _RIGHT_EAR]
    with np.errstate(all="ignore"):
        head = _length(truth[:, _LEFT_EAR, :2] - truth[:, _RIGHT_EAR, :2])
        distance = _length(found[..., :2] - truth[..., :2])
    counted = labelled & measured[:, None]
    near = distance <= dtype(threshold) * head[:, None]
    return Pckh(int((near & counted).sum()), int(counted.sum()), int((~measured).sum()))


def _length(vectors: npt.NDArray[Any]) -> npt.NDArray[Any]:
    length: npt.NDArray[Any] = np.sqrt(vectors[..., 0] ** 2 + vectors[..., 1] ** 2)
    return length


class MaskScores(NamedTuple):
    """Scores of one mask per example.

    Attributes:
        overall_iou: summed intersections over summed unions (also called oIoU or cIoU).
        mean_iou: mean of the examples' IoU.
        precision: threshold -> share of examples whose IoU is strictly above.
    """

    overall_iou: float
    mean_iou: float
    precision: dict[float, float]


def mask_scores(overlaps: npt.ArrayLike, *, protocol: Protocol = "paper") -> MaskScores:
    """Scores from intersections and areas.

    Args:
        overlaps: integers (n, 3): intersection, area of the prediction, area of the truth, as
            ``refpix.masks.overlap`` gives them.
        protocol: ``"paper"``: an IoU is (I + 1e-6) / (U + 1e-6) in float32, so that 3/5, a little
            above 0.6 there, passes P@0.6. ``"standard"``: I / U in double; 0 for an empty union.

    Source: RefHuman, datasets/utils.py (compute_mask_iou).
    """
    check_protocol(protocol)
    counted = np.asarray(overlaps, np.int64).reshape(-1, 3)
    shared, union = counted[:, 0], counted[:, 1] + counted[:, 2] - counted[:, 0]
    if protocol == "paper":
        eps = np.float32(_EPS)
        ious = ((shared.astype(np.float32) + eps) / (union.astype(np.float32) + eps)).astype(float)
    else:
        ious = shared / np.maximum(union, 1)
    if not len(ious):
        nothing = float("nan")
        return MaskScores(nothing, nothing, dict.fromkeys(IOU_THRESHOLDS, nothing))
    total = int(union.sum())
    return MaskScores(
        int(shared.sum()) / total if total else float("nan"),
        float(ious.mean()),
        {threshold: float((ious > threshold).mean()) for threshold in IOU_THRESHOLDS},
    )


@dataclass(frozen=True)
class PromptScores:
    """The scores of the predictions for one kind of prompt.

    Attributes:
        prompt: which.
        predictions: how many there are.
        missing: ids of the examples without any.
        several: ids of the pictures with more than one, of which the best is taken.
        pckh: of the best poses; None without poses.
        masks: of the best masks; None without masks.
        keypoint_ap: by COCOeval, over all predictions; None without poses or if not asked for.
        mask_ap: likewise, for masks.
    """

    prompt: PromptKind
    predictions: int
    missing: list[int]
    several: list[int]
    pckh: Pckh | None
    masks: MaskScores | None
    keypoint_ap: dict[str, float] | None
    mask_ap: dict[str, float] | None


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found.

    Attributes:
        examples: how many were scored.
        prompts: the scores by kind of prompt.
        without_person: ids of records that refer to nobody and are no examples.
        several_people: ids of records with several people, of whom the first is meant.
    """

    examples: int
    prompts: dict[PromptKind, PromptScores]
    without_person: list[int] = field(default_factory=list)
    several_people: list[int] = field(default_factory=list)


class Dataset(Structure):
    """What is scored against: `refpix.datasets.RefHuman` without transforms or as it is."""

    def __len__(self) -> int: ...
    def records(self, rows: Any) -> Any:
        """Samples without pixels."""
        ...

    def unfiltered(self) -> Dataset:
        """The same with all annotations."""
        ...


@dataclass
class _Truth:
    """Of the examples, and for COCOeval of all annotations."""

    image_ids: list[int] = field(default_factory=list)
    keypoints: list[npt.NDArray[np.float64]] = field(default_factory=list)
    rles: list[dict[str, Any]] = field(default_factory=list)
    sizes: dict[int, tuple[int, int]] = field(default_factory=dict)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    without_person: list[int] = field(default_factory=list)
    several_people: list[int] = field(default_factory=list)


def evaluate(
    dataset: Dataset,
    predictions: Predictions,
    *,
    prompt: PromptKind = "text",
    missing: Literal["error", "empty"] = "error",
    protocol: Protocol = "paper",
    with_ap: bool = True,
    progress: bool = False,
) -> Evaluation:
    """Scores predictions as RefHuman's evaluation does.

    An example is a record with its first person; the best-scored prediction (of equal ones the
    last) answers it. AP is COCOeval's, of all predictions against all annotations.

    Args:
        dataset: `refpix.datasets.RefHuman`, usually of the val split.
        predictions: see `refpix.metrics.coco_results.read_results`.
        prompt: of predictions that do not say.
        missing: an example without a prediction: ``"error"`` names them; ``"empty"`` counts an
            empty mask and no keypoint right, and lists them.
        protocol: of `pckh` and `mask_scores`.
        with_ap: also compute average precision, which needs pycocotools.
        progress: a bar over the records.

    Raises:
        RecordError: a malformed prediction, one of an unknown picture, or a missing one.
        MissingExtraError: pycocotools is not installed.
    """
    check_protocol(protocol)
    if missing not in ("error", "empty"):
        raise ValueError(f"missing={missing!r}: expected 'error' or 'empty'")
    truth = _gather(dataset, progress)
    found = read_results(predictions, truth.sizes, prompt=prompt)
    scores: dict[PromptKind, PromptScores] = {}
    for kind, results in found.items():
        scores[kind] = _scores(kind, results, truth, missing, protocol, with_ap)
    return Evaluation(len(truth.image_ids), scores, truth.without_person, truth.several_people)


def _samples(dataset: Dataset, batch: int = 64) -> Iterator[Any]:
    for start in range(0, len(dataset), batch):
        yield from dataset.records(range(start, min(start + batch, len(dataset))))


def _gather(dataset: Dataset, progress: bool) -> _Truth:
    truth = _Truth()
    pairs = zip(_samples(dataset), _samples(dataset.unfiltered()), strict=True)
    for sample, whole in tqdm(pairs, total=len(dataset), unit="record", disable=not progress):
        truth.sizes[sample.image_id] = sample.size
        rles = whole.rles()
        boxes = whole.boxes_xywh
        for i, annotation_id in enumerate(whole.annotation_ids.tolist()):
            truth.annotations.append(
                {
                    "id": annotation_id,
                    "image_id": whole.image_id,
                    "category_id": int(whole.category_ids[i]),
                    "iscrowd": int(whole.iscrowd[i]),
                    "area": float(whole.areas[i]),
                    "bbox": boxes[i].tolist(),
                    "keypoints": whole.keypoints[i].reshape(-1).tolist(),
                    "num_keypoints": int(whole.num_keypoints[i]),
                    "segmentation": rles[i],
                }
            )
        if not len(sample):
            truth.without_person.append(sample.image_id)
            continue
        if len(sample) > 1:
            truth.several_people.append(sample.image_id)
        person = whole.annotation_ids.tolist().index(int(sample.annotation_ids[0]))
        truth.image_ids.append(sample.image_id)
        truth.keypoints.append(sample.keypoints[0])
        truth.rles.append(rles[person])
    return truth


def _scores(
    kind: PromptKind,
    results: Results,
    truth: _Truth,
    missing: str,
    protocol: Protocol,
    with_ap: bool,
) -> PromptScores:
    best = results.best()
    absent = [image_id for image_id in truth.image_ids if image_id not in best]
    if absent and missing == "error":
        ids = ", ".join(map(str, absent[:_SHOWN])) + (", ..." if len(absent) > _SHOWN else "")
        reason = f"{len(absent)} of {len(truth.image_ids)} examples have no prediction: {ids}"
        raise RecordError(results.file, f"prompt {kind}", "image_id", reason)
    counts: dict[int, int] = {}
    for item in results.items:
        counts[item.image_id] = counts.get(item.image_id, 0) + 1
    images = [
        {"id": image_id, "height": height, "width": width}
        for image_id, (height, width) in truth.sizes.items()
    ]
    has_poses, has_masks = results.has_keypoints, results.rles is not None
    return PromptScores(
        prompt=kind,
        predictions=len(results.items),
        missing=absent,
        several=sorted(image_id for image_id, count in counts.items() if count > 1),
        pckh=_pckh(results, truth, best, protocol) if has_poses else None,
        masks=_masks(results.rles, truth, best, protocol) if results.rles is not None else None,
        keypoint_ap=average_precision("keypoints", images, truth.annotations, results)
        if has_poses and with_ap
        else None,
        mask_ap=average_precision("segm", images, truth.annotations, results)
        if has_masks and with_ap
        else None,
    )


def _pckh(results: Results, truth: _Truth, best: Mapping[int, int], protocol: Protocol) -> Pckh:
    found = np.full((len(truth.image_ids), 17, 3), np.nan)  # which is near nothing
    for row, image_id in enumerate(truth.image_ids):
        if image_id in best:
            found[row] = results.items[best[image_id]].keypoints
    return pckh(found, np.array(truth.keypoints).reshape(-1, 17, 3), protocol=protocol)


def _masks(
    rles: RleBatch, truth: _Truth, best: Mapping[int, int], protocol: Protocol
) -> MaskScores:
    theirs = masks.from_coco(truth.rles)
    there = [i for i, image_id in enumerate(truth.image_ids) if image_id in best]
    overlaps = np.zeros((len(truth.image_ids), 3), np.int64)
    overlaps[:, 2] = masks.overlap(theirs, theirs)[:, 2]
    if there:
        chosen = rles.take([best[truth.image_ids[i]] for i in there])
        overlaps[there] = masks.overlap(chosen, theirs.take(there))
    return mask_scores(overlaps, protocol=protocol)
