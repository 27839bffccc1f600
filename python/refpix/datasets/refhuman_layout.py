"""Where RefHuman's files lie, and which of their annotations the published program uses."""

from __future__ import annotations

import os
import posixpath
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from refpix.datasets.refhuman_json import Annotations
from refpix.io.tree import FileTree, FolderTree, ZipTree, open_tree

__all__ = ["LeftOut", "drop_reasons", "find_annotations", "find_images"]


class LeftOut(NamedTuple):
    """A record that is in the file and not in the dataset.

    Attributes:
        record: which, e.g. ``"annotation 12"``.
        image_id: of the picture it belongs to.
        reason: why.
    """

    record: str
    image_id: int
    reason: str


def find_annotations(root: Path, split: str | None) -> tuple[Path, str]:
    """The annotation file and its split.

    Raises:
        FileNotFoundError: there is none; names what was looked for.
    """
    if root.is_file():
        named = root.stem.rpartition("_")[2]
        return root, split or (named if named in ("train", "val", "test") else "val")
    if not root.is_dir():
        raise FileNotFoundError(f"{root}: no such file or folder")
    name = split or "val"
    path = root / f"RefHuman_{name}.json"
    if not path.is_file():
        there = sorted(found.name for found in root.glob("RefHuman_*.json"))
        raise FileNotFoundError(f"{path}: no such file; there is {', '.join(there) or 'none'}")
    return path, name


def find_images(folder: Path, images: str | os.PathLike[str] | None) -> FileTree:
    """The pictures: a folder or zip archive that was named, else ``images`` beside the file.

    Raises:
        FileNotFoundError: what was named is not there.
    """
    if images is None:
        archive = folder / "images.zip"
        zipped = not (folder / "images").is_dir() and archive.is_file()
        return _archive(archive) if zipped else FolderTree(folder / "images")
    given = Path(images)
    if given.is_file():
        return _archive(given)
    if not given.is_dir():
        raise FileNotFoundError(f"{given}: no such folder or archive")
    return FolderTree(given)


def _archive(path: Path) -> FileTree:
    tree = open_tree(path, "images")
    assert isinstance(tree, ZipTree)
    tree.prefix = posixpath.join(tree.prefix, "images")
    return tree


def drop_reasons(known: Annotations) -> dict[int, str]:
    """Why the published program leaves annotations out, by their place."""
    crowd = known["iscrowd"]
    pointless = ~crowd & (known["num_keypoints"] == 0)
    empty = ~crowd & ~pointless & ~_has_box(known)
    reasons: dict[int, str] = {}
    for which, reason in (
        (crowd, "crowd"),
        (pointless, "no labelled keypoint"),
        (empty, "empty box"),
    ):
        reasons |= dict.fromkeys(np.flatnonzero(which).tolist(), reason)
    return reasons


def _has_box(known: Annotations) -> npt.NDArray[np.bool_]:
    """Whether boxes keep an area within the picture, in float32 as published."""
    with np.errstate(all="ignore"):  # numbers of any size
        boxes = known["bbox"].astype(np.float32)
        low = boxes[:, :2]
        limit = known["image_size"][known["image"]][:, ::-1].astype(np.float32)
        high = low + boxes[:, 2:]
        zero = np.float32(0)
        sides = np.clip(high, zero, limit) > np.clip(low, zero, limit)
        return np.asarray(sides.all(axis=1))
