"""Trees of mattes on disk, predicted beside true: found, checked and scored."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from refpix import _pillow
from refpix.errors import RecordError
from refpix.metrics.matting_regions import trimap as make_trimap
from refpix.metrics.matting_scores import MattingScores, published_batches

__all__ = ["Clip", "Frame", "Layout", "find_clips", "read_frame", "score_clip"]

Layout = Literal["auto", "image", "video"]

_LISTED = 5  # names in a message about missing files


@dataclass(frozen=True)
class Frame:
    """A picture's mattes.

    Attributes:
        name: relative to the root, e.g. ``clip1/00004``.
        gt: files of the true mattes, by instance.
        pred: the predicted ones, in the same order.
        trimap: files of the trimaps, one for all instances or one each; empty: made from ``gt``.
    """

    name: str
    gt: tuple[Path, ...]
    pred: tuple[Path, ...]
    trimap: tuple[Path, ...]


@dataclass(frozen=True)
class Clip:
    """Frames in order; of a picture there is one."""

    name: str
    frames: tuple[Frame, ...]


def _pngs(folder: Path) -> dict[str, tuple[Path, ...]]:
    """PNG files of every folder that holds any, by the folder's name relative to ``folder``."""
    found: dict[str, tuple[Path, ...]] = {}
    for path, _, files in sorted(os.walk(folder)):
        names = sorted(name for name in files if name.lower().endswith(".png"))
        if names:
            at = Path(path)
            found[at.relative_to(folder).as_posix()] = tuple(at / name for name in names)
    return found


def _missing(root: Path, names: list[str], what: str) -> RecordError:
    shown = ", ".join(names[:_LISTED]) + (", ..." if len(names) > _LISTED else "")
    return RecordError(str(root), "", "", f"{len(names)} {what} missing: {shown}")


def _match(root: Path, gt: dict[str, tuple[Path, ...]], what: str) -> dict[str, tuple[Path, ...]]:
    """Files below ``root`` in the order of the true ones; a picture of one matte may be a file."""
    matched: dict[str, tuple[Path, ...]] = {}
    missing = []
    for name, files in gt.items():
        paths = [root / name / file.name for file in files]
        if len(files) == 1 and not paths[0].is_file():
            single = root / f"{name}.png"
            paths = [single] if single.is_file() else paths
        missing += [str(p.relative_to(root)) for p in paths if not p.is_file()]
        matched[name] = tuple(paths)
    if missing:
        raise _missing(root, missing, what)
    return matched


def _trimaps(root: Path, gt: dict[str, tuple[Path, ...]]) -> dict[str, tuple[Path, ...]]:
    matched: dict[str, tuple[Path, ...]] = {}
    missing = []
    for name, files in gt.items():
        shared = root / f"{name}.png"
        each = [root / name / file.name for file in files]
        if shared.is_file():
            matched[name] = (shared,)
        else:
            missing += [str(p.relative_to(root)) for p in each if not p.is_file()]
            matched[name] = tuple(each)
    if missing:
        raise _missing(root, missing, "trimaps")
    return matched


def find_clips(
    pred: str | os.PathLike[str],
    gt: str | os.PathLike[str],
    *,
    trimap: str | os.PathLike[str] | None = None,
    layout: Layout = "auto",
) -> list[Clip]:
    """The pictures of a tree of true mattes, with the predictions for them.

    Pictures are folders of PNG files, one per instance: ``<picture>/<instance>.png``, or in a tree
    of videos ``<video>/<frame>/<instance>.png``. Predictions have the same names; of a picture
    with one instance they may be ``<picture>.png``. Predictions that no true matte asks for are
    left alone.

    Args:
        pred: folder of the predictions.
        gt: folder of the true mattes.
        trimap: folder of trimaps, ``<picture>.png`` for all instances or named as the mattes.
        layout: whether the last folders are pictures of their own, or frames of the folder above.
            ``"auto"`` takes ``<folder>/<picture>/<instance>.png`` for videos, when every picture
            of the tree lies so.

    Raises:
        RecordError: no matte is found, or files are missing; names them.
        ValueError: a layout that does not fit.
    """
    roots = [Path(folder) for folder in (pred, gt, *(() if trimap is None else (trimap,)))]
    for root in roots:
        if not root.is_dir():
            raise RecordError(str(root), "", "", "no such folder")
    true = _pngs(roots[1])
    if not true or "." in true:
        what = "no PNG files below it" if not true else "PNG files must lie in a folder per picture"
        raise RecordError(str(roots[1]), "", "", what)
    predicted = _match(roots[0], true, "predictions")
    trimaps = {} if trimap is None else _trimaps(roots[2], true)
    frames = [Frame(n, files, predicted[n], trimaps.get(n, ())) for n, files in true.items()]
    nested = ["/" in frame.name for frame in frames]
    if layout == "video" and not all(nested):
        name = frames[nested.index(False)].name
        raise ValueError(f"layout 'video': {name} lies in no folder of a video")
    if layout == "image" or not all(nested):
        return [Clip(frame.name, (frame,)) for frame in frames]
    videos: dict[str, list[Frame]] = {}
    for frame in frames:
        videos.setdefault(frame.name.rsplit("/", 1)[0], []).append(frame)
    return [Clip(name, tuple(parts)) for name, parts in videos.items()]


