"""Which dataset a path holds."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

__all__ = ["Kind", "kind_of"]

Kind = Literal["refhcm", "refcoco-m", "refhuman"]

_PARQUET_MAGIC = b"PAR1"


def kind_of(path: Path) -> Kind:
    """The dataset of a path: RefHuman's JSON or folder, parquet of RefCOCO-M, else RefHCM."""
    if path.suffix == ".json":
        return "refhuman"
    if path.is_dir():
        if next(path.glob("RefHuman_*.json"), None):
            return "refhuman"
        return "refcoco-m" if next(path.rglob("*.parquet"), None) else "refhcm"
    if path.suffix == ".parquet":
        return "refcoco-m"
    try:
        with open(path, "rb") as file:
            return "refcoco-m" if file.read(4) == _PARQUET_MAGIC else "refhcm"
    except OSError:  # who opens it in earnest says what is wrong
        return "refhcm"
