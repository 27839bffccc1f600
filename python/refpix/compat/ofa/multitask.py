"""The multi-task mixture of the published program."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import torch

from refpix.compat.ofa.base import Example, OFADataset, Rows
from refpix.compat.ofa.items import RefcocoDataset, RHrcDataset, RKptDataset
from refpix.compat.ofa.rpar import RParDataset
from refpix.datasets import refhcm_targets as refhcm
from refpix.types import PassOrder

__all__ = ["MultiTaskDataset"]


class MultiTaskDataset(OFADataset):
    """One item is the next row of each file: keypoints, parsing, region caption.

    The index is ignored, and the REC file only gives the length: the other tasks' answers hold
    what it would teach. ``set_epoch`` must be called before the first item.

    Args:
        split: of the REC file; not used.
        dataset: rows of the REC file.
        bpe: tokenizer.
        src_dict: dictionary.
        tgt_dict: dictionary.
        max_src_length: words kept of a referring expression.
        max_tgt_length: words kept of a region caption.
        patch_image_size: side of the square that pictures become, pixels.
        imagenet_default_mean_and_std: ImageNet's statistics instead of 0.5.
        num_bins: of the vocabulary.
        max_image_size: what coordinates are divided by, those of region captions too.
        refpose_dataset: rows of id, base64 picture, text, box, keypoints; None leaves them out.
        refparsing_dataset: rows of id, picture path, text, box, codes, label map path, or None.
        regcaption_dataset: rows of id, picture (path, or base64 text), box, caption, or None.
        seed: published; nothing is drawn here.
        pass_order: of the resize.
        anno_root: folder of the parsing pictures; None takes ``rpar.root_anno_path``.
        image_root: what relative paths of the caption file start from.
        by_index: the cure: the item with index i is made of row i of each file, files that are
            shorter than the REC file starting again. Wants readers with random access.

    Source: RefHCM, data/mm_data/multitask_dataset.py.
    """

    task = "rec"

    def __init__(
        self,
        split: str,
        dataset: Rows,
        bpe: Any,
        src_dict: Any,
        tgt_dict: Any = None,
        max_src_length: int = 100,
        max_tgt_length: int = 100,
        patch_image_size: int = 512,
        imagenet_default_mean_and_std: bool = False,
        num_bins: int = 1000,
        max_image_size: int = 512,
        refpose_dataset: Rows | None = None,
        refparsing_dataset: Rows | None = None,
        regcaption_dataset: Rows | None = None,
        seed: int = 7,
        *,
        pass_order: PassOrder = "auto",
        anno_root: str | os.PathLike[str] | None = None,
        image_root: str | os.PathLike[str] = "",
        by_index: bool = False,
    ) -> None:
        options: dict[str, Any] = {
            "max_src_length": max_src_length,
            "max_tgt_length": max_tgt_length,
            "patch_image_size": patch_image_size,
            "imagenet_default_mean_and_std": imagenet_default_mean_and_std,
            "num_bins": num_bins,
            "pass_order": pass_order,
        }
        super().__init__(
            split, dataset, bpe, src_dict, tgt_dict, max_image_size=max_image_size, **options
        )
        self.seed = seed
        self.by_index = by_index
        self.refpose_dataset = refpose_dataset
        self.refparsing_dataset = refparsing_dataset
        self.regcaption_dataset = regcaption_dataset
        tokens = bpe, src_dict, tgt_dict
        sized = options | {"max_image_size": max_image_size}
        self.rec = RefcocoDataset(split, dataset, *tokens, **sized)
        self.rkpt = _Keypoints(split, refpose_dataset or (), *tokens, **sized)
        self.rpar = _Parsing(split, refparsing_dataset or (), *tokens, anno_root=anno_root, **sized)
        self.rhrc = _Captions(
            split, regcaption_dataset or (), *tokens, image_root=image_root, **options
        )
        self.rhrc.positioning_transform = self.positioning_transform
        for part in (self.rec, self.rkpt, self.rpar, self.rhrc):
            part.prompt = refhcm.PROMPTS[part.task]  # English whatever the tokenizer

    def set_epoch(self, epoch: int, **unused: Any) -> None:
        """Must be called before the first item, as published."""
        self.epoch = epoch

    def __getitem__(self, index: int) -> list[dict[str, Any]]:
        if not hasattr(self, "epoch"):
            raise AttributeError("call set_epoch before reading the multi-task mixture")
        samples = self.process_rkpt(index) if self.refpose_dataset else []
        samples += self.process_rpar(index) if self.refparsing_dataset else []
        samples += self.process_rhrc(index) if self.regcaption_dataset else []
        return samples

    def process_rec(self, index: int) -> list[dict[str, Any]]:
        """The REC item of the next row (in a list); items of the mixture do without."""
        return [self.rec.build(self.dataset[index])]

    def process_rkpt(self, index: int) -> list[dict[str, Any]]:
        """The keypoint item of the next row, in a list."""
        return [self.rkpt.build(self._row(self.refpose_dataset, index))]

    def process_rpar(self, index: int) -> list[dict[str, Any]]:
        """The parsing item of the next row, in a list."""
        return [self.rpar.build(self._row(self.refparsing_dataset, index))]

    def process_rhrc(self, index: int) -> list[dict[str, Any]]:
        """The region caption item of the next row, in a list."""
        return [self.rhrc.build(self._row(self.regcaption_dataset, index))]

    def _row(self, rows: Rows | None, index: int) -> Sequence[Any]:
        if rows is None:
            raise ValueError("the mixture was given no file for this task")
        return rows[index % len(rows) if self.by_index else 0]

    def collater(self, samples: Sequence[Any], pad_to_length: Any = None) -> dict[str, Any]:
        """Merges items, each a list, into a mini-batch. ``pad_to_length`` is not used."""
        return super().collater([one for sample in samples for one in sample])


class _Keypoints(RKptDataset):
    """Keypoint items without the pixel coordinates."""

    def item(self, example: Example) -> dict[str, Any]:
        example.extra.pop("keypoints")
        return super().item(example)


class _Parsing(RParDataset):
    """Parsing items without codes and label map, and without the rule for "None"."""

    def ask(self, text: str, bins: list[int], codes: list[int]) -> refhcm.Targets:
        return refhcm.rpar_targets(
            text,
            bins,
            codes,
            prompt=self.prompt,
            max_words=self.max_src_length,
            condition_on_box=False,
        )

    def parsing(self, codes: list[int], label_map: str) -> dict[str, torch.Tensor]:
        return {}


class _Captions(RHrcDataset):
    """Region caption items with ratios, whose captions keep their marks."""

    def answer(self, captions: str) -> str:
        return refhcm.region_caption_target(captions, train=True, max_words=self.max_tgt_length)

    def ratios(self, example: Example) -> dict[str, torch.Tensor]:
        return OFADataset.ratios(self, example)
