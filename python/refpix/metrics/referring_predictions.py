"""Which prediction is for which example, whatever form predictions come in."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from refpix import masks
from refpix.io.mask_image import as_mask, read_mask
from refpix.types import RleBatch

__all__ = [
    "Key",
    "Missing",
    "as_runs",
    "background",
    "example_name",
    "joined",
    "match_predictions",
]

#: Sample id and place of the sentence among the sample's.
Key = tuple[int, int]
Missing = Literal["error", "empty"]

_PNG_NAME = re.compile(r"(\d+)(?:_(\d+))?\.png", re.IGNORECASE)


def example_name(key: Key) -> str:
    """An example's name in messages."""
    return f"sample {key[0]}, sentence {key[1]}"


def match_predictions(keys: Sequence[Key], predictions: Any, missing: Missing) -> Iterator[Any]:
    """Predictions in the order of the examples.

    Args:
        keys: of the examples.
        predictions: any form that ``referring.evaluate`` takes.
        missing: whether examples may lack one.

    Returns:
        An iterator over one item per example: what `as_runs` takes, or None for a missing one.
        Asked for one more than there are examples, it complains about predictions left over.

    Raises:
        ValueError: predictions are missing, double, unknown or name nothing.
    """
    if isinstance(predictions, RleBatch):
        one_by_one = (predictions.take([i]) for i in range(len(predictions.sizes)))
        return _in_order(keys, one_by_one, missing)
    found = _Found(keys)
    if isinstance(predictions, (str, os.PathLike)):
        path = Path(predictions)
        if path.is_dir():
            _gather_folder(path, found)
        else:
            _gather_entries(_load_json(path), found, f"{path}: ")
        return found.in_order(missing, f"{path}: ")
    if isinstance(predictions, Mapping):
        _gather_mapping(predictions, found)
    elif _are_entries(predictions):
        _gather_entries(predictions, found, "")
    elif isinstance(predictions, Iterable):
        return _in_order(keys, predictions, missing)
    else:
        raise TypeError(f"predictions: {type(predictions).__name__} is none of the forms known")
    return found.in_order(missing, "")


