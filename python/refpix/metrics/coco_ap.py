"""Average precision and recall of poses and masks, by pycocotools' COCOeval on our masks."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from refpix import masks
from refpix.errors import MissingExtraError
from refpix.kernels import rle_area, rle_bbox, rle_iou
from refpix.metrics.coco_results import Results
from refpix.types import RleBatch

__all__ = ["KEYPOINT_STATS", "MASK_STATS", "average_precision"]

#: What COCOeval reports of poses, in its order: over OKS .5:.95, and by area.
KEYPOINT_STATS = ("AP", "AP50", "AP75", "APm", "APl", "AR", "AR50", "AR75", "ARm", "ARl")
#: What it reports of masks; AR1 and AR10 are with at most so many predictions a picture.
MASK_STATS = (
    *("AP", "AP50", "AP75", "APs", "APm", "APl"),
    *("AR1", "AR10", "AR", "ARs", "ARm", "ARl"),
)


def average_precision(
    kind: Literal["keypoints", "segm"],
    images: Sequence[Mapping[str, Any]],
    annotations: Sequence[Mapping[str, Any]],
    results: Results,
) -> dict[str, float]:
    """The numbers that COCOeval prints.

    Crowds and people without labelled keypoints are ignored as COCO does. Masks are matched
    whatever their category (``useCats = 0``), poses within theirs, as the published evaluation
    does.

    Args:
        kind: of poses or of masks.
        images: records with ``id``, ``height``, ``width``.
        annotations: records with ``id``, ``image_id``, ``category_id``, ``iscrowd``, ``area``,
            ``bbox`` (xywh), and ``keypoints`` and ``num_keypoints``, or ``segmentation`` (an RLE).
        results: the predictions.

    Returns:
        `KEYPOINT_STATS` or `MASK_STATS` and their values; NaN where there is nothing to measure.

    Raises:
        MissingExtraError: pycocotools is not installed.

    Source: COCO API, cocoeval.py.
    """
    coco_class, evaluation = _classes()
    found = _detections(kind, results)
    with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
        # COCOeval takes the categories of the truth and leaves other predictions out.
        truth = _dataset(coco_class, images, annotations, categories_of=found)
        detected = _dataset(coco_class, images, found, categories_of=annotations)
        scored = evaluation(truth, detected, kind)
        if kind == "segm":
            scored.params.useCats = 0
        scored.evaluate()
        scored.accumulate()
        scored.summarize()
    names = KEYPOINT_STATS if kind == "keypoints" else MASK_STATS
    stats = [float("nan") if value == -1 else float(value) for value in scored.stats]
    return dict(zip(names, stats, strict=True))


def _classes() -> tuple[Any, Any]:
    """COCO, and COCOeval with our intersection over union."""
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError as e:
        raise MissingExtraError("average precision", "pycocotools", "coco") from e

    class Evaluation(COCOeval):  # type: ignore[misc]
        """Masks go from dicts to one call; pycocotools' own are never looked at."""

        def computeIoU(self, imgId: int, catId: int) -> Any:
            p = self.params
            categories = [catId] if p.useCats else p.catIds
            truth = [a for c in categories for a in self._gts[imgId, c]]
            found = [a for c in categories for a in self._dts[imgId, c]]
            if not truth and not found:
                return []
            order = np.argsort([-a["score"] for a in found], kind="mergesort")[: p.maxDets[-1]]
            crowd = np.array([int(a["iscrowd"]) for a in truth], np.uint8)
            ours = _columns([found[i]["segmentation"] for i in order])
            theirs = _columns([a["segmentation"] for a in truth])
            if not len(ours.sizes) or not len(theirs.sizes):
                return []
            return rle_iou(*ours, *theirs, crowd)

    return COCO, Evaluation


def _columns(rles: list[Any]) -> RleBatch:
    return masks.from_coco(rles)


def _dataset(
    coco_class: Any,
    images: Sequence[Mapping[str, Any]],
    annotations: Sequence[Mapping[str, Any]],
    categories_of: Sequence[Mapping[str, Any]] = (),
) -> Any:
    """A COCO object of records; COCOeval writes into them, so they are copied."""
    ids = sorted({a["category_id"] for a in (*annotations, *categories_of)})
    coco = coco_class()
    coco.dataset = {
        "images": [dict(image) for image in images],
        "annotations": [dict(annotation) for annotation in annotations],
        "categories": [{"id": i, "name": str(i)} for i in ids],
    }
    coco.createIndex()
    return coco


def _detections(kind: str, results: Results) -> list[dict[str, Any]]:
    """Predictions as annotations, with the area and box that COCO derives."""
    found: list[dict[str, Any]] = []
    areas: npt.NDArray[Any]
    if kind == "segm":
        assert results.rles is not None
        areas, boxes = rle_area(*results.rles), rle_bbox(*results.rles)
        rles: list[Any] = masks.to_coco(results.rles)
    else:
        points = np.array([item.keypoints for item in results.items]).reshape(-1, 17, 3)
        low, high = points[..., :2].min(axis=1), points[..., :2].max(axis=1)
        with np.errstate(over="ignore"):  # points may lie anywhere
            sides = high - low
            boxes, areas = np.concatenate([low, sides], axis=1), sides.prod(axis=1)
    for i, item in enumerate(results.items):
        record = {
            "id": i + 1,
            "image_id": item.image_id,
            "category_id": item.category_id,
            "score": item.score,
            "area": areas[i].item(),
            "bbox": boxes[i].tolist(),
            "iscrowd": 0,
        }
        if kind == "segm":
            record["segmentation"] = rles[i]
        else:
            assert item.keypoints is not None
            record["keypoints"] = item.keypoints.reshape(-1).tolist()
        found.append(record)
    return found
