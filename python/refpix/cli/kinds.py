"""Which dataset a path holds."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

__all__ = ["Kind", "kind_of"]

Kind = Literal["refhcm", "refcoco-m"]

_PARQUET_MAGIC = b"PAR1"


def kind_of(path: Path) -> Kind:
    """The dataset of a path, by content: parquet files are RefCOCO-M's, all else is RefHCM's."""
    if path.is_dir():
        return "refcoco-m" if next(path.rglob("*.parquet"), None) else "refhcm"
    if path.suffix == ".parquet":
        return "refcoco-m"
    try:
        with open(path, "rb") as file:
            return "refcoco-m" if file.read(4) == _PARQUET_MAGIC else "refhcm"
    except OSError:  # who opens it in earnest says what is wrong
        return "refhcm"
