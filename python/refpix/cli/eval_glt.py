"""``refpix eval glt``: predicted classes of MSCOCO-GLT's objects."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal, Optional, cast

import typer

from refpix.cli.errors import one_line_errors
from refpix.cli.eval import JsonFile, write_json
from refpix.datasets import CocoGLT
from refpix.metrics.long_tail import LongTailScores
from refpix.metrics.long_tail_predictions import evaluate

__all__ = ["VariantOption", "as_variant", "glt"]

VariantOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(help="glt or cbl, where the folder holds both. Default: glt."),
]


def as_variant(name: str | None) -> Literal["glt", "cbl"] | None:
    """The option's value; ValueError for another."""
    if name not in ("glt", "cbl", None):
        raise ValueError(f"--variant {name}: expected glt or cbl")
    return cast(Literal["glt", "cbl"] | None, name)


def _table(scores: LongTailScores) -> list[str]:
    lines = [f"{'':<14}{'objects':>9}{'accuracy':>10}{'precision':>11}{'F1':>9}"]
    for name, group in scores.groups().items():
        values = (group.accuracy, group.precision, group.f1)
        shown = ["-" if math.isnan(v) else f"{100 * v:.2f} %" for v in values]
        lines.append(f"{name:<14}{group.samples:>9}{shown[0]:>10}{shown[1]:>11}{shown[2]:>9}")
    return lines


@one_line_errors
def glt(
    data: Annotated[
        Path,
        typer.Argument(help="Folder of coco_glt, or its annotation.json.", show_default=False),
    ],
    predictions: Annotated[
        Path,
        typer.Argument(
            help=".json: object -> class, name or scores; or a list. .npy: classes or scores.",
            show_default=False,
        ),
    ],
    split: Annotated[
        str, typer.Option(help="val, test_lt, test_bl, test_bbl, or as the paper: Test-GBL ...")
    ] = "test_bbl",
    variant: VariantOption = None,
    protocol: Annotated[
        str, typer.Option(help="paper: the published numbers; standard: macro averages.")
    ] = "paper",
    json_file: JsonFile = None,
) -> None:
    """Score classes on MSCOCO-GLT: accuracy, precision, F1 of all, many, medium, few."""
    if protocol not in ("paper", "standard"):
        raise ValueError(f"--protocol {protocol}: expected paper or standard")
    dataset = CocoGLT(data, split, variant=as_variant(variant))
    scores = evaluate(dataset, predictions, protocol=cast(Literal["paper", "standard"], protocol))
    typer.echo("\n".join(_table(scores)))
    typer.echo(f"{dataset.name}, {len(dataset.classes)} classes, protocol {protocol}")
    about = {"annotation": str(dataset.path), "split": dataset.split, "protocol": protocol}
    write_json(json_file, {**about, "predictions": str(predictions), "scores": scores.to_dict()})
