"""The parsing item builders of the published program: code by code, and all codes at once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch

from refpix.compat.ofa import _pixels
from refpix.compat.ofa.base import Example, OFADataset, Rows
from refpix.datasets import refhcm_targets as refhcm

__all__ = [
    "PARSING_BEGIN_ID",
    "PARSING_BEGIN_TOKEN",
    "PARSING_END_ID",
    "PARSING_END_TOKEN",
    "PARSING_PLACEHOLDER_IDS",
    "PARSING_PLACEHOLDER_TOKENS",
    "RParDataset",
    "RParDatasetFullMask",
    "root_anno_path",
]

#: Folder of ``imgs/`` and ``gts/`` for builders that are not told one. Assign to this module's.
root_anno_path: str | os.PathLike[str] = "../../dataset/rpar/annos"

PARSING_BEGIN_TOKEN = refhcm.code_tokens([refhcm.PARSING_BEGIN])
PARSING_END_TOKEN = refhcm.code_tokens([refhcm.PARSING_END])
PARSING_PLACEHOLDER_TOKENS = refhcm.code_tokens(refhcm.PARSING_QUERIES)
PARSING_BEGIN_ID = refhcm.CODE_0 + refhcm.PARSING_BEGIN
PARSING_END_ID = refhcm.CODE_0 + refhcm.PARSING_END
PARSING_PLACEHOLDER_IDS = [refhcm.CODE_0 + code for code in refhcm.PARSING_QUERIES]

#: Label maps become so many pixels high and wide, whatever the size of the pictures.
_MAP_SIZE = (512, 512)


class RParDataset(OFADataset):
    """Referring parsing: rows of id, picture path, text, box, codes, label map path.

    A row whose text is exactly "None" asks about its box instead.

    Args:
        split: not used; published.
        dataset: rows of text columns in the published order.
        bpe: tokenizer.
        src_dict: dictionary.
        tgt_dict: dictionary.
        *args: ``max_src_length`` and so on, as for all builders.
        anno_root: folder of ``imgs/`` and ``gts/``; None takes this module's ``root_anno_path``
            whenever a row is read.
        **options: as for all builders.

    Source: RefHCM, data/mm_data/rpar_dataset.py.
    """

    task: ClassVar[refhcm.Task] = "rpar"
    collate_keys = ("text", *OFADataset.collate_keys, "parsing_codes", "gt")

    def __init__(
        self,
        split: str,
        dataset: Rows,
        bpe: Any,
        src_dict: Any,
        tgt_dict: Any = None,
        *args: Any,
        anno_root: str | os.PathLike[str] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(split, dataset, bpe, src_dict, tgt_dict, *args, **options)
        self.anno_root = anno_root

    def example(self, row: Sequence[Any]) -> Example:
        """Reads a row and places it in the square picture."""
        uniq_id, picture, text, region, code_text, label_map = row
        box = refhcm.parse_box(region)
        codes = refhcm.parse_codes(code_text)
        rgb = _pixels.decode_file(self._path("imgs/", picture))
        example = self.place(uniq_id, rgb, [box])
        example.targets = self.ask(text, example.bins[0], codes)
        example.extra = {"text": text, "region_coord": torch.tensor(box)}
        example.extra |= self.parsing(codes, label_map)
        return example

    def ask(self, text: str, bins: list[int], codes: list[int]) -> refhcm.Targets:
        """Question and answer."""
        return refhcm.rpar_targets(
            text, bins, codes, prompt=self.prompt, max_words=self.max_src_length
        )

    def parsing(self, codes: list[int], label_map: str) -> dict[str, torch.Tensor]:
        """The entries of an item that hold codes, int64 (k,), and labels, int32 (512, 512)."""
        labels = np.load(self._path("gts/", label_map))
        return {
            "parsing_code": torch.tensor(codes),
            "gt": torch.from_numpy(_pixels.zoom_labels(labels, _MAP_SIZE)),
        }

    def _path(self, folder: str, name: str) -> str:
        root = root_anno_path if self.anno_root is None else self.anno_root
        return os.path.join(root, folder, name)


class RParDatasetFullMask(RParDataset):
    """Referring parsing with all 48 codes predicted at once; "None" is a text like any other.

    Source: RefHCM, data/mm_data/rpar_dataset_full_mask.py.
    """

    task = "rpar_full_mask"
    collate_keys = (*RParDataset.collate_keys, "full_mask_position")

    def ask(self, text: str, bins: list[int], codes: list[int]) -> refhcm.Targets:
        """Question, answer and queries."""
        return refhcm.rpar_full_mask_targets(
            text, bins, codes, prompt=self.prompt, max_words=self.max_src_length
        )
