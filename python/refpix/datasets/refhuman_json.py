"""RefHuman's annotation file: COCO's JSON with captions and scribbles, to columns and back."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from refpix.errors import RecordError
from refpix.io.columns_file import Columns, read_columns, write_columns
from refpix.io.json_fields import FieldFault, checked, integer, number, numbers, shown, text
from refpix.io.tree import safe_name
from refpix.io.tsv_index_file import SourceState

__all__ = ["SCRIBBLE_SHAPE", "Cache", "Segmentation", "read_annotations"]

Cache = Literal["auto", "memory", "rebuild"]

#: Polygons (x and y in turn, pixels), or one RLE with ``size`` and ``counts``.
Segmentation = list[list[float]] | dict[str, Any]

#: Scribbles of a person, points of each, x and y.
SCRIBBLE_SHAPE = (5, 12, 2)

_SCHEMA = 1
_POLYGONS, _RUNS, _TEXT = 0, 1, 2


def read_annotations(
    path: str | os.PathLike[str], *, cache: Cache = "auto", progress: bool = False
) -> tuple[Annotations, list[RecordError]]:
    """Reads an annotation file, or its columns where they lie beside it.

    Args:
        path: the JSON file.
        cache: ``"auto"`` reads the columns from ``<file>.refpix-columns`` where they fit the file,
            else writes them there if the folder takes them; ``"memory"`` does neither;
            ``"rebuild"`` writes them anew.
        progress: a bar while records are checked.

    Returns:
        The annotations, and the faults of records that were left out of them. Columns of a file
        with faults are not kept.

    Raises:
        RecordError: the file is no JSON, or lacks ``images`` or ``annotations``.
        OSError: it cannot be read.
    """
    state = SourceState.of(path)
    if cache == "auto":
        columns = read_columns(path, state, schema=_SCHEMA)
        if columns is not None:
            return Annotations(Path(path), columns, state), []
    builder = _Builder(os.fspath(path))
    top = _load(path)
    builder.read(top, progress)
    columns = builder.columns()
    kept = cache != "memory" and not builder.faults
    if kept:
        kept = write_columns(path, state, columns, schema=_SCHEMA)
    return Annotations(Path(path), columns, state if kept else None), builder.faults


def _reopen(path: Path, state: SourceState) -> Annotations:
    """The annotations in another process."""
    columns = read_columns(path, state, schema=_SCHEMA)
    if columns is not None:
        return Annotations(path, columns, state)
    return read_annotations(path, cache="memory")[0]


def _load(path: str | os.PathLike[str]) -> dict[str, Any]:
    file = os.fspath(path)
    try:
        with open(path, "rb") as handle:
            top = json.loads(handle.read().decode("utf-8-sig"))
    except json.JSONDecodeError as e:
        where = f"line {e.lineno}, column {e.colno}"
        raise RecordError(file, "", "", f"broken JSON at {where}: {e.msg}") from e
    except UnicodeDecodeError as e:
        raise RecordError(file, "", "", f"not UTF-8 at byte {e.start}") from e
    except (RecursionError, ValueError) as e:  # ValueError: a number of too many digits
        raise RecordError(file, "", "", f"broken JSON: {e}") from e
    if not isinstance(top, dict):
        raise RecordError(file, "", "", f"expected an object, got {shown(top)}")
    for field in ("images", "annotations"):
        if not isinstance(top.get(field), list):
            problem = "expected a list" if field in top else "missing"
            raise RecordError(file, "", field, problem)
    return top


class Annotations:
    """The columns of an annotation file.

    Attributes:
        path: the JSON file.
        columns: arrays by name. Per image, in ascending order of id: ``image_id``, ``image_size``
            (height, width), ``has_caption``, texts ``file_name`` and ``caption``. Per annotation,
            by image and then as in the file: ``id``, ``image`` (row), ``category_id``,
            ``iscrowd``, ``num_keypoints``, ``area``, ``area_is_int``, ``bbox`` (x, y, width,
            height), ``keypoints`` (17, 3), ``scribble`` (row or -1).
    """

    def __init__(self, path: Path, columns: Columns, kept: SourceState | None = None) -> None:
        """Takes columns; ``kept`` is the state of the file whose side file holds them too."""
        self.path = path
        self._kept = kept
        self.columns = columns
        image = columns["image"]
        self.first = np.searchsorted(image, np.arange(len(columns["image_id"]) + 1))

    def __reduce__(self) -> tuple[Any, ...]:
        if self._kept is not None:  # the other process maps the side file
            return _reopen, (self.path, self._kept)
        return Annotations, (self.path, self.columns)

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        return self.columns[name]

    def of_image(self, row: int) -> npt.NDArray[np.int64]:
        """The annotations of an image: int64 (n,)."""
        return np.arange(self.first[row], self.first[row + 1])

    def text(self, name: str, row: int) -> str:
        """``file_name`` or ``caption`` of an image."""
        stops = self.columns[f"{name}_offsets"]
        piece = self.columns[f"{name}_values"][stops[row] : stops[row + 1]]
        return piece.tobytes().decode("utf-8", "surrogatepass")

    def scribble(self, annotation: int) -> npt.NDArray[np.int32] | None:
        """int32 (5, 12, 2), x and y; None where the annotation has none."""
        row = int(self.columns["scribble"][annotation])
        if row < 0:
            return None
        points: npt.NDArray[np.int32] = self.columns["scribbles"][row]
        return points

    def segmentation(self, annotation: int) -> Segmentation:
        """The segmentation as it stands in the file."""
        columns = self.columns
        start, stop = columns["part_spans"][annotation].tolist()
        kind = columns["segmentation_kind"][annotation]
        if kind == _POLYGONS:
            stops = columns["polygon_offsets"][start : stop + 1].tolist()
            values = columns["polygon_values"]
            return [values[a:b].tolist() for a, b in pairwise(stops)]
        size = columns["rle_size"][annotation].tolist()
        if kind == _RUNS:
            return {"size": size, "counts": columns["rle_runs"][start:stop].tolist()}
        return {"size": size, "counts": columns["rle_text"][start:stop].tobytes().decode("ascii")}


class _Builder:
    """Records to columns; bad ones are left out and reported."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: list[RecordError] = []
        self.images: list[tuple[int, int, int, str, str | None]] = []
        self.rows: dict[int, int] = {}
        self.annotations: list[dict[str, Any]] = []

    def read(self, top: dict[str, Any], progress: bool) -> None:
        """Takes in all records."""
        for name, record in self._records(top["images"], "image", progress):
            self._try(name, self._image, record)
        self.images.sort(key=lambda image: image[0])
        self.rows = {image[0]: row for row, image in enumerate(self.images)}
        seen: set[int] = set()
        for name, record in self._records(top["annotations"], "annotation", progress):
            self._try(name, self._annotation, record, seen)
        self.annotations.sort(key=lambda annotation: annotation["image"])

    def _records(self, records: list[Any], kind: str, progress: bool) -> Iterator[tuple[str, Any]]:
        bar = tqdm(records, unit=kind, disable=not progress, leave=False)
        for place, record in enumerate(bar):
            known = isinstance(record, dict) and "id" in record
            yield f"{kind} {shown(record['id'])}" if known else f"{kind} at place {place}", record

    def _try(self, name: str, take: Any, record: Any, *more: Any) -> None:
        try:
            if not isinstance(record, dict):
                raise FieldFault("", f"expected an object, got {shown(record)}")
            take(record, *more)
        except FieldFault as e:
            self.faults.append(RecordError(self.file, name, e.field, e.reason))

    def _image(self, record: dict[str, Any]) -> None:
        image_id = integer(record, "id")
        if image_id in self.rows:
            raise FieldFault("id", "an earlier image has it")
        name = text(record, "file_name")
        try:
            safe_name(name)
        except ValueError as e:
            raise FieldFault("file_name", str(e)) from e
        width, height = integer(record, "width"), integer(record, "height")
        if width < 1 or height < 1 or width * height >= 2**32:
            raise FieldFault("width, height", f"no size of a picture: {width} x {height}")
        caption = text(record, "caption") if "caption" in record else None
        self.rows[image_id] = len(self.images)
        self.images.append((image_id, height, width, name, caption))

    def _annotation(self, record: dict[str, Any], seen: set[int]) -> None:
        annotation_id = integer(record, "id")
        if annotation_id in seen:
            raise FieldFault("id", "an earlier annotation has it")
        image_id = integer(record, "image_id")
        if image_id not in self.rows:
            raise FieldFault("image_id", f"there is no image {image_id}")
        row = self.rows[image_id]
        height, width = self.images[row][1:3]
        crowd = integer(record, "iscrowd", 0)
        if crowd not in (0, 1):
            raise FieldFault("iscrowd", f"expected 0 or 1, got {crowd}")
        taken = {
            "id": annotation_id,
            "image": row,
            "category_id": integer(record, "category_id"),
            "iscrowd": crowd,
            "num_keypoints": integer(record, "num_keypoints"),
            "area": number(record, "area"),
            "area_is_int": isinstance(record["area"], int),
            "bbox": numbers(record, "bbox", 4),
            "keypoints": numbers(record, "keypoints", 51),
            "scribble": _scribble(record),
            "segmentation": _segmentation(record, height, width),
        }
        seen.add(annotation_id)
        self.annotations.append(taken)

    def columns(self) -> Columns:
        """What was read."""
        found = self.annotations
        columns: Columns = {
            "image_id": np.array([image[0] for image in self.images], np.int64),
            "image_size": np.array([i[1:3] for i in self.images], np.int64).reshape(-1, 2),
            "has_caption": np.array([i[4] is not None for i in self.images], bool),
            **_texts("file_name", [image[3] for image in self.images]),
            **_texts("caption", [image[4] or "" for image in self.images]),
        }
        for name, dtype, shape in (
            ("id", np.int64, ()),
            ("image", np.int64, ()),
            ("category_id", np.int64, ()),
            ("iscrowd", bool, ()),
            ("num_keypoints", np.int64, ()),
            ("area", np.float64, ()),
            ("area_is_int", bool, ()),
            ("bbox", np.float64, (4,)),
            ("keypoints", np.float64, (17, 3)),
        ):
            values = np.array([annotation[name] for annotation in found], dtype)
            columns[name] = values.reshape(len(found), *shape)
        scribbles = [a["scribble"] for a in found if a["scribble"] is not None]
        has = np.array([a["scribble"] is not None for a in found], bool)
        columns["scribble"] = np.where(has, np.cumsum(has) - 1, -1).astype(np.int64)
        columns["scribbles"] = np.array(scribbles, np.int32).reshape(-1, *SCRIBBLE_SHAPE)
        return columns | _segmentation_columns([a["segmentation"] for a in found])


