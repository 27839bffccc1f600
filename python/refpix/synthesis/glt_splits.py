"""MSCOCO-GLT's splits: which objects go where, as the published program decides it.

Source: Generalized-Long-Tailed-Benchmarks, _COCOGeneration/mscoco_glt_generation.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from random import Random
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from refpix.errors import KernelError, RecordError
from refpix.io.glt_splits_file import SPLITS, GltSplit, GltSplits, Key
from refpix.kernels import balanced_select
from refpix.synthesis._glt_objects import GltObjects

__all__ = [
    "PUBLISHED_RUNS",
    "SPLIT_CURES",
    "CategoryOrder",
    "GltRun",
    "SplitCure",
    "glt_splits",
]

#: Quirks that need not be reproduced; docs/glt.md says what each does.
SplitCure = Literal["all_vectors", "unseen_attributes"]
SPLIT_CURES: tuple[SplitCure, ...] = ("all_vectors", "unseen_attributes")
#: By name, by first object, or as given: the published program's order is that of a set of text.
CategoryOrder: TypeAlias = Literal["sorted", "appearance"] | Sequence[str]

_IMBALANCE = 0.005  # objects of the smallest class of Train-GLT over those of the largest
_LIST = 256  # rows that are moved up by one when one before them is taken
_MANY, _MEDIUM = 10, 22  # last labels of these


class GltRun(NamedTuple):
    """One annotation set.

    Attributes:
        name: of its file.
        train: ``"exp"`` long-tailed classes (Train-GLT), ``"bl"`` equally large ones (Train-CBL).
        test_size: objects per class of each test split.
        val_size: the same of the validation split.
    """

    name: str
    train: Literal["exp", "bl"]
    test_size: int
    val_size: int


#: In this order, on one stream of random numbers.
PUBLISHED_RUNS = (
    GltRun("coco_intra_lt_inter_bl", "bl", 100, 50),
    GltRun("coco_intra_lt_inter_lt", "exp", 200, 100),
)


class _Left:
    """Rows in order, of which the k-th of those left is taken: lists under a tree of counts."""

    def __init__(self, rows: Sequence[int]) -> None:
        self._lists = [list(rows[i : i + _LIST]) for i in range(0, len(rows), _LIST)] or [[]]
        self._leaves = 1 << (len(self._lists) - 1).bit_length()
        counts = [0] * self._leaves + [len(one) for one in self._lists]
        counts += [0] * (2 * self._leaves - len(counts))
        for node in range(self._leaves - 1, 0, -1):
            counts[node] = counts[2 * node] + counts[2 * node + 1]
        self._counts = counts

    def __len__(self) -> int:
        return self._counts[1]

    def take(self, k: int) -> int:
        """Removes the k-th of those left, counted from 0."""
        counts, leaves = self._counts, self._leaves
        node = 1
        while node < leaves:
            counts[node] -= 1
            node *= 2
            if k >= counts[node]:
                k -= counts[node]
                node += 1
        counts[node] -= 1
        return self._lists[node - leaves].pop(k)

    def rest(self) -> list[int]:
        """Those left, in order."""
        return list(chain.from_iterable(self._lists))

    def draw(self, random: Random, count: int) -> list[int]:
        """Rows drawn one by one, as ``random.randint(0, left - 1)`` says."""
        # randrange(n) draws what randint(0, n - 1) does.
        return [
            self.take(random.randrange(left)) for left in range(len(self), len(self) - count, -1)
        ]


def category_order(order: CategoryOrder, category: Sequence[str]) -> list[str]:
    """Names of the classes in the order they are gone through.

    Args:
        order: see `CategoryOrder`.
        category: class of each object.

    Raises:
        ValueError: an order that is not one of the classes there are.
    """
    names = list(dict.fromkeys(category))
    if order == "appearance":
        return names
    if order == "sorted":
        return sorted(names)
    if isinstance(order, str):
        raise ValueError(f"category order {order!r}: expected sorted, appearance or names")
    given = list(order)
    if sorted(given) != sorted(names):
        missing = sorted(set(names) - set(given))
        surplus = sorted(set(given) - set(names))
        double = sorted({name for name in given if given.count(name) > 1})
        raise ValueError(
            f"category order does not name each class once: "
            f"missing {missing}, unknown {surplus}, named twice {double}"
        )
    return given


def glt_splits(
    objects: GltObjects,
    run: GltRun,
    random: Random,
    *,
    order: CategoryOrder = "sorted",
    cures: Sequence[SplitCure] = (),
    num_threads: int = 1,
) -> GltSplits:
    """Draws one annotation set.

    The keys of all splits, their order, the labels and what is left over are those of the
    published program for the same state of ``random`` and the same category order.

    Args:
        objects: see `refpix.synthesis.read_objects`.
        run: which set; `PUBLISHED_RUNS` are the published ones.
        random: the stream; it is advanced.
        order: of the classes.
        cures: quirks not to reproduce.
        num_threads: threads for Test-BBL.

    Raises:
        RecordError: a class has too few objects, or an attribute none; names the class or it.
        ValueError: ``order`` is not one of the classes.
    """
    _check_attributes(objects, cures)
    names = category_order(order, objects.category)
    rows: dict[str, list[int]] = {name: [] for name in names}
    for row, name in enumerate(objects.category):
        rows[name].append(row)
    cat2id = _labels(rows)
    picked: dict[str, list[int]] = {split: [] for split in SPLITS}
    picked["test_bbl"] = _balanced(objects, rows, run.test_size, num_threads)
    used = set(picked["test_bbl"])
    left = {name: _Left([row for row in rows[name] if row not in used]) for name in names}
    for name, pool in left.items():
        _check_room(objects, f"class {name}", "test_bl", run.test_size, len(pool))
        picked["test_bl"] += pool.draw(random, run.test_size)
    train = _Left(_train(objects, left, run, random))
    if run.train == "exp":
        picked["test_lt"] = _out_of(objects, train, "test_lt", run.test_size * len(names), random)
    picked["val"] = _out_of(objects, train, "val", run.val_size * len(names), random)
    picked["train"] = train.rest()
    return _result(objects, run, picked, cat2id, names, cures)


def _check_attributes(objects: GltObjects, cures: Sequence[SplitCure]) -> None:
    """As published, each attribute must occur: there the sizes of two vectors would not agree."""
    unseen = [objects.attributes[i] for i in np.flatnonzero(~np.any(objects.positive, axis=0))]
    if unseen and "unseen_attributes" not in cures:
        more = f" and {len(unseen) - 1} more" if len(unseen) > 1 else ""
        raise RecordError(
            objects.file,
            f"attribute {unseen[0]}{more}",
            "",
            "no object has it, which the published program cannot do with (cure unseen_attributes)",
        )


def _check_room(objects: GltObjects, record: str, split: str, wanted: int, there: int) -> None:
    if wanted > there:
        reason = f"{there} objects are left, {wanted} are to be drawn for {split}"
        raise RecordError(objects.file, record, "", reason)


def _labels(rows: Mapping[str, Sequence[int]]) -> dict[str, int]:
    """Classes by size, the largest first; of equal ones the first in order."""
    by_size = sorted(rows, key=lambda name: len(rows[name]), reverse=True)
    return {name: label for label, name in enumerate(by_size)}


def _balanced(
    objects: GltObjects, rows: Mapping[str, Sequence[int]], count: int, num_threads: int
) -> list[int]:
    """Test-BBL, class by class."""
    names = list(rows)
    offsets = np.cumsum([0, *(len(rows[name]) for name in names)], dtype=np.int64)
    members = np.concatenate([np.asarray(rows[name], np.int64) for name in names])
    try:
        picks = balanced_select(
            objects.positive, members, offsets, count=count, num_threads=num_threads
        )
    except KernelError as error:
        if error.fault != "selection_too_few":
            raise
        # The kernel names the first class when not even all classes together have so many.
        for name in names:
            there = int(np.count_nonzero(objects.positive[rows[name]].any(axis=1)))
            if there < count:
                reason = f"{there} objects have attributes, {count} are to be picked for test_bbl"
                raise RecordError(objects.file, f"class {name}", "", reason) from error
        raise
    return [int(row) for row in picks.ravel()]


def _train(
    objects: GltObjects, left: Mapping[str, _Left], run: GltRun, random: Random
) -> list[int]:
    """All of the training split, of which Test-LT and the validation split are still part."""
    by_size = sorted(left, key=lambda name: len(left[name]), reverse=True)
    sizes = [len(left[name]) for name in by_size]
    if run.train == "bl":
        wanted = [sizes[-1]] * len(sizes)
    else:
        if len(sizes) < 2:
            raise RecordError(objects.file, "", "", "a long tail needs at least two classes")
        wanted = [
            min(int(sizes[0] * _IMBALANCE ** (label / (len(sizes) - 1.0))), sizes[label])
            for label in range(len(sizes))
        ]
    rows = []
    for name, count in zip(by_size, wanted, strict=True):
        rows += left[name].draw(random, count)
    return rows


def _out_of(objects: GltObjects, train: _Left, split: str, count: int, random: Random) -> list[int]:
    _check_room(objects, "the training split", split, count, len(train))
    return train.draw(random, count)


def _result(
    objects: GltObjects,
    run: GltRun,
    picked: Mapping[str, Sequence[int]],
    cat2id: dict[str, int],
    names: list[str],
    cures: Sequence[SplitCure],
) -> GltSplits:
    label = np.array([cat2id[name] for name in objects.category], np.int64)
    frequency = np.where(label <= _MANY, 0, np.where(label <= _MEDIUM, 1, 2))
    splits = {}
    left_over = np.ones(len(objects.keys), np.bool_)
    for split, rows in picked.items():
        place = np.asarray(rows, np.int64)
        left_over[place] = False
        keys: list[Key] = [objects.keys[row] for row in rows]
        splits[split] = GltSplit(keys, label[place], frequency[place], objects.positive[place])
    return GltSplits(
        name=run.name,
        attributes=objects.attributes,
        cat2id=cat2id,
        splits=splits,
        annotations=objects.annotations,
        leftover=[objects.keys[row] for row in np.flatnonzero(left_over)],
        settings={
            "train": run.train,
            "test_size": run.test_size,
            "val_size": run.val_size,
            "category_order": names,
            "cures": sorted(cures),
        },
    )
