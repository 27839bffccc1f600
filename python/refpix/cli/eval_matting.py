"""``refpix eval matting``: a tree of predicted mattes against the true ones."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Annotated, Any, Literal, Optional, cast

import typer
from tqdm import tqdm

from refpix.cli.errors import one_line_errors
from refpix.cli.eval import JsonFile, Threads, write_json
from refpix.metrics import Region
from refpix.metrics.matting_scores import CLIP_METRICS, MAP_METRICS, MattingScores
from refpix.metrics.matting_trees import Clip, find_clips, score_clip

__all__ = ["matting"]

REGIONS: tuple[Region, ...] = ("whole", "transition", "foreground", "background")


def _metrics(wanted: str | None, clips: list[Clip]) -> list[str]:
    has_clips = any(len(clip.frames) > 1 for clip in clips)
    if wanted is None:
        return [*MAP_METRICS, *(("dtSSD",) if has_clips else ())]
    names = [name.strip() for name in wanted.split(",")]
    unknown = [name for name in names if name not in MAP_METRICS + CLIP_METRICS]
    if unknown:
        known = ", ".join(MAP_METRICS + CLIP_METRICS)
        raise ValueError(f"--metrics: expected some of {known}, got {unknown[0]!r}")
    if not has_clips and set(names) & set(CLIP_METRICS):
        raise ValueError("--metrics: dtSSD and MESSDdt need videos of two frames or more")
    return names


def _table(averages: dict[str, dict[Region, float]]) -> list[str]:
    lines = [" " * 8 + "".join(f"{region:>14}" for region in REGIONS)]
    for name, regions in averages.items():
        cells = "".join(f"{'-' if math.isnan(v) else f'{v:.4f}':>14}" for v in regions.values())
        lines.append(f"{name:<8}{cells}")
    return lines


def _for_json(averages: dict[str, dict[Region, float]]) -> dict[str, Any]:
    """NaN is no JSON."""
    return {
        name: {region: None if math.isnan(v) else v for region, v in regions.items()}
        for name, regions in averages.items()
    }


@one_line_errors
def matting(
    pred: Annotated[Path, typer.Argument(help="Folder of predicted mattes.", show_default=False)],
    gt: Annotated[
        Path,
        typer.Argument(
            help="Folder of true mattes: <picture>/<instance>.png, or <video>/<frame>/...",
            show_default=False,
        ),
    ],
    trimap: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Folder of trimaps. Default: made from the true mattes."),
    ] = None,
    protocol: Annotated[
        str, typer.Option(help="paper: the published numbers; standard: the usual definitions.")
    ] = "paper",
    layout: Annotated[str, typer.Option(help="auto, image or video.")] = "auto",
    metrics: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Comma-separated. Default: all but MESSDdt."),
    ] = None,
    num_threads: Threads = 1,
    json_file: JsonFile = None,
) -> None:
    """Score mattes: SAD, MAD, MSE, Grad, Conn, and of videos dtSSD and MESSDdt, per region."""
    for name, value, known in (
        ("protocol", protocol, ("paper", "standard")),
        ("layout", layout, ("auto", "image", "video")),
    ):
        if value not in known:
            raise ValueError(f"--{name} {value}: expected {', '.join(known)}")
    clips = find_clips(
        pred, gt, trimap=trimap, layout=cast(Literal["auto", "image", "video"], layout)
    )
    scores = MattingScores(
        _metrics(metrics, clips),
        protocol=cast(Literal["paper", "standard"], protocol),
        regions=REGIONS,
    )
    frames = sum(len(clip.frames) for clip in clips)
    with tqdm(total=frames, unit="frame", disable=not sys.stderr.isatty()) as bar:
        for clip in clips:
            score_clip(scores, clip, num_threads=num_threads, on_frame=bar.update)
    averages = scores.averages()
    typer.echo("\n".join(_table(averages)))
    mattes = sum(len(frame.gt) for clip in clips for frame in clip.frames)
    typer.echo(f"{mattes} mattes, {frames} frames, protocol {protocol}")
    about = {"pred": str(pred), "gt": str(gt), "protocol": protocol}
    counts = {"clips": len(clips), "frames": frames, "mattes": mattes}
    write_json(json_file, {**about, **counts, "scores": _for_json(averages)})
