"""The commands. Exit codes: 0 all good, 1 faults or differences were found, 2 could not run."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

import refpix
from refpix.cli import demo as demo_steps
from refpix.cli import eval as eval_commands
from refpix.cli import glt as glt_commands
from refpix.cli import report
from refpix.cli import synthesize as synthesize_commands
from refpix.cli.errors import FOUND_FAULTS, one_line_errors, show_tracebacks
from refpix.cli.eval_glt import glt
from refpix.cli.eval_matting import matting
from refpix.cli.eval_refhuman import refhuman
from refpix.cli.glt_parts import open_glt
from refpix.cli.kinds import kind_of
from refpix.cli.rows import parse_rows
from refpix.cli.synthesize_masks import masks, matched_masks
from refpix.cli.unpack import unpack
from refpix.datasets import CocoGLT, RefCocoM, RefHCM, RefHuman
from refpix.datasets.glt_info import describe_glt
from refpix.datasets.refcocom_info import describe_refcocom
from refpix.datasets.refhcm_info import describe
from refpix.throughput import compare
from refpix.viz import draw_glt_rows, draw_refcocom_rows, draw_refhuman_rows, draw_rows

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Referring datasets as they are shipped: looked at, verified, drawn, scored, loaded fast.",
)
eval_commands.app.command("refhuman")(refhuman)
eval_commands.app.command("matting")(matting)
eval_commands.app.command("glt")(glt)
app.add_typer(eval_commands.app, name="eval")
app.add_typer(synthesize_commands.app, name="synthesize")
app.add_typer(glt_commands.app, name="glt")
synthesize_commands.app.command("masks")(masks)
synthesize_commands.app.command("matched-masks")(matched_masks)
app.command("unpack")(unpack)

# typer reads these at run time, on Python 3.10 too: no `X | None` in them.
File = Annotated[
    Path,
    typer.Argument(help="A TSV file, parquet, RefHuman's or MSCOCO-GLT's.", show_default=False),
]
Task = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(help="rec, rkpt, rpar, rhrc, hoi or a ReasonRef folder. Default: a guess."),
]
Split = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(help="Of a folder: which file, e.g. train or testA."),
]
Root = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(help="Folder or zip of the pictures that rows name. Default: beside the file."),
]
Threads = Annotated[int, typer.Option("--num-threads", "-j", min=1, help="Native threads.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(refpix.__version__)
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Print and exit.")
    ] = False,
) -> None:
    """Options of all commands."""
    show_tracebacks(debug)


@app.command()
@one_line_errors
def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write to.")] = Path(
        "demo-out"
    ),
    seconds: Annotated[float, typer.Option(min=0.0, help="How long to time.")] = 4.0,
) -> None:
    """Load the packaged sample, compare with the Pillow path, time both, draw a batch."""
    typer.echo(report.setting_line())
    typer.echo("\nIdentical? base64 -> Pillow -> bicubic 512 x 512 -> normalise, against refpix")
    agreements = demo_steps.check_sample()
    for task, agreement in agreements.items():
        typer.echo(f"  {task:<6}{report.agreement_line(agreement)}")
    typer.echo("\nFast?")
    comparison = compare(demo_steps.open_sample("rec"), seconds=seconds, progress=_tty())
    for line in report.comparison_lines(comparison):
        typer.echo(f"  {line}")
    picture = demo_steps.batch_picture(output / "batch.png")
    typer.echo(f"\nA batch with its boxes, keypoints and parsing drawn: {picture}")
    if not all(agreement.identical for agreement in agreements.values()):
        raise typer.Exit(FOUND_FAULTS)


@app.command()
@one_line_errors
def info(
    file: File,
    index: Annotated[
        str, typer.Option(help="auto, memory (write no side file) or rebuild.")
    ] = "auto",
    num_threads: Threads = 1,
    as_json: Json = False,
) -> None:
    """Rows, columns, task and index of a file, and the beginning of its first row."""
    if kind_of(file) == "glt":
        sets = describe_glt(file)
        if as_json:
            _print_json([one.to_dict() for one in sets])
        else:
            typer.echo("\n".join(line for one in sets for line in report.glt_lines(one)))
        return
    if kind_of(file) == "refhuman":
        people = RefHuman(file, on_error="report", progress=_tty())
        if as_json:
            _print_json(report.refhuman_json(people))
        else:
            typer.echo("\n".join(report.refhuman_lines(people)))
        return
    if kind_of(file) == "refcoco-m":
        about = describe_refcocom(RefCocoM(file))
        if as_json:
            _print_json(report.refcocom_json(about))
        else:
            typer.echo("\n".join(report.refcocom_lines(about)))
        return
    kind: Any = index
    found = describe(file, index=kind, num_threads=num_threads, progress=_tty())
    if as_json:
        _print_json(report.info_json(found))
    else:
        typer.echo("\n".join(report.info_lines(found)))


@app.command()
@one_line_errors
def verify(
    file: File,
    task: Task = None,
    split: Split = None,
    root: Root = None,
    num_threads: Threads = 1,
    limit: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=1, help="Only the first so many rows."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Codes: exactly 48 in 0..31. Actions: none malformed.")
    ] = False,
    reject_truncated: Annotated[
        bool, typer.Option("--reject-truncated", help="Pictures whose data ends early are bad.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Decode every row and list the bad ones; exit code 1 when there are any."""
    parts: Sequence[RefHCM | RefCocoM | RefHuman | CocoGLT]
    how: dict[str, Any] = {"allow_truncated": not reject_truncated, "num_threads": num_threads}
    if kind_of(file) == "refcoco-m":
        parts = [RefCocoM(file, **how)]
    elif kind_of(file) == "glt":
        parts = open_glt(file, split, images=root, **how)
    elif kind_of(file) == "refhuman":
        parts = [
            RefHuman(file, split, images=root, on_error="report", progress=_tty(), **how),
        ]
    else:
        parts = [
            RefHCM(file, task, split=split, root=root, strict=strict, progress=_tty(), **how),
        ]
    checked, bad = 0, []
    started = time.perf_counter()
    for dataset in parts:
        rows = range(len(dataset) if limit is None else min(limit, len(dataset)))
        bad += dataset.verify(rows, progress=_tty())
        checked += len(rows)
    seconds = time.perf_counter() - started
    if as_json:
        _print_json(
            {
                "file": str(dataset.path),
                "task": dataset.task if isinstance(dataset, RefHCM) else kind_of(file),
                "rows": sum(map(len, parts)),
                "checked": checked,
                "seconds": seconds,
                "bad": [report.row_error_json(error) for error in bad],
            }
        )
    else:
        for error in bad:
            typer.echo(str(error))
        typer.echo(report.bad_rows_line(checked, bad))
    if bad:
        raise typer.Exit(FOUND_FAULTS)


