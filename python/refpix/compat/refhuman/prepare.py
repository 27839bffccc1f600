"""A picture's record to the published target: who stays, boxes, masks, one scribble each."""

from __future__ import annotations

import logging
import random
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from refpix import masks
from refpix.compat.refhuman import _masks
from refpix.compat.refhuman.cures import Cures
from refpix.datasets.refhuman_json import Annotations
from refpix.datasets.refhuman_sample import rasterize
from refpix.errors import RecordError
from refpix.types import RleBatch

__all__ = ["BadScribbles", "prepare"]

#: What becomes of scribbles that leave their mask.
BadScribbles = Literal["omit", "keep", "raise"]

_LOG = logging.getLogger(__name__)


def prepare(
    known: Annotations,
    row: int,
    size: tuple[int, int],
    *,
    training: bool,
    cures: Cures,
    bad_scribbles: BadScribbles,
    published_errors: bool,
    reported: set[int],
) -> dict[str, Any]:
    """The target of a picture before any transform, in pixels; its masks as run lengths.

    Args:
        known: the annotation file.
        row: of the picture's record.
        size: height and width of the picture itself.
        training: draw one of the five scribbles with ``random.randint``; else the first.
        cures: which quirks not to have.
        bad_scribbles: see `refpix.compat.refhuman.RefHuman`.
        published_errors: raise where the published program fails.
        reported: rows whose scribbles were logged already; grows.

    Raises:
        RecordError: a segmentation or scribble at fault.
        IndexError: published: nobody is left.
        ValueError: published: compressed run lengths.
        TypeError: published: a polygon of four numbers.
        KeyError: published: somebody has no scribble though the first one has.
        AssertionError: published: a scribble leaves the mask it is compared with.
    """
    height, width = size
    people = known.of_image(row)
    people = people[~known["iscrowd"][people] & (known["num_keypoints"][people] != 0)]
    boxes = _floats(known["bbox"][people])
    limit = torch.tensor([width, height], dtype=torch.float32)
    low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    zero = torch.zeros(2)
    boxes = torch.cat([low, high], dim=1).view(-1, 2, 2).clamp(zero, limit).flatten(1)
    keep = (boxes[:, 2:] > boxes[:, :2]).all(dim=1)
    if published_errors:
        _fail_as_published(known, people)
    whole = _runs(known, people, size)
    area_type = torch.int64 if known["area_is_int"][people].all() else torch.float32
    target: dict[str, Any] = {
        "boxes": boxes[keep],
        "labels": torch.from_numpy(known["category_id"][people].copy())[keep],
        "masks": _masks.select(whole, keep),
        "image_id": torch.from_numpy(known["image_id"][row : row + 1].copy()),
        "keypoints": _floats(known["keypoints"][people])[keep],
        "area": torch.from_numpy(known["area"][people].copy()).to(area_type)[keep],
        "iscrowd": torch.zeros(int(keep.sum()), dtype=torch.int64),
        "orig_size": torch.tensor(size),
        "size": torch.tensor(size),
        "caption": _caption(known, row, cures),
    }
    drawn = _scribbles(known, people, training, published_errors)
    if drawn is not None:
        scribbles = torch.from_numpy(drawn)
        # Published: compared with the masks that are left, one by one from the first.
        paired = _masks.outside(target["masks"], drawn)
        if paired and published_errors:
            raise AssertionError(f"image {known['image_id'][row]}: scribble {paired[0]}")
        outside = [] if published_errors else _masks.outside(whole, drawn)
        if outside and bad_scribbles == "raise":
            raise _scribble_error(known, row, int(people[outside[0]]))
        if outside and paired and bad_scribbles == "omit":
            if row not in reported:
                error = _scribble_error(known, row, int(people[outside[0]]))
                _LOG.warning("%s; the item comes without scribble", error)
                reported.add(row)
        else:
            target["scribble"] = scribbles[keep] if cures.filter_together else scribbles
    return target


def _floats(values: npt.NDArray[np.float64]) -> torch.Tensor:
    with np.errstate(over="ignore"):  # to infinity, as torch does
        return torch.from_numpy(values.astype(np.float32))


def _runs(known: Annotations, people: npt.NDArray[np.int64], size: tuple[int, int]) -> RleBatch:
    """The union of each one's parts."""
    rles = []
    for place in people.tolist():
        try:
            rles.append(rasterize(known.segmentation(place), size))
        except ValueError as e:
            record = f"annotation {known['id'][place]}"
            raise RecordError(str(known.path), record, "segmentation", str(e)) from e
    return masks.from_coco(rles)


def _caption(known: Annotations, row: int, cures: Cures) -> str:
    if known["has_caption"][row]:
        return known.text("caption", row)
    return "" if cures.empty_caption else "ssssss"


def _scribbles(
    known: Annotations, people: npt.NDArray[np.int64], training: bool, published_errors: bool
) -> npt.NDArray[np.int64] | None:
    """One scribble per person, int64 (n, 12, 2); None where the first, or anyone, has none."""
    if not len(people):
        return None
    found = [known.scribble(place) for place in people.tolist()]
    if found[0] is None:
        return None
    which = random.randint(0, 4) if training else 0
    if any(scribbles is None for scribbles in found):
        if published_errors:
            raise KeyError("scribble")
        return None
    return np.stack([s[which] for s in found if s is not None]).astype(np.int64)


def _scribble_error(known: Annotations, row: int, annotation: int) -> RecordError:
    record = f"annotation {known['id'][annotation]}"
    reason = f"points outside the mask (image {known['image_id'][row]})"
    return RecordError(str(known.path), record, "scribble", reason)


def _fail_as_published(known: Annotations, people: npt.NDArray[np.int64]) -> None:
    if not len(people):
        raise IndexError("nobody is left to take a scribble from")
    for place in people.tolist():
        segmentation = known.segmentation(place)
        if isinstance(segmentation, dict) and isinstance(segmentation["counts"], str):
            raise ValueError("compressed run lengths are no list of integers")
        if isinstance(segmentation, list) and len(segmentation[0]) == 4:
            raise TypeError("a first polygon of four numbers is taken for a box")
