"""``refpix glt stats``: distributions of classes and attributes, as figures and one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Optional, cast

import typer

from refpix.cli import report
from refpix.cli.errors import FOUND_FAULTS, one_line_errors
from refpix.viz.glt_report import write_statistics

__all__ = ["stats"]

_FORMATS = ("svg", "png")


@one_line_errors
def stats(
    data: Annotated[
        Path,
        typer.Argument(
            help="Folder of coco_glt and coco_cbl, or one of them, or an annotation.json.",
            show_default=False,
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write to.")] = Path(
        "glt-stats"
    ),
    format: Annotated[str, typer.Option(help="Of figures: svg, png, or svg,png.")] = "svg",
    examples: Annotated[
        int, typer.Option(min=0, help="Of each class; 0 for none (no pictures are read).")
    ] = 8,
    split: Annotated[
        str, typer.Option(help="Whose examples: train, test_bbl, ...; several by commas.")
    ] = "train",
    images: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Folder or zip of the crops. Default: beside the annotation."),
    ] = None,
    attributes: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="File of splits (.json, .jbl): names the attributes of examples."),
    ] = None,
) -> None:
    """Draw classes and attributes per split, how uneven attributes are, and examples of both."""
    formats = [name.strip() for name in format.split(",")]
    unknown = [name for name in formats if name not in _FORMATS]
    if unknown:
        raise ValueError(f"--format {unknown[0]}: expected svg, png or svg,png")
    written = write_statistics(
        data,
        output,
        formats=cast(list[Literal["svg", "png"]], formats),
        per_class=examples,
        splits=[name.strip() for name in split.split(",")],
        images=images,
        attributes=attributes,
    )
    for info in written.infos:
        typer.echo("\n".join(report.glt_lines(info)))
    typer.echo(f"{written.page}: the page; {len(written.files)} figures and sheets beside it")
    for fault in written.faults:
        typer.echo(str(fault), err=True)
    if written.faults:
        raise typer.Exit(FOUND_FAULTS)
