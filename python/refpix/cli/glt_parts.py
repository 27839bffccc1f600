"""MSCOCO-GLT for the commands that look at datasets of any kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from refpix.datasets import CocoGLT
from refpix.datasets.glt_layout import SPLITS, find_annotations

__all__ = ["open_glt"]


def open_glt(path: Path, split: str | None, **options: Any) -> list[CocoGLT]:
    """The splits below a path.

    Args:
        path: as for `CocoGLT`.
        split: which; None: all, of both sets where there are both.
        **options: of `CocoGLT`.
    """
    if split is not None:
        return [CocoGLT(path, split, on_error="report", **options)]
    return [
        CocoGLT(file, name, on_error="report", **options)
        for file, _ in find_annotations(path)
        for name in SPLITS
    ]