def _texts(name: str, words: Iterable[str]) -> Columns:
    encoded = [word.encode("utf-8", "surrogatepass") for word in words]
    return {
        f"{name}_values": np.frombuffer(b"".join(encoded), np.uint8),
        f"{name}_offsets": np.cumsum([0, *map(len, encoded)], dtype=np.int64),
    }


def _segmentation_columns(given: list[Segmentation]) -> Columns:
    """Polygons, runs and compressed runs, each end to end; parts are counted per annotation."""
    kinds, sizes, starts = [], [], []
    polygons: list[list[float]] = []
    runs: list[int] = []
    words = bytearray()
    for one in given:
        if isinstance(one, list):
            kinds.append(_POLYGONS)
            starts.append((len(polygons), len(polygons) + len(one)))
            polygons += one
            sizes.append([0, 0])
            continue
        counts = one["counts"]
        sizes.append(one["size"])
        if isinstance(counts, list):
            kinds.append(_RUNS)
            starts.append((len(runs), len(runs) + len(counts)))
            runs += counts
        else:
            kinds.append(_TEXT)
            starts.append((len(words), len(words) + len(counts)))
            words += counts.encode("ascii")
    return {
        "segmentation_kind": np.array(kinds, np.uint8),
        "part_spans": np.array(starts, np.int64).reshape(-1, 2),
        "polygon_offsets": np.cumsum([0, *map(len, polygons)], dtype=np.int64),
        "polygon_values": np.array([v for polygon in polygons for v in polygon], np.float64),
        "rle_size": np.array(sizes, np.int64).reshape(-1, 2),
        "rle_runs": np.array(runs, np.uint32),
        "rle_text": np.frombuffer(bytes(words), np.uint8),
    }


