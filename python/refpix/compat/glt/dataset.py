"""COCO_LT: the published items of MSCOCO-GLT."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from refpix.compat.glt.transforms import TestTransform, TrainTransform, load_randaugment
from refpix.datasets._images import Decoder
from refpix.datasets.glt_annotation import read_annotation
from refpix.errors import RecordError
from refpix.types import BytesBatch

__all__ = ["COCO_LT", "Cures"]

_CROPPED = ["RandomResizedCrop(112, scale=(0.5, 1.0)),", "RandomHorizontalFlip()"]
_OPERATIONS = {
    "train": [*_CROPPED, "ToTensor()", "Normalize(rgb_mean, rgb_std)"],
    "augmented": [*_CROPPED, "RandAugment()", "ToTensor()", "Normalize(rgb_mean, rgb_std)"],
    "test": ["Resize(128)", "CenterCrop(112)", "ToTensor()", "Normalize(rgb_mean, rgb_std)"],
}


@dataclass(frozen=True)
class Cures:
    """One switch per quirk; all off is what the published program does.

    Attributes:
        use_data_path: crops are looked for by name in ``data_path``. (Published: ``data_path`` is
            not looked at, and the annotation's paths are opened, which hold the output folder of
            whoever made the crops.)
        info_per_split: the file with the dataset's info is called by its split. (Published: by the
            phase, so that each test set overwrites that of the one before.)
    """

    use_data_path: bool = False
    info_per_split: bool = False


class COCO_LT(torch.utils.data.Dataset[Any]):
    """Crops of MSCOCO-GLT with class and groups, as published.

    Args:
        phase: ``"train"``, ``"val"`` or ``"test"``.
        data_path: folder of the crops; see `Cures`.
        anno_path: ``annotation.json`` of Train-GLT or Train-CBL.
        testset: of phase ``"test"``, which: ``"test_lt"``, ``"test_bl"``, ``"test_bbl"``. Other
            phases do not look at it.
        rgb_mean: per channel, of values in 0..1.
        rgb_std: likewise.
        rand_aug: training is augmented by the package ``randaugment``.
        output_path: folder that receives ``dataset_info_<phase>.json``. None writes nothing
            (published: an error).
        logger: has ``info(text)``. None says nothing (published: an error).
        cures: which quirks not to have.
        transform: in place of the published one, from RGB picture to whatever.

    Attributes:
        img_paths: of the crops, in the annotation's order.
        labels: classes.
        attributes: groups 0, 1, 2; in training empty.
        frequencies: groups 0, 1, 2.
        cat2id: class names to numbers.
        id2cat: numbers, as text, to class names.
        transform: from RGB picture to tensor; None gives the picture.

    Raises:
        ValueError: no such phase or test set.
        RecordError: a malformed annotation. (Published: found later on, or never.)
        ImportError: ``rand_aug`` without its package.

    Source: Generalized-Long-Tailed-Benchmarks, data/DT_COCO_LT.py.
    """

    def __init__(
        self,
        phase: str,
        data_path: str | os.PathLike[str],
        anno_path: str | os.PathLike[str],
        testset: str,
        rgb_mean: Sequence[float],
        rgb_std: Sequence[float],
        rand_aug: bool,
        output_path: str | os.PathLike[str] | None,
        logger: Any = None,
        *,
        cures: Cures | None = None,
        transform: Callable[[Image.Image], Any] | None = None,
    ) -> None:
        super().__init__()
        if phase not in ("train", "val", "test"):
            raise ValueError(f"phase={phase!r}: expected 'train', 'val' or 'test'")
        self.split = testset if phase == "test" else phase
        if phase == "test" and testset not in ("test_lt", "test_bl", "test_bbl"):
            raise ValueError(f"testset={testset!r}: expected 'test_lt', 'test_bl' or 'test_bbl'")
        self.phase, self.rand_aug, self.data_path = phase, rand_aug, data_path
        self.logger, self.cures = logger, Cures() if cures is None else cures
        self.anno_path = anno_path
        self._say(f"====== The Current Split is : {self.split}")
        self._decoder = Decoder(allow_truncated=False)
        self._read(anno_path)
        self.transform: Callable[[Any], Any] | None = transform
        info: dict[str, Any] = {"rgb_mean": rgb_mean, "rgb_std": rgb_std}
        if transform is None:
            self.transform, info["operations"] = self._published_transform(rgb_mean, rgb_std)
        self._save_info(output_path, info)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        """Picture, label, frequency, attribute (not in training), index.

        Raises:
            FileNotFoundError: there is no such crop.
            RecordError: it is no picture, or a broken one.
        """
        sample: Any = self._pixels(index)
        if not isinstance(self.transform, (TrainTransform, TestTransform)):
            sample = Image.fromarray(sample)
        if self.transform is not None:
            sample = self.transform(sample)
        label, rarity = self.labels[index], self.frequencies[index]
        if self.phase == "train":
            return sample, label, rarity, index
        return sample, label, rarity, self.attributes[index], index

    def _read(self, anno_path: str | os.PathLike[str]) -> None:
        annotation = read_annotation(anno_path, [self.split])
        if annotation.faults:
            raise annotation.faults[0]
        objects = annotation.splits[self.split]
        self._say("=====> Load dataset category info")
        self.cat2id = {name: i for i, name in enumerate(annotation.classes)}
        self.id2cat = {str(i): name for i, name in enumerate(annotation.classes)}
        self._say("=====> Load image info")
        self.img_paths = objects.paths
        if self.cures.use_data_path:
            self.img_paths = [os.path.join(self.data_path, name) for name in objects.names]
        self.labels: list[int] = objects.labels.tolist()
        self.frequencies: list[int] = objects.frequencies.tolist()
        self.attributes: list[int] = [] if self.phase == "train" else objects.attributes.tolist()

    def _published_transform(
        self, mean: Sequence[float], std: Sequence[float]
    ) -> tuple[TrainTransform | TestTransform, list[str]]:
        if self.phase != "train":
            return TestTransform(mean, std), _OPERATIONS["test"]
        if not self.rand_aug:
            self._say("============= Using normal transforms in Dataset ===========")
            return TrainTransform(mean, std), _OPERATIONS["train"]
        self._say("============= Using Rand Augmentation in Dataset ===========")
        return TrainTransform(mean, std, load_randaugment()), _OPERATIONS["augmented"]

    def _save_info(
        self, output_path: str | os.PathLike[str] | None, transform_info: dict[str, Any]
    ) -> None:
        self._say("=====> Save dataset info")
        if output_path is None:
            return
        info = {
            "transform_info": transform_info,
            "img_paths": self.img_paths,
            "labels": self.labels,
            "attributes": self.attributes,
            "frequencies": self.frequencies,
            "cat2id": self.cat2id,
            "id2cat": self.id2cat,
        }
        name = self.split if self.cures.info_per_split else self.phase
        (Path(output_path) / f"dataset_info_{name}.json").write_text(json.dumps(info))

    def _pixels(self, index: int) -> npt.NDArray[np.uint8]:
        path = self.img_paths[index]
        with open(path, "rb") as file:
            (picture,) = self._decoder.decode(*BytesBatch.from_items([file.read()]), "raw")
        if isinstance(picture, Exception):
            reason = f"{path}: {getattr(picture, 'reason', picture)}"
            record = f"{self.split}: item {index}"
            raise RecordError(os.fspath(self.anno_path), record, "path", reason, index) from picture
        return picture

    def _say(self, text: str) -> None:
        if self.logger is not None:
            self.logger.info(text)
