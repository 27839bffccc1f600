"""``refpix synthesize``: HIM pictures and videos, with the flags of the published scripts."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Annotated, Optional

import typer

from refpix import synthesis
from refpix.cli.errors import FOUND_FAULTS, one_line_errors
from refpix.kernels import cpu_count

__all__ = [
    "EngineName",
    "EngineOption",
    "Quiet",
    "Strict",
    "Workers",
    "app",
    "report",
]

app = typer.Typer(no_args_is_help=True, help="Make HIM training data, as published, to the pixel.")


class Order(str, Enum):
    """Pass orders."""

    auto = "auto"
    pillow13 = "pillow13"
    pillow12 = "pillow12"


class EngineName(str, Enum):
    """Engines."""

    local = "local"
    ray = "ray"


Workers = Annotated[
    int, typer.Option("--n-workers", min=1, help="Processes; with ray, tasks at a time.")
]
Resize = Annotated[Order, typer.Option("--resize", help="Order of the resize's passes.")]
EngineOption = Annotated[EngineName, typer.Option("--engine", help="Where the work is done.")]
Strict = Annotated[bool, typer.Option("--strict", help="End at the first sample that fails.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bar.")]
Cures = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--cure", help="A quirk not to reproduce, by name; may be repeated."),
]


def _cures(names: Sequence[str] | None, known: Sequence[str]) -> list[str]:
    for name in names or ():
        if name not in known:
            raise ValueError(f"--cure {name}: expected one of {', '.join(known)}")
    return list(names or ())


def report(summary: synthesis.Summary, output: Path) -> None:
    """Prints what a run did; samples that failed make exit code 1."""
    counts = ", ".join(f"{n} {status}" for status, n in sorted(summary.counts.items()))
    resumed = f"; {summary.skipped} were there" if summary.skipped else ""
    typer.echo(f"{output}: {counts}{resumed}")
    report_failures("sample", summary.failures)


def report_failures(kind: str, failures: Sequence[tuple[str, str]]) -> None:
    """Prints the first of some failures, if there are any, and ends with exit code 1."""
    for name, reason in failures[:20]:
        typer.echo(f"{kind} {name}: {reason}", err=True)
    if len(failures) > 20:
        typer.echo(f"... {len(failures)} in all, see manifest.json", err=True)
    if failures:
        raise typer.Exit(FOUND_FAULTS)


@app.command("image-him")
@one_line_errors
def image_him(
    image_root: Annotated[Path, typer.Option("--image-root", help="Foregrounds; alphas beside.")],
    bg_root: Annotated[Path, typer.Option("--bg-root", help="Backgrounds, every file of it.")],
    output_dir: Annotated[
        Path, typer.Option("--output-dir", "--output_dir", help="Folder to write to.")
    ],
    invalid_names: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--invalid-names", help="File of foregrounds' names to leave out."),
    ] = None,
    max_num_images: Annotated[
        int, typer.Option("--max-num-images", min=0, help="Sample numbers go from 0 to this.")
    ] = 50_000,
    n_workers: Workers = cpu_count(),  # noqa: B008
    resize: Resize = Order.auto,
    cure: Cures = None,
    engine: EngineOption = EngineName.local,
    strict: Strict = False,
    quiet: Quiet = False,
) -> None:
    """I-HIM50K: pictures of two to four people, their mattes and foregrounds.

    Run it again after an interruption: it goes on where it was.
    """
    foregrounds, backgrounds = synthesis.image_lists(image_root, bg_root, invalid_names)
    summary = synthesis.generate_images(
        output_dir,
        foregrounds=foregrounds,
        backgrounds=backgrounds,
        samples=range(max_num_images),
        order=resize.value,
        cures=_cures(cure, synthesis.IMAGE_CURES),  # type: ignore[arg-type]
        workers=n_workers,
        engine=engine.value,
        strict=strict,
        progress=not quiet,
    )
    report(summary, output_dir)


@app.command("video-him")
@one_line_errors
def video_him(
    data_dir: Annotated[
        Path, typer.Option("--data-dir", help="Root of the videos, with fg_ and bg_<split>.txt.")
    ],
    out_dir: Annotated[Path, typer.Option("--out-dir", help="Folder to write to.")],
    split: Annotated[str, typer.Option("--split", help="train, or test.")] = "train",
    n_workers: Workers = cpu_count(),  # noqa: B008
    names: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--names", help="Only these numbers of the split, e.g. 0-99."),
    ] = None,
    clip_len: Annotated[int, typer.Option("--clip-len", min=1, help="Most frames.")] = 30,
    per_level: Annotated[
        bool, typer.Option("--per-level", help="A folder per level: comp_easy, comp_medium, ...")
    ] = False,
    resize: Resize = Order.auto,
    cure: Cures = None,
    engine: EngineOption = EngineName.local,
    strict: Strict = False,
    quiet: Quiet = False,
) -> None:
    """V-HIM2K5 (train) and V-HIM60 (test): clips of two to four people and their mattes.

    Run it again after an interruption: it goes on where it was.
    """
    videos, pictures, folders = synthesis.video_lists(data_dir, split)
    jobs = synthesis.published_videos(split, per_level)
    if names is not None:
        first, _, last = names.partition("-")
        wanted = range(int(first), int(last or first) + 1)
        jobs = [job for job in jobs if int(job.name) in wanted]
    summary = synthesis.generate_videos(
        out_dir,
        data_dir=data_dir,
        videos=videos,
        pictures=pictures,
        folders=folders,
        jobs=jobs,
        clip_len=clip_len,
        order=resize.value,
        cures=_cures(cure, synthesis.VIDEO_CURES),  # type: ignore[arg-type]
        workers=n_workers,
        engine=engine.value,
        strict=strict,
        progress=not quiet,
    )
    report(summary, out_dir)
