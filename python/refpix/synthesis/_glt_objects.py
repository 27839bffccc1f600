"""The objects that MSCOCO-GLT is made of: attributes, class and annotation of each, checked."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from refpix.errors import RecordError
from refpix.io.coco_json import Instances, read_instances
from refpix.io.glt_pickle import load_pickle
from refpix.io.glt_splits_file import GltAnnotations, Key
from refpix.io.json_fields import shown

__all__ = ["ANNOTATION_FILES", "GltObjects", "read_objects"]

#: In the order that they are read and their annotations kept in.
ANNOTATION_FILES = ("instances_train2014.json", "instances_val2014.json")

_STEP = 4096  # vectors that are stacked at a time
_THRESHOLD = 0.5


@dataclass
class GltObjects:
    """Objects in the order of the attribute file.

    Attributes:
        attributes: names by id.
        keys: of the objects.
        positive: bool (n, attributes), value above 0.5.
        category: names of the classes.
        annotations: of the objects, and of others that the attribute file knows.
        file: the attribute file, for errors.
        content: what it holds, if that was asked for; else empty.
        records: whole annotations, row for row with `annotations`, if asked for.
        skipped: keys of objects that COCO does not know, and why.
    """

    attributes: list[str]
    keys: list[Key]
    positive: npt.NDArray[np.bool_]
    category: list[str]
    annotations: GltAnnotations
    file: str = ""
    content: dict[str, Any] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[tuple[Key, str]] = field(default_factory=list)

    def without(self, skipped: Sequence[tuple[Key, str]]) -> GltObjects:
        """The others.

        Args:
            skipped: keys and reasons.
        """
        out = {key for key, _ in skipped}
        rows = [row for row, key in enumerate(self.keys) if key not in out]
        return GltObjects(
            self.attributes,
            [self.keys[row] for row in rows],
            self.positive[rows],
            [self.category[row] for row in rows],
            self.annotations,
            self.file,
            self.content,
            self.records,
            list(skipped),
        )


def read_objects(
    attribute_path: str | os.PathLike[str],
    anno_path: str | os.PathLike[str],
    *,
    whole: bool = False,
    skip_unknown: bool = False,
) -> GltObjects:
    """Reads the attribute file and COCO's annotations of 2014.

    Args:
        attribute_path: ``cocottributes_py3.jbl``.
        anno_path: folder of ``instances_train2014.json`` and ``instances_val2014.json``.
        whole: keep what the files hold, for the published layout.
        skip_unknown: leave out objects that COCO does not know; else that is an error.

    Raises:
        RecordError: names the file, the object and the reason.
        PickleError: the attribute file holds more than data, or is damaged.
        OSError: a file cannot be read.
    """
    file = os.fspath(attribute_path)
    content = load_pickle(attribute_path)
    parts = ("ann_vecs", "patch_id_to_ann_id", "attributes")
    for part, kind in zip(parts, (dict, dict, list), strict=True):
        if not isinstance(content, dict) or not isinstance(content.get(part), kind):
            raise RecordError(file, "", part, f"expected {kind.__name__}")
    vectors, ann_ids, attributes = (content[part] for part in parts)
    names = _attribute_names(file, attributes)
    keys = _checked_keys(file, vectors)
    positive = _positive(file, vectors, len(names))
    _check_ids(file, keys, ann_ids)
    if not whole:  # the vectors are views of one large buffer, which this lets go
        content = {}
        del vectors
    # As published: of several objects with one annotation the last has it.
    key_of = {ann_id: key for key, ann_id in ann_ids.items()}
    wanted = set(key_of)
    files = [
        read_instances(Path(anno_path) / name, ids=wanted, records=whole)
        for name in ANNOTATION_FILES
    ]
    annotations, records = _joined(files, key_of)
    category, unknown = _categories(keys, ann_ids, files)
    if unknown and not skip_unknown:
        key, reason = unknown[0]
        more = f" ({len(unknown)} such objects)" if len(unknown) > 1 else ""
        raise RecordError(file, f"object {key}", "", reason + more)
    objects = GltObjects(names, keys, positive, category, annotations, file, content, records)
    return objects.without(unknown) if unknown else objects


def _attribute_names(file: str, attributes: Sequence[Any]) -> list[str]:
    for place, one in enumerate(attributes):
        if not isinstance(one, Mapping) or type(one.get("id")) is not int or "name" not in one:
            reason = f"expected a record with id and name, got {shown(one)}"
            raise RecordError(file, f"attribute {place}", "", reason)
    return [str(one["name"]) for one in sorted(attributes, key=lambda one: int(one["id"]))]


def _checked_keys(file: str, vectors: Mapping[Any, Any]) -> list[Key]:
    keys: list[Key] = list(vectors)
    if not keys:
        raise RecordError(file, "", "ann_vecs", "there is no object in it")
    for key in keys:
        if type(key) is not int and type(key) is not str:
            raise RecordError(file, f"object {shown(key)}", "", "a key is an integer or text")
    return keys


def _positive(file: str, vectors: Mapping[Key, Any], width: int) -> npt.NDArray[np.bool_]:
    """Which attributes each object has, in steps: all vectors at once would be hundreds of MB."""
    positive = np.empty((len(vectors), width), np.bool_)
    keys = list(vectors)
    for begin in range(0, len(keys), _STEP):
        step = keys[begin : begin + _STEP]
        for key in step:
            reason = _wrong_vector(vectors[key], width)
            if reason:
                raise RecordError(file, f"object {key}", "ann_vecs", reason)
        stacked = np.stack([vectors[key] for key in step])
        if stacked.dtype.kind == "f" and not np.isfinite(stacked).all():
            row = int(np.argmin(np.isfinite(stacked).all(axis=1)))
            raise RecordError(file, f"object {step[row]}", "ann_vecs", "attributes must be finite")
        positive[begin : begin + len(step)] = stacked > _THRESHOLD
    return positive


def _wrong_vector(vector: Any, width: int) -> str:
    if not isinstance(vector, np.ndarray) or vector.dtype.kind not in "fiub":
        return f"expected an array of numbers, got {shown(vector)}"
    if vector.shape != (width,):
        got = f"{len(vector)} values" if vector.ndim == 1 else f"shape {vector.shape}"
        return f"expected {width} values, one per attribute, got {got}"
    return ""


def _check_ids(file: str, keys: Iterable[Key], ann_ids: Mapping[Any, Any]) -> None:
    for key in keys:
        if key not in ann_ids:
            raise RecordError(file, f"object {key}", "patch_id_to_ann_id", "missing")
    for key, ann_id in ann_ids.items():
        if type(ann_id) is not int:
            reason = f"expected an integer, got {shown(ann_id)}"
            raise RecordError(file, f"object {shown(key)}", "patch_id_to_ann_id", reason)


def _joined(
    files: Sequence[Instances], key_of: Mapping[int, Key]
) -> tuple[GltAnnotations, list[dict[str, Any]]]:
    """Annotations of both files by key; of one id the last counts, in the first one's place."""
    ids = np.concatenate([one.id for one in files])
    last = {ann_id: row for row, ann_id in enumerate(ids.tolist())}
    rows = list(last.values())
    records = [record for one in files for record in one.records]
    annotations = GltAnnotations(
        [key_of[ann_id] for ann_id in last],
        ids[rows],
        *(
            np.concatenate([getattr(one, column) for one in files])[rows]
            for column in ("image_id", "category_id", "bbox")
        ),
    )
    return annotations, [records[row] for row in rows] if records else []


def _categories(
    keys: Sequence[Key], ann_ids: Mapping[Key, int], files: Sequence[Instances]
) -> tuple[list[str], list[tuple[Key, str]]]:
    """Class of each object, and the objects that have none."""
    names = files[0].categories  # as published: the first file's count for both
    category_of: dict[int, int] = {}
    for one in files:
        category_of.update(zip(one.id.tolist(), one.category_id.tolist(), strict=True))
    category = []
    unknown: list[tuple[Key, str]] = []
    for key in keys:
        ann_id = ann_ids[key]
        number = category_of.get(ann_id)
        name = names.get(number) if number is not None else None
        if number is None:
            unknown.append((key, f"annotation {ann_id} is in neither file of COCO's"))
        elif name is None:
            unknown.append((key, f"annotation {ann_id}: COCO has no category {number}"))
        category.append(name or "")
    return category, unknown
