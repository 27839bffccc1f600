"""Human instance matting: I-HIM50K, HIM2K, M-HIM2K, and folders laid out like them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from refpix._order import permutation
from refpix.datasets._him_draws import Draws
from refpix.datasets._him_rows import HimRows
from refpix.datasets._images import Decoder
from refpix.datasets.him_layout import Layout, LeftOut, find_images, find_videos, index_images
from refpix.datasets.him_sample import HimSample
from refpix.datasets.him_video_layout import Clip, clips_of, draw_frames, entries_of
from refpix.types import PIXEL_LIMIT

__all__ = ["HimImages", "HimVideo"]

Choice = Literal["published", "first", "random"]
_SEED = 2023  # as published


class HimImages(HimRows):
    """A split of pictures with a matte per instance, as a map-style dataset of `HimSample`.

    Random access, slices (``ds[10:20]`` is a dataset), batches (``ds.__getitems__([3, 1])``),
    iteration; picklable, holds no open files. `refpix.Loader` takes it for the pictures.
    ``transforms=HimValidation()`` or ``HimTraining()`` gives a model's input. The layout is found
    by looking:

        root/<split>/images/a.jpg, root/<split>/<alpha_dir_name>/a/00.png       training
        root/images/<split>/a.jpg, root/<alpha_dir_name>/<split>/a/00.png       validation

    Args:
        root: the dataset's folder.
        split: e.g. ``"comp"``.
        alpha_dir_name: name of the folder of mattes.
        mask_dir_name: name of the folder of masks; empty for none. Instances without a mask are
            left out then.
        max_inst: most instances of a sample; None for all.
        choice: which ones where there are more. ``"published"``: those that the published program
            draws for validation when it reads all items once in order; whatever the order here.
            ``"first"``: by name. ``"random"``: others in each epoch, for training.
        layout: ``"train"`` or ``"val"``, where both are there.
        transforms: called on each sample; what it returns is what indexing gives.
        check_size: a matte or mask of another size than its picture is an error.
        allow_truncated: keep what arrived of pictures whose data ends early. (Mattes are whole.)
        pixel_limit: most pixels of a picture, matte or mask. None for no limit.
        num_threads: native threads for decoding.
        seed: of augmentation, with the epoch and a sample's index; at least 0.

    Attributes:
        folders: where things lie, `HimFolders`.
        entries: files of all pictures, `HimEntry`.
        left_out: pictures without mattes, mattes without a mask, other files, `LeftOut`.

    Raises:
        FileNotFoundError: a folder is missing, or there is no picture, or a mask has no matte.
        ValueError: both layouts are there.

    Source: MaGGIe, maggie/dataloader/him.py; docs/DATASET.md.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str,
        *,
        alpha_dir_name: str = "alphas",
        mask_dir_name: str = "",
        max_inst: int | None = 10,
        choice: Choice = "published",
        layout: Layout = "auto",
        transforms: Callable[[HimSample], Any] | None = None,
        check_size: bool = True,
        allow_truncated: bool = False,
        pixel_limit: int | None = PIXEL_LIMIT,
        num_threads: int = 1,
        seed: int = _SEED,
    ) -> None:
        super().__init__(seed)
        if choice not in ("published", "first", "random"):
            raise ValueError(f"choice={choice!r}: expected 'published', 'first' or 'random'")
        _check_count(max_inst)
        self.folders = find_images(
            root, split, alpha_dir_name=alpha_dir_name, mask_dir_name=mask_dir_name, layout=layout
        )
        self.entries, left_out = index_images(self.folders)
        self.left_out = tuple(left_out)
        self.transforms = transforms
        self.check_size = check_size
        self.decoder = Decoder(allow_truncated, pixel_limit, num_threads)
        self._most = max_inst if choice == "random" else None
        self._chosen = _chosen(
            [len(entry.alphas) for entry in self.entries],
            None if choice == "random" else max_inst,
            choice,
            mask_draws=mask_dir_name == "",
        )

    def __repr__(self) -> str:
        return f"HimImages({str(self.folders.images)!r}): {len(self)} pictures"

    def _count(self) -> int:
        return len(self.entries)

    def _sample(self, row: int, key: tuple[int, ...]) -> HimSample:
        entry = self.entries[row]
        alphas, masks = entry.alphas, entry.masks
        chosen = self._chosen.get(row)
        if self._most is not None and len(alphas) > self._most:
            chosen = permutation(len(alphas), *key)[: self._most].tolist()
        if chosen is not None:
            alphas = tuple(alphas[i] for i in chosen)
            masks = None if masks is None else tuple(masks[i] for i in chosen)
        return HimSample(
            (entry.image,),
            (alphas,),
            None if masks is None else (masks,),
            row,
            self.epoch,
            self.decoder,
            self.check_size,
            key=key,
        )


