"""MSCOCO-GLT's annotation.json: read once, checked, kept as columns."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from refpix.datasets.glt_layout import SPLITS, picture_name
from refpix.errors import RecordError
from refpix.io.json_fields import DoubleKeyError, shown, without_doubles
from refpix.io.tree import safe_name

__all__ = ["GltAnnotation", "GltRows", "check_annotation", "read_annotation"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_FREQUENCIES = 3
_ATTRIBUTES = 3


class GltRows(NamedTuple):
    """The objects of a split, in the file's order.

    Attributes:
        keys: the object's number in the attribute data, as text.
        labels: int64 (n,), classes, by size of the whole data, the largest 0.
        frequencies: int64 (n,), group of the class: 0 many, 1 medium, 2 few.
        attributes: int64 (n,), a third each: 0 has the most usual attributes of its class, 2 the
            most unusual.
        paths: of the crops, as stored.
        names: of the crops, relative to the folder of pictures.
        scores: float64 (n,), how usual the attributes are; NaN where the file does not say.
        attribute_counts: float64 (classes, attributes), how many objects of a class have an
            attribute; (classes, 0) where the file does not say.
    """

    keys: list[str]
    labels: Ints
    frequencies: Ints
    attributes: Ints
    paths: list[str]
    names: list[str]
    scores: Floats
    attribute_counts: Floats

    def take(self, rows: Ints) -> GltRows:
        """Some of the rows."""
        places = rows.tolist()
        return GltRows(
            [self.keys[i] for i in places],
            self.labels[rows],
            self.frequencies[rows],
            self.attributes[rows],
            [self.paths[i] for i in places],
            [self.names[i] for i in places],
            self.scores[rows],
            self.attribute_counts,
        )


@dataclass(frozen=True)
class GltAnnotation:
    """An annotation file.

    Attributes:
        path: of the file.
        classes: names by class.
        splits: the splits that were asked for.
        faults: malformed objects, which ``splits`` leaves out.
    """

    path: Path
    classes: tuple[str, ...]
    splits: dict[str, GltRows]
    faults: list[RecordError]


def read_annotation(path: str | os.PathLike[str], splits: Sequence[str] = SPLITS) -> GltAnnotation:
    """Reads an annotation file and checks it.

    Args:
        path: the file.
        splits: which to keep.

    Returns:
        GltAnnotation; objects that are malformed are not in it, but listed.

    Raises:
        FileNotFoundError: no such file.
        RecordError: it is no JSON, or of another structure; names the field.
    """
    return check_annotation(Path(path), _load(Path(path)), splits)


def check_annotation(
    path: Path, whole: dict[str, Any], splits: Sequence[str] = SPLITS
) -> GltAnnotation:
    """`read_annotation` of what is read already, or was made; ``path`` is for messages."""
    classes = _classes(path, whole)
    found: dict[str, GltRows] = {}
    faults: list[RecordError] = []
    for split in splits:
        found[split] = _Split(path, split, whole, classes).rows(faults)
    return GltAnnotation(path, classes, found, faults)


def _load(path: Path) -> dict[str, Any]:
    try:
        whole = json.loads(path.read_bytes(), object_pairs_hook=without_doubles)
    except (ValueError, RecursionError) as e:
        reason = str(e) if isinstance(e, DoubleKeyError) else f"no JSON: {e}"
        raise RecordError(os.fspath(path), "", "", reason) from e
    if not isinstance(whole, dict):
        raise RecordError(os.fspath(path), "", "", f"expected an object, got {shown(whole)}")
    return whole


def _classes(path: Path, whole: dict[str, Any]) -> tuple[str, ...]:
    """Names by class, of both tables, which must agree."""
    file = os.fspath(path)
    names = _object(path, whole, "cat2id")
    ids = list(names.values())
    if set(map(type, ids)) > {int} or sorted(ids) != list(range(len(ids))) or not ids:
        reason = f"expected the numbers from 0 on, once each, got {shown(ids)}"
        raise RecordError(file, "", "cat2id", reason)
    classes = tuple(sorted(names, key=names.__getitem__))
    if _object(path, whole, "id2cat") != {str(i): name for i, name in enumerate(classes)}:
        raise RecordError(file, "", "id2cat", "does not agree with cat2id")
    return classes


def _object(path: Path, record: dict[str, Any], field: str, about: str = "") -> dict[str, Any]:
    value = record.get(field)
    if not isinstance(value, dict):
        got = "missing" if field not in record else f"expected an object, got {shown(value)}"
        raise RecordError(os.fspath(path), about, field, got)
    return value


class _Split:
    """One split of a file on its way to columns.

    Whole columns are looked at first; only a column with something odd is gone through row by row.
    """

    def __init__(
        self, path: Path, split: str, whole: dict[str, Any], classes: tuple[str, ...]
    ) -> None:
        self.path, self.split, self.classes = path, split, classes
        self.record = _object(path, whole, split)
        self.keys = list(self._object("label"))
        self.reasons: dict[int, tuple[str, str]] = {}

    def rows(self, faults: list[RecordError]) -> GltRows:
        """Columns of the sound objects; of the others, what is wrong with them."""
        paths = self._column("path")
        found = GltRows(
            self.keys,
            self._integers("label", len(self.classes)),
            self._integers("frequency", _FREQUENCIES),
            self._integers("attribute", _ATTRIBUTES),
            paths,
            self._names(paths),
            self._scores(),
            self._attribute_counts(),
        )
        for row in sorted(self.reasons):
            field, reason = self.reasons[row]
            faults.append(RecordError(*self._where(row), field, reason))
        if not self.reasons:
            return found
        return found.take(np.setdiff1d(np.arange(len(self.keys)), list(self.reasons)))

    def _where(self, row: int) -> tuple[str, str]:
        return os.fspath(self.path), f"{self.split}: object {self.keys[row]}"

    def _object(self, field: str) -> dict[str, Any]:
        return _object(self.path, self.record, field, self.split)

    def _fault(self, row: int, field: str, reason: str) -> None:
        self.reasons.setdefault(row, (field, reason))

    def _column(self, field: str) -> list[Any]:
        """Values in the order of the keys, None for missing ones."""
        values = self._object(field)
        if list(values) == self.keys:
            return list(values.values())
        unknown = values.keys() - set(self.keys)
        if unknown:
            reason = f"holds objects that have no label: {shown(sorted(unknown)[:3])}"
            raise RecordError(os.fspath(self.path), self.split, field, reason)
        for row, key in enumerate(self.keys):
            if key not in values:
                self._fault(row, field, "missing")
        return [values.get(key) for key in self.keys]

    def _integers(self, field: str, limit: int) -> Ints:
        values = self._column(field)
        if set(map(type, values)) <= {int} and not (values and _outside(values, limit)):
            return np.array(values, np.int64)
        numbers = np.zeros(len(values), np.int64)
        for row, value in enumerate(values):
            if type(value) is int and 0 <= value < limit:
                numbers[row] = value
            else:
                reason = f"expected an integer from 0 to {limit - 1}, got {shown(value)}"
                self._fault(row, field, reason)
        return numbers

    def _names(self, paths: list[Any]) -> list[str]:
        names: list[str] = []
        owner: dict[str, str] = {}
        for row, path in enumerate(paths):
            name = ""
            try:
                if not isinstance(path, str):
                    raise ValueError(f"expected text, got {shown(path)}")
                name = safe_name(picture_name(path))
                if name in owner:
                    raise ValueError(f"{name} is the crop of object {owner[name]} too")
                owner[name] = self.keys[row]
            except ValueError as e:
                self._fault(row, "path", str(e))
            names.append(name)
        return names

    def _scores(self) -> Floats:
        if "attribute_score" not in self.record:
            return np.full(len(self.keys), np.nan)
        scores = np.zeros(len(self.keys))
        for row, value in enumerate(self._column("attribute_score")):
            if isinstance(value, (int, float)) and math.isfinite(value):
                scores[row] = value
            else:
                self._fault(row, "attribute_score", f"expected a number, got {shown(value)}")
        return scores

    def _attribute_counts(self) -> Floats:
        """The file has none for a split without objects."""
        if "attribute_dist" not in self.record:
            return np.zeros((len(self.classes), 0))
        table = self._object("attribute_dist")
        file, about = os.fspath(self.path), f"{self.split}: attribute_dist"
        expected = {str(i) for i in range(len(self.classes))}
        if table.keys() != expected:
            raise RecordError(file, about, "", f"expected classes 0 to {len(self.classes) - 1}")
        lists = [table[str(i)] for i in range(len(self.classes))]
        for i, counts in enumerate(lists):
            fine = isinstance(counts, list) and set(map(type, counts)) <= {int, float}
            if not fine or not all(math.isfinite(c) and c >= 0 for c in counts):
                raise RecordError(file, about, str(i), f"expected counts, got {shown(counts)}")
            if len(counts) != len(lists[0]):
                reason = f"has {len(counts)} attributes, class 0 has {len(lists[0])}"
                raise RecordError(file, about, str(i), reason)
        return np.array(lists, np.float64).reshape(len(lists), -1)


def _outside(values: list[int], limit: int) -> bool:
    return min(values) < 0 or max(values) >= limit