def _read(path: Path) -> npt.NDArray[np.uint8]:
    """A PNG as one plane: grey as stored, of others the luma, as the published loaders read it."""
    payload = path.read_bytes()
    try:
        image = _pillow.open_image(payload, allow_truncated=False) if payload else None
        if image is not None:
            return np.asarray(image.convert("L"))
    except MemoryError:
        raise
    except Exception as error:  # plugins let anything through when a file is broken
        raise RecordError(str(path), "", "", f"cannot be decoded: {error}") from error
    raise RecordError(str(path), "", "", "is no picture")


def _stack(paths: tuple[Path, ...], size: tuple[int, ...] | None) -> npt.NDArray[np.uint8]:
    planes = []
    for path in paths:
        plane = _read(path)
        size = plane.shape if size is None else size
        if plane.shape != size:
            wanted, found = (f"{s[1]} x {s[0]}" for s in (size, plane.shape))
            raise RecordError(str(path), "", "", f"is {found}, the true mattes are {wanted}")
        planes.append(plane)
    return np.stack(planes)


def _labels(frame: Frame, size: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Trimaps of a frame: 0, 1, 2, or 0, 128, 255 as pictures have them."""
    maps = _stack(frame.trimap, size)
    found = set(np.unique(maps).tolist())
    if not found <= {0, 1, 2}:
        if not found <= {0, 127, 128, 255}:
            values = ", ".join(map(str, sorted(found)[:6]))
            reason = f"a trimap holds 0, 1, 2 or 0, 128, 255; found {values}"
            raise RecordError(str(frame.trimap[0]), "", "", reason)
        maps = ((maps > 0).astype(np.uint8) + (maps == 255)).astype(np.uint8)
    return maps


def read_frame(frame: Frame) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[np.uint8]]:
    """Prediction and truth float32 (n, H, W) in 0..1, trimap uint8 (n, H, W).

    Raises:
        RecordError: a file is no picture, damaged, or of another size; names it.
    """
    gt = _stack(frame.gt, None)
    pred = _stack(frame.pred, gt.shape[1:])
    labels = _labels(frame, gt.shape[1:]) if frame.trimap else make_trimap(gt)
    scale = np.float32(255)
    return (
        pred.astype(np.float32) / scale,
        gt.astype(np.float32) / scale,
        np.broadcast_to(labels, gt.shape),
    )


def score_clip(
    scores: MattingScores,
    clip: Clip,
    *,
    num_threads: int = 1,
    on_frame: Callable[[], object] = lambda: None,
) -> None:
    """Adds a clip to the scores.

    Under ``"paper"`` it is cut as :func:`published_batches` says, else into frames, and pairs of
    frames for the metrics of clips. At most four frames are in memory.

    Args:
        scores: what to add to.
        clip: of one frame or more.
        num_threads: threads to use at most.
        on_frame: called when a frame has been read.

    Raises:
        RecordError: see `read_frame`; or the instances change within a clip.
    """
    count = len(clip.frames)
    if scores.protocol == "paper":
        maps, clips = published_batches(count)
    else:
        maps = [slice(i, i + 1) for i in range(count)]
        clips = [slice(i, i + 2) for i in range(count - 1)]
    held: dict[int, tuple[npt.NDArray[Any], ...]] = {}
    for at, frame in enumerate(clip.frames):
        held[at] = read_frame(frame)
        if at and held[at][1].shape != held[at - 1][1].shape:
            shapes = f"{held[at][1].shape}, the frame before {held[at - 1][1].shape}"
            reason = f"instances, height, width are {shapes}"
            raise RecordError(str(frame.gt[0].parent), "", "", reason)
        on_frame()
        for windows, update in ((maps, scores.update), (clips, scores.update_clip)):
            for window in windows:
                if window.stop == at + 1:
                    parts = [held[i] for i in range(window.start, window.stop)]
                    pred, gt, trimap = (np.stack(arrays) for arrays in zip(*parts, strict=True))
                    update(pred, gt, trimap, num_threads=num_threads)
        held.pop(at - 3, None)
