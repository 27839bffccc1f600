"""What a RefHCM row is, once read, and what the published model makes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from refpix.datasets import refhcm_targets as rules
from refpix.datasets.refhcm_targets import Encode, Interaction, Targets

__all__ = ["BoxFormat", "RefHCMSample", "RefHCMTargets", "make_targets"]

BoxFormat = Literal["xyxy", "xywh"]


@dataclass(frozen=True, slots=True, eq=False)
class RefHCMTargets:
    """What the published model is asked and taught for a sample.

    Attributes:
        w_resize_ratio: float32, width of the model's input over that of the picture.
        h_resize_ratio: likewise for the height.
        patch_boxes: float32 (n, 4), boxes after the resize, over ``max_image_size``: the
            person's, then those of the objects (hoi).
        bins: int64 (n, 4), the same quantised; not clamped unless asked for.
        keypoint_bins: name, x and y of the visible keypoints, quantised; None but for rkpt.
        source_text: the question, with ``<bin_k>`` for boxes.
        target_text: the answer, with ``<bin_k>`` and ``<code_k>``; names of keypoints in words.
        source_ids: int64 (tokens,) from bos to eos; None without a tokenizer.
        target_ids: int64 (tokens,) ending in eos; None when the answer has words and there is no
            tokenizer.
    """

    w_resize_ratio: np.float32
    h_resize_ratio: np.float32
    patch_boxes: npt.NDArray[np.float32]
    bins: npt.NDArray[np.int64]
    keypoint_bins: list[tuple[str, int, int]] | None
    source_text: str
    target_text: str
    source_ids: npt.NDArray[np.int64] | None
    target_ids: npt.NDArray[np.int64] | None


@dataclass(frozen=True, slots=True, eq=False)
class RefHCMSample:
    """One row of a RefHCM file. ``dataclasses.replace`` makes a changed copy.

    A record is a sample without pixels: ``image`` and ``label_map`` are None.

    Attributes:
        task: ``"rec"``, ``"rkpt"``, ``"rpar"``, ``"rhrc"`` or ``"hoi"``.
        row: 0-based row in the file.
        id: the annotation's id.
        image_id: the picture's id, or None where the task has none.
        text: the referring expression (rec, rkpt, rpar) or the caption (rhrc) as shipped; an RPar
            text of exactly ``None`` means that the box is the question. None for hoi.
        box: float32 (4,) in pixels in the dataset's ``box_format``, as shipped: neither sorted
            nor clipped to the picture.
        box_xyxy: float32 (4,), the same as x0, y0, x1, y1.
        keypoints: float32 (17, 3), x and y in pixels and visibility 1 or 0, in the order of
            ``KEYPOINT_NAMES``; the files write the point (0, 0) for invisible. None but for rkpt.
        codes: int32 (k,), parsing codes: 48 in good files = 8 rows x 6 columns over the box. None
            but for rpar.
        label_map: int32 (H, W), parsing classes, 0 is the background. None but for rpar.
        actions: what the person does with objects. None but for hoi.
        image: uint8 (H, W, 3) RGB.
        targets: the model's question and answer, where the dataset was asked for them.
    """

    task: str
    row: int
    id: str
    image_id: str | None
    text: str | None
    box: npt.NDArray[np.float32]
    box_xyxy: npt.NDArray[np.float32]
    keypoints: npt.NDArray[np.float32] | None = None
    codes: npt.NDArray[np.int32] | None = None
    label_map: npt.NDArray[np.int32] | None = field(default=None, repr=False)
    actions: tuple[Interaction, ...] | None = None
    image: npt.NDArray[np.uint8] | None = field(default=None, repr=False)
    targets: RefHCMTargets | None = None

    def to_dict(self) -> dict[str, Any]:
        """The attributes by name, those that are None left out."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value for name, value in values.items() if value is not None}


