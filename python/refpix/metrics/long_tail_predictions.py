"""Which prediction is for which object, and the scores of a whole test set."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from refpix.io.json_fields import DoubleKeyError, shown, without_doubles
from refpix.io.npy import decode_npy
from refpix.metrics import box
from refpix.metrics.long_tail import LongTailAccuracy, LongTailScores, as_classes

__all__ = ["LongTailExamples", "evaluate", "match_predictions"]

Classes = npt.NDArray[np.int64]


class LongTailExamples(Protocol):
    """What is scored; `refpix.datasets.CocoGLT` is one."""

    @property
    def keys(self) -> Sequence[str]:
        """Of the objects, in order."""
        ...

    @property
    def labels(self) -> Classes:
        """True classes: int64 (n,)."""
        ...

    @property
    def frequencies(self) -> Classes:
        """Groups of the classes: int64 (n,), 0 many, 1 medium, 2 few."""
        ...

    @property
    def attributes(self) -> Classes:
        """Groups of the attributes: int64 (n,), 0 the most usual."""
        ...

    @property
    def classes(self) -> Sequence[str]:
        """Names by class."""
        ...


def evaluate(
    examples: LongTailExamples, predictions: Any, *, protocol: box.Protocol = "paper"
) -> LongTailScores:
    """Scores predictions on a whole test set.

    Args:
        examples: a dataset.
        predictions: an array as `LongTailAccuracy.update` takes it, in the order of the dataset;
            a mapping from key to class, name or scores; or a ``.json`` or ``.npy`` file of those.
        protocol: see `LongTailAccuracy`.

    Raises:
        ValueError: predictions are missing, unknown or malformed; names file and key.
        OSError: the file cannot be read.
    """
    scores = LongTailAccuracy(len(examples.classes), protocol=protocol)
    found = match_predictions(examples.keys, predictions, examples.classes)
    scores.update(found, examples.labels, examples.frequencies, examples.attributes)
    return scores.compute()


def match_predictions(keys: Sequence[str], predictions: Any, classes: Sequence[str]) -> Classes:
    """Predicted classes in the order of the objects: int64 (n,).

    Args:
        keys: of the objects.
        predictions: any form that `evaluate` takes.
        classes: names by class.

    Raises:
        ValueError: as for `evaluate`.
    """
    where = ""
    if isinstance(predictions, (str, os.PathLike)):
        where = f"{os.fspath(predictions)}: "
        predictions = _read(Path(predictions), where)
    try:
        if isinstance(predictions, Mapping):
            predictions = _in_order(keys, predictions)
        if isinstance(predictions, list):
            return _of_entries(keys, predictions, classes)
        array = np.asarray(predictions)
        if array.ndim == 0 or len(array) != len(keys):
            counted = "none" if array.ndim == 0 else str(len(array))
            raise ValueError(f"expected {len(keys)} predictions, got {counted}")
        return as_classes(array, len(classes))
    except (TypeError, ValueError) as e:
        raise ValueError(where + str(e)) from e


def _read(path: Path, where: str) -> Any:
    payload = path.read_bytes()
    if path.suffix.lower() == ".npy":
        try:
            return decode_npy(payload)
        except ValueError as e:
            raise ValueError(where + str(e)) from e
    try:
        values = json.loads(payload, object_pairs_hook=without_doubles)
    except DoubleKeyError as e:
        raise ValueError(where + str(e)) from e
    except (ValueError, RecursionError) as e:
        raise ValueError(f"{where}neither .npy nor JSON: {e}") from e
    if not isinstance(values, (dict, list)):
        raise ValueError(f"{where}expected an object or a list, got {shown(values)}")
    return values


def _in_order(keys: Sequence[str], predictions: Mapping[Any, Any]) -> list[Any]:
    by_key = without_doubles([(str(key), value) for key, value in predictions.items()])
    missing = [key for key in keys if key not in by_key]
    if missing:
        raise ValueError(f"no prediction for {_some(missing)}")
    if len(by_key) > len(keys):
        unknown = by_key.keys() - set(keys)
        raise ValueError(f"predictions for objects that are not scored: {_some(sorted(unknown))}")
    return [by_key[key] for key in keys]


def _some(keys: list[str]) -> str:
    more = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
    return ", ".join(map(repr, keys[:3])) + more


def _of_entries(keys: Sequence[str], entries: list[Any], classes: Sequence[str]) -> Classes:
    """Classes of names, numbers or scores, checked one by one so that a fault has a key."""
    if len(entries) != len(keys):
        raise ValueError(f"expected {len(keys)} predictions, got {len(entries)}")
    by_name = {name: i for i, name in enumerate(classes)}
    found = np.empty(len(keys), np.int64)
    for i, (key, entry) in enumerate(zip(keys, entries, strict=True)):
        try:
            found[i] = _class_of(entry, by_name)
        except (TypeError, ValueError, OverflowError) as e:
            raise ValueError(f"object {key!r}: {e}") from e
    return found


def _class_of(entry: Any, by_name: Mapping[str, int]) -> int:
    if isinstance(entry, str):
        if entry not in by_name:
            raise ValueError(f"no class is called {entry!r}")
        return by_name[entry]
    if isinstance(entry, (list, tuple, np.ndarray)):
        return int(as_classes(np.asarray(entry)[np.newaxis], len(by_name))[0])
    if isinstance(entry, (int, np.integer)) and not isinstance(entry, bool):
        if not 0 <= entry < len(by_name):
            raise ValueError(f"expected a class from 0 to {len(by_name) - 1}, got {entry}")
        return int(entry)
    raise TypeError(f"expected a class, its name or scores, got {shown(entry)}")
