"""HIMDataset and VIMDataset: items as published, in tensors."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from refpix.datasets import HimImages, HimSample, HimTraining, HimValidation, HimVideo
from refpix.datasets._him_draws import Draws
from refpix.datasets.him_video_layout import draw_frames
from refpix.errors import EmptySampleError

__all__ = ["Cures", "HIMDataset", "VIMDataset"]

_ATTEMPTS = 100  # the published program goes on for ever


@dataclass(frozen=True)
class Cures:
    """One switch per quirk; all off is what the published program does.

    Attributes:
        fixed_choice: in validation, which instances a picture with too many has does not depend on
            what was read before: those of one pass in order. (Published: one generator for all
            items.)
        mask_folder_only: a mask's path is that of the matte in the folder of masks. (Published:
            the folder's name is replaced wherever it occurs in the path, parent folders too.)
        check_size: a matte or mask of another size than its picture is an error. (Published: it is
            stretched, and ``alpha`` keeps its own size.)
        seeded: training items depend on ``random_seed``, `set_epoch` and index alone. (Published:
            one generator for all items, of which each worker has a copy, so that workers draw the
            same numbers, and the same again in the next epoch; and the global ones.)
        affine_masks: in training, masks of pictures are moved with their mattes. (Published: they
            stay where they were.)
        fill_places: training clips have ``max_inst`` places whatever their length. (Published: not
            if there are as many frames.)
    """

    fixed_choice: bool = False
    mask_folder_only: bool = False
    check_size: bool = False
    seeded: bool = False
    affine_masks: bool = False
    fill_places: bool = False


class _Training:
    """What both datasets do in training: draw, and take another item where one is empty."""

    def __init__(
        self,
        data: HimImages | HimVideo,
        training: HimTraining,
        own: np.random.RandomState,
        drawn: Callable[[int, Draws], HimSample],
        *,
        seeded: bool,
    ) -> None:
        data.transforms = training
        self.data, self.training, self.drawn, self.seeded = data, training, drawn, seeded
        # Colours draw from imgaug there: a stream of its own leaves that of the dataset alone.
        self.draws = (own, np.random.RandomState(np.random.MT19937(data.seed)))

    def item(self, index: int) -> dict[str, Any]:
        """The item of an index, or of another one."""
        if self.seeded:
            item: dict[str, Any] = self.data[index]
            return item
        draws = Draws.published(*self.draws)
        for _ in range(_ATTEMPTS):
            try:
                return self.training.item(self.drawn(index, draws), draws)
            except EmptySampleError as e:
                error = e
                index = draws.number(0, len(self.data))
        raise error


class HIMDataset(torch.utils.data.Dataset[Any]):
    """Items of pictures; `refpix.datasets.HimTraining` and `HimValidation` say what they hold.

    Args:
        root_dir: for training with ``<split>/images`` and ``<split>/<alpha_dir_name>``, for
            validation with ``images/<split>`` and ``<alpha_dir_name>/<split>``.
        split: e.g. ``"comp"``.
        max_inst: most instances; of more, random ones.
        short_size: in pixels.
        is_train: training items.
        random_seed: of all draws.
        crop: height and width of training items, likewise all that follows up to
            ``binarized_kernel``; see `refpix.datasets.HimTraining`.
        padding_crop_p: of the whole picture instead of a window.
        flip_p: of left for right.
        gamma_p: of another gamma.
        add_noise_p: of noise.
        jpeg_p: of JPEG artefacts.
        affine_p: of an affine map.
        binarized_kernel: bounds the squares that masks are dilated and eroded by.
        downscale_mask_p: of coarse masks in training; 0 gives masks in full size, all else an
            eighth.
        alpha_dir_name: name of the folder of mattes.
        mask_dir_name: name of the folder of masks for validation; empty for none.
        cures: which quirks not to have.
        **options: what else the published class takes and leaves unused.

    Attributes:
        data: (path of the picture, paths of its mattes), by name.
        random: the generator.

    Raises:
        FileNotFoundError: a folder is missing. (Published: no items.)
        ValueError: a probability or size that is none.

    Source: MaGGIe, maggie/dataloader/him.py.
    """

    def __init__(
        self,
        root_dir: str | os.PathLike[str],
        split: str,
        max_inst: int = 10,
        short_size: int = 768,
        is_train: bool = False,
        random_seed: int = 2023,
        crop: Sequence[int] = (512, 512),
        padding_crop_p: float = 0.1,
        flip_p: float = 0.5,
        gamma_p: float = 0.3,
        add_noise_p: float = 0.3,
        jpeg_p: float = 0.1,
        affine_p: float = 0.1,
        binarized_kernel: int = 30,
        downscale_mask_p: float = 0.5,
        alpha_dir_name: str = "alphas",
        mask_dir_name: str = "",
        *,
        cures: Cures | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        self.cures = Cures() if cures is None else cures
        self.is_train, self.max_inst = is_train, max_inst
        self.alpha_dir_name, self.mask_dir_name = alpha_dir_name, mask_dir_name
        chooses = self.cures.seeded if is_train else self.cures.fixed_choice
        self.pictures = HimImages(
            root_dir,
            split,
            alpha_dir_name=alpha_dir_name,
            mask_dir_name="" if is_train else mask_dir_name,
            max_inst=max_inst if chooses else None,
            choice="random" if is_train else "published",
            layout="train" if is_train else "val",
            check_size=self.cures.check_size,
            seed=random_seed,
        )
        self.data = [(entry.image, list(entry.alphas)) for entry in self.pictures.entries]
        self.random = np.random.RandomState(random_seed)
        self.validation = HimValidation(short_size, downscale_mask=downscale_mask_p > 0)
        if is_train:
            training = HimTraining(
                crop=_pair(crop),
                short_size=short_size,
                max_inst=max_inst,
                padding_crop_p=padding_crop_p,
                flip_p=flip_p,
                gamma_p=gamma_p,
                add_noise_p=add_noise_p,
                jpeg_p=jpeg_p,
                affine_p=affine_p,
                binarized_kernel=binarized_kernel,
                downscale_mask_p=downscale_mask_p,
                affine_masks=self.cures.affine_masks,
            )
            self.training = _Training(
                self.pictures, training, self.random, self._chosen, seeded=self.cures.seeded
            )

    def __len__(self) -> int:
        return len(self.data)

    def set_epoch(self, epoch: int) -> None:
        """Makes training draw anew, with the cure ``seeded``; to be called before workers start."""
        self.pictures.set_epoch(epoch)

    def __getitem__(self, index: int) -> dict[str, Any]:
        if self.is_train:
            return _tensors(self.training.item(index))
        sample = self._chosen(index)
        if self.mask_dir_name == "":
            self.random.random_sample(len(sample.alpha_files[0]))  # one a mask, as published
        elif not self.cures.mask_folder_only:
            sample = _replaced(sample, self.alpha_dir_name, self.mask_dir_name)
        return _tensors(self.validation(sample))

    def _chosen(self, index: int, draws: Draws | None = None) -> HimSample:
        """The sample of a picture; of too many instances those that ``random`` draws."""
        sample = self.pictures.sample(index)
        alphas, masks = sample.alpha_files[0], sample.mask_files
        if len(alphas) <= self.max_inst:
            return sample
        chosen = self.random.choice(len(alphas), self.max_inst, replace=False)
        picked = None if masks is None else (tuple(masks[0][i] for i in chosen),)
        return replace(sample, alpha_files=(tuple(alphas[i] for i in chosen),), mask_files=picked)


class VIMDataset(torch.utils.data.Dataset[Any]):
    """Items of clips; otherwise as `HIMDataset`.

    Args:
        root_dir: with ``<split>/fgr`` and ``<split>/<alpha_dir_name>``.
        split: e.g. ``"comp_easy"``.
        clip_length: frames of a clip; in validation the last one of a video may be short.
        overlap: frames that neighbouring clips share, in validation.
        max_step_size: training draws frames from 1 to so many times ``clip_length``.
        max_inst: most instances, the first by name.
        is_train: training items; one for each frame that a clip may begin with.
        short_size: in pixels.
        crop: as for `HIMDataset`, likewise all that follows.
        mask_dir_name: name of the folder of masks for validation; empty for none.
        alpha_dir_name: name of the folder of mattes.
        padding_crop_p: of the whole picture instead of a window.
        flip_p: of left for right.
        gamma_p: of another gamma.
        motion_p: of blur along a line.
        add_noise_p: of noise.
        jpeg_p: of JPEG artefacts.
        affine_p: of an affine map.
        binarized_kernel: bounds the squares that masks are dilated and eroded by.
        random_seed: of all draws.
        downscale_mask_p: of coarse masks in training.
        cures: which quirks not to have.
        **options: what else the published class takes and leaves unused.

    Attributes:
        frame_ids: (video, first frame) of each clip.
        random: the generator.

    Raises:
        ValueError: ``overlap`` not less than ``clip_length``, a probability or size that is none.
        FileNotFoundError: a folder is missing, or a frame has no mattes.

    Source: MaGGIe, maggie/dataloader/vim.py.
    """

    def __init__(
        self,
        root_dir: str | os.PathLike[str],
        split: str,
        clip_length: int,
        overlap: int = 2,
        max_step_size: int = 5,
        max_inst: int = 10,
        is_train: bool = False,
        short_size: int = 576,
        crop: Sequence[int] = (512, 512),
        mask_dir_name: str = "",
        alpha_dir_name: str = "pha",
        padding_crop_p: float = 0.1,
        flip_p: float = 0.5,
        gamma_p: float = 0.3,
        motion_p: float = 0.3,
        add_noise_p: float = 0.3,
        jpeg_p: float = 0.1,
        affine_p: float = 0.1,
        binarized_kernel: int = 30,
        random_seed: int = 2023,
        downscale_mask_p: float = 0.5,
        *,
        cures: Cures | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        self.cures = Cures() if cures is None else cures
        self.is_train = is_train
        self.alpha_dir_name, self.mask_dir_name = alpha_dir_name, mask_dir_name
        self.clips = HimVideo(
            root_dir,
            split,
            clip_length=clip_length,
            overlap=clip_length - 1 if is_train else overlap,
            alpha_dir_name=alpha_dir_name,
            mask_dir_name="" if is_train else mask_dir_name,
            max_inst=max_inst,
            whole_clips=is_train,
            max_step_size=max_step_size if is_train else None,
            check_size=self.cures.check_size,
            seed=random_seed,
        )
        self.frame_ids = [tuple(clip) for clip in self.clips.clips]
        self.random = np.random.RandomState(random_seed)
        self.validation = HimValidation(short_size)
        if is_train:
            training = HimTraining(
                crop=_pair(crop),
                short_size=short_size,
                max_inst=max_inst,
                padding_crop_p=padding_crop_p,
                flip_p=flip_p,
                gamma_p=gamma_p,
                motion_p=motion_p,
                add_noise_p=add_noise_p,
                jpeg_p=jpeg_p,
                affine_p=affine_p,
                binarized_kernel=binarized_kernel,
                downscale_mask_p=downscale_mask_p,
                fill_places=self.cures.fill_places or clip_length < max_inst,
            )
            self.training = _Training(
                self.clips, training, self.random, self._drawn, seeded=self.cures.seeded
            )

    def __len__(self) -> int:
        return len(self.frame_ids)

    def set_epoch(self, epoch: int) -> None:
        """Makes training draw anew, with the cure ``seeded``; to be called before workers start."""
        self.clips.set_epoch(epoch)

    def __getitem__(self, idx: int) -> dict[str, Any]:
        if self.is_train:
            return _tensors(self.training.item(idx))
        sample = self.clips.sample(idx)
        if self.mask_dir_name != "" and not self.cures.mask_folder_only:
            sample = _replaced(sample, f"/{self.alpha_dir_name}/", f"/{self.mask_dir_name}/")
        return _tensors(self.validation(sample))

    def _drawn(self, index: int, draws: Draws) -> HimSample:
        """A training clip whose frames are drawn."""
        clips = self.clips
        row = int(clips.table_rows([index])[0])
        video, start = clips.clips[row]
        assert clips.max_step_size is not None
        count = len(clips.videos[video])
        frames = draw_frames(count, start, clips.clip_length, clips.max_step_size, draws)
        return clips.clip(row, (0,), frames)


def _pair(crop: Sequence[int]) -> tuple[int, int]:
    height, width = crop
    return int(height), int(width)


def _replaced(sample: HimSample, old: str, new: str) -> HimSample:
    """Masks where the published program looks for them."""

    def paths(files: Sequence[str]) -> tuple[str, ...]:
        return tuple(path.replace(old, new) for path in files)

    return replace(sample, mask_files=tuple(paths(files) for files in sample.alpha_files))


def _tensors(item: dict[str, Any]) -> dict[str, Any]:
    return {k: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in item.items()}