class HimVideo(HimRows):
    """A split of videos with mattes per instance and frame, as a map-style dataset of clips.

    Laid out as ``root/<split>/fgr/<video>/00000.jpg`` and
    ``root/<split>/<alpha_dir_name>/<video>/00000/00.png``, masks like mattes. Clips begin at every
    ``clip_length - overlap``-th frame; the last one of a video may be short. Otherwise as
    `HimImages`.

    Args:
        root: the dataset's folder.
        split: e.g. ``"comp_easy"``.
        clip_length: frames of a clip.
        overlap: frames that neighbouring clips share.
        alpha_dir_name: name of the folder of mattes.
        mask_dir_name: name of the folder of masks; empty for none.
        max_inst: most instances, the first by name; None for all.
        whole_clips: leave out clips that the end of the video cuts short.
        max_step_size: for training: draw a clip's frames, in order or backwards, from so many
            times ``clip_length`` frames at most. None: frames follow one another.
        transforms: called on each sample.
        check_size: a matte or mask of another size than its frame is an error.
        allow_truncated: as for `HimImages`.
        pixel_limit: as for `HimImages`.
        num_threads: as for `HimImages`.
        seed: as for `HimImages`.

    Attributes:
        folders: where things lie, `HimFolders`.
        clips: all clips, `Clip`.
        left_out: videos without mattes, mattes without a mask, other files, `LeftOut`.

    Raises:
        FileNotFoundError: a folder is missing, or there is no frame, or a mask has no matte.
        ValueError: ``overlap`` is not less than ``clip_length``, or ``max_step_size`` less than 1.

    Source: MaGGIe, maggie/dataloader/vim.py; docs/DATASET.md.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str,
        *,
        clip_length: int = 8,
        overlap: int = 2,
        alpha_dir_name: str = "pha",
        mask_dir_name: str = "",
        max_inst: int | None = 10,
        whole_clips: bool = False,
        max_step_size: int | None = None,
        transforms: Callable[[HimSample], Any] | None = None,
        check_size: bool = True,
        allow_truncated: bool = False,
        pixel_limit: int | None = PIXEL_LIMIT,
        num_threads: int = 1,
        seed: int = _SEED,
    ) -> None:
        super().__init__(seed)
        if max_step_size is not None and max_step_size < 1:
            raise ValueError(f"max_step_size={max_step_size}: expected at least 1, or None")
        if not 0 <= overlap < clip_length:
            raise ValueError(
                f"overlap={overlap}: expected 0 to clip_length - 1 = {clip_length - 1}"
            )
        _check_count(max_inst)
        self.folders = find_videos(
            root, split, alpha_dir_name=alpha_dir_name, mask_dir_name=mask_dir_name
        )
        self.clip_length, self.overlap, self.max_inst = clip_length, overlap, max_inst
        self.max_step_size = max_step_size
        self.videos, left_out = entries_of(self.folders)
        self.left_out = tuple(left_out)
        self.clips: list[Clip] = [
            Clip(name, start)
            for name, entries in self.videos.items()
            for start in clips_of(len(entries), clip_length, overlap, whole=whole_clips)
        ]
        used = {clip.video for clip in self.clips}
        self.left_out += tuple(
            LeftOut(str(self.folders.images / name), f"too short for a clip: {len(entries)} frames")
            for name, entries in self.videos.items()
            if name not in used
        )
        self.transforms = transforms
        self.check_size = check_size
        self.decoder = Decoder(allow_truncated, pixel_limit, num_threads)

    def __repr__(self) -> str:
        return f"HimVideo({str(self.folders.images)!r}): {len(self)} clips"

    def _count(self) -> int:
        return len(self.clips)

    def _sample(self, row: int, key: tuple[int, ...]) -> HimSample:
        if self.max_step_size is None:
            return self.clip(row, key)
        video, start = self.clips[row]
        count = len(self.videos[video])
        draws = Draws.of(*key, 1)  # augmentation draws from the key itself
        frames = draw_frames(count, start, self.clip_length, self.max_step_size, draws)
        return self.clip(row, key, frames)

    def clip(
        self, row: int, key: tuple[int, ...], frames: Sequence[int] | None = None
    ) -> HimSample:
        """The sample of a clip; reads nothing.

        Args:
            row: number of the clip.
            key: what augmentation is seeded with.
            frames: numbers of its frames in the video. None: those that follow the first one.
        """
        video, start = self.clips[row]
        of_video = self.videos[video]
        stop = min(start + self.clip_length, len(of_video))
        entries = [of_video[i] for i in (range(start, stop) if frames is None else frames)]
        masks = [e.masks[: self.max_inst] for e in entries if e.masks is not None]
        return HimSample(
            tuple(entry.image for entry in entries),
            tuple(entry.alphas[: self.max_inst] for entry in entries),
            tuple(masks) if masks else None,
            row,
            self.epoch,
            self.decoder,
            self.check_size,
            video,
            start,
            0 if start == 0 else self.overlap,
            start + self.clip_length >= len(of_video),
            key,
        )


def _check_count(max_inst: int | None) -> None:
    if max_inst is not None and max_inst < 1:
        raise ValueError(f"max_inst={max_inst}: expected at least 1, or None")


def _chosen(
    counts: list[int], max_inst: int | None, choice: Choice, *, mask_draws: bool
) -> dict[int, list[int]]:
    """Instances of the pictures that have too many, the same in every epoch.

    The published validation draws from one generator: a choice where there are too many mattes,
    and a number per mask that it makes of a matte (``mask_draws``).
    """
    if max_inst is None:
        return {}
    if choice == "first":
        return {row: list(range(max_inst)) for row, n in enumerate(counts) if n > max_inst}
    state = np.random.RandomState(_SEED)
    chosen = {}
    for row, count in enumerate(counts):
        if count > max_inst:
            chosen[row] = state.choice(count, max_inst, replace=False).tolist()
        if mask_draws:
            state.random_sample(min(count, max_inst))
    return chosen
