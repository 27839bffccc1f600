"""What the item builders of the published program share."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
import torch

from refpix.compat._transforms import resized
from refpix.compat.ofa import _pixels
from refpix.compat.ofa.collate import collate
from refpix.compat.ofa.file_dataset import FileDataset
from refpix.compat.ofa.transforms import Compose, Normalize, RandomResize, ToTensor
from refpix.datasets import refhcm_targets as refhcm
from refpix.types import PassOrder

if TYPE_CHECKING:
    _Base = torch.utils.data.Dataset[Any]
else:
    # fairseq's iterators insist on their own class. A program that uses them has imported it.
    _fairseq = sys.modules.get("fairseq.data")
    _Base = _fairseq.FairseqDataset if _fairseq else torch.utils.data.Dataset

__all__ = ["Example", "OFADataset", "Rows"]

IMAGENET_DEFAULT_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEFAULT_STD = (0.229, 0.224, 0.225)

#: Prompts of the Chinese model, whose tokenizer is called BertBPE.
BERT_PROMPTS: dict[refhcm.Task, str] = {
    "rec": '这段文字" {} "描述的是哪个区域？',
    "rkpt": '这段文字" {} "描述的是哪个人？提供他/她的边界框和关键点',
    "rpar": '这段文字" {} "描述的是哪个人？提供他/她的边界框和人体解析图.',
    "rpar_full_mask": '这段文字" {} "描述的是哪个人？提供他/她的边界框和人体解析图.',
    # One word without blanks: split into words it holds no "{}", so the box never gets in.
    "rhrc": "区域{}描述了什么内容?",
}


class Rows(Protocol):
    """What the builders read from: a ``FileDataset`` or any sequence of its rows."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> Sequence[Any]: ...


#: What a bad row raises: broken fields, labels off the table, pictures, and torch on odd shapes.
_ROW_FAULTS = (ValueError, IndexError, OSError, RuntimeError)


@dataclass
class Example:
    """A row, read and placed: what an item is made of.

    Attributes:
        id: of the row.
        rgb: the decoded picture, uint8 (H, W, 3).
        patch_image: the square one, float32 (3, S, S), normalised.
        placed: target of the positioning transform: ``boxes`` float32 (n, 4) and ``keypoints``
            float32 (1, k) in fractions, ``area``, ``size``.
        bins: of the boxes, (n, 4).
        w_resize_ratio: float32 (), width of the square over the picture's.
        h_resize_ratio: float32 (), height of the square over the picture's.
        targets: question and answer.
        extra: further entries of the item.
    """

    id: str
    rgb: npt.NDArray[np.uint8]
    patch_image: torch.Tensor
    placed: dict[str, Any]
    bins: list[list[int]]
    w_resize_ratio: torch.Tensor
    h_resize_ratio: torch.Tensor
    targets: refhcm.Targets = field(default_factory=lambda: refhcm.Targets((), ()))
    extra: dict[str, Any] = field(default_factory=dict)


