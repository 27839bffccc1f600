"""How the RefHCM files lie on disk: which column is what, and which file holds which task.

Source: the dataset's card (columns, folders) and the scripts of the published program (file
names, ``selected_cols``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args

from refpix.datasets.refhcm_targets import parse_box, parse_codes, parse_keypoints

__all__ = [
    "COLUMNS",
    "SELECTED_ORDER",
    "Task",
    "base_task",
    "column_indices",
    "detect_task",
    "find_annotations",
    "find_file",
    "looks_like_path",
]

Task = Literal["rec", "rkpt", "rpar", "rhrc", "hoi"]

#: Names of the columns of a file as documented, first to last.
COLUMNS: dict[Task, tuple[str, ...]] = {
    "rec": ("id", "image_id", "text", "box", "image"),
    "rkpt": ("id", "image_id", "text", "box", "keypoints", "image"),
    "rpar": ("id", "text", "box", "codes", "label_map", "image"),
    "rhrc": ("id", "text", "box", "image"),
    "hoi": ("id", "box", "actions", "image"),
}

#: Names that ``selected_cols`` gives, in order: the order in which the published task reads them.
SELECTED_ORDER: dict[Task, tuple[str, ...]] = {
    "rec": ("id", "image", "text", "box"),
    "rkpt": ("id", "image", "text", "box", "keypoints"),
    "rpar": ("id", "image", "text", "box", "codes", "label_map"),
    "rhrc": ("id", "image", "box", "text"),
    "hoi": ("id", "image", "box", "actions"),
}

_REASONREF: dict[str, Task] = {"reasondec": "rec", "reasonpose": "rkpt", "reasonpar": "rpar"}

#: Documented file names. ``{}`` is the split.
_FILES: dict[str, tuple[str, ...]] = {
    "rec": ("refcoco_{}.tsv",),
    "rkpt": ("refcoco_pose_{}.tsv", "rkpt_{}.tsv"),
    "rpar": ("refcihp_{}.tsv",),
    "rhrc": ("capcihp_{}.tsv",),
    "hoi": ("hoi_vcoco_{}.tsv",),
    "reasondec": ("total_reasondec_{}.tsv",),
    "reasonpose": ("total_reasonpose_{}.tsv",),
    "reasonpar": ("total_reasonpar_{}.tsv",),
}

_PATH = re.compile(rb"[^\0\t]*\.(jpe?g|png|webp|bmp|gif|tiff?)\s*", re.IGNORECASE)
_LONGEST_PATH = 4096


def base_task(task: str) -> Task:
    """The task whose layout a task or ReasonRef folder has, e.g. ``reasonpose`` -> ``rkpt``.

    Raises:
        ValueError: no such task.
    """
    if task in _REASONREF:
        return _REASONREF[task]
    for known in get_args(Task):
        if task == known:
            return known  # type: ignore[no-any-return]
    raise ValueError(f"unknown task {task!r}; there are: {', '.join(_FILES)}")


def looks_like_path(field: bytes) -> bool:
    """Whether an image field names a file instead of being base64.

    Base64 text never holds a dot, so a short field that ends in a picture's suffix is a path.
    """
    return len(field) <= _LONGEST_PATH and _PATH.fullmatch(field) is not None


def column_indices(
    task: Task,
    columns: Mapping[str, int] | Sequence[str] | None,
    selected_cols: str | None,
    first_row: Sequence[bytes],
) -> dict[str, int]:
    """Where the columns of a task stand in a file.

    Args:
        task: the task.
        columns: names of the file's columns first to last (names the task does not know are
            skipped), or name -> index. None: as documented.
        selected_cols: upstream's comma list of indices in the order of `SELECTED_ORDER`; negative
            ones count from the end.
        first_row: the fields of the file's first row (empty for an empty file). The
            single-task REC scripts read the RKpt file; that is recognised by it.

    Returns:
        name -> 0-based index; negative ones count from a row's end.

    Raises:
        ValueError: both given, a wrong count or name, or a column that the task needs is missing.
    """
    if columns is not None and selected_cols is not None:
        raise ValueError("give either columns or selected_cols")
    names = COLUMNS[task]
    if selected_cols is not None:
        order = SELECTED_ORDER[task]
        indices = [int(part) for part in selected_cols.split(",")]
        if len(indices) != len(order):
            raise ValueError(
                f"selected_cols={selected_cols!r}: task {task!r} reads {len(order)} columns: "
                f"{', '.join(order)}"
            )
        found = dict(zip(order, indices, strict=True))
    elif isinstance(columns, Mapping):
        found = {name: int(index) for name, index in columns.items()}
    elif columns is not None:
        if isinstance(columns, str):
            raise ValueError("columns: expected a list of names; for indices use selected_cols")
        found = {name: i for i, name in enumerate(columns) if name in names}
    else:
        if task == "rec" and detect_task(first_row) == "rkpt":
            names = COLUMNS["rkpt"]
        found = {name: names.index(name) for name in COLUMNS[task]}
    needed = set(SELECTED_ORDER[task])
    if missing := sorted(needed - found.keys()):
        raise ValueError(f"task {task!r} needs columns {', '.join(missing)}")
    if unknown := sorted(found.keys() - set(COLUMNS[task])):
        raise ValueError(f"task {task!r} has no columns {', '.join(unknown)}")
    return found


def detect_task(row: Sequence[bytes]) -> Task | None:
    """The task whose documented columns the fields of a row fit, or None."""

    def reads(parse: object, index: int) -> bool:
        try:
            parse(row[index].decode())  # type: ignore[operator]
        except ValueError:
            return False
        return True

    if len(row) == 4:
        if reads(parse_box, 1):
            return "hoi"
        return "rhrc" if reads(parse_box, 2) else None
    if len(row) == 5:
        return "rec" if reads(parse_box, 3) else None
    if len(row) == 6:
        if reads(parse_box, 3) and reads(parse_keypoints, 4):
            return "rkpt"
        return "rpar" if reads(parse_box, 2) and reads(parse_codes, 3) else None
    return None


def _folders(path: Path, task: str) -> list[Path]:
    """Where the files of a task may lie, given the dataset's folder or the task's own."""
    below = [path / task, path / "reasonref" / task] if task in _REASONREF else [path / task]
    return [folder for folder in [*below, path] if folder.is_dir()]


def find_file(
    path: str | os.PathLike[str], task: str | None, split: str | None
) -> tuple[Path, str]:
    """The TSV file of a task.

    Args:
        path: a TSV file, the dataset's folder or a task's folder.
        task: a task or ReasonRef folder; None: the folder's own name if that is one.
        split: ``"train"``, ``"val"``, ``"testA"``...; None: whatever there is, if that is one file.

    Returns:
        The file and the task's name; for a file without a task the name of its folder if that is
        a task, else ``""``.

    Raises:
        FileNotFoundError: no such file; names what was looked for.
        ValueError: no task was named, or several files fit.
    """
    path = Path(path)
    if path.is_file():
        return path, task or (path.parent.name if path.parent.name in _FILES else "")
    if not path.is_dir():
        raise FileNotFoundError(f"{path}: no such file or folder")
    task = task or (path.name if path.name in _FILES else None)
    if task is None:
        raise ValueError(f"{path} is a folder: name the task, one of {', '.join(_FILES)}")
    base_task(task)
    wanted = [name.format(split or "*") for name in _FILES[task]]
    for folder in _folders(path, task):
        for pattern in [*wanted, f"*{task}*{split}*.tsv" if split else f"*{task}*.tsv"]:
            found = sorted(folder.glob(pattern))
            if len(found) > 1 and split is None:
                found = [file for file in found if file.stem.endswith("_train")] or found
            if len(found) == 1:
                return found[0], task
            if found:
                names = ", ".join(file.name for file in found)
                raise ValueError(f"{folder}: several files fit task {task!r}: {names}; name one")
    looked = " or ".join(str(folder) for folder in _folders(path, task))
    raise FileNotFoundError(f"task {task!r}: no {' or '.join(wanted)} in {looked}")


def find_annotations(file: Path) -> Path:
    """The pictures and label maps of an RPar file: a folder with ``imgs`` in it, or annos.zip.

    Looked for beside the file, one folder up, and in the ``rpar`` folder of the same dataset
    (ReasonRef's files point at the same pictures).

    Raises:
        FileNotFoundError: nowhere; names where it was looked for.
    """
    parent = file.absolute().parent
    bases = [parent, parent.parent, parent.parent / "rpar", parent.parent.parent / "rpar"]
    for base in bases:
        for candidate in (base / "annos", base):
            if (candidate / "imgs").is_dir():
                return candidate
        if (base / "annos.zip").is_file():
            return base / "annos.zip"
    looked = ", ".join(str(base) for base in bases)
    raise FileNotFoundError(
        f"{file}: no annos/imgs folder and no annos.zip in any of {looked}; name it with root="
    )
