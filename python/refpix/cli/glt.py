"""``refpix glt``: MSCOCO-GLT, a command a file."""

from __future__ import annotations

import typer

from refpix.cli.glt_crop import crop
from refpix.cli.glt_generate import generate
from refpix.cli.glt_stats import stats

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="MSCOCO-GLT, as published, with its flags.")
app.command("generate")(generate)
app.command("crop")(crop)
app.command("stats")(stats)