class _Found:
    """Predictions by example, as they are found."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self.keys = keys
        self.places = {key: place for place, key in enumerate(keys)}
        if len(self.places) < len(keys):
            twice = next(key for place, key in enumerate(keys) if self.places[key] != place)
            raise ValueError(f"{example_name(twice)}: two examples have this name")
        self.sentences: dict[int, list[int]] = {}
        for place, (sample, _) in enumerate(keys):
            self.sentences.setdefault(sample, []).append(place)
        self.items: list[Any] = [None] * len(keys)
        self.names: list[str | None] = [None] * len(keys)

    def of(self, sample: Any, sentence: Any) -> list[int]:
        """Places of the examples that a sample's id, and perhaps a sentence's place, stand for."""
        if not _is_integer(sample) or sample not in self.sentences:
            raise ValueError(f"there is no sample {sample!r}")
        if sentence is None:
            return self.sentences[sample]
        if not _is_integer(sentence) or (sample, sentence) not in self.places:
            count = len(self.sentences[sample])
            raise ValueError(f"sample {sample} has no sentence {sentence!r}, but {count}")
        return [self.places[sample, sentence]]

    def put(self, places: list[int], item: Any, name: str) -> None:
        """Takes a prediction that ``name`` is said to be called."""
        for place in places:
            other = self.names[place]
            if other is not None:
                raise ValueError(
                    f"second prediction for {example_name(self.keys[place])}, after {other}"
                )
            self.items[place], self.names[place] = item, name

    def in_order(self, missing: Missing, source: str) -> Iterator[Any]:
        """The items; an error for those that are not there, unless they may be."""
        absent = [place for place, name in enumerate(self.names) if name is None]
        if absent and missing == "error":
            more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
            raise ValueError(
                f"{source}no prediction for {example_name(self.keys[absent[0]])}{more}"
            )
        return iter(self.items)


def _in_order(keys: Sequence[Key], items: Iterable[Any], missing: Missing) -> Iterator[Any]:
    count = 0
    for item in items:
        if count == len(keys):
            raise ValueError(f"there are more predictions than the {count} examples")
        if item is None and missing == "error":
            raise ValueError(f"no prediction for {example_name(keys[count])}: None")
        yield item
        count += 1
    if count < len(keys):
        raise ValueError(f"{count} predictions: none for {example_name(keys[count])} and on")


def _load_json(path: Path) -> list[Any]:
    try:
        entries = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as e:
        raise ValueError(f"{path}: no JSON: {e}") from e
    if not isinstance(entries, list):
        raise ValueError(f"{path}: expected a list of predictions, got {type(entries).__name__}")
    return entries


def _are_entries(predictions: Any) -> bool:
    if not isinstance(predictions, (list, tuple)) or not predictions:
        return False
    first = predictions[0]
    return isinstance(first, Mapping) and "counts" not in first


def _gather_entries(entries: Sequence[Any], found: _Found, source: str) -> None:
    for number, entry in enumerate(entries):
        name = f"entry {number}"
        try:
            if not isinstance(entry, Mapping):
                raise ValueError(f"expected an object, got {type(entry).__name__}")
            places = _places_of(entry, found)
            item = entry.get("segmentation", entry.get("mask"))
            if not isinstance(item, Mapping):
                example = example_name(found.keys[places[0]])
                raise ValueError(f"{example}: 'segmentation' must be counts and size, got {item!r}")
            found.put(places, item, name)
        except ValueError as e:
            raise ValueError(f"{source}{name}: {e}") from None


def _places_of(entry: Mapping[str, Any], found: _Found) -> list[int]:
    number = entry.get("example")
    if number is not None and not (_is_integer(number) and 0 <= number < len(found.keys)):
        raise ValueError(f"there is no example {number!r}, only {len(found.keys)}")
    if entry.get("sample_id") is None:
        if number is None:
            raise ValueError("names neither 'sample_id' (and 'sentence_index') nor 'example'")
        return [number]
    places = found.of(entry["sample_id"], entry.get("sentence_index"))
    if number is None:
        return places
    if number not in places:
        raise ValueError(f"example {number} is {example_name(found.keys[number])}")
    return [number]


def _gather_folder(folder: Path, found: _Found) -> None:
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        matched = _PNG_NAME.fullmatch(path.name)
        if matched is None:
            raise ValueError(
                f"{path}: expected <sample_id>_<sentence_index>.png or <sample_id>.png"
            )
        sample, sentence = matched.groups()
        try:
            places = found.of(int(sample), None if sentence is None else int(sentence))
            found.put(places, path, path.name)
        except ValueError as e:
            raise ValueError(f"{path}: {e}") from None


def _gather_mapping(predictions: Mapping[Any, Any], found: _Found) -> None:
    for key, item in predictions.items():
        sample, sentence = key if isinstance(key, tuple) and len(key) == 2 else (key, None)
        if item is not None:
            found.put(found.of(sample, sentence), item, repr(key))


def _is_integer(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def background(size: Sequence[int]) -> dict[str, Any]:
    """An empty mask of a height and width, as COCO run lengths."""
    return {"counts": [size[0] * size[1]], "size": list(size)}


def as_runs(items: Sequence[Any], *, num_threads: int = 1) -> RleBatch:
    """Masks of any form as columns of run lengths.

    Args:
        items: COCO run-length dicts, arrays (H, W), files of masks, or batches of one.
        num_threads: threads to use at most.

    Raises:
        ValueError: a mask is malformed.
        TypeError: one is of another kind.
    """
    if all(isinstance(item, Mapping) for item in items):
        return masks.from_coco(items, num_threads=num_threads)
    return joined([_runs_of(item) for item in items])


def _runs_of(item: Any) -> RleBatch:
    if isinstance(item, RleBatch):
        return item
    if isinstance(item, Mapping):
        return masks.from_coco([item])
    return masks.encode(read_mask(item) if isinstance(item, Path) else as_mask(item))


def joined(batches: Sequence[RleBatch]) -> RleBatch:
    """Batches end to end."""
    lengths = np.concatenate([np.diff(batch.offsets) for batch in batches])
    return RleBatch(
        np.concatenate([batch.counts for batch in batches]),
        np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)]),
        np.concatenate([batch.sizes for batch in batches]),
    )
