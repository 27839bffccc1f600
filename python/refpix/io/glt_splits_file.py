"""MSCOCO-GLT's splits between the program that makes them and those that crop and load.

Read from our JSON (schema in docs/glt.md) and from the published ``.jbl`` files alike.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from refpix.errors import RecordError
from refpix.io.glt_pickle import load_pickle
from refpix.io.json_fields import FieldFault, integer, numbers, shown

try:
    import msgspec
except ImportError:
    msgspec = None  # type: ignore[assignment]

__all__ = [
    "FORMAT",
    "SPLITS",
    "GltAnnotations",
    "GltSplit",
    "GltSplits",
    "Key",
    "read_splits",
    "write_splits",
]

FORMAT = "refpix-glt-splits"
VERSION = 1
#: All splits; those that a set does not have are empty.
SPLITS = ("train", "val", "test_lt", "test_bl", "test_bbl")
#: What the attribute file calls its objects by.
Key: TypeAlias = int | str

_THRESHOLD = 0.5  # an attribute above it is there


class GltSplit(NamedTuple):
    """The objects of one split, in the order they were picked.

    Attributes:
        keys: of the objects.
        label: int64 (n,), class by size, 0 the largest.
        frequency: int64 (n,), 0 many, 1 medium, 2 few.
        positive: bool (n, attributes), in the order of the attributes' ids.
    """

    keys: list[Key]
    label: npt.NDArray[np.int64]
    frequency: npt.NDArray[np.int64]
    positive: npt.NDArray[np.bool_]


class GltAnnotations(NamedTuple):
    """COCO's annotations of the objects, in COCO's order, train file first.

    Attributes:
        keys: of the objects.
        id: int64 (n,), of the annotation.
        image_id: int64 (n,).
        category_id: int64 (n,), COCO's.
        bbox: float64 (n, 4), x, y, width, height in pixels.
    """

    keys: list[Key]
    id: npt.NDArray[np.int64]
    image_id: npt.NDArray[np.int64]
    category_id: npt.NDArray[np.int64]
    bbox: npt.NDArray[np.float64]


@dataclass(frozen=True)
class GltSplits:
    """One annotation set: Train-GLT or Train-CBL with its test splits.

    Attributes:
        name: ``coco_intra_lt_inter_lt`` or ``coco_intra_lt_inter_bl``; else a file's name.
        attributes: names by id.
        cat2id: class names to labels, in the order of the labels.
        splits: by name, all of `SPLITS`.
        annotations: of the objects that COCO knows.
        leftover: keys of objects in no split, in the order of the attribute file.
        settings: what the splits were made with; empty for published files.
    """

    name: str
    attributes: list[str]
    cat2id: dict[str, int]
    splits: dict[str, GltSplit]
    annotations: GltAnnotations
    leftover: list[Key]
    settings: dict[str, Any] = field(default_factory=dict)


def write_splits(path: str | os.PathLike[str], splits: GltSplits) -> None:
    """Writes JSON as docs/glt.md says; the file is whole or not there.

    Args:
        path: file to write; what is there is replaced.
        splits: what to write.

    Raises:
        ValueError: a box is not finite.
        OSError: the file cannot be written.
    """
    target = Path(path)
    partial = target.with_name(f"{target.name}.partial")
    if not np.isfinite(splits.annotations.bbox).all():
        raise ValueError(f"{target}: a box that is not finite is no JSON")
    try:
        with open(partial, "wb") as file:
            file.writelines(_json_parts(splits))
        os.replace(partial, target)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise


def _json_parts(splits: GltSplits) -> list[bytes]:
    columns = {
        name: {
            "keys": split.keys,
            "label": split.label.tolist(),
            "frequency": split.frequency.tolist(),
            "attribute": _places(split.positive),
        }
        for name, split in splits.splits.items()
    }
    annotations = splits.annotations
    content = {
        "format": FORMAT,
        "version": VERSION,
        "name": splits.name,
        "settings": splits.settings,
        "attributes": splits.attributes,
        "cat2id": splits.cat2id,
        "splits": columns,
        "annotations": {
            "keys": annotations.keys,
            **{name: getattr(annotations, name).tolist() for name in annotations._fields[1:]},
        },
        "leftover": splits.leftover,
    }
    # Line by line: a diff or an eye finds the parts.
    lines = [b"%b:%b" % (_compact(key), _compact(value)) for key, value in content.items()]
    return [b"{\n", b",\n".join(lines), b"\n}\n"]


def _compact(value: Any) -> bytes:
    if msgspec is not None:  # a tenth of the time
        return bytes(msgspec.json.encode(value))
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _places(positive: npt.NDArray[np.bool_]) -> list[list[int]]:
    """Per row the columns that are set."""
    columns = np.nonzero(positive)[1].tolist()
    ends = np.cumsum(np.count_nonzero(positive, axis=1)).tolist()
    return [columns[a:b] for a, b in zip([0, *ends], ends, strict=False)]


def read_splits(path: str | os.PathLike[str]) -> GltSplits:
    """Reads our JSON or a published ``.jbl`` file, by content.

    Args:
        path: of the file.

    Raises:
        RecordError: a part is missing or wrong; names the file, the part and the object.
        PickleError: as `refpix.io.glt_pickle.load_pickle`.
        OSError: the file cannot be read.
    """
    name = os.fspath(path)
    with open(path, "rb") as file:
        is_json = file.read(64).lstrip()[:1] == b"{"
        file.seek(0)
        content = file.read() if is_json else b""
    try:
        if is_json:
            return _from_json(json.loads(content))
        return _from_published(load_pickle(path), Path(path).stem)
    except FieldFault as fault:
        raise RecordError(name, "", fault.field, fault.reason) from fault
    except (ValueError, RecursionError) as error:
        if isinstance(error, RecordError) or not is_json:
            raise
        raise RecordError(name, "", "", f"not JSON: {error}") from error


def _part(content: Any, where: str, kind: type = dict) -> Any:
    """A part of a nested mapping by its path, of the type it should have."""
    value = content
    for step in where.split("/"):
        if not isinstance(value, Mapping) or step not in value:
            raise FieldFault(where, "missing")
        value = value[step]
    if not isinstance(value, kind):
        raise FieldFault(where, f"expected {kind.__name__}, got {shown(value)}")
    return value


def _keys(values: Iterable[Any], where: str) -> list[Key]:
    keys: list[Key] = list(values)
    for key in keys:
        if type(key) is not int and type(key) is not str:
            raise FieldFault(where, f"a key is an integer or text, got {shown(key)}")
    if len(set(keys)) != len(keys):
        raise FieldFault(where, "a key occurs twice")
    return keys


def _numbers(
    values: Any, where: str, shape: tuple[int, ...], dtype: type[Any] = np.int64
) -> npt.NDArray[Any]:
    """A column as an array."""
    kinds = "iub" if dtype is np.int64 else "iuf"
    try:
        array = np.array(values) if len(values) else np.empty(shape, dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise FieldFault(where, f"not numbers: {error}") from error
    if array.shape != shape:
        raise FieldFault(where, f"expected shape {shape}, got {array.shape}")
    if array.dtype.kind not in kinds or (array.dtype.kind == "f" and not np.isfinite(array).all()):
        raise FieldFault(where, f"expected finite numbers, got {array.dtype}")
    return array.astype(dtype)


def _positive(places: Any, where: str, count: int, attributes: int) -> npt.NDArray[np.bool_]:
    """The reverse of `_places`."""
    if not isinstance(places, list) or not all(isinstance(row, list) for row in places):
        raise FieldFault(where, "expected a list of lists")
    if len(places) != count:
        raise FieldFault(where, f"expected {count} rows, got {len(places)}")
    total = sum(map(len, places))
    columns = _numbers([place for row in places for place in row], where, (total,))
    if total and not 0 <= columns.min() <= columns.max() < attributes:
        raise FieldFault(where, f"an attribute outside 0..{attributes - 1}")
    positive = np.zeros((count, attributes), np.bool_)
    positive[np.repeat(np.arange(count), [len(row) for row in places]), columns] = True
    return positive


def _from_json(content: Any) -> GltSplits:
    if _part(content, "format", str) != FORMAT:
        raise FieldFault("format", f"expected {FORMAT!r}, got {shown(content['format'])}")
    if _part(content, "version", int) != VERSION:
        raise FieldFault("version", f"expected {VERSION}, got {shown(content['version'])}")
    attributes = _part(content, "attributes", list)
    splits = {}
    for name in SPLITS:
        where = f"splits/{name}"
        keys = _keys(_part(content, f"{where}/keys", list), f"{where}/keys")
        label, frequency = (
            _numbers(_part(content, f"{where}/{column}", list), f"{where}/{column}", (len(keys),))
            for column in ("label", "frequency")
        )
        attribute = _part(content, f"{where}/attribute", list)
        positive = _positive(attribute, f"{where}/attribute", len(keys), len(attributes))
        splits[name] = GltSplit(keys, label, frequency, positive)
    keys = _keys(_part(content, "annotations/keys", list), "annotations/keys")
    ids, images, categories = (
        _numbers(_part(content, f"annotations/{name}", list), f"annotations/{name}", (len(keys),))
        for name in ("id", "image_id", "category_id")
    )
    boxes = _part(content, "annotations/bbox", list)
    bbox = _numbers(boxes, "annotations/bbox", (len(keys), 4), np.float64)
    return GltSplits(
        name=_part(content, "name", str),
        attributes=[str(name) for name in attributes],
        cat2id=_labels(_part(content, "cat2id")),
        splits=splits,
        annotations=GltAnnotations(keys, ids, images, categories, bbox),
        leftover=_keys(_part(content, "leftover", list), "leftover"),
        settings=_part(content, "settings"),
    )


def _labels(cat2id: Mapping[Any, Any]) -> dict[str, int]:
    return {str(name): integer(cat2id, name) for name in cat2id}


def _from_published(content: Any, name: str) -> GltSplits:
    records = _part(content, "attributes", list)
    try:
        attributes = [str(one["name"]) for one in sorted(records, key=lambda one: one["id"])]
    except (KeyError, TypeError) as error:
        raise FieldFault("attributes", "expected records with id and name") from error
    splits = {split: _published_split(content, split, len(attributes)) for split in SPLITS}
    return GltSplits(
        name=name,
        attributes=attributes,
        cat2id=_labels(_part(content, "cat2id")),
        splits=splits,
        annotations=_published_annotations(_part(content, "annotations")),
        leftover=_keys(content.get("ann_vecs", ()), "ann_vecs"),
    )


def _published_split(content: Any, split: str, attributes: int) -> GltSplit:
    labels = _part(content, f"{split}/label")
    keys = _keys(labels, f"{split}/label")
    columns = []
    for column in ("label", "frequency", "attribute"):
        values = _part(content, f"{split}/{column}")
        missing = next((key for key in keys if key not in values), None)
        if missing is not None:
            raise FieldFault(f"{split}/{column}", f"object {missing} is missing")
        columns.append([values[key] for key in keys])
    positive = np.zeros((len(keys), attributes), np.bool_)
    for row, (key, vector) in enumerate(zip(keys, columns[2], strict=True)):
        if not isinstance(vector, np.ndarray) or vector.shape != (attributes,):
            got = vector.shape if isinstance(vector, np.ndarray) else shown(vector)
            raise FieldFault(
                f"{split}/attribute", f"object {key}: expected {attributes} numbers, got {got}"
            )
        positive[row] = vector > _THRESHOLD
    shape = (len(keys),)
    label = _numbers(columns[0], f"{split}/label", shape)
    return GltSplit(keys, label, _numbers(columns[1], f"{split}/frequency", shape), positive)


def _published_annotations(annotations: Mapping[Any, Any]) -> GltAnnotations:
    keys = _keys(annotations, "annotations")
    return annotation_columns(keys, list(annotations.values()))


def annotation_columns(keys: list[Key], records: Sequence[Mapping[str, Any]]) -> GltAnnotations:
    """COCO's records as columns.

    Args:
        keys: of the objects.
        records: the annotation of each.

    Raises:
        FieldFault: names the object.
    """
    columns: dict[str, list[int]] = {"id": [], "image_id": [], "category_id": []}
    boxes = []
    for key, record in zip(keys, records, strict=True):
        try:
            for name, values in columns.items():
                values.append(integer(record, name))
            boxes.append(numbers(record, "bbox", 4))
        except FieldFault as fault:
            where = f"object {key}: {fault.field}: {fault.reason}"
            raise FieldFault("annotations", where) from fault
        except TypeError as error:
            raise FieldFault("annotations", f"object {key}: no record") from error
    ids, images, categories = (np.array(values, np.int64) for values in columns.values())
    bbox = np.array(boxes, np.float64).reshape(-1, 4)
    return GltAnnotations(keys, ids, images, categories, bbox)
