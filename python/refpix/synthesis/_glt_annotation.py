"""``annotation.json`` of MSCOCO-GLT's crops: classes, groups of attributes, paths.

Source: Generalized-Long-Tailed-Benchmarks, _COCOGeneration/3.DataGeneration.py.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt

from refpix.io.glt_splits_file import SPLITS, GltSplit, GltSplits, Key

__all__ = ["annotation"]

_LANES = 8  # floats that torch adds at a time, with AVX2
_ROWS = 4  # sums of such that it keeps
_BEYOND = 16 * _ROWS * _LANES  # numbers, from which on it adds in more levels
_CHUNK = 8192  # objects whose attributes are multiplied at a time


def _torch_sums(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Sums of rows, added in the order in which torch adds a row on x86-64.

    Groups are made by comparing scores, and scores are sums in float32: another order gives other
    last bits. Rows of 512 numbers and more are added in NumPy's order.

    Source: PyTorch, aten/src/ATen/native/cpu/SumKernel.cpp (vectorized_inner_sum, row_sum).
    """
    count, size = values.shape
    if size >= _BEYOND:
        total: npt.NDArray[np.float32] = values.sum(axis=1, dtype=np.float32)
        return total
    width = _LANES if size >= _LANES else 1
    vectors = size // width
    lanes = values[:, : vectors * width].reshape(count, vectors, width)
    sums = np.zeros((_ROWS, count, width), np.float32)
    whole = vectors // _ROWS * _ROWS
    for i in range(vectors):
        sums[i % _ROWS if i < whole else 0] += lanes[:, i]
    for row in sums[1:]:
        sums[0] += row
    total = np.zeros(count, np.float32)
    for i in range(vectors * width, size):
        total += values[:, i]
    for lane in range(width):
        total += sums[0, :, lane]
    return total


def _normalized(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    # Sums of counts: exact in any order.
    sums = rows.sum(axis=1, dtype=np.float32, keepdims=True) + np.float32(1e-9)
    result: npt.NDArray[np.float32] = rows / sums
    return result


def _counts(split: GltSplit, classes: int) -> npt.NDArray[np.float32]:
    """float32 (classes, attributes): how many objects of a class have an attribute."""
    counts = np.zeros((classes, split.positive.shape[1]), np.float32)
    for label in range(classes):
        counts[label] = np.count_nonzero(split.positive[split.label == label], axis=0)
    return counts


def _scores(split: GltSplit, base: npt.NDArray[np.float32]) -> list[float]:
    scores: list[float] = []
    for start in range(0, len(split.keys), _CHUNK):
        part = slice(start, start + _CHUNK)
        own = _normalized(split.positive[part].astype(np.float32))
        scores += _torch_sums(base[split.label[part]] * own).tolist()
    return scores


def _groups(scores: list[float]) -> list[int]:
    """0 high, 1 middle, 2 low: thirds by score, equal ones to the lower."""
    falling = sorted(scores, reverse=True)
    third = len(falling) // 3
    high, middle = falling[third], falling[2 * third]
    return [0 if s > high else 1 if s > middle else 2 for s in scores]


def _without(split: GltSplit, missing: Collection[Key]) -> GltSplit:
    kept = np.array([key not in missing for key in split.keys], np.bool_)
    keys = [key for key, keep in zip(split.keys, kept, strict=True) if keep]
    return GltSplit(keys, split.label[kept], split.frequency[kept], split.positive[kept])


def annotation(splits: GltSplits, images: str, missing: Collection[Key] = ()) -> dict[str, Any]:
    """The content of the published ``annotation.json``, in its order.

    Args:
        splits: what was cropped.
        images: folder of the crops, as it is to stand in their paths.
        missing: objects without a crop. They are left out of everything, counts included.

    Raises:
        ValueError: a label is no class.
    """
    classes = max(splits.cat2id.values(), default=-1) + 1
    kept = {name: _without(splits.splits[name], missing) for name in SPLITS}
    for name, split in kept.items():
        if len(split.keys) and not 0 <= split.label.min() <= split.label.max() < classes:
            raise ValueError(f"{splits.name}: {name}: a label outside 0..{classes - 1}")
    base = _normalized(_counts(kept["train"], classes))
    content: dict[str, Any] = {
        "cat2id": splits.cat2id,
        "id2cat": {str(label): name for name, label in splits.cat2id.items()},
        "key2path": {},
    }
    for name, split in kept.items():
        texts = [str(key) for key in split.keys]
        scores = _scores(split, base)
        columns = {
            "label": split.label.tolist(),
            "frequency": split.frequency.tolist(),
            "attribute": _groups(scores) if scores else [],
            "path": [f"{images}/{text}.jpg" for text in texts],
            "attribute_score": scores,
        }
        content[name] = {c: dict(zip(texts, v, strict=True)) for c, v in columns.items()}
        if texts:
            counts = _counts(split, classes)
            labels = sorted(set(splits.cat2id.values()))
            content[name]["attribute_dist"] = {str(i): counts[i].tolist() for i in labels}
    return content
