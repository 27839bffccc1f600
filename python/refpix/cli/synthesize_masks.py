"""``refpix synthesize masks``: instance masks of M-HIM2K out of a detector's results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from refpix.cli.errors import one_line_errors
from refpix.synthesis.masks import PERSON, masks_of_results

__all__ = ["masks"]


@one_line_errors
def masks(
    results: Annotated[Path, typer.Argument(help="COCO results JSON with run lengths.")],
    out: Annotated[Path, typer.Argument(help="Mask folder, e.g. masks_matched_x/comp.")],
    annotations: Annotated[
        Path, typer.Option("--annotations", help="COCO JSON whose images name the image ids.")
    ],
    min_score: Annotated[float, typer.Option("--min-score")] = 0.7,
    min_area: Annotated[float, typer.Option("--min-area", help="Share of the picture.")] = 0.02,
    person: Annotated[int, typer.Option("--person", help="Category to keep.")] = PERSON,
) -> None:
    """Masks of people from a detector's results: OUT/<picture>/00.png, 01.png, ..."""
    records = json.loads(results.read_bytes())
    images = json.loads(annotations.read_bytes())
    if not isinstance(records, list) or not isinstance(images, dict):
        raise ValueError(f"{results}, {annotations}: expected a list of results and a COCO dict")
    try:
        names = {image["id"]: Path(image["file_name"]).stem for image in images["images"]}
    except (KeyError, TypeError) as error:
        raise ValueError(f"{annotations}: images want id and file_name") from error
    counts = masks_of_results(
        records, names, out, file=str(results), min_score=min_score, min_area=min_area,
        person=person,
    )  # fmt: skip
    typer.echo(f"{out}: {sum(counts.values())} masks of {len(counts)} pictures")
