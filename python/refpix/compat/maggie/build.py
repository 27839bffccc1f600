"""build_dataset: a dataset of a published configuration."""

from __future__ import annotations

from typing import Any

from refpix.compat.maggie.datasets import Cures, HIMDataset, VIMDataset

__all__ = ["build_dataset"]

_TRAINING = (
    "max_inst",
    "crop",
    "padding_crop_p",
    "flip_p",
    "gamma_p",
    "add_noise_p",
    "jpeg_p",
    "affine_p",
    "binarized_kernel",
    "downscale_mask_p",
)
_CLIPS = ("clip_length", "max_step_size", "motion_p")
_FOLDERS = ("root_dir", "split", "short_size", "alpha_dir_name", "mask_dir_name")


def build_dataset(
    cfg: Any, is_train: bool = True, random_seed: int = 0, *, cures: Cures | None = None
) -> HIMDataset | VIMDataset:
    """The dataset that a section of a configuration (``dataset.train``, ``dataset.test``) means.

    Args:
        cfg: has the attributes of the published configuration: ``name`` is ``"HIM"`` or ``"VIM"``.
            For validation of pictures ``downscale_mask`` works the wrong way round, as published.
        is_train: for training.
        random_seed: of what is drawn in training.
        cures: which quirks not to have.

    Raises:
        NotImplementedError: another name, as published.
        AttributeError: ``cfg`` lacks an option that is needed.

    Source: MaGGIe, maggie/dataloader/__init__.py.
    """

    def options(*names: str) -> dict[str, Any]:
        return {name: getattr(cfg, name) for name in names}

    if cfg.name not in ("HIM", "VIM"):
        raise NotImplementedError(f"name={cfg.name!r}: expected 'HIM' or 'VIM'")
    more: dict[str, Any] = {"is_train": is_train, "cures": cures, **options(*_FOLDERS)}
    if cfg.name == "HIM":
        if is_train:
            return HIMDataset(**more, random_seed=random_seed, **options(*_TRAINING))
        return HIMDataset(**more, downscale_mask_p=0 if cfg.downscale_mask else 1)
    if is_train:
        return VIMDataset(**more, random_seed=random_seed, **options(*_TRAINING, *_CLIPS))
    return VIMDataset(**more, clip_length=cfg.clip_length, overlap=cfg.clip_overlap)
