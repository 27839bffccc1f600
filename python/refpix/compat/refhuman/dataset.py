"""The dataset as its published class: pictures and targets as tensors, train and val."""

from __future__ import annotations

import logging
import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from refpix.compat.refhuman import _masks, _pixels
from refpix.compat.refhuman import transforms as T
from refpix.compat.refhuman.cures import Cures
from refpix.compat.refhuman.prepare import BadScribbles, prepare
from refpix.datasets._images import Decoder
from refpix.datasets.refhuman_json import Cache, read_annotations
from refpix.datasets.refhuman_layout import find_images
from refpix.errors import ImageError, RecordError
from refpix.types import PIXEL_LIMIT, PassOrder

__all__ = ["CocoDetection", "RefHuman", "build", "make_coco_transforms"]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

_SCALES = (360, 392, 416, 480, 512, 544, 576, 608, 640)
_MAX_SIZE = 640
_LOG = logging.getLogger(__name__)


class RefHuman(torch.utils.data.Dataset[Any]):
    """Items as published: (float32 (3, H, W), target), to the bit.

    The published program fails on some records, and in its last state on every item of val (it
    looks up a counter that it never makes; here it is the number of records that name the file).
    Such records give sane items: every picture becomes RGB, nobody left gives empty tensors (in
    training another picture), no scribble gives no ``scribble`` key, compressed run lengths and
    polygons of two points are masks like others.

    Args:
        root_path: folder of ``RefHuman_<split>.json`` and ``images``.
        image_set: ``"train"``; anything else is val.
        transforms: called with (picture, target); the picture is uint8 (H, W, 3) RGB. None
            gives picture and target as they are.
        return_masks: accepted as published; masks are always there.
        cures: which quirks not to have.
        bad_scribbles: a scribble leaves its mask: ``"omit"`` logs it and gives an item without
            ``scribble``, ``"keep"`` gives it all the same, ``"raise"`` is a `RecordError`.
        published_errors: raise wherever the published program fails, with errors of its types.
        on_error: as for `refpix.datasets.RefHuman`.
        allow_truncated: keep what arrived of pictures whose data ends early; as published, they
            are errors.
        pixel_limit: most pixels of a picture.
        cache: as for `refpix.datasets.RefHuman`.

    Attributes:
        all_imgIds: ids of the items, ascending.
        mode: ``"train"`` or ``"val"``.
        img_folder: where the pictures lie.
        obj_num_counter: file name -> number of records.
        faults: malformed records that were left out.

    Source: RefHuman, datasets/refhuman.py.
    """

    def __init__(
        self,
        root_path: str | os.PathLike[str],
        image_set: str,
        transforms: Callable[[Any, Any], tuple[Any, Any]] | None,
        return_masks: bool = True,
        *,
        cures: Cures | None = None,
        bad_scribbles: BadScribbles = "omit",
        published_errors: bool = False,
        on_error: Literal["raise", "report"] = "raise",
        allow_truncated: bool = False,
        pixel_limit: int | None = PIXEL_LIMIT,
        cache: Cache = "auto",
    ) -> None:
        super().__init__()
        if bad_scribbles not in ("omit", "keep", "raise"):
            raise ValueError(f"bad_scribbles={bad_scribbles!r}: expected omit, keep or raise")
        self.mode = "train" if image_set == "train" else "val"
        self.img_folder = Path(root_path) / "images"
        self.cures = Cures() if cures is None else cures
        self.bad_scribbles: BadScribbles = bad_scribbles
        self.published_errors = published_errors
        self.decoder = Decoder(allow_truncated, pixel_limit)
        path = Path(root_path) / f"RefHuman_{self.mode}.json"
        self.annotations, self.faults = read_annotations(path, cache=cache)
        if self.faults and on_error == "raise":
            raise self.faults[0]
        self.tree = find_images(Path(root_path), None)
        self._transforms = transforms
        self._takes_runs = type(transforms) is T.Compose and transforms.takes_runs
        self._reported: set[int] = set()
        known = self.annotations
        count = len(known["image_id"])
        self._rows = np.arange(count)
        if self.mode == "train":
            labelled = np.zeros(count, np.int64)
            np.add.at(labelled, known["image"], known["num_keypoints"])
            self._rows = np.flatnonzero(labelled)
        self.all_imgIds: list[int] = known["image_id"][self._rows].tolist()
        self.obj_num_counter = Counter(known.text("file_name", row) for row in range(count))
        _LOG.info("%s: %d items", path, len(self))

    def __len__(self) -> int:
        return len(self.all_imgIds)

    def __getitem__(self, idx: int) -> tuple[Any, dict[str, Any]]:
        if not -len(self) <= idx < len(self):
            raise IndexError(f"no item {idx} among {len(self)}")
        while True:
            image, target = self._item(int(self._rows[idx]))
            if self.mode != "train" or len(target["boxes"]):
                return image, target
            idx = random.randint(0, len(self) - 1)

    def _item(self, row: int) -> tuple[Any, dict[str, Any]]:
        known = self.annotations
        name = known.text("file_name", row)
        picture: Any = self._picture(row, name)
        training = self.mode == "train"
        before = prepare(
            known,
            row,
            picture.shape[:2],
            training=training,
            cures=self.cures,
            bad_scribbles=self.bad_scribbles,
            published_errors=self.published_errors,
            reported=self._reported,
        )
        target = before.copy()
        somebody = _masks.count(before["masks"]) > 0
        if not (somebody and training and self._takes_runs):
            nobody = torch.zeros((0, *picture.shape[:2]), dtype=torch.uint8)
            before["masks"] = _masks.to_tensor(before["masks"]) if somebody else nobody
        if not (somebody and self._takes_runs):
            target["masks"] = before["masks"]
        if self._transforms is not None:
            picture, target = self._transforms(picture, target)
        target["masks"] = _masks.to_tensor(target["masks"], "bool")
        if training:
            return picture, target
        target["img_name"] = name
        for key in ("keypoints", "boxes", "area"):
            target[f"origin_{key}"] = before[key]
        target["origin_mask"] = before["masks"]
        if "scribble" in before or self.published_errors:
            target["origin_scribble"] = before["scribble"]
        target["img_obj_num"] = self.obj_num_counter[name]
        return picture, target

    def _picture(self, row: int, name: str) -> Any:
        try:
            return _pixels.decode(
                self.tree.read(name),
                self.decoder,
                palette_colours=self.cures.palette_colours,
                published_errors=self.published_errors,
            )
        except (OSError, ImageError) as e:
            record = f"image {self.annotations['image_id'][row]}"
            missing = isinstance(e, FileNotFoundError)
            reason = "no such file" if missing else getattr(e, "reason", str(e))
            where = f"{self.tree.locate(name)}: {reason}"
            raise RecordError(str(self.annotations.path), record, "file_name", where) from e


