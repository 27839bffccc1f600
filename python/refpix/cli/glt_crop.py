"""``refpix glt crop``: objects cut out of COCO's pictures."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Optional

import typer

from refpix import synthesis
from refpix.cli.errors import one_line_errors
from refpix.cli.synthesize import (
    EngineName,
    EngineOption,
    Quiet,
    Strict,
    Workers,
    report_failures,
)
from refpix.kernels import cpu_count

__all__ = ["crop"]


class Cure(str, Enum):
    """Cures."""

    non_square = "non-square"


@one_line_errors
def crop(
    data_path: Annotated[
        str,
        typer.Option("--data-path", "--data_path", help="Folder of val2014 and train2014."),
    ],
    output_path: Annotated[
        str,
        typer.Option("--output-path", "--output_path", help="Folder to write to."),
    ],
    splits_path: Annotated[
        Path,
        typer.Option(
            "--splits-path",
            "--splits_path",
            help="Folder of coco_intra_lt_inter_lt and _bl, .json or .jbl.",
        ),
    ] = Path("."),
    n_workers: Workers = cpu_count(),  # noqa: B008
    cure: Annotated[
        Optional[list[Cure]],  # noqa: UP045
        typer.Option("--cure", help="A quirk not to reproduce, by name."),
    ] = None,
    engine: EngineOption = EngineName.local,
    strict: Strict = False,
    quiet: Quiet = False,
) -> None:
    """Crops of all objects and annotation.json, in coco_glt and coco_cbl.

    Run it again after an interruption: it goes on where it was.
    """
    summary = synthesis.generate_crops(
        output_path,
        data_path=data_path,
        sets=synthesis.published_sets(splits_path),
        cures=[one.value for one in cure or ()],
        workers=n_workers,
        engine=engine.value,
        strict=strict,
        progress=not quiet,
    )
    counts = ", ".join(f"{n} crops in {folder}" for folder, n in summary.objects.items())
    resumed = f"; {summary.skipped} were there" if summary.skipped else ""
    typer.echo(f"{output_path}: {counts}, of {summary.pictures} pictures{resumed}")
    report_failures("object", summary.failures)
