"""MSCOCO-GLT's statistics as files: figures, sheets of examples, and one page with all of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from PIL import Image

from refpix.datasets.glt import CocoGLT
from refpix.datasets.glt_info import GltInfo, describe_glt
from refpix.errors import RowError
from refpix.io.atomic import whole_file
from refpix.io.glt_splits_file import read_splits
from refpix.viz.glt import Examples, choose_examples, example_sheet
from refpix.viz.glt_page import statistics_page
from refpix.viz.glt_statistics import Kind, figures_of

__all__ = ["PAGE", "StatisticsFiles", "attribute_names", "write_statistics"]

PAGE: Final = "index.html"


@dataclass(frozen=True)
class StatisticsFiles:
    """What was written.

    Attributes:
        page: the page; it needs none of the other files.
        files: figures and sheets.
        infos: what was counted.
        faults: malformed objects and crops that could not be read.
    """

    page: Path
    files: list[Path]
    infos: list[GltInfo]
    faults: list[RowError] = field(default_factory=list)


def write_statistics(
    root: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    formats: Sequence[Kind] = ("svg",),
    per_class: int = 8,
    splits: Sequence[str] = ("train",),
    images: str | os.PathLike[str] | None = None,
    attributes: str | os.PathLike[str] | None = None,
) -> StatisticsFiles:
    """Writes ``index.html``, ``figures/*.svg`` and ``sheets/*.png``.

    Args:
        root: as for `CocoGLT`; of a folder with both sets both are counted, and examples are of
            the first.
        out: folder, made if it is not there.
        formats: of the figures' files.
        per_class: examples of each class, and three times as many of each group of attributes; 0
            for none.
        splits: which to show examples of.
        images: folder or archive of the crops, if not beside the annotation.
        attributes: file of splits, ours or published: names the attributes of examples.

    Raises:
        MissingExtraError: matplotlib is not installed.
        FileNotFoundError: no annotation there, or no crops.
        RecordError: a malformed file.
    """
    infos, target = describe_glt(root), Path(out)
    names = None if attributes is None else attribute_names(attributes)
    datasets = [
        CocoGLT(infos[0].path, split, on_error="report", images=images)
        for split in (splits if per_class else ())
    ]
    figures = figures_of(infos, list(dict.fromkeys(("svg", *formats))))
    each = {"per_class": per_class, "per_group": 3 * per_class}
    shown = [choose_examples(dataset, **each, attributes=names) for dataset in datasets]
    faults: list[RowError] = [fault for info in infos for fault in info.faults]
    faults += [fault for one in shown for fault in one.faults]
    files = [
        _write(target / "figures" / name, content)
        for name, content in figures.items()
        if name.endswith(tuple(formats))
    ]
    for examples in shown:
        files += _write_sheets(examples, target / "sheets")
    page = statistics_page(infos, shown, figures=figures)
    written = _write(target / PAGE, page.encode("utf-8"))
    return StatisticsFiles(written, files, infos, faults)


def attribute_names(path: str | os.PathLike[str]) -> dict[str, list[str]]:
    """Key of every object of a file of splits -> names of its attributes.

    Raises:
        RecordError: see `refpix.io.glt_splits_file.read_splits`.
    """
    splits = read_splits(path)
    return {
        str(key): [splits.attributes[i] for i in row.nonzero()[0].tolist()]
        for split in splits.splits.values()
        for key, row in zip(split.keys, split.positive, strict=True)
    }


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        file.write(content)
    return path


def _write_sheets(examples: Examples, folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for kind, rows in (("classes", examples.classes), ("attributes", examples.groups)):
        if any(rows.values()):
            title = f"{examples.split}: examples by {kind}"
            sheet: Image.Image = example_sheet(title, rows)
            path = folder / f"{kind}-{examples.split}.png"
            sheet.save(path)
            files.append(path)
    return files