def _scribble(record: dict[str, Any]) -> npt.NDArray[np.int32] | None:
    if "scribble" not in record:
        return None
    flat: list[Any] = []
    _flatten(record["scribble"], flat)
    count = int(np.prod(SCRIBBLE_SHAPE))
    if len(flat) != count:
        raise FieldFault("scribble", f"expected {count} numbers, got {len(flat)}")
    points = checked(flat, "scribble")
    if any(value != int(value) or abs(value) >= 2**31 for value in points):
        raise FieldFault("scribble", "points must be whole pixels")
    return np.array(points, np.int32).reshape(SCRIBBLE_SHAPE)


def _flatten(value: Any, flat: list[Any], depth: int = 0) -> None:
    if not isinstance(value, list) or depth > 3:
        raise FieldFault("scribble", f"expected lists of numbers, got {shown(value)}")
    for part in value:
        if isinstance(part, list):
            _flatten(part, flat, depth + 1)
        else:
            flat.append(part)


def _segmentation(record: dict[str, Any], height: int, width: int) -> Segmentation:
    """Checked as far as that needs no decoding."""
    field = "segmentation"
    if field not in record:
        raise FieldFault(field, "missing")
    value = record[field]
    if isinstance(value, dict):
        return _rle(value, height, width)
    if not isinstance(value, list) or not value:
        raise FieldFault(field, f"expected polygons or one RLE, got {shown(value)}")
    polygons = []
    for place, polygon in enumerate(value):
        if not isinstance(polygon, list) or len(polygon) < 4 or len(polygon) % 2:
            got = f"{len(polygon)} numbers" if isinstance(polygon, list) else shown(polygon)
            raise FieldFault(field, f"polygon {place}: expected pairs of x and y, got {got}")
        polygons.append(checked(polygon, field, f"polygon {place}: "))
    return polygons


def _rle(value: dict[str, Any], height: int, width: int) -> Segmentation:
    field = "segmentation"
    if value.get("size") != [height, width]:
        got = shown(value.get("size"))
        raise FieldFault(field, f"RLE of size {got}, the picture's is [{height}, {width}]")
    counts = value.get("counts")
    if isinstance(counts, str):
        if not counts.isascii():
            raise FieldFault(field, "RLE counts: characters outside ASCII")
        return {"size": [height, width], "counts": counts}
    if not isinstance(counts, list) or not all(type(run) is int and run >= 0 for run in counts):
        raise FieldFault(field, f"RLE counts: expected text or run lengths, got {shown(counts)}")
    if sum(counts) != height * width:
        total = f"{sum(counts)} pixels, the picture has {height * width}"
        raise FieldFault(field, f"RLE counts: runs cover {total}")
    return {"size": [height, width], "counts": counts}