def make_targets(
    sample: RefHCMSample,
    *,
    size: int = 512,
    num_bins: int = 1000,
    max_image_size: int | None = None,
    image_size: tuple[int, int] | None = None,
    tokenizer: Encode | None = None,
    train: bool = True,
    max_src_length: int = 80,
    max_tgt_length: int = 30,
    multitask: bool = False,
    full_mask: bool = False,
    clamp: bool = False,
) -> RefHCMTargets:
    """The question and the answer of a sample, as the published training makes them.

    Args:
        sample: a sample, or a record together with ``image_size``.
        size: side of the square that the picture is resized to.
        num_bins: bins per coordinate.
        max_image_size: what boxes are divided by. None: 512, and ``size`` for rhrc, as published.
        image_size: height and width of the decoded picture; None takes the sample's image.
        tokenizer: token ids of words (leading blank included), e.g. OFA's BPE and dictionary.
        train: rhrc captions are cut for training, or stripped of punctuation for scoring.
        max_src_length: most words of an expression.
        max_tgt_length: most words of a training caption.
        multitask: the variations of the multi-task mixture: an RPar text of ``None`` is asked
            about as a word, region captions keep their ``[1, 2]`` marks.
        full_mask: the parallel variant of rpar.
        clamp: keep bins within the vocabulary; off as published.

    Raises:
        ValueError: no picture and no ``image_size``, or the box is unusable after scaling.
        IndexError: an action or object label outside the tables.
    """
    if image_size is None:
        if sample.image is None:
            raise ValueError("a record has no picture: give image_size=(height, width)")
        image_size = sample.image.shape[:2]
    height, width = image_size
    if max_image_size is None:
        max_image_size = size if sample.task == "rhrc" and not multitask else 512
    boxes = [sample.box_xyxy.tolist(), *(action.box for action in sample.actions or ())]
    patch_boxes = rules.scale_boxes(boxes, width, height, size, max_image_size)
    bins = rules.quantise(patch_boxes, num_bins, clamp=clamp)
    points = None
    if sample.keypoints is not None:
        flat = sample.keypoints[:, :2].reshape(-1)
        scaled = rules.scale_keypoints(flat, width, height, size, max_image_size)
        points = rules.keypoint_bins(scaled, num_bins, clamp=clamp)
    words = max_src_length
    lines = _lines(
        sample, bins.tolist(), points, words, max_tgt_length, train, multitask, full_mask
    )
    w_ratio, h_ratio = rules.resize_ratios(width, height, size)
    wordless = not any(piece.words for piece in lines.target)
    return RefHCMTargets(
        w_resize_ratio=w_ratio,
        h_resize_ratio=h_ratio,
        patch_boxes=patch_boxes,
        bins=bins,
        keypoint_bins=points,
        source_text=lines.source_text,
        target_text=lines.target_text,
        source_ids=None if tokenizer is None else lines.source_ids(tokenizer, num_bins=num_bins),
        target_ids=(
            lines.target_ids(tokenizer, num_bins=num_bins)
            if wordless or tokenizer is not None
            else None
        ),
    )


def _lines(
    sample: RefHCMSample,
    bins: list[list[int]],
    points: list[tuple[str, int, int]] | None,
    max_words: int,
    max_tgt_length: int,
    train: bool,
    multitask: bool,
    full_mask: bool,
) -> Targets:
    text = sample.text or ""
    codes = [] if sample.codes is None else sample.codes.tolist()
    if sample.task == "rkpt":
        return rules.rkpt_targets(text, bins[0], points or [], max_words=max_words)
    if sample.task == "rpar" and full_mask:
        return rules.rpar_full_mask_targets(text, bins[0], codes, max_words=max_words)
    if sample.task == "rpar":
        return rules.rpar_targets(
            text, bins[0], codes, max_words=max_words, condition_on_box=not multitask
        )
    if sample.task == "rhrc":
        caption = text if multitask else rules.clean_region_caption(text)
        answer = rules.region_caption_target(caption, train=train, max_words=max_tgt_length)
        return rules.rhrc_targets(answer, bins[0])
    if sample.task == "hoi":
        return rules.hoi_targets(bins, sample.actions or ())
    return rules.rec_targets(text, bins[0], max_words=max_words)