@app.command()
@one_line_errors
def view(
    file: File,
    rows: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="E.g. 0,3,5-9; negative ones from the end. Default: the first twelve."),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Picture to write.")] = Path(
        "sheet.png"
    ),
    task: Task = None,
    split: Split = None,
    root: Root = None,
    columns: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=1, help="Of the sheet."),
    ] = None,
    side: Annotated[int, typer.Option(min=64, help="Longer side of a picture in pixels.")] = 400,
    codes: Annotated[
        bool, typer.Option("--codes", help="rpar: draw the code grid, not the label map.")
    ] = False,
) -> None:
    """Draw rows with box, pose, parsing, masks and text on one sheet."""
    dataset: RefHCM | RefCocoM | RefHuman | CocoGLT
    if kind_of(file) == "refcoco-m":
        dataset = RefCocoM(file)
    elif kind_of(file) == "glt":
        (dataset,) = open_glt(file, split or "train", images=root)
    elif kind_of(file) == "refhuman":
        dataset = RefHuman(file, split, images=root, on_error="report", progress=_tty())
    else:
        dataset = RefHCM(file, task, split=split, root=root, progress=_tty())
    wanted = list(range(min(12, len(dataset)))) if rows is None else parse_rows(rows)
    if not wanted:
        raise ValueError(f"{dataset.path}: the file has no rows")
    if isinstance(dataset, RefCocoM):
        sheet = draw_refcocom_rows(dataset, wanted, columns=columns, side=side)
    elif isinstance(dataset, CocoGLT):
        sheet = draw_glt_rows(dataset, wanted, columns=columns, side=side)
    elif isinstance(dataset, RefHuman):
        sheet = draw_refhuman_rows(dataset, wanted, columns=columns, side=side)
    else:
        sheet = draw_rows(dataset, wanted, columns=columns, side=side, codes=codes)
    sheet.save(output)
    typer.echo(f"{output}: {len(wanted)} rows, {sheet.width} x {sheet.height}")


@app.command()
@one_line_errors
def bench(
    file: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Argument(help="A TSV file. Default: the packaged sample.", show_default=False),
    ] = None,
    task: Task = None,
    split: Split = None,
    root: Root = None,
    size: Annotated[int, typer.Option(min=1, help="Side of the output in pixels.")] = 512,
    num_threads: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--num-threads", "-j", min=1, help="Most threads. Default: the CPUs."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows, spread over the file.")] = 64,
    seconds: Annotated[float, typer.Option(min=0.0, help="How long to time.")] = 6.0,
    as_json: Json = False,
) -> None:
    """Published path against refpix: outputs compared, then timed; exit code 1 if they differ."""
    if file is None:
        dataset = demo_steps.open_sample(task or "rec")
    else:
        dataset = RefHCM(file, task, split=split, root=root, progress=_tty())
    found = compare(
        dataset,
        size=size,
        num_threads=num_threads,
        limit=limit,
        seconds=seconds,
        progress=_tty(),
    )
    if as_json:
        _print_json(report.comparison_json(found, dataset.path))
    else:
        typer.echo(report.setting_line())
        for error in found.agreement.skipped:
            typer.echo(f"skipped: {error}")
        typer.echo(report.agreement_line(found.agreement))
        typer.echo("\n".join(report.comparison_lines(found)))
    if not found.agreement.identical:
        raise typer.Exit(FOUND_FAULTS)


def _tty() -> bool:
    return sys.stderr.isatty()


def _print_json(values: Any) -> None:
    typer.echo(json.dumps(values, indent=2, ensure_ascii=False))
