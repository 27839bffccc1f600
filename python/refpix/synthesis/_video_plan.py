"""What a video is made of, from the random draws and the mattes alone: no colour is decoded."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from refpix.errors import SampleError
from refpix.synthesis._pictures import Patch, Rectangle, Source, bounding_box

__all__ = ["VIDEO_CURES", "Clip", "Level", "VideoCure", "VideoPlan", "plan_video"]

Pixels = npt.NDArray[np.uint8]
Level = Literal["easy", "medium", "hard"]

#: Quirks that can be cured, by name. ``exif``: backgrounds are turned upright, so that pictures and
#: mattes have one size. ``empty-frame``: a frame without matte does not pull the box to the origin.
#: ``alpha-box``: RGBA frames are boxed by their alpha, not by the luma of their colour.
#: ``last-start``: the last possible first frame can be drawn.
VideoCure = Literal["exif", "empty-frame", "alpha-box", "last-start"]
VIDEO_CURES: Final[tuple[VideoCure, ...]] = ("exif", "empty-frame", "alpha-box", "last-start")

_ENLARGED: Final = {"medium": 1.5, "hard": 2.0}


class Clip(NamedTuple):
    """One person: frames of a source video, and where they go.

    Attributes:
        name: of the video, relative to the data's root.
        colours: paths of its colour frames, from the first one used; may be too few.
        mattes: one patch per frame.
        sizes: height and width of each frame's matte.
        box: x, y, width, height in the source that is cropped.
        size: height and width it is resized to.
        position: x, y in the picture.
    """

    name: str
    colours: list[str]
    mattes: list[Patch]
    sizes: list[tuple[int, int]]
    box: Rectangle
    size: tuple[int, int]
    position: tuple[int, int]


class VideoPlan(NamedTuple):
    """Everything that the draws decide.

    Attributes:
        name: of the sample.
        size: height and width of the mattes.
        frames: how many.
        backgrounds: a path per frame.
        clips: the people, back to front.
    """

    name: str
    size: tuple[int, int]
    frames: int
    backgrounds: list[str]
    clips: list[Clip]


def _listing(name: str, folder: str) -> list[str]:
    try:
        return [os.path.join(folder, entry) for entry in sorted(os.listdir(folder))]
    except OSError as error:
        raise SampleError(name, folder, error.strerror or str(error)) from error


def matte_folder(folder: str) -> str:
    """The published rule: every ``/fgr/`` of the path becomes ``/pha/``, if that folder exists."""
    mattes = folder.replace("/fgr/", "/pha/")
    return mattes if os.path.exists(mattes) else folder


def plan_video(
    name: str,
    level: Level,
    data_dir: str,
    videos: Sequence[str],
    pictures: Sequence[str],
    folders: Sequence[str],
    clip_len: int,
    cures: Collection[VideoCure],
) -> VideoPlan:
    """All draws of a sample, in the published order, and its mattes; see ``him_video``."""
    rs = np.random.RandomState(int(name))
    count = int(rs.randint(2, 5))
    if level == "easy":
        count = min(count, 3)
    if count > len(videos):
        raise SampleError(name, "", f"{count} videos drawn out of {len(videos)}")
    names = [videos[i] for i in rs.choice(len(videos), count, replace=False)]
    backgrounds = _backgrounds(rs, name, data_dir, pictures, folders)
    width, height = Source(name, backgrounds[0]).header(exif=True).upright_size
    colours = [_listing(name, os.path.join(data_dir, video)) for video in names]
    frames = min(clip_len, *(len(paths) for paths in colours))
    if frames < 1:
        raise SampleError(name, "", "a video without frames")
    clips = [
        _read_mattes(rs, name, os.path.join(data_dir, video), paths, frames, cures)
        for video, paths in zip(names, colours, strict=True)
    ]
    ratios = _ratios(rs, level, [clip.box for clip in clips], width, height)
    placed = _positions(rs, name, level, clips, ratios, width, height)
    start = int(rs.randint(0, len(backgrounds) - 1)) if len(backgrounds) > 1 else 0
    last = len(backgrounds) - 1
    shown = [backgrounds[min(start + i, last)] for i in range(frames)]
    return VideoPlan(name, (height, width), frames, shown, placed)


def _backgrounds(
    rs: np.random.RandomState,
    name: str,
    data_dir: str,
    pictures: Sequence[str],
    folders: Sequence[str],
) -> list[str]:
    """One landscape picture, or the frames of a folder."""
    if rs.rand() >= 0.5:
        if not folders:
            raise SampleError(name, "", "no background videos")
        folder = os.path.join(data_dir, folders[int(rs.choice(len(folders)))])
        frames = _listing(name, folder)
        if not frames:
            raise SampleError(name, folder, "background video without frames")
        return frames
    if not pictures:
        raise SampleError(name, "", "no background pictures")
    portraits: set[int] = set()
    while len(portraits) < len(pictures):
        drawn = int(rs.choice(len(pictures)))
        path = os.path.join(data_dir, pictures[drawn])
        if drawn not in portraits:
            width, height = Source(name, path).header(exif=True).upright_size
            if width > height:
                return [path]
        portraits.add(drawn)
    raise SampleError(name, "", "no background picture is wider than high")


def _read_mattes(
    rs: np.random.RandomState,
    name: str,
    folder: str,
    colours: list[str],
    frames: int,
    cures: Collection[VideoCure],
) -> Clip:
    mattes = _listing(name, matte_folder(folder))
    if len(mattes) < frames:
        raise SampleError(
            name, folder, f"{len(mattes)} mattes for clips of {frames} of {len(colours)} frames"
        )
    start = 0
    if len(mattes) != frames:
        extra = 1 if "last-start" in cures else 0
        start = int(rs.randint(0, len(mattes) - frames + extra))
    patches, sizes, corners = [], [], []
    for path in mattes[start : start + frames]:
        source = Source(name, path)
        own_alpha = "/fgr/" in path
        boxed = matte = source.alpha() if own_alpha else source.luma()
        if own_alpha and "alpha-box" not in cures:
            boxed = source.luma()
        x, y, w, h = bounding_box(boxed)
        if w or "empty-frame" not in cures:
            corners.append((x, y, x + w, y + h))
        x, y, w, h = bounding_box(matte)
        patches.append(Patch(x, y, matte[y : y + h, x : x + w].copy()))
        sizes.append((matte.shape[0], matte.shape[1]))
    x0, y0 = min((c[0] for c in corners), default=0), min((c[1] for c in corners), default=0)
    x1, y1 = max((c[2] for c in corners), default=0), max((c[3] for c in corners), default=0)
    if x1 <= x0 or y1 <= y0:
        raise SampleError(name, folder, f"mattes {start} to {start + frames - 1} are empty")
    box = (x0, y0, x1 - x0, y1 - y0)
    return Clip(folder, colours[start : start + frames], patches, sizes, box, (0, 0), (0, 0))


def _ratios(
    rs: np.random.RandomState, level: Level, boxes: Sequence[Rectangle], width: int, height: int
) -> list[float]:
    """How much each is enlarged so that all stand side by side, then at random."""
    aspects = [w * 1.0 / h for _, _, w, h in boxes]
    total = 0.0
    for aspect in aspects:  # sum() compensates from Python 3.12 on
        total += aspect
    ratios = []
    for (_, _, w, h), aspect in zip(boxes, aspects, strict=True):
        ratio = width * (aspect / total) / w
        if level in _ENLARGED:
            ratio = ratio * rs.uniform(1.0, _ENLARGED[level])
        if ratio * h > height:
            ratio = height / h * rs.uniform(0.8, 1.0)
        ratios.append(ratio)
    return ratios


def _positions(
    rs: np.random.RandomState,
    name: str,
    level: Level,
    clips: Sequence[Clip],
    ratios: Sequence[float],
    width: int,
    height: int,
) -> list[Clip]:
    placed = []
    x = 0
    for clip, ratio in zip(clips, ratios, strict=True):
        _, _, w, h = clip.box
        new_w, new_h = int(w * ratio), int(h * ratio)
        left = x
        if level != "easy":
            if width < 2:
                raise SampleError(name, "", "background of one column")
            left = x + int(rs.randint(0, width // 2)) * int(rs.choice([-1, 1]))
        left = max(min(left, width - new_w), 0)
        placed.append(clip._replace(size=(new_h, new_w), position=(left, height - new_h)))
        x = left + new_w
    return placed
