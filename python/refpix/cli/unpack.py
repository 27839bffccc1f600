"""``refpix unpack``: zip archives in one or several parts, written as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from refpix.cli.errors import FOUND_FAULTS, one_line_errors
from refpix.io.unpack import unpack as unpack_archive

__all__ = ["unpack"]

_SHOWN = 20


@one_line_errors
def unpack(
    archive: Annotated[
        Path, typer.Argument(help="X.zip; its parts X.z01, X.z02, ... lie beside it.")
    ],
    out: Annotated[Path, typer.Argument(help="Folder to write below.")],
    members: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--members", help="Only names that match, e.g. '*/images/*'."),
    ] = None,
    n_workers: Annotated[int, typer.Option("--n-workers", min=1, help="Threads.")] = 4,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Unpack a zip archive, .z01 ... .zip sets too, every CRC checked.

    Run it again after an interruption: whole files are left alone.
    """
    done = unpack_archive(archive, out, members=members, workers=n_workers, progress=not quiet)
    there = f", {done.skipped} were there" if done.skipped else ""
    typer.echo(f"{out}: {done.written} files written{there} ({done.nbytes:,} bytes)")
    for name in done.duplicates[:_SHOWN]:
        typer.echo(f"{archive}: several members are named {name!r}: took the last", err=True)
    for failure in done.failures[:_SHOWN]:
        typer.echo(str(failure), err=True)
    for found in (done.duplicates, done.failures):
        if len(found) > _SHOWN:
            typer.echo(f"... {len(found)} in all", err=True)
    if done.failures or done.duplicates:
        raise typer.Exit(FOUND_FAULTS)
