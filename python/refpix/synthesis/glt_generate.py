"""MSCOCO-GLT's splits as files: both annotation sets, ours as JSON and the published layout."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from refpix.io.glt_pickle import save_pickle
from refpix.io.glt_splits_file import SPLITS, GltSplits, Key, write_splits
from refpix.synthesis._files import OutputError
from refpix.synthesis._glt_objects import GltObjects, read_objects
from refpix.synthesis.glt_splits import (
    PUBLISHED_RUNS,
    CategoryOrder,
    GltRun,
    SplitCure,
    glt_splits,
)

__all__ = ["GltSummary", "attribute_spread", "generate_glt", "published_layout"]


class GltSummary(NamedTuple):
    """What was made.

    Attributes:
        files: that were written.
        sets: as they are in the files.
        skipped: objects that were left out, and why.
    """

    files: list[Path]
    sets: list[GltSplits]
    skipped: list[tuple[Key, str]]


def generate_glt(
    attribute_path: str | os.PathLike[str],
    anno_path: str | os.PathLike[str],
    output: str | os.PathLike[str] = ".",
    *,
    seed: int = 25,
    order: CategoryOrder = "sorted",
    runs: Sequence[GltRun] = PUBLISHED_RUNS,
    jbl: bool = False,
    cures: Sequence[SplitCure] = (),
    skip_unknown: bool = False,
    num_threads: int = 1,
    progress: bool = False,
) -> GltSummary:
    """Makes the annotation sets and writes each as ``<name>.json``; files are whole or not there.

    Runs follow one another on one stream of random numbers, as they do in the published program,
    which never seeds its own.

    Args:
        attribute_path: ``cocottributes_py3.jbl`` of MSCOCO-Attribute, with Python 3's pickles.
        anno_path: folder of COCO's ``instances_train2014.json`` and ``instances_val2014.json``.
        output: folder to write to, made if need be.
        seed: of the random numbers.
        order: of the classes, see `CategoryOrder`.
        runs: which sets.
        jbl: also write ``<name>.jbl``, the published layout.
        cures: quirks not to reproduce.
        skip_unknown: leave out objects that COCO does not know and tell; else that is an error.
        num_threads: threads to use at most.
        progress: show a progress bar on stderr.

    Raises:
        RecordError: the inputs do not fit one another, or a class is too small.
        PickleError: the attribute file holds more than data, or is damaged.
        OutputError: a file cannot be written.
        OSError: a file cannot be read.
    """
    files: list[Path] = []
    sets: list[GltSplits] = []
    folder = Path(output)
    with tqdm(total=1 + len(runs) * (2 + jbl), disable=not progress, unit="step") as bar:
        bar.set_description("reading")
        objects = read_objects(attribute_path, anno_path, whole=jbl, skip_unknown=skip_unknown)
        random = Random(seed)
        for run in runs:
            bar.update()
            bar.set_description(run.name)
            made = glt_splits(
                objects, run, random, order=order, cures=cures, num_threads=num_threads
            )
            made.settings["seed"] = seed
            sets.append(made)
            bar.update()
            files.append(folder / f"{run.name}.json")
            _write(files[-1], lambda path, value=made: write_splits(path, value))
            if jbl:
                bar.update()
                files.append(folder / f"{run.name}.jbl")
                layout = published_layout(objects, made)
                _write(files[-1], lambda path, value=layout: save_pickle(path, value))
        bar.update()
    return GltSummary(files, sets, objects.skipped)


def _write(path: Path, write: Any) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path)
    except OSError as error:
        raise OutputError(str(path), error.strerror or str(error)) from error


def published_layout(objects: GltObjects, splits: GltSplits) -> dict[str, Any]:
    """What the published program saves: dictionaries by key, in its order.

    A quirk of it: objects that went into a split are gone from ``ann_vecs``; cure
    ``all_vectors``.

    Args:
        objects: read with ``whole=True``.
        splits: made of them.
    """
    vectors = objects.content["ann_vecs"]
    kept = vectors if "all_vectors" in splits.settings["cures"] else splits.leftover
    output = {**objects.content, "ann_vecs": {key: vectors[key] for key in kept}}
    for name in SPLITS:
        split = splits.splits[name]
        chosen = (
            dict(zip(split.keys, split.positive.astype(np.float32), strict=True))
            if name == "test_bbl"
            else {key: vectors[key] for key in split.keys}
        )
        output[name] = {
            "label": dict(zip(split.keys, split.label.tolist(), strict=True)),
            "frequency": dict(zip(split.keys, split.frequency.tolist(), strict=True)),
            "attribute": chosen,
        }
    output["cat2id"] = splits.cat2id
    output["annotations"] = dict(zip(splits.annotations.keys, objects.records, strict=True))
    return output


def attribute_spread(splits: GltSplits) -> dict[str, float]:
    """Standard deviation of the attributes' shares in each split that has objects.

    Args:
        splits: an annotation set; its Test-BBL has the lowest.
    """
    spread = {}
    for name, split in splits.splits.items():
        counts = split.positive.sum(axis=0, dtype=np.int64)
        if counts.sum():
            spread[name] = float((counts / counts.sum()).std())
    return spread
