"""Where MSCOCO-GLT's files lie, and what its splits and protocols are called."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import Final, Literal, NamedTuple

__all__ = [
    "PROTOCOLS",
    "SPLITS",
    "SPLIT_NAMES",
    "Variant",
    "find_annotation",
    "find_annotations",
    "find_splits",
    "picture_name",
    "resolve_split",
]

#: The two sets: their training splits are Train-GLT and Train-CBL.
Variant = Literal["glt", "cbl"]

SPLITS: Final[tuple[str, ...]] = ("train", "val", "test_lt", "test_bl", "test_bbl")

#: The paper's names: (variant, split) -> name.
SPLIT_NAMES: Final[dict[tuple[Variant, str], str]] = {
    ("glt", "train"): "Train-GLT",
    ("glt", "val"): "Val-GLT",
    ("glt", "test_lt"): "Test-GLT",
    ("glt", "test_bl"): "Test-CBL",
    ("glt", "test_bbl"): "Test-GBL",
    ("cbl", "train"): "Train-CBL",
    ("cbl", "val"): "Val-CBL",
    ("cbl", "test_lt"): "Test-GLT",
    ("cbl", "test_bl"): "Test-CBL",
    ("cbl", "test_bbl"): "Test-GBL",
}


class ProtocolSplits(NamedTuple):
    """What a protocol trains and tests on.

    Attributes:
        variant: the set; the test splits of either are disjoint from its own training split only.
        test: the test split.
        about: what differs between training and test.
    """

    variant: Variant
    test: str
    about: str


PROTOCOLS: Final[dict[str, ProtocolSplits]] = {
    "CLT": ProtocolSplits("glt", "test_bl", "classes are long-tailed in training, not in the test"),
    "ALT": ProtocolSplits("cbl", "test_bbl", "attributes are long-tailed, not so in the test"),
    "GLT": ProtocolSplits("glt", "test_bbl", "both are long-tailed in training, not in the test"),
}

_FILE = "annotation.json"


def resolve_split(split: str, variant: Variant | None) -> tuple[str, Variant | None]:
    """A split by its key in the file or its name in the paper.

    Args:
        split: e.g. ``"test_bbl"``, ``"Test-GBL"``, ``"Train-CBL"``.
        variant: ``"glt"``, ``"cbl"`` or None, not said.

    Returns:
        The key, and the variant: as given, or as the name of a training split says.

    Raises:
        ValueError: no such split or variant, or a training split of the other variant.
    """
    if variant not in ("glt", "cbl", None):
        raise ValueError(f"variant={variant!r}: expected 'glt' or 'cbl'")
    if split in SPLITS:
        return split, variant
    for (of, key), name in SPLIT_NAMES.items():
        if name.lower() == split.lower() and variant in (of, None):
            told = key in ("train", "val")
            return key, of if told else variant
    known = ", ".join([*SPLITS, *dict.fromkeys(SPLIT_NAMES.values())])
    raise ValueError(f"split={split!r}, variant={variant!r}: expected one of {known}")


def find_annotation(root: Path, variant: Variant | None) -> tuple[Path, Variant | None]:
    """The annotation file of a set.

    Args:
        root: folder that holds ``coco_glt`` and ``coco_cbl``, or one of them, or the file itself.
        variant: which; None: the only one there, of two ``"glt"``.

    Returns:
        The file, and the variant as far as its folder's name or ``variant`` tells.

    Raises:
        FileNotFoundError: there is none; says what was looked for.
        ValueError: the folder is the other variant's.
    """
    if root.is_file() or (root / _FILE).is_file():
        file = root if root.is_file() else root / _FILE
        folders: dict[str, Variant] = {"coco_glt": "glt", "coco_cbl": "cbl"}
        told = folders.get(file.resolve().parent.name)
        if told is not None and variant not in (told, None):
            raise ValueError(f"{root}: is variant {told!r}, not {variant!r}")
        return file, told or variant
    if not root.is_dir():
        raise FileNotFoundError(f"{root}: no such file or folder")
    wanted: tuple[Variant, ...] = ("glt", "cbl") if variant is None else (variant,)
    for one in wanted:
        if (root / f"coco_{one}" / _FILE).is_file():
            return root / f"coco_{one}" / _FILE, one
    looked = " or ".join([_FILE, *(f"coco_{one}/{_FILE}" for one in wanted)])
    raise FileNotFoundError(f"{root}: there is no {looked} in it")


def find_annotations(root: Path) -> list[tuple[Path, Variant | None]]:
    """The annotation files of both sets, as far as they are there; see `find_annotation`."""
    if root.is_dir() and not (root / _FILE).is_file():
        both: tuple[Variant, ...] = ("glt", "cbl")
        found = [(root / f"coco_{one}" / _FILE, one) for one in both]
        there = [(path, one) for path, one in found if path.is_file()]
        if there:
            return [*there]
    return [find_annotation(root, None)]


def find_splits(root: Path, variant: Variant | None) -> tuple[Path, Variant | None]:
    """The file of splits of a set, ours (``.json``) or published (``.jbl``).

    Args:
        root: the file, or the folder of both sets' files.
        variant: of a folder which; None is ``"glt"``.

    Raises:
        FileNotFoundError: there is none; says what was looked for.
        ValueError: the file is the other variant's.
    """
    names: dict[str, Variant] = {"coco_intra_lt_inter_lt": "glt", "coco_intra_lt_inter_bl": "cbl"}
    if root.is_file():
        told = names.get(root.stem)
        if told is not None and variant not in (told, None):
            raise ValueError(f"{root}: is variant {told!r}, not {variant!r}")
        return root, told or variant
    for name, one in names.items():
        for path in (root / f"{name}.json", root / f"{name}.jbl"):
            if one == (variant or "glt") and path.is_file():
                return path, one
    wanted = "coco_intra_lt_inter_bl" if variant == "cbl" else "coco_intra_lt_inter_lt"
    raise FileNotFoundError(f"{root}: there is no {wanted}.json or .jbl in it")


def picture_name(stored: str) -> str:
    """The name of a crop below ``images``, of the path that its annotation holds.

    Paths hold the output folder of whoever made the crops, so that only what follows ``images/``
    (else the last part) is of use elsewhere.
    """
    path = stored.replace("\\", "/")
    _, found, name = path.rpartition("/images/")
    return name if found else posixpath.basename(path)
