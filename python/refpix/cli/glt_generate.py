"""``refpix glt generate``: which objects go into which split."""

from __future__ import annotations

import sys
from enum import Enum
from pathlib import Path
from typing import Annotated, Optional

import typer

from refpix import synthesis
from refpix.cli.errors import one_line_errors
from refpix.cli.synthesize import Quiet

__all__ = ["generate"]

_SHOWN = 20


class Cure(str, Enum):
    """Cures."""

    all_vectors = "all-vectors"
    unseen_attributes = "unseen-attributes"


@one_line_errors
def generate(
    anno_path: Annotated[
        Path,
        typer.Option(
            "--anno-path",
            "--anno_path",
            help="Folder of instances_train2014.json and instances_val2014.json.",
        ),
    ],
    attribute_path: Annotated[
        Path,
        typer.Option("--attribute-path", "--attribute_path", help="cocottributes_py3.jbl."),
    ] = Path("cocottributes_py3.jbl"),
    data_path: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--data-path", "--data_path", help="Folder of the pictures; taken and not needed."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the random numbers.")] = 25,
    category_order: Annotated[
        str,
        typer.Option(
            "--category-order",
            "--category_order",
            help="sorted, appearance, all names with commas, or @file with a name per line.",
        ),
    ] = "sorted",
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write to.")] = Path("."),
    jbl: Annotated[
        bool, typer.Option("--jbl", help="Also write the published layout, .jbl.")
    ] = False,
    cure: Annotated[
        Optional[list[Cure]],  # noqa: UP045
        typer.Option("--cure", help="A quirk not to reproduce, by name; may be repeated."),
    ] = None,
    skip_unknown: Annotated[
        bool,
        typer.Option(
            "--skip-unknown",
            "--skip_unknown",
            help="Leave out objects that COCO does not know, and tell.",
        ),
    ] = False,
    num_threads: Annotated[
        int, typer.Option("--num-threads", "-j", min=1, help="Native threads.")
    ] = 1,
    quiet: Quiet = False,
) -> None:
    """Train-GLT, Train-CBL and their test splits: which objects of COCO are in them."""
    summary = synthesis.generate_glt(
        attribute_path,
        anno_path,
        out,
        seed=seed,
        order=_order(category_order),
        jbl=jbl,
        cures=[one.name for one in cure or ()],  # type: ignore[misc]
        skip_unknown=skip_unknown,
        num_threads=num_threads,
        progress=not quiet and sys.stderr.isatty(),
    )
    for key, reason in summary.skipped[:_SHOWN]:
        typer.echo(f"object {key} left out: {reason}", err=True)
    if len(summary.skipped) > _SHOWN:
        typer.echo(f"... {len(summary.skipped)} in all", err=True)
    for made in summary.sets:
        typer.echo(f"{made.name}: {len(made.cat2id)} classes, {len(made.attributes)} attributes")
        spread = synthesis.attribute_spread(made)
        for name, split in made.splits.items():
            if split.keys:
                std = f", attributes' std {spread[name]:.5f}" if name in spread else ""
                typer.echo(f"  {name:<9}{len(split.keys):>8} objects{std}")
        typer.echo(f"  {'unused':<9}{len(made.leftover):>8} objects")
    typer.echo("written: " + ", ".join(map(str, summary.files)))


def _order(given: str) -> synthesis.CategoryOrder:
    if given.startswith("@"):
        lines = Path(given[1:]).read_text(encoding="utf-8").splitlines()
        return [line.strip() for line in lines if line.strip()]
    if given in ("sorted", "appearance"):
        return given
    return [name.strip() for name in given.split(",")]
