"""HIMDataset and VIMDataset: validation items as published, in tensors."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from refpix.datasets import HimImages, HimSample, HimValidation, HimVideo

__all__ = ["Cures", "HIMDataset", "VIMDataset"]


@dataclass(frozen=True)
class Cures:
    """One switch per quirk; all off is what the published program does.

    Attributes:
        fixed_choice: which instances a picture with too many has does not depend on what was read
            before: those of one pass in order. (Published: one generator for all items.)
        mask_folder_only: a mask's path is that of the matte in the folder of masks. (Published:
            the folder's name is replaced wherever it occurs in the path, parent folders too.)
        check_size: a matte or mask of another size than its picture is an error. (Published: it is
            stretched, and ``alpha`` keeps its own size.)
    """

    fixed_choice: bool = False
    mask_folder_only: bool = False
    check_size: bool = False


class HIMDataset(torch.utils.data.Dataset[Any]):
    """Validation items of pictures; see `refpix.datasets.HimValidation` for what they hold.

    Args:
        root_dir: with ``images/<split>`` and ``<alpha_dir_name>/<split>``.
        split: e.g. ``"comp"``.
        max_inst: most instances; of more, random ones.
        short_size: in pixels.
        is_train: must be False: training items are not to be had from this class.
        random_seed: of the choice.
        downscale_mask_p: 0 gives masks in full size, all else an eighth.
        alpha_dir_name: name of the folder of mattes.
        mask_dir_name: name of the folder of masks; empty for none.
        cures: which quirks not to have.
        **options: what else the published class takes; only training uses it.

    Attributes:
        data: (path of the picture, paths of its mattes), by name.

    Raises:
        ValueError: ``is_train``.
        FileNotFoundError: a folder is missing. (Published: no items.)

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
        *,
        downscale_mask_p: float = 0.5,
        alpha_dir_name: str = "alphas",
        mask_dir_name: str = "",
        cures: Cures | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        _no_training(is_train)
        self.cures = Cures() if cures is None else cures
        self.max_inst = max_inst
        self.alpha_dir_name, self.mask_dir_name = alpha_dir_name, mask_dir_name
        self.pictures = HimImages(
            root_dir,
            split,
            alpha_dir_name=alpha_dir_name,
            mask_dir_name=mask_dir_name,
            max_inst=max_inst if self.cures.fixed_choice else None,
            layout="val",
            check_size=self.cures.check_size,
        )
        self.data = [(entry.image, list(entry.alphas)) for entry in self.pictures.entries]
        self.random = np.random.RandomState(random_seed)
        self.validation = HimValidation(short_size, downscale_mask=downscale_mask_p > 0)

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> dict[str, Any]:
        sample = self.pictures.sample(index)
        alphas = sample.alpha_files[0]
        if len(alphas) > self.max_inst:
            chosen = self.random.choice(len(alphas), self.max_inst, replace=False)
            alphas = tuple(alphas[i] for i in chosen)
            masks = sample.mask_files
            picked = None if masks is None else (tuple(masks[0][i] for i in chosen),)
            sample = replace(sample, alpha_files=(alphas,), mask_files=picked)
        if self.mask_dir_name == "":
            self.random.random_sample(len(alphas))  # one for each mask, as published
        elif not self.cures.mask_folder_only:
            sample = _replaced(sample, self.alpha_dir_name, self.mask_dir_name)
        return _tensors(self.validation(sample))


class VIMDataset(torch.utils.data.Dataset[Any]):
    """Validation items of clips; otherwise as `HIMDataset`.

    Args:
        root_dir: with ``<split>/fgr`` and ``<split>/<alpha_dir_name>``.
        split: e.g. ``"comp_easy"``.
        clip_length: frames of a clip; the last one of a video may be short.
        overlap: frames that neighbouring clips share.
        max_step_size: of training only.
        max_inst: most instances, the first by name.
        is_train: must be False.
        short_size: in pixels.
        mask_dir_name: name of the folder of masks; empty for none.
        alpha_dir_name: name of the folder of mattes.
        cures: which quirks not to have.
        **options: what else the published class takes; only training uses it.

    Attributes:
        frame_ids: (video, first frame) of each clip.

    Raises:
        ValueError: ``is_train``, or ``overlap`` not less than ``clip_length``.
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
        *,
        mask_dir_name: str = "",
        alpha_dir_name: str = "pha",
        cures: Cures | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        _no_training(is_train)
        self.cures = Cures() if cures is None else cures
        self.alpha_dir_name, self.mask_dir_name = alpha_dir_name, mask_dir_name
        self.clips = HimVideo(
            root_dir,
            split,
            clip_length=clip_length,
            overlap=overlap,
            alpha_dir_name=alpha_dir_name,
            mask_dir_name=mask_dir_name,
            max_inst=max_inst,
            check_size=self.cures.check_size,
        )
        self.frame_ids = [tuple(clip) for clip in self.clips.clips]
        self.validation = HimValidation(short_size)

    def __len__(self) -> int:
        return len(self.frame_ids)

    def __getitem__(self, idx: int) -> dict[str, Any]:
        sample = self.clips.sample(idx)
        if self.mask_dir_name != "" and not self.cures.mask_folder_only:
            sample = _replaced(sample, f"/{self.alpha_dir_name}/", f"/{self.mask_dir_name}/")
        return _tensors(self.validation(sample))


def _no_training(is_train: bool) -> None:
    if is_train:
        raise ValueError("is_train=True: only validation items are to be had here")


def _replaced(sample: HimSample, old: str, new: str) -> HimSample:
    """Masks where the published program looks for them."""

    def paths(files: Sequence[str]) -> tuple[str, ...]:
        return tuple(path.replace(old, new) for path in files)

    return replace(sample, mask_files=tuple(paths(files) for files in sample.alpha_files))


def _tensors(item: dict[str, Any]) -> dict[str, Any]:
    return {k: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in item.items()}
