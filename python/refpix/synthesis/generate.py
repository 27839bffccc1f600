"""Whole datasets of synthesised samples on disk: resumable, by many processes or machines."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, NamedTuple

from refpix.errors import SampleError
from refpix.kernels._image_resize import pass_order
from refpix.synthesis._engines import Engine
from refpix.synthesis._files import Journal, SampleWriter, jpeg_bytes, png_bytes
from refpix.synthesis._pictures import sorted_files
from refpix.synthesis._runs import Entry, Summary, digest, failed, run
from refpix.synthesis.him_image import ImageCure, him_image
from refpix.synthesis.him_video import Level, VideoCure, him_video
from refpix.types import PassOrder

__all__ = [
    "VideoJob",
    "generate_images",
    "generate_videos",
    "image_lists",
    "published_videos",
    "read_list",
    "video_lists",
]

#: Names per level as published, in the order they are made.
_RANGES: Final[dict[str, tuple[tuple[Level, int, int], ...]]] = {
    "train": (
        ("easy", 0, 500), ("medium", 500, 1500), ("hard", 1500, 3500), ("medium", 3500, 9500),
    ),
    "test": (("easy", 0, 51), ("medium", 29, 222), ("hard", 2, 81)),
}  # fmt: skip


@dataclass(frozen=True)
class _ImageWork:
    """Makes and writes one picture; picklable."""

    root: str
    foregrounds: tuple[str, ...]
    backgrounds: tuple[str, ...]
    order: PassOrder
    cures: tuple[ImageCure, ...]
    strict: bool = field(default=False)

    def __call__(self, sample: int) -> Entry:
        try:
            made = him_image(
                sample, self.foregrounds, self.backgrounds, order=self.order, cures=self.cures
            )
        except SampleError as error:
            if self.strict:
                raise
            return failed({"id": sample}, error)
        if made is None:
            return {"id": sample, "status": "nothing"}
        writer = SampleWriter(self.root, str(sample))
        canvas = made.image.shape[0], made.image.shape[1]
        for k, instance in enumerate(made.instances):
            position = instance.x, instance.y
            matte = png_bytes(instance.seen, canvas, position)
            writer.write(f"alphas/{sample}/{k}.png", matte)
            writer.write(f"fg/{sample}/{k}.jpg", jpeg_bytes(instance.colour, canvas, position))
        writer.write(f"bg/{sample}.jpg", jpeg_bytes(made.background, mode=made.mode))
        writer.write(f"images/{sample}.jpg", jpeg_bytes(made.image, mode=made.mode))
        files = writer.commit((f"alphas/{sample}", f"fg/{sample}"))
        return {"id": sample, "status": "written", "files": files}


class VideoJob(NamedTuple):
    """One video to make.

    Attributes:
        level: its level.
        name: five digits.
        folder: within the output, empty for the output itself.
    """

    level: Level
    name: str
    folder: str

    @property
    def id(self) -> str:
        """Its name in journals and manifests."""
        return f"{self.folder}/{self.name}" if self.folder else self.name


@dataclass(frozen=True)
class _VideoWork:
    """Makes and writes one video; picklable."""

    root: str
    data_dir: str
    videos: tuple[str, ...]
    pictures: tuple[str, ...]
    folders: tuple[str, ...]
    clip_len: int
    order: PassOrder
    cures: tuple[VideoCure, ...]
    strict: bool = field(default=False)

    def __call__(self, job: VideoJob) -> Entry:
        entry = {"id": job.id, "level": job.level}
        writer = SampleWriter(self.root, job.id)
        try:
            made = him_video(
                job.name,
                job.level,
                data_dir=self.data_dir,
                videos=self.videos,
                pictures=self.pictures,
                folders=self.folders,
                clip_len=self.clip_len,
                order=self.order,
                cures=self.cures,
            )
            if made is None:
                return {**entry, "status": "rejected"}
            prefix = f"{job.folder}/" if job.folder else ""
            for t, frame in enumerate(made):
                picture = jpeg_bytes(frame.image)
                writer.write(f"{prefix}fgr/{job.name}/{t:05d}.jpg", picture)
                for k, (x, y, seen) in enumerate(frame.patches):
                    matte = png_bytes(seen, frame.size, (x, y))
                    writer.write(f"{prefix}pha/{job.name}/{t:05d}/{k:02d}.png", matte)
        except SampleError as error:
            writer.discard()
            if self.strict:
                raise
            return failed(entry, error)
        files = writer.commit((f"{prefix}fgr/{job.name}", f"{prefix}pha/{job.name}"))
        return {**entry, "status": "written", "files": files}


def read_list(path: str | os.PathLike[str]) -> list[str]:
    """Lines of a text file, stripped, as the published code reads lists of names."""
    with open(path, encoding="utf-8") as file:
        return [line.strip() for line in file]


def generate_images(
    output_dir: str | os.PathLike[str],
    *,
    foregrounds: Sequence[str],
    backgrounds: Sequence[str],
    samples: Sequence[int],
    order: PassOrder = "auto",
    cures: Collection[ImageCure] = (),
    workers: int = 1,
    engine: Engine = "local",
    start_method: str | None = None,
    strict: bool = False,
    progress: bool = False,
) -> Summary:
    """Write samples of I-HIM50K as published: ``images``, ``bg``, ``alphas``, ``fg``.

    A run that was stopped goes on where it was; samples whose files are there, of the right size,
    are left alone, failed ones are tried again. At the end there is a ``manifest.json``.

    Args:
        output_dir: made if need be.
        foregrounds: as ``him_image`` takes them.
        backgrounds: likewise.
        samples: numbers of the samples.
        order: as ``him_image``; ``auto`` is written down as what it stands for.
        cures: as ``him_image``.
        workers: processes, or on Ray tasks at a time.
        engine: ``local`` or ``ray``. The files are the same.
        start_method: of local processes; None: the system's.
        strict: a sample that fails ends the run; else it is reported and the run goes on.
        progress: draw a bar on stderr.

    Raises:
        SampleError: a sample failed, when ``strict``.
        OutputError: a file cannot be written; names it. Nothing half-written stays in place.
        ValueError: the folder was begun with other lists or options.
    """
    root, resolved = os.fspath(output_dir), pass_order(order)
    settings = {
        "order": resolved,
        "cures": sorted(cures),
        "foregrounds": [len(foregrounds), digest(map(os.path.basename, foregrounds))],
        "backgrounds": [len(backgrounds), digest(map(os.path.basename, backgrounds))],
    }
    work = _ImageWork(root, tuple(foregrounds), tuple(backgrounds), resolved, tuple(cures), strict)
    journal = Journal(root, settings)
    ids = [str(sample) for sample in samples]
    return run(
        journal,
        "image-him",
        ids,
        work,
        list(samples),
        engine=engine,
        workers=workers,
        start_method=start_method,
        progress=progress,
    )


def image_lists(
    image_root: str | os.PathLike[str],
    bg_root: str | os.PathLike[str],
    invalid_names: str | os.PathLike[str] | None = None,
) -> tuple[list[str], list[str]]:
    """Foregrounds and backgrounds by name: listings of two folders, some names left out."""
    invalid = set(read_list(invalid_names)) if invalid_names is not None else set()
    foregrounds = [p for p in sorted_files(image_root) if os.path.basename(p) not in invalid]
    return foregrounds, sorted_files(bg_root)


def published_videos(split: str, per_level: bool = False) -> list[VideoJob]:
    """The names that are published for a split.

    The ranges of ``test`` overlap; there the last level that has a name decides about it, whether
    it is kept and what it looks like. So in one folder each name is made once, for that level.

    Args:
        split: ``train``; any other name has the ranges of ``test``.
        per_level: a folder per level (``comp_easy``, ...), all ranges whole.
    """
    ranges = _RANGES["train" if split == "train" else "test"]
    names = [(level, f"{i:05d}") for level, start, stop in ranges for i in range(start, stop)]
    if per_level:
        return [VideoJob(level, name, f"comp_{level}") for level, name in names]
    last = {name: level for level, name in names}
    return [VideoJob(level, name, "") for name, level in sorted(last.items())]


def video_lists(
    data_dir: str | os.PathLike[str], split: str
) -> tuple[list[str], list[str], list[str]]:
    """Videos, background pictures and background folders of ``fg_<split>.txt``, ``bg_<split>.txt``.

    Lines that end in ``.jpg`` are pictures.
    """
    root = Path(data_dir)
    backgrounds = read_list(root / f"bg_{split}.txt")
    pictures = [line for line in backgrounds if line.endswith(".jpg")]
    folders = [line for line in backgrounds if not line.endswith(".jpg")]
    return read_list(root / f"fg_{split}.txt"), pictures, folders


def generate_videos(
    output_dir: str | os.PathLike[str],
    *,
    data_dir: str | os.PathLike[str],
    videos: Sequence[str],
    pictures: Sequence[str],
    folders: Sequence[str],
    jobs: Sequence[VideoJob],
    clip_len: int = 30,
    order: PassOrder = "auto",
    cures: Collection[VideoCure] = (),
    workers: int = 1,
    engine: Engine = "local",
    start_method: Literal["spawn", "fork", "forkserver"] | None = None,
    strict: bool = False,
    progress: bool = False,
) -> Summary:
    """Write videos of V-HIM as published: ``fgr/<name>/*.jpg``, ``pha/<name>/<frame>/*.png``.

    Args:
        output_dir: made if need be.
        data_dir: as ``him_video`` takes it, and the lists.
        videos: likewise.
        pictures: likewise.
        folders: likewise.
        jobs: what to make: ``published_videos``, or some of them.
        clip_len: likewise.
        order: as ``generate_images``, and what follows.
        cures: likewise.
        workers: likewise.
        engine: likewise.
        start_method: likewise.
        strict: likewise.
        progress: likewise.

    Raises:
        SampleError: a sample failed, when ``strict``.
        OutputError: a file cannot be written; names it.
        ValueError: the folder was begun with other lists or options.
    """
    root, resolved = os.fspath(output_dir), pass_order(order)
    settings = {
        "order": resolved,
        "cures": sorted(cures),
        "clip_len": clip_len,
        "videos": [len(videos), digest(videos)],
        "backgrounds": [len(pictures) + len(folders), digest([*pictures, *folders])],
    }
    work = _VideoWork(
        root,
        os.fspath(data_dir),
        tuple(videos),
        tuple(pictures),
        tuple(folders),
        clip_len,
        resolved,
        tuple(cures),
        strict,
    )
    journal = Journal(root, settings)
    ids = [job.id for job in jobs]
    return run(
        journal,
        "video-him",
        ids,
        work,
        list(jobs),
        engine=engine,
        workers=workers,
        start_method=start_method,
        progress=progress,
        unit="video",
    )
