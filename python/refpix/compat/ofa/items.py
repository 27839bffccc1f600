"""The item builders of the published program: REC, keypoints, region captions, interactions."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any

import torch

from refpix.compat.ofa import _pixels
from refpix.compat.ofa.base import Example, OFADataset, Rows
from refpix.datasets import refhcm_targets as refhcm
from refpix.types import PassOrder

__all__ = ["HOIDataset", "RHrcDataset", "RKptDataset", "RefcocoDataset"]

# Base64 text never holds a dot, so what ends in a picture's suffix is a path.
_LONGEST_PATH = 4096
_PATH = re.compile(r"[^\0]+\.(jpe?g|png|webp|bmp|gif|tiff?)\s*", re.IGNORECASE)


class RefcocoDataset(OFADataset):
    """Referring expression comprehension: rows of id, base64 picture, text, box.

    Source: RefHCM, data/mm_data/refcoco_dataset.py.
    """

    task = "rec"

    def example(self, row: Sequence[Any]) -> Example:
        """Reads a row and places it in the square picture."""
        uniq_id, picture, text, region = row
        box = refhcm.parse_box(region)
        example = self.place(uniq_id, _pixels.decode_base64(picture), [box])
        example.targets = refhcm.rec_targets(
            text, example.bins[0], prompt=self.prompt, max_words=self.max_src_length
        )
        example.extra = {"region_coord": torch.tensor(box)}
        return example


class RKptDataset(OFADataset):
    """Referring keypoints: rows of id, base64 picture, text, box, keypoints.

    Source: RefHCM, data/mm_data/rkpt_dataset.py.
    """

    task = "rkpt"
    collate_keys = (*OFADataset.collate_keys, "keypoints")

    def example(self, row: Sequence[Any]) -> Example:
        """Reads a row and places it in the square picture."""
        uniq_id, picture, text, region, points = row
        box = refhcm.parse_box(region)
        keypoints = refhcm.parse_keypoints(points)
        if len(keypoints) % 2 and len(keypoints) != 1:  # a single number passes, as published
            raise ValueError(f"{len(keypoints)} coordinates do not make keypoints")
        example = self.place(uniq_id, _pixels.decode_base64(picture), [box], keypoints)
        example.targets = refhcm.rkpt_targets(
            text,
            example.bins[0],
            refhcm.keypoint_bins(example.placed["keypoints"][0].numpy(), self.num_bins),
            prompt=self.prompt,
            max_words=self.max_src_length,
        )
        example.extra = {"region_coord": torch.tensor(box), "keypoints": torch.tensor(keypoints)}
        return example


class RHrcDataset(OFADataset):
    """Region captions: rows of id, picture, box, captions.

    The picture is base64 text or the path of a file: the published single-task program reads the
    one, its multi-task mixture the other, and here the field decides.

    Args:
        split: ``"train"``: the first words of the captions; else all of them, for scoring.
        dataset: rows of text columns in the published order.
        bpe: tokenizer.
        src_dict: dictionary.
        tgt_dict: dictionary.
        max_src_length: not used; published.
        max_tgt_length: words kept for training.
        patch_image_size: side of the square picture, and what coordinates are divided by.
        imagenet_default_mean_and_std: ImageNet's statistics instead of 0.5.
        scst: self-critical training: all captions in training, too.
        num_bins: of the vocabulary.
        pass_order: of the resize.
        image_root: what relative paths start from; by default the working directory.

    Source: RefHCM, data/mm_data/rhrc_dataset.py.
    """

    task = "rhrc"
    collate_keys = ("region_coords",)

    def __init__(
        self,
        split: str,
        dataset: Rows,
        bpe: Any,
        src_dict: Any,
        tgt_dict: Any = None,
        max_src_length: int = 128,
        max_tgt_length: int = 30,
        patch_image_size: int = 224,
        imagenet_default_mean_and_std: bool = False,
        scst: bool = False,
        num_bins: int = 1000,
        *,
        pass_order: PassOrder = "auto",
        image_root: str | os.PathLike[str] = "",
    ) -> None:
        super().__init__(
            split,
            dataset,
            bpe,
            src_dict,
            tgt_dict,
            max_src_length,
            max_tgt_length,
            patch_image_size,
            imagenet_default_mean_and_std,
            num_bins,
            max_image_size=patch_image_size,
            pass_order=pass_order,
        )
        self.scst = scst
        self.image_root = image_root

    def example(self, row: Sequence[Any]) -> Example:
        """Reads a row and places it in the square picture."""
        uniq_id, picture, region, captions = row
        box = refhcm.parse_box(region)
        example = self.place(uniq_id, self._picture(picture), [box])
        answer = self.answer(captions)
        example.targets = refhcm.rhrc_targets(answer, example.bins[0], prompt=self.prompt)
        example.extra = {"region_coord": torch.tensor(box)}
        return example

    def answer(self, captions: str) -> str:
        """What the model shall say."""
        return refhcm.region_caption_target(
            self.process_caption(captions),
            train=self.split == "train" and not self.scst,
            max_words=self.max_tgt_length,
        )

    def process_caption(self, caption: str) -> str:
        """See ``refpix.datasets.refhcm_targets.clean_region_caption``."""
        return refhcm.clean_region_caption(caption)

    def ratios(self, example: Example) -> dict[str, torch.Tensor]:
        """Nothing: published items of this task lack them."""
        return {}

    def _picture(self, field: str) -> _pixels.Pixels:
        if len(field) <= _LONGEST_PATH and _PATH.fullmatch(field):
            return _pixels.decode_file(os.path.join(self.image_root, field.strip()))
        return _pixels.decode_base64(field)


class HOIDataset(OFADataset):
    """Human-object interaction: rows of id, base64 picture, box, actions.

    Source: RefHCM, data/mm_data/hoi_dataset.py.
    """

    task = "hoi"
    collate_keys = (
        "w_resize_ratios",
        "h_resize_ratios",
        "target_boxes",
        "target_action_labels",
        "target_obj_labels",
    )

    def __init__(self, split: str, dataset: Rows, bpe: Any, *args: Any, **options: Any) -> None:
        if type(bpe).__name__ == "BertBPE":
            raise NotImplementedError("there is no Chinese prompt for this task")
        super().__init__(split, dataset, bpe, *args, **options)

    def example(self, row: Sequence[Any]) -> Example:
        """Reads a row and places it in the square picture."""
        uniq_id, picture, region, actions = row
        interactions = refhcm.parse_actions(actions)
        boxes = [refhcm.parse_box(region), *(one.box for one in interactions)]
        objects = [-1, *(one.object for one in interactions)]
        rgb = _pixels.decode_base64(picture)
        example = self.place(uniq_id, rgb, boxes, labels=objects)
        example.targets = refhcm.hoi_targets(example.bins, interactions, prompt=self.prompt)
        example.extra = {
            "target_boxes": torch.tensor(boxes),
            "target_obj_labels": torch.tensor(objects),
            "target_action_labels": torch.tensor([0, *(one.action for one in interactions)]),
        }
        return example
