"""``refpix eval refhuman``: poses and masks per kind of prompt."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from refpix.cli.errors import one_line_errors
from refpix.cli.eval import JsonFile, write_json
from refpix.datasets import RefHuman
from refpix.metrics.coco_ap import KEYPOINT_STATS, MASK_STATS
from refpix.metrics.referring_pose import Evaluation, PromptScores, evaluate

__all__ = ["refhuman"]

_IDS = 10  # listed in the table


@one_line_errors
def refhuman(
    data: Annotated[
        Path, typer.Argument(help="RefHuman's folder, or its JSON file.", show_default=False)
    ],
    predictions: Annotated[
        Path,
        typer.Argument(
            help="COCO results JSON, or a folder with any of text.json, point.json, scribble.json.",
            show_default=False,
        ),
    ],
    split: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Of a folder. Default: val.", show_default=False),
    ] = None,
    prompt: Annotated[
        str, typer.Option(help="Of predictions that do not say: text, point or scribble.")
    ] = "text",
    protocol: Annotated[str, typer.Option(help="paper or standard.")] = "paper",
    missing_as_empty: Annotated[
        bool, typer.Option("--missing-as-empty", help="Missing predictions score nothing.")
    ] = False,
    no_ap: Annotated[
        bool, typer.Option("--no-ap", help="Leave out average precision (needs pycocotools).")
    ] = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out malformed records of the data; list them.")
    ] = False,
    json_file: JsonFile = None,
) -> None:
    """Score poses and masks on RefHuman: AP, PCKh@0.5, oIoU, mIoU, P@k, per kind of prompt."""
    if prompt not in ("text", "point", "scribble"):
        raise ValueError(f"--prompt {prompt}: expected text, point or scribble")
    if protocol not in ("paper", "standard"):
        raise ValueError(f"--protocol {protocol}: expected paper or standard")
    kind: Any = prompt  # both checked above
    rule: Any = protocol
    tty = sys.stderr.isatty()
    dataset = RefHuman(data, split, on_error="report" if skip_bad else "raise", progress=tty)
    for fault in dataset.faults:
        typer.echo(f"left out: {fault}", err=True)
    found = evaluate(
        dataset,
        predictions,
        prompt=kind,
        missing="empty" if missing_as_empty else "error",
        protocol=rule,
        with_ap=not no_ap,
        progress=tty,
    )
    typer.echo("\n".join(_lines(found)))
    about = {
        "data": str(dataset.path),
        "predictions": str(predictions),
        "protocol": protocol,
        "left_out": [str(fault) for fault in dataset.faults],
    }
    write_json(json_file, {**about, **_values(found)})


def _lines(found: Evaluation) -> list[str]:
    """A table: a column per kind of prompt."""
    prompts = list(found.prompts.values())
    lines = [f"{'':<16}" + "".join(f"{scores.prompt:>12}" for scores in prompts)]
    columns = [_numbers(scores) for scores in prompts]
    for name in dict.fromkeys(name for column in columns for name in column):
        cells = [column.get(name) for column in columns]
        lines.append(f"{name:<16}" + "".join(f"{_percent(cell):>12}" for cell in cells))
    lines.append(f"{found.examples} examples, in per cent")
    for scores in prompts:
        lines += _remarks(scores)
    if found.without_person:
        lines.append(f"without person, no examples: {_ids(found.without_person)}")
    if found.several_people:
        lines.append(f"several people, the first is meant: {_ids(found.several_people)}")
    return lines


def _numbers(scores: PromptScores) -> dict[str, float]:
    numbers: dict[str, float] = {}
    if scores.keypoint_ap is not None:
        numbers |= {f"pose {name}": scores.keypoint_ap[name] for name in KEYPOINT_STATS}
    if scores.pckh is not None:
        numbers["PCKh@0.5"] = scores.pckh.value
    if scores.mask_ap is not None:
        numbers |= {f"mask {name}": scores.mask_ap[name] for name in MASK_STATS}
    if scores.masks is not None:
        numbers |= {"oIoU": scores.masks.overall_iou, "mIoU": scores.masks.mean_iou}
        numbers |= {f"P@{at}": share for at, share in scores.masks.precision.items()}
    return numbers


def _remarks(scores: PromptScores) -> list[str]:
    lines = []
    if scores.pckh is not None:
        lines.append(
            f"{scores.prompt}: PCKh over {scores.pckh.keypoints} keypoints; "
            f"{scores.pckh.skipped} people without both ears skipped"
        )
    if scores.several:
        count = len(scores.several)
        lines.append(f"{scores.prompt}: {count} pictures with several predictions, best taken")
    if scores.missing:
        lines.append(f"{scores.prompt}: without prediction: {_ids(scores.missing)}")
    return lines


def _ids(ids: list[int]) -> str:
    more = f", ... ({len(ids)} in all)" if len(ids) > _IDS else ""
    return ", ".join(map(str, ids[:_IDS])) + more


def _percent(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else f"{100 * value:.2f}"


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else value


def _values(found: Evaluation) -> dict[str, Any]:
    """The same for JSON; null where there is nothing to measure."""
    prompts = {}
    for kind, scores in found.prompts.items():
        values: dict[str, Any] = {
            "predictions": scores.predictions,
            "missing": scores.missing,
            "several_predictions": scores.several,
        }
        if scores.pckh is not None:
            values["pckh"] = {**scores.pckh._asdict(), "value": _plain(scores.pckh.value)}
        if scores.masks is not None:
            values["oiou"] = _plain(scores.masks.overall_iou)
            values["miou"] = _plain(scores.masks.mean_iou)
            shares = scores.masks.precision.items()
            values["precision"] = {str(at): _plain(share) for at, share in shares}
        for name, stats in (("keypoint_ap", scores.keypoint_ap), ("mask_ap", scores.mask_ap)):
            if stats is not None:
                values[name] = {stat: _plain(value) for stat, value in stats.items()}
        prompts[kind] = values
    return {
        "examples": found.examples,
        "without_person": found.without_person,
        "several_people": found.several_people,
        "prompts": prompts,
    }