#: The class's name in the repository's later state.
CocoDetection = RefHuman


def make_coco_transforms(
    image_set: str, args: Any = None, *, order: PassOrder = "auto", cures: Cures | None = None
) -> T.Compose:
    """The published transforms.

    Args:
        image_set: ``"train"``, ``"val"`` or ``"test"``.
        args: accepted as published; nothing is read from it.
        order: of the resize's passes: which Pillow's pixels to give.
        cures: which quirks not to have.

    Raises:
        ValueError: another split.
    """
    cures = Cures() if cures is None else cures
    normalise = T.Compose([T.ToTensor(), T.Normalize(IMAGENET_MEAN, IMAGENET_STD, cures=cures)])

    def scaled(sizes: tuple[int, ...], max_size: int | None = _MAX_SIZE) -> T.RandomResize:
        return T.RandomResize(sizes, max_size, order=order, cures=cures)

    if image_set == "train":
        cropped = T.Compose(
            [
                scaled((400, 500, 600), None),
                T.RandomSizeCrop(384, 600, cures=cures),
                scaled(_SCALES),
            ]
        )
        return T.Compose(
            [
                T.RandomHorizontalFlip(cures=cures),
                T.RandomSelect(scaled(_SCALES), cropped),
                *normalise.transforms,
            ]
        )
    if image_set in ("val", "test"):
        return T.Compose([scaled((max(_SCALES),)), *normalise.transforms])
    raise ValueError(f"unknown image_set {image_set!r}: expected train, val or test")


def build(
    image_set: str,
    args: Any,
    *,
    order: PassOrder = "auto",
    cures: Cures | None = None,
    **options: Any,
) -> RefHuman:
    """The dataset as the published program builds it.

    Args:
        image_set: ``"train"``, ``"val"`` or ``"test"`` (which is val's file).
        args: with ``coco_path``, the dataset's folder.
        order: of the resize's passes.
        cures: which quirks not to have.
        options: further ones of `RefHuman`.
    """
    transforms = make_coco_transforms(image_set, args, order=order, cures=cures)
    return RefHuman(args.coco_path, image_set, transforms, cures=cures, **options)