class OFADataset(_Base):
    """What all builders share: tokens, the positioning transform, and reading a row.

    Items are dictionaries of tensors as published; ``describe`` gives the same row in NumPy
    and plain text, and needs neither tokenizer nor dictionary.

    Args:
        split: ``"train"`` or another; only region captions differ.
        dataset: rows of text columns in the published order.
        bpe: tokenizer with ``encode``; one whose class is called BertBPE gets Chinese prompts.
        src_dict: dictionary: ids of begin, padding and end.
        tgt_dict: dictionary that all lines are encoded with, questions too, as published.
        max_src_length: words kept of a referring expression.
        max_tgt_length: words kept of a region caption.
        patch_image_size: side of the square that pictures become, pixels.
        imagenet_default_mean_and_std: ImageNet's statistics instead of 0.5.
        num_bins: of the vocabulary.
        max_image_size: what coordinates are divided by.
        pass_order: of the resize: which Pillow's pixels to give.

    Source: RefHCM, data/ofa_dataset.py.
    """

    task: ClassVar[refhcm.Task]
    collate_keys: ClassVar[tuple[str, ...]] = (
        "w_resize_ratios",
        "h_resize_ratios",
        "region_coords",
    )

    def __init__(
        self,
        split: str,
        dataset: Rows,
        bpe: Any,
        src_dict: Any,
        tgt_dict: Any = None,
        max_src_length: int = 80,
        max_tgt_length: int = 30,
        patch_image_size: int = 512,
        imagenet_default_mean_and_std: bool = False,
        num_bins: int = 1000,
        max_image_size: int = 512,
        *,
        pass_order: PassOrder = "auto",
    ) -> None:
        self.split = split
        self.dataset = dataset
        self.bpe = bpe
        self.src_dict = src_dict
        self.tgt_dict = tgt_dict
        self.bos = src_dict.bos() if src_dict is not None else refhcm.BOS
        self.eos = src_dict.eos() if src_dict is not None else refhcm.EOS
        self.pad = src_dict.pad() if src_dict is not None else refhcm.PAD
        self.bos_item = torch.LongTensor([self.bos])
        self.eos_item = torch.LongTensor([self.eos])
        self.max_src_length = max_src_length
        self.max_tgt_length = max_tgt_length
        self.patch_image_size = patch_image_size
        self.num_bins = num_bins
        self.pass_order: PassOrder = pass_order
        chinese = type(bpe).__name__ == "BertBPE"
        self.prompt = BERT_PROMPTS[self.task] if chinese else refhcm.PROMPTS[self.task]
        mean = IMAGENET_DEFAULT_MEAN if imagenet_default_mean_and_std else (0.5, 0.5, 0.5)
        std = IMAGENET_DEFAULT_STD if imagenet_default_mean_and_std else (0.5, 0.5, 0.5)
        self.positioning_transform = Compose(
            [
                RandomResize([patch_image_size], max_size=patch_image_size, order=pass_order),
                ToTensor(),
                Normalize(mean=mean, std=std, max_image_size=max_image_size),
            ]
        )

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        row = self.dataset[index]
        try:
            return self.build(row)
        except _ROW_FAULTS as e:
            self._blame_row(index, e)
            raise

    def build(self, row: Sequence[Any]) -> dict[str, Any]:
        """The item of a row that was read elsewhere."""
        return self.item(self.example(row))

    def describe(self, index: int) -> dict[str, Any]:
        """A row step by step, in NumPy and plain text, without a tokenizer.

        Returns:
            ``id``, ``width`` and ``height`` (of the decoded picture), ``rgb`` (decoded, uint8
            HWC), ``u8`` (resized, uint8 HWC), ``patch_image`` (float32 CHW), ``patch_boxes``
            (float32 (n, 4), fractions), ``w_resize_ratio``, ``h_resize_ratio``, ``source_text``,
            ``target_text`` (what is handed to the tokenizer, words in plain), ``target_ids``
            where the answer has no words, and what items of the task hold beside the tokens.
        """
        row = self.dataset[index]
        try:
            example = self.example(row)
        except _ROW_FAULTS as e:
            self._blame_row(index, e)
            raise
        side = self.patch_image_size
        height, width = example.rgb.shape[:2]
        described = {
            "id": example.id,
            "width": width,
            "height": height,
            "rgb": example.rgb,
            "u8": resized(example.rgb, (side, side), "bicubic", self.pass_order),
            "patch_image": example.patch_image.numpy(),
            "patch_boxes": example.placed["boxes"].numpy(),
            "w_resize_ratio": float(example.w_resize_ratio),
            "h_resize_ratio": float(example.h_resize_ratio),
            "source_text": example.targets.source_text,
            "target_text": example.targets.target_text,
        }
        if "keypoints" in example.placed:
            described["patch_keypoints"] = example.placed["keypoints"].numpy().ravel()
        if not any(piece.words for piece in example.targets.target):
            described["target_ids"] = example.targets.target_ids(num_bins=self.num_bins)
        return described | {
            key: value.numpy() if isinstance(value, torch.Tensor) else value
            for key, value in example.extra.items()
        }

    def example(self, row: Sequence[Any]) -> Example:
        """Reads a row and places it in the square picture."""
        raise NotImplementedError

    def place(
        self,
        id: str,
        rgb: _pixels.Pixels,
        boxes: Sequence[Sequence[float]],
        keypoints: Sequence[float] | None = None,
        labels: Sequence[int] = (0,),
    ) -> Example:
        """Puts a picture and its coordinates through the positioning transform.

        Args:
            id: of the row.
            rgb: uint8 (H, W, 3).
            boxes: (n, 4), xyxy in pixels.
            keypoints: x and y in turn, in pixels.
            labels: of the boxes; the transform does not read them.
        """
        height, width = rgb.shape[:2]
        target = {
            "boxes": torch.tensor(boxes),
            "labels": np.array(labels),
            "area": torch.tensor([(x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in boxes]),
            "size": torch.tensor([height, width]),
        }
        if keypoints is not None:
            target["keypoints"] = torch.tensor([keypoints])
        patch_image, placed = self.positioning_transform(rgb, target)
        assert placed is not None
        bins = refhcm.quantise(placed["boxes"].numpy(), self.num_bins).tolist()
        return Example(
            id=id,
            rgb=rgb,
            patch_image=patch_image,
            placed=placed,
            bins=bins,
            w_resize_ratio=placed["size"][1] / width,
            h_resize_ratio=placed["size"][0] / height,
        )

    def item(self, example: Example) -> dict[str, Any]:
        """The published item: tensors to be collated."""
        targets = example.targets
        source = self.encode_pieces(targets.source)
        target = self.encode_pieces(targets.target)
        previous = target if targets.previous is None else self.encode_pieces(targets.previous)
        if targets.pad_at is not None:
            slot = torch.tensor([self.pad])
            target = torch.cat([target[: targets.pad_at], slot, target[targets.pad_at :]])
        return {
            "id": example.id,
            "source": torch.cat([self.bos_item, source, self.eos_item]),
            "patch_image": example.patch_image,
            "patch_mask": torch.tensor([True]),
            "target": torch.cat([target, self.eos_item]),
            "prev_output_tokens": torch.cat([self.bos_item, previous]),
            **self.ratios(example),
            **example.extra,
        }

    def ratios(self, example: Example) -> dict[str, torch.Tensor]:
        """The entries of an item that say how much the picture was stretched."""
        return {
            "w_resize_ratio": example.w_resize_ratio,
            "h_resize_ratio": example.h_resize_ratio,
        }

    def encode_pieces(self, pieces: Iterable[refhcm.Piece]) -> torch.Tensor:
        """Token ids of a line, int64 (n,): its words through the tokenizer first."""
        line = [self.bpe.encode(piece.text) if piece.words else piece.text for piece in pieces]
        return self.encode_text(" ".join(line), use_bpe=False)

    def encode_text(
        self,
        text: str,
        length: int | None = None,
        append_bos: bool = False,
        append_eos: bool = False,
        use_bpe: bool = True,
    ) -> torch.Tensor:
        """Token ids of a text.

        Args:
            text: words, or with ``use_bpe=False`` pieces between blanks.
            length: keep so many ids.
            append_bos: put begin in front.
            append_eos: put end behind.
            use_bpe: whether the tokenizer has still to see it.
        """
        line = self.bpe.encode(text) if use_bpe else text
        ids = self.tgt_dict.encode_line(line=line, add_if_not_exist=False, append_eos=False).long()
        before = [self.bos_item] if append_bos else []
        after = [self.eos_item] if append_eos else []
        return torch.cat([*before, ids[:length], *after])

    def pre_question(self, question: str, max_ques_words: int | None = None) -> str:
        """See ``refpix.datasets.refhcm_targets.pre_question``."""
        return refhcm.pre_question(question, max_ques_words)

    def pre_caption(self, caption: str, max_words: int | None = None) -> str:
        """See ``refpix.datasets.refhcm_targets.pre_caption``."""
        return refhcm.pre_caption(caption, max_words)

    def collater(self, samples: Sequence[Any], pad_to_length: Any = None) -> dict[str, Any]:
        """Merges items into a mini-batch; see ``collate``. ``pad_to_length`` is not used."""
        return collate(samples, pad_idx=self.pad, eos_idx=self.eos, keys=self.collate_keys)

    def set_epoch(self, epoch: int, **unused: Any) -> None:
        """Called by trainers; only the multi-task mixture wants to know."""

    def _blame_row(self, index: int, error: Exception) -> None:
        """Raises the error anew with file, row and byte, where the reader can tell them."""
        if isinstance(self.dataset, FileDataset) and self.dataset.random_access:
            raise self.dataset.row_error(index, str(error)) from error
