"""Samples of MSCOCO-GLT, drawn, and sheets of examples of classes and attribute groups."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from PIL import Image

from refpix.datasets.glt import CocoGLT
from refpix.datasets.glt_sample import GltSample
from refpix.errors import RowError
from refpix.viz.sample import draw_sample
from refpix.viz.sheet import contact_sheet, sheet_of
from refpix.viz.text import PAPER, caption

__all__ = [
    "ATTRIBUTE_GROUPS",
    "Example",
    "Examples",
    "choose_examples",
    "draw_glt",
    "draw_glt_rows",
    "example_sheet",
]

FREQUENCY_GROUPS: Final = ("many", "medium", "few")
ATTRIBUTE_GROUPS: Final = ("usual attributes", "middling attributes", "unusual attributes")
_SHOWN = 5  # attributes of an example


def draw_glt(sample: GltSample, *, side: int | None = None) -> Image.Image:
    """Draw an object with its class and groups.

    Args:
        sample: a sample with its picture.
        side: as for `draw_sample`.

    Raises:
        ValueError: a record has no picture.
    """
    if sample.image is None:
        raise ValueError("a record has no picture to draw on")
    groups = f"{FREQUENCY_GROUPS[sample.frequency]}, {ATTRIBUTE_GROUPS[sample.attribute]}"
    return draw_sample(
        Image.fromarray(sample.image),
        text=sample.category,
        note=f"object {sample.key}, {groups}",
        side=side,
    )


def draw_glt_rows(
    dataset: CocoGLT, indices: Sequence[int], *, columns: int | None = None, side: int = 360
) -> Image.Image:
    """Draw objects of a dataset on one sheet; a bad one is shown as its error.

    Args:
        dataset: the dataset, without transforms.
        indices: into it.
        columns: of the sheet; None chooses.
        side: longer side of each picture in pixels.

    Raises:
        IndexError: no such object.
        ValueError: no indices.
    """
    return sheet_of(lambda index: draw_glt(dataset[index], side=side), indices, columns, side)


@dataclass(frozen=True, eq=False)
class Example:
    """A small picture of an object.

    Attributes:
        key: of the object.
        category: its class.
        attributes: names of attributes that it has, as far as names are known.
        thumbnail: square RGB picture.
    """

    key: str
    category: str
    attributes: tuple[str, ...]
    thumbnail: Image.Image

    @property
    def text(self) -> str:
        """What it shows, in words."""
        listed = ", ".join(self.attributes[:_SHOWN])
        more = ", ..." if len(self.attributes) > _SHOWN else ""
        return f"{self.category}, object {self.key}" + (f": {listed}{more}" if listed else "")

    def jpeg(self) -> bytes:
        """The picture as a file."""
        with io.BytesIO() as buffer:
            self.thumbnail.save(buffer, "JPEG", quality=80)
            return buffer.getvalue()


@dataclass(frozen=True, eq=False)
class Examples:
    """Examples of a split.

    Attributes:
        split: name of the split.
        classes: class -> examples, in the order of the labels; classes without objects too.
        groups: group of attributes -> examples of different classes.
        faults: crops that could not be read.
    """

    split: str
    classes: dict[str, list[Example]] = field(default_factory=dict)
    groups: dict[str, list[Example]] = field(default_factory=dict)
    faults: list[RowError] = field(default_factory=list)


def choose_examples(
    dataset: CocoGLT,
    *,
    per_class: int = 8,
    per_group: int = 24,
    side: int = 96,
    attributes: Mapping[str, Sequence[str]] | None = None,
) -> Examples:
    """Examples of every class, and of every group of attributes.

    They are spread evenly over the objects of a class; those of a group come from as many classes
    as there are. The same dataset gives the same examples. A crop that cannot be read is listed and
    left out.

    Args:
        dataset: a split, without transforms.
        per_class: at most so many of each class.
        per_group: at most so many of each group.
        side: of the pictures in pixels.
        attributes: key -> names of the object's attributes.
    """
    found = Examples(dataset.name)
    labels, groups = dataset.labels, dataset.attributes
    names = {} if attributes is None else attributes
    for label, category in enumerate(dataset.classes):
        rows = _spread(np.flatnonzero(labels == label).tolist(), per_class)
        found.classes[category] = _read(dataset, rows, side, names, found.faults)
    for group, title in enumerate(ATTRIBUTE_GROUPS):
        each = [
            np.flatnonzero((groups == group) & (labels == label)).tolist()
            for label in range(len(dataset.classes))
        ]
        rows = _in_turns(each, per_group)
        found.groups[title] = _read(dataset, rows, side, names, found.faults)
    return found


def example_sheet(
    title: str, rows: Mapping[str, Sequence[Example]], *, columns: int | None = None
) -> Image.Image:
    """Examples on one sheet: a strip for each class or group, with its name over it.

    Args:
        title: over the sheet.
        rows: name -> examples; those without any are left out.
        columns: of strips; None chooses.

    Raises:
        ValueError: there are no examples.
    """
    strips = [_strip(name, examples) for name, examples in rows.items() if examples]
    return contact_sheet(strips, columns, title=title)


def _strip(name: str, examples: Sequence[Example]) -> Image.Image:
    side, gap, most = examples[0].thumbnail.width, 4, 8
    across = min(most, len(examples))
    width = across * (side + gap) - gap
    width = max(width, 2 * side)
    head = caption(name, None, width, 15)
    top = 0 if head is None else head.height
    down = -(-len(examples) // most)
    strip = Image.new("RGB", (width, top + down * (side + gap) - gap), PAPER)
    if head is not None:
        strip.paste(head, (0, 0))
    for i, example in enumerate(examples):
        x, y = i % most * (side + gap), top + i // most * (side + gap)
        strip.paste(example.thumbnail, (x, y))
    return strip


def _spread(rows: list[int], count: int) -> list[int]:
    if len(rows) <= count:
        return rows
    return [rows[i * len(rows) // count] for i in range(count)]


def _in_turns(each: Sequence[Sequence[int]], count: int) -> list[int]:
    """The first of every list, then the second, and so on."""
    found: list[int] = []
    longest = max(map(len, each), default=0)
    for turn in range(longest):
        found += [rows[turn] for rows in each if turn < len(rows)]
        if len(found) >= count:
            break
    return found[:count]


def _read(
    dataset: CocoGLT,
    rows: Sequence[int],
    side: int,
    names: Mapping[str, Sequence[str]],
    faults: list[RowError],
) -> list[Example]:
    found = []
    for row in rows:
        try:
            sample = dataset[row]
        except RowError as error:
            if all(error.row != known.row for known in faults):
                faults.append(error)
            continue
        image = Image.fromarray(sample.image)
        thumbnail = image.resize((side, side), Image.Resampling.LANCZOS)
        found.append(
            Example(sample.key, sample.category, tuple(names.get(sample.key, ())), thumbnail)
        )
    return found
