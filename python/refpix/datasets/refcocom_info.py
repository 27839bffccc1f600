"""RefCOCO-M files at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from refpix.datasets.refcocom import RefCocoM

__all__ = ["RefCocoMInfo", "describe_refcocom"]


@dataclass(frozen=True)
class RefCocoMInfo:
    """What a parquet file, or a folder of them, holds.

    Attributes:
        path: as given.
        shards: the files.
        bytes: of all files.
        schema: ``"nested"`` or ``"flat"``.
        pictures: rows.
        instances: masks.
        expressions: sentences, which are the examples of the protocol.
        categories: COCO category -> instances, the most frequent first.
        first: file name, and first sentence of each instance, of the first row.
    """

    path: Path
    shards: tuple[Path, ...]
    bytes: int
    schema: Literal["nested", "flat"]
    pictures: int
    instances: int
    expressions: int
    categories: dict[str, int]
    first: tuple[str, ...]


def describe_refcocom(dataset: RefCocoM) -> RefCocoMInfo:
    """Counts what is in a dataset; pictures are not read.

    Raises:
        RowError: a malformed row.
    """
    categories: dict[str, int] = {}
    first: tuple[str, ...] = ()
    instances = expressions = 0
    for index in range(len(dataset)):
        (sample,) = dataset.records([index])
        if sample is None:
            continue
        if index == 0:
            openings = (i.sentences[0] for i in sample.instances if i.sentences)
            first = (sample.file_name, *openings)
        for instance in sample.instances:
            instances += 1
            expressions += len(instance.sentences)
            category = instance.category or "?"
            categories[category] = categories.get(category, 0) + 1
    shards = tuple(dataset.table.shards)
    return RefCocoMInfo(
        path=dataset.path,
        shards=shards,
        bytes=sum(shard.stat().st_size for shard in shards),
        schema=dataset.schema,
        pictures=len(dataset),
        instances=instances,
        expressions=expressions,
        categories=dict(sorted(categories.items(), key=lambda c: (-c[1], c[0]))),
        first=first,
    )
