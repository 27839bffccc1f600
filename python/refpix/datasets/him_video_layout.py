"""Frames and clips of video matting datasets."""

from __future__ import annotations

from typing import NamedTuple

from refpix.datasets._him_draws import Draws
from refpix.datasets.him_layout import HimEntry, HimFolders, LeftOut, entry_of, names

__all__ = ["Clip", "clips_of", "draw_frames", "entries_of"]

_FRAME = ".jpg"


class Clip(NamedTuple):
    """Where a clip begins.

    Attributes:
        video: name of its folder.
        start: number of its first frame.
    """

    video: str
    start: int


def entries_of(folders: HimFolders) -> tuple[dict[str, list[HimEntry]], list[LeftOut]]:
    """The frames of each video, both by name, and what is left out.

    A video without a folder of mattes (or masks) is left out; a frame without is an error: clips
    would jump.

    Raises:
        FileNotFoundError: a frame has no mattes, or there is no frame at all; names it.
    """
    videos: dict[str, list[HimEntry]] = {}
    left_out: list[LeftOut] = []
    known = sorted(folder.name for folder in folders.images.iterdir() if folder.is_dir())
    for parent in (folders.alphas, folders.masks):
        extra = [] if parent is None else sorted(f for f in parent.iterdir() if f.is_dir())
        for folder in extra:
            if folder.name not in known:
                left_out.append(LeftOut(str(folder), f"no folder {folders.images / folder.name}"))
    for video in known:
        parents = [p for p in (folders.alphas, folders.masks) if p is not None]
        missing = [parent / video for parent in parents if not (parent / video).is_dir()]
        if missing:
            reason = f"there is no folder {missing[0]}"
            left_out.append(LeftOut(str(folders.images / video), reason))
            continue
        frames, others = names(folders.images / video, _FRAME)
        left_out += others
        if not frames:
            left_out.append(LeftOut(str(folders.images / video), f"there is no *{_FRAME} in it"))
            continue
        videos[video] = []
        for frame in frames:
            path = str(folders.images / video / frame)
            entry, reasons = entry_of(path, f"{video}/{frame.replace(_FRAME, '')}", folders)
            if entry is None:
                raise FileNotFoundError(f"{path}: {reasons[-1].reason}")
            left_out += reasons
            videos[video].append(entry)
    if not videos:
        raise FileNotFoundError(f"{folders.images}: there is no video with frames and mattes in it")
    return videos, left_out


def clips_of(frames: int, length: int, overlap: int, *, whole: bool) -> range:
    """First frames of the clips of a video, as published.

    Args:
        frames: of the video.
        length: of a clip.
        overlap: frames that neighbours share.
        whole: only clips of ``length`` frames.
    """
    return range(0, frames - length + 1 if whole else frames - overlap, length - overlap)


def draw_frames(frames: int, start: int, length: int, max_step: int, draws: Draws) -> list[int]:
    """Numbers of the frames of a training clip, ascending or, half of the time, descending.

    Args:
        frames: of the video.
        start: the first one that may be drawn.
        length: of the clip; shorter at the end of the video.
        max_step: they are drawn from 1 to so many times ``length`` frames.
        draws: what is drawn with.

    Source: MaGGIe, maggie/dataloader/vim.py.
    """
    stop = min(start + length * draws.number(1, max_step + 1), frames)
    within = draws.shared.choice(stop - start, min(stop - start, length), replace=False)
    chosen = sorted(start + within)
    return [int(i) for i in (chosen[::-1] if draws.own.random_sample() > 0.5 else chosen)]
