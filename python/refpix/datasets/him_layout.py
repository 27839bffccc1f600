"""Where matting datasets keep pictures, mattes and masks: the documented layouts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, NamedTuple

__all__ = ["HimEntry", "HimFolders", "LeftOut", "find_images", "find_videos", "index_images"]

Layout = Literal["auto", "train", "val"]

_PICTURE = ".jpg"
_MATTE = ".png"


class HimFolders(NamedTuple):
    """The folders of one split.

    Attributes:
        layout: ``"train"``, ``"val"`` or ``"video"``.
        images: pictures, or one folder per video.
        alphas: one folder of mattes per picture, in ``"video"`` below one folder per video.
        masks: likewise for masks; None without ``mask_dir_name``.
    """

    layout: str
    images: Path
    alphas: Path
    masks: Path | None


class HimEntry(NamedTuple):
    """Files of one picture.

    Attributes:
        image: path of the picture.
        alphas: paths of its mattes, ascending.
        masks: paths of the masks of the same instances; None without ``mask_dir_name``.
    """

    image: str
    alphas: tuple[str, ...]
    masks: tuple[str, ...] | None


class LeftOut(NamedTuple):
    """A file that is not part of the dataset, and why.

    Attributes:
        file: path of the picture or matte.
        reason: in words.
    """

    file: str
    reason: str


def find_images(
    root: str | os.PathLike[str],
    split: str,
    *,
    alpha_dir_name: str = "alphas",
    mask_dir_name: str = "",
    layout: Layout = "auto",
) -> HimFolders:
    """The folders of a split of an image dataset, in the training or the validation layout.

    Args:
        root: the dataset's folder.
        split: e.g. ``"comp"``.
        alpha_dir_name: name of the folder of mattes.
        mask_dir_name: name of the folder of masks; empty for none.
        layout: ``"train"`` is ``root/<split>/images``, ``"val"`` is ``root/images/<split>``;
            ``"auto"`` looks which is there.

    Raises:
        FileNotFoundError: a folder is missing; names it.
        ValueError: both layouts are there, or ``layout`` is none.
    """
    if layout not in ("auto", "train", "val"):
        raise ValueError(f"layout={layout!r}: expected 'auto', 'train' or 'val'")
    base = _existing(Path(root))
    pictures = {"train": base / split / "images", "val": base / "images" / split}
    if layout == "auto":
        there = [name for name, folder in pictures.items() if folder.is_dir()]
        if len(there) == 2:
            both = " and ".join(str(folder) for folder in pictures.values())
            raise ValueError(f"{both} are both there: say layout='train' or layout='val'")
        if not there:
            train, val = pictures.values()
            raise FileNotFoundError(f"no pictures: neither {train} nor {val} is a folder")
        layout = "train" if there == ["train"] else "val"

    def folder(name: str) -> Path:
        return base / split / name if layout == "train" else base / name / split

    return HimFolders(
        layout,
        _existing(pictures[layout]),
        _existing(folder(alpha_dir_name)),
        _existing(folder(mask_dir_name)) if mask_dir_name else None,
    )


def find_videos(
    root: str | os.PathLike[str],
    split: str,
    *,
    alpha_dir_name: str = "pha",
    mask_dir_name: str = "",
) -> HimFolders:
    """The folders of a split of a video dataset, ``root/<split>/fgr`` and beside it.

    Raises:
        FileNotFoundError: a folder is missing; names it.
    """
    base = _existing(_existing(Path(root)) / split)
    return HimFolders(
        "video",
        _existing(base / "fgr"),
        _existing(base / alpha_dir_name),
        _existing(base / mask_dir_name) if mask_dir_name else None,
    )


def index_images(folders: HimFolders) -> tuple[list[HimEntry], list[LeftOut]]:
    """The pictures of a split by name, and what is left out.

    Left out are, as published, pictures without a folder of mattes (of masks, if there are masks)
    and mattes without a mask; pictures whose folder is empty, which the published program fails on;
    and files that are no ``*.jpg`` or ``*.png``.

    Raises:
        FileNotFoundError: there is no picture, or a mask has no matte; names the file.
    """
    entries = []
    pictures, left_out = names(folders.images, _PICTURE)
    if not pictures:
        raise FileNotFoundError(f"{folders.images}: there is no *{_PICTURE} in it")
    for picture in pictures:
        stem = picture.replace(_PICTURE, "")  # of x.jpg.jpg x, as published
        path = str(folders.images / picture)
        entry, reasons = entry_of(path, stem, folders)
        left_out += reasons
        if entry is not None:
            entries.append(entry)
    return entries, left_out


def entry_of(image: str, inside: str, folders: HimFolders) -> tuple[HimEntry | None, list[LeftOut]]:
    """The mattes of one picture.

    Args:
        image: path of the picture.
        inside: its folder below the folders of mattes and masks.
        folders: of the split.

    Raises:
        FileNotFoundError: a mask has no matte; names the file.
    """
    missing = [
        LeftOut(image, f"there is no folder {parent / inside}")
        for parent in (folders.alphas, folders.masks)
        if parent is not None and not (parent / inside).is_dir()
    ]
    if missing:
        return None, missing
    alphas, left_out = names(folders.alphas / inside, _MATTE)
    masks = None
    if folders.masks is not None:
        known, others = names(folders.masks / inside, _MATTE)
        left_out += others
        for name in sorted(set(known) - set(alphas)):
            matte = folders.alphas / inside / name
            raise FileNotFoundError(f"{matte}: no such matte, but there is a mask of that name")
        for name in sorted(set(alphas) - set(known)):
            reason = f"there is no mask {folders.masks / inside / name}"
            left_out.append(LeftOut(str(folders.alphas / inside / name), reason))
        alphas = known
        masks = tuple(str(folders.masks / inside / name) for name in known)
    if not alphas:
        where = folders.alphas if folders.masks is None else folders.masks
        left_out.append(LeftOut(image, f"there is no *{_MATTE} in {where / inside}"))
        return None, left_out
    paths = tuple(str(folders.alphas / inside / name) for name in alphas)
    return HimEntry(image, paths, masks), left_out


def names(folder: Path, suffix: str) -> tuple[list[str], list[LeftOut]]:
    """Names of a folder's files of that suffix, ascending, and what else is there.

    Hidden files are none of ours.
    """
    there = sorted(name for name in os.listdir(folder) if not name.startswith("."))
    found = [name for name in there if name.endswith(suffix)]
    others = [name for name in there if not name.endswith(suffix)]
    return found, [LeftOut(str(folder / name), f"is no *{suffix}") for name in others]


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder")
    return folder
