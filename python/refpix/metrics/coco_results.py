"""Predictions as COCO results JSON: read and checked record by record."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from refpix import masks
from refpix.errors import RecordError
from refpix.io.json_fields import FieldFault, integer, number, numbers, shown
from refpix.kernels import rle_area
from refpix.types import RleBatch

__all__ = ["PROMPTS", "PromptKind", "Result", "Results", "read_results"]

PromptKind = Literal["text", "point", "scribble"]
PROMPTS: tuple[PromptKind, ...] = get_args(PromptKind)

#: A file, a folder of ``<prompt>.json``, or the records.
Predictions = str | os.PathLike[str] | Sequence[Mapping[str, Any]]


class Result(NamedTuple):
    """One prediction.

    Attributes:
        place: in its file, from 0.
        image_id: of the picture's record.
        category_id: 1 where the record names none.
        score: confidence.
        keypoints: float64 (17, 3), or None.
    """

    place: int
    image_id: int
    category_id: int
    score: float
    keypoints: npt.NDArray[np.float64] | None


class Results(NamedTuple):
    """The predictions for one kind of prompt.

    Attributes:
        file: where they came from, for messages.
        items: the predictions.
        rles: their masks, one each; None when they have none.
    """

    file: str
    items: list[Result]
    rles: RleBatch | None

    @property
    def has_keypoints(self) -> bool:
        """Whether they have poses."""
        return bool(self.items) and self.items[0].keypoints is not None

    def best(self) -> dict[int, int]:
        """Image id to the place in ``items`` of its best prediction; of equal ones the last."""
        best: dict[int, int] = {}
        for i, item in enumerate(self.items):
            if item.image_id not in best or item.score >= self.items[best[item.image_id]].score:
                best[item.image_id] = i
        return best


def read_results(
    predictions: Predictions, sizes: Mapping[int, tuple[int, int]], *, prompt: PromptKind = "text"
) -> dict[PromptKind, Results]:
    """Reads predictions, by kind of prompt.

    Args:
        predictions: a JSON file; a folder with any of ``text.json``, ``point.json`` and
            ``scribble.json``; or the records. A record has ``image_id``, ``score``, ``keypoints``
            (51 numbers) or ``segmentation`` (an RLE, or polygons) or both, and may have
            ``category_id`` and ``prompt``.
        sizes: height and width of each picture by its id; others are unknown.
        prompt: of records that do not say.

    Raises:
        RecordError: a malformed record, or one of an unknown picture; names file, place, field.
        FileNotFoundError: nothing there.
    """
    if not isinstance(predictions, (str, os.PathLike)):
        return _by_prompt("predictions", predictions, sizes, prompt)
    path = Path(predictions)
    if not path.is_dir():
        return _by_prompt(os.fspath(path), _load(path), sizes, prompt)
    found: dict[PromptKind, Results] = {}
    for kind in PROMPTS:
        file = path / f"{kind}.json"
        if file.is_file():
            for stated, results in _by_prompt(os.fspath(file), _load(file), sizes, kind).items():
                if stated != kind:
                    raise RecordError(os.fspath(file), "", "prompt", f"holds {stated!r} too")
                found[kind] = results
    if not found:
        names = ", ".join(f"{kind}.json" for kind in PROMPTS)
        raise FileNotFoundError(f"{path}: there is none of {names} in it")
    return found


def _load(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes().decode("utf-8-sig"))
    except (RecursionError, ValueError) as e:  # ValueError: broken JSON, or not UTF-8
        raise RecordError(os.fspath(path), "", "", f"broken JSON: {e}") from e


def _by_prompt(
    file: str, records: Any, sizes: Mapping[int, tuple[int, int]], prompt: PromptKind
) -> dict[PromptKind, Results]:
    if not isinstance(records, Sequence) or isinstance(records, (str, bytes)):
        raise RecordError(file, "", "", f"expected a list of predictions, got {shown(records)}")
    split: dict[PromptKind, tuple[list[Result], list[Any]]] = {}
    for place, record in enumerate(records):
        try:
            if not isinstance(record, Mapping):
                raise FieldFault("", f"expected an object, got {shown(record)}")
            kind = record.get("prompt", prompt)
            if kind not in PROMPTS:
                raise FieldFault("prompt", f"expected one of {PROMPTS}, got {shown(kind)}")
            items, segmentations = split.setdefault(kind, ([], []))
            items.append(_result(place, record, sizes))
            segmentations.append(record.get("segmentation"))
            _same_fields(items, segmentations)
        except FieldFault as e:
            raise RecordError(file, f"prediction {place}", e.field, e.reason) from None
    return {
        kind: Results(file, items, _rles(file, items, segmentations, sizes))
        for kind, (items, segmentations) in split.items()
    }


def _result(place: int, record: Mapping[str, Any], sizes: Mapping[int, Any]) -> Result:
    image_id = integer(record, "image_id")
    if image_id not in sizes:
        raise FieldFault("image_id", f"there is no image {image_id}")
    points = None
    if record.get("keypoints") is not None:
        points = np.array(numbers(record, "keypoints", 51)).reshape(17, 3)
    elif record.get("segmentation") is None:
        raise FieldFault("", "neither keypoints nor segmentation")
    category = integer(record, "category_id", 1)
    return Result(place, image_id, category, number(record, "score"), points)


def _same_fields(items: list[Result], segmentations: list[Any]) -> None:
    """A field that some records have and others lack could not be scored."""
    if (items[-1].keypoints is None) != (items[0].keypoints is None):
        raise FieldFault("keypoints", "some predictions have them, some do not")
    if (segmentations[-1] is None) != (segmentations[0] is None):
        raise FieldFault("segmentation", "some predictions have one, some do not")


def _rles(
    file: str,
    items: list[Result],
    segmentations: list[Any],
    sizes: Mapping[int, tuple[int, int]],
) -> RleBatch | None:
    if not segmentations or segmentations[0] is None:
        return None
    rles = []
    for item, segmentation in zip(items, segmentations, strict=True):
        with _named(file, item):
            rles.append(_rle(segmentation, *sizes[item.image_id]))
    try:
        batch = masks.from_coco(rles)
        rle_area(*batch)  # which checks that runs cover their picture
        return batch
    except (ValueError, TypeError, OverflowError):
        for item, rle in zip(items, rles, strict=True):
            with _named(file, item):
                rle_area(*masks.from_coco([rle]))
        raise


@contextlib.contextmanager
def _named(file: str, item: Result) -> Iterator[None]:
    """Errors of a segmentation name its prediction."""
    try:
        yield
    except (ValueError, TypeError, KeyError, OverflowError) as e:
        reason = getattr(e, "reason", str(e))
        record = f"prediction {item.place}"
        raise RecordError(file, record, "segmentation", reason) from e


def _rle(segmentation: Any, height: int, width: int) -> Any:
    if not isinstance(segmentation, Mapping):
        return masks.rasterize(segmentation, height, width)
    size = segmentation.get("size")
    if not isinstance(size, Sequence) or list(size) != [height, width]:
        raise ValueError(f"size is {shown(size)}, the picture's is [{height}, {width}]")
    if not isinstance(segmentation.get("counts"), (str, bytes, list)):
        raise ValueError(f"counts: {shown(segmentation.get('counts'))}")
    return segmentation
