"""``refpix eval``: predictions against ground truth, one command per dataset."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from refpix.cli.errors import one_line_errors
from refpix.datasets.refcocom import RefCocoM
from refpix.metrics.referring import EmptyUnion, ReferringScores, evaluate

__all__ = ["JsonFile", "Threads", "app", "write_json"]

app = typer.Typer(no_args_is_help=True, help="Score predictions.")

JsonFile = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--json", help="Also write the scores to this file.", show_default=False),
]
Threads = Annotated[int, typer.Option("--num-threads", "-j", min=1, help="Native threads.")]


@app.callback()
def group() -> None:
    """Score predictions."""


@app.command("refcoco-m")
@one_line_errors
def refcoco_m(
    data: Annotated[Path, typer.Argument(help="Parquet file or folder.", show_default=False)],
    predictions: Annotated[
        Path,
        typer.Argument(
            help="JSON file of run lengths, or folder of <sample_id>_<sentence>.png.",
            show_default=False,
        ),
    ],
    empty_union: Annotated[
        str, typer.Option(help="IoU where both masks are empty: 0, 1 or skip.")
    ] = "0",
    missing_as_empty: Annotated[
        bool, typer.Option("--missing-as-empty", help="Missing predictions are empty masks.")
    ] = False,
    num_threads: Threads = 1,
    json_file: JsonFile = None,
) -> None:
    """Score masks on RefCOCO-M: mIoU over all expressions, cIoU, precision at IoU thresholds."""
    rules: dict[str, EmptyUnion] = {"0": 0.0, "1": 1.0, "skip": "skip"}
    if empty_union not in rules:
        raise ValueError(f"--empty-union {empty_union}: expected 0, 1 or skip")
    scores = evaluate(
        RefCocoM(data),
        predictions,
        empty_union=rules[empty_union],
        missing="empty" if missing_as_empty else "error",
        num_threads=num_threads,
        progress=sys.stderr.isatty(),
    )
    typer.echo("\n".join(_referring_lines(scores)))
    write_json(json_file, {"data": str(data), "predictions": str(predictions), **scores.to_dict()})


def write_json(path: Path | None, values: dict[str, Any]) -> None:
    """Writes scores to a file, if one was named."""
    if path is not None:
        path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _referring_lines(scores: ReferringScores) -> list[str]:
    rows = [("mIoU", scores.miou), ("cIoU (oIoU)", scores.ciou)]
    rows += [(f"P@{threshold}", share) for threshold, share in scores.precision.items()]
    lines = [f"{name:<14}{100 * value:8.2f} %" for name, value in rows]
    about = f"{scores.examples} examples"
    if scores.missing:
        about += f", {scores.missing} of them without prediction (taken as empty)"
    lines.append(about)
    if scores.empty_unions:
        each = ", ".join(f"{rule}: {100 * v:.2f} %" for rule, v in scores.miou_by_rule.items())
        lines.append(f"{scores.empty_unions} with both masks empty; mIoU by their rule {each}")
    ties = [t for t, share in scores.precision.items() if scores.precision_at_least[t] != share]
    if ties:
        each = ", ".join(f"P@{t} {100 * scores.precision_at_least[t]:.2f} %" for t in ties)
        lines.append(f"P counts IoU > threshold; counting equality too: {each}")
    return lines
