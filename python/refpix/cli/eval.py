"""``refpix eval``: predictions against ground truth, one command per dataset."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

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


def write_json(path: Path | None, values: dict[str, Any]) -> None:
    """Writes scores to a file, if one was named."""
    if path is not None:
        path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
