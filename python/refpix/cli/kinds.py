"""Which dataset a path holds."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

__all__ = ["Kind", "kind_of"]

Kind = Literal["refhcm", "refcoco-m", "refhuman", "glt"]

_PARQUET_MAGIC = b"PAR1"
_GLT_MAGIC = b'{"cat2id"'
_GLT_FILES = ("annotation.json", "coco_glt/annotation.json", "coco_cbl/annotation.json")


def kind_of(path: Path) -> Kind:
    """The dataset of a path: JSON or folder of RefHuman or MSCOCO-GLT, parquet, else RefHCM."""
    if path.suffix == ".json":
        named = path.name == _GLT_FILES[0]
        return "glt" if named or _head(path).lstrip().startswith(_GLT_MAGIC) else "refhuman"
    if path.is_dir():
        if any((path / name).is_file() for name in _GLT_FILES):
            return "glt"
        if next(path.glob("RefHuman_*.json"), None):
            return "refhuman"
        return "refcoco-m" if next(path.rglob("*.parquet"), None) else "refhcm"
    if path.suffix == ".parquet":
        return "refcoco-m"
    return "refcoco-m" if _head(path).startswith(_PARQUET_MAGIC) else "refhcm"


def _head(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(64)
    except OSError:  # who opens it in earnest says what is wrong
        return b""
