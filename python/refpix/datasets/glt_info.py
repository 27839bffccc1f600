"""MSCOCO-GLT at a glance: how classes and attributes are distributed over each split."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from refpix.datasets.glt_annotation import GltRows, read_annotation
from refpix.datasets.glt_layout import SPLIT_NAMES, Variant, find_annotations
from refpix.errors import RecordError

__all__ = ["GltInfo", "GltSplitInfo", "attribute_std", "describe_glt"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class GltSplitInfo:
    """A split in numbers.

    Attributes:
        split: its key in the file.
        name: in the paper; its key where the set is not known.
        objects: how many.
        class_counts: int64 (classes,), objects of each.
        class_frequencies: int64 (classes,), group of each: 0 many, 1 medium, 2 few; -1 for
            classes without objects.
        attribute_counts: float64 (attributes,), objects that have each; (0,) where the file does
            not say.
        attribute_groups: int64 (3,), objects with usual, middling, unusual attributes.
    """

    split: str
    name: str
    objects: int
    class_counts: Ints
    class_frequencies: Ints
    attribute_counts: Floats
    attribute_groups: Ints

    @property
    def attribute_std(self) -> float:
        """See `attribute_std`."""
        return attribute_std(self.attribute_counts)

    @property
    def imbalance(self) -> float:
        """Objects of the largest class over those of the smallest; NaN where one has none."""
        least = int(self.class_counts.min())
        return int(self.class_counts.max()) / least if least else float("nan")


@dataclass(frozen=True, eq=False)
class GltInfo:
    """One of the two sets.

    Attributes:
        path: the annotation file.
        variant: ``"glt"`` or ``"cbl"``; None where the folder does not tell.
        classes: names by class.
        splits: all five, in order.
        faults: malformed objects, which are not counted.
    """

    path: Path
    variant: Variant | None
    classes: tuple[str, ...]
    splits: tuple[GltSplitInfo, ...]
    faults: list[RecordError]

    @property
    def present(self) -> list[GltSplitInfo]:
        """The splits that have objects."""
        return [one for one in self.splits if one.objects]

    def to_dict(self) -> dict[str, Any]:
        """Values for JSON."""
        return {
            "file": os.fspath(self.path),
            "bytes": self.path.stat().st_size,
            "variant": self.variant,
            "classes": list(self.classes),
            "splits": {info.split: _as_dict(info) for info in self.splits},
            "faults": [str(fault) for fault in self.faults],
        }


def attribute_std(counts: Floats) -> float:
    """How unevenly attributes are spread: the standard deviation of their shares.

    As published: of all attributes, those that never occur too, with n - 1 below; summed in
    float32 there, in double here. NaN without attributes.

    Args:
        counts: float64 (attributes,), objects that have each.

    Source: Generalized-Long-Tailed-Benchmarks, _COCOGeneration/4.Analysis.ipynb.
    """
    if len(counts) < 2 or not counts.any():
        return float("nan")
    return float((counts / counts.sum()).std(ddof=1))


def describe_glt(root: str | os.PathLike[str]) -> list[GltInfo]:
    """Counts what is in the sets below a folder; pictures are not read.

    Args:
        root: as for `CocoGLT`; of a folder with both sets both are described.

    Raises:
        FileNotFoundError: no annotation there.
        RecordError: a malformed file. Malformed objects are listed.
    """
    found = []
    for path, variant in find_annotations(Path(root)):
        annotation = read_annotation(path)
        splits = tuple(
            _split_info(variant, name, rows, len(annotation.classes))
            for name, rows in annotation.splits.items()
        )
        found.append(GltInfo(path, variant, annotation.classes, splits, annotation.faults))
    return found


def _split_info(variant: Variant | None, split: str, rows: GltRows, classes: int) -> GltSplitInfo:
    frequencies = np.full(classes, -1, np.int64)
    frequencies[rows.labels] = rows.frequencies
    return GltSplitInfo(
        split=split,
        name=split if variant is None else SPLIT_NAMES[variant, split],
        objects=len(rows.keys),
        class_counts=np.bincount(rows.labels, minlength=classes),
        class_frequencies=frequencies,
        attribute_counts=rows.attribute_counts.sum(axis=0),
        attribute_groups=np.bincount(rows.attributes, minlength=3),
    )


def _as_dict(info: GltSplitInfo) -> dict[str, Any]:
    std = info.attribute_std
    return {
        "name": info.name,
        "objects": info.objects,
        "class_counts": info.class_counts.tolist(),
        "attribute_counts": info.attribute_counts.tolist(),
        "attribute_std": None if std != std else std,
        "attribute_groups": info.attribute_groups.tolist(),
    }
