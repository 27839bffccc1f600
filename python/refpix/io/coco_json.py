"""COCO's ``instances_*.json``: hundreds of megabytes of which a few fields are wanted.

msgspec checks and skips what is not asked for without making objects of it; docs/glt.md has the
measured comparison with other parsers.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from refpix.errors import MissingExtraError, RecordError
from refpix.io.json_fields import FieldFault, checked

__all__ = ["Instances", "read_instances"]


@dataclass(frozen=True)
class Instances:
    """Annotations of a file, in its order, and its classes.

    Attributes:
        id: int64 (n,).
        image_id: int64 (n,).
        category_id: int64 (n,).
        bbox: float64 (n, 4), x, y, width, height in pixels.
        categories: names by COCO's id.
        records: the annotations as they are in the file, if they were asked for; else empty.
    """

    id: npt.NDArray[np.int64]
    image_id: npt.NDArray[np.int64]
    category_id: npt.NDArray[np.int64]
    bbox: npt.NDArray[np.float64]
    categories: dict[int, str]
    records: list[dict[str, Any]]


def _library() -> Any:
    try:
        import msgspec
    except ImportError as error:
        raise MissingExtraError("reading COCO's annotations", "msgspec", "glt") from error
    return msgspec


def read_instances(
    path: str | os.PathLike[str], *, ids: Collection[int] | None = None, records: bool = False
) -> Instances:
    """Reads an ``instances_*.json`` of COCO.

    Args:
        path: of the file.
        ids: the annotations to keep; None: all.
        records: whether to keep whole annotations too, polygons and all.

    Raises:
        RecordError: the file is no such JSON; names the annotation and field, or the byte.
        MissingExtraError: msgspec is not installed.
        OSError: the file cannot be read.
    """
    library = _library()
    name = os.fspath(path)
    content = Path(path).read_bytes()
    try:
        return _instances(library, content, ids, records)
    except FieldFault as fault:
        record, _, field = fault.field.rpartition(": ")
        raise RecordError(name, record, field, fault.reason) from fault
    except (library.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordError(name, "", "", f"not COCO's instances: {error}") from error


def _instances(
    library: Any, content: bytes, ids: Collection[int] | None, records: bool
) -> Instances:
    numbers = ("id", "image_id", "category_id")
    fields: list[Any] = [(name, int) for name in numbers]
    annotation: Any = library.defstruct("Annotation", [*fields, ("bbox", library.Raw)], gc=False)
    category: Any = library.defstruct("Category", [("id", int), ("name", str)])
    parts = [("annotations", list[annotation]), ("categories", list[category])]
    found = library.json.decode(content, type=library.defstruct("File", parts))
    places = [place for place, one in enumerate(found.annotations) if ids is None or one.id in ids]
    kept = [found.annotations[place] for place in places]
    del found.annotations
    columns = {}
    for name in numbers:
        try:
            columns[name] = np.array([getattr(one, name) for one in kept], np.int64)
        except OverflowError as error:
            raise FieldFault(name, "a number does not fit in 64 bits") from error
    return Instances(
        **columns,
        bbox=_boxes(library, kept),
        categories={one.id: one.name for one in found.categories},
        records=_records(library, content, places) if records else [],
    )


def _boxes(library: Any, annotations: list[Any]) -> npt.NDArray[np.float64]:
    four = tuple[float, float, float, float]
    try:  # all at once
        text = b"[" + b",".join([one.bbox for one in annotations]) + b"]"
        boxes = np.array(library.json.decode(text, type=list[four]), np.float64).reshape(-1, 4)
        if np.isfinite(boxes).all():
            return boxes
    except library.DecodeError:
        pass
    # One of them is no box: which?
    for annotation in annotations:
        field = f"annotation {annotation.id}: bbox"
        box = library.json.decode(annotation.bbox)
        if not isinstance(box, list) or len(box) != 4:
            raise FieldFault(field, "expected 4 numbers")
        checked(box, field)
    raise FieldFault("bbox", "expected 4 numbers")


def _records(library: Any, content: bytes, places: list[int]) -> list[dict[str, Any]]:
    """Whole annotations by their places: all are found again, but only these are decoded."""
    raw = library.defstruct("Raw", [("annotations", list[library.Raw])])
    found = library.json.decode(content, type=raw).annotations
    decode = library.json.Decoder(dict[str, Any]).decode
    return [decode(found[place]) for place in places]
