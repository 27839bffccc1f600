"""One sample of RefHuman: a picture, whom is referred to, and how."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from refpix import masks
from refpix._order import random_bits
from refpix.datasets.refhuman_json import Segmentation
from refpix.errors import RecordError
from refpix.kernels import rle_area

__all__ = [
    "EVALUATED_POINT",
    "PROMPTS",
    "BoxFormat",
    "Prompt",
    "PromptKind",
    "RefHumanSample",
    "rasterize",
]

BoxFormat = Literal["xyxy", "xywh"]
PromptKind = Literal["text", "point", "scribble"]

#: The ways to say who is meant.
PROMPTS: tuple[PromptKind, ...] = ("text", "point", "scribble")

#: Which point of a scribble the published evaluation takes as the point prompt.
EVALUATED_POINT = 5
#: Training draws from these, both included.
_TRAINED_POINTS = (4, 7)


@dataclass(frozen=True)
class Prompt:
    """How a person is referred to.

    Attributes:
        kind: which of the others it is.
        text: the caption, for ``"text"``.
        points: int64 (k, 2), x and y in pixels: one for ``"point"``, 12 for ``"scribble"``.
    """

    kind: PromptKind
    text: str | None = None
    points: npt.NDArray[np.int64] | None = None


def rasterize(segmentation: Segmentation, size: tuple[int, int]) -> dict[str, Any]:
    """The RLE of a stored segmentation in a picture of a size (height, width).

    Raises:
        RleError: malformed run lengths, or some that do not fit the size.
    """
    rle = masks.rasterize(segmentation, *size)
    if isinstance(segmentation, dict):
        rle_area(*masks.from_coco([rle]))  # which checks that the runs cover the picture
    return rle


@dataclass(frozen=True)
class RefHumanSample:
    """A picture's record with its annotations, usually one person's.

    Attributes:
        index: of the sample in its dataset.
        image_id: of the picture's record.
        file_name: as in the record; several records may name the same file.
        caption: the referring expression; None where the record has none.
        size: height and width in pixels, as recorded.
        annotation_ids: int64 (n,).
        category_ids: int64 (n,).
        boxes: float64 (n, 4), pixels, in ``box_format``.
        box_format: ``"xyxy"`` or ``"xywh"`` (as stored).
        keypoints: float64 (n, 17, 3), x, y in pixels and COCO's flag: 0 not labelled, 1 hidden,
            2 visible.
        num_keypoints: int64 (n,), as recorded.
        areas: float64 (n,), square pixels, as recorded.
        iscrowd: bool (n,).
        scribbles: per annotation int32 (5, 12, 2), five scribbles of twelve points x, y; or None.
        segmentations: per annotation polygons or an RLE, as stored.
        image: uint8 (H, W, 3) RGB; None in records.
        file: the annotation file, for messages.
    """

    index: int
    image_id: int
    file_name: str
    caption: str | None
    size: tuple[int, int]
    annotation_ids: npt.NDArray[np.int64]
    category_ids: npt.NDArray[np.int64]
    boxes: npt.NDArray[np.float64]
    box_format: BoxFormat
    keypoints: npt.NDArray[np.float64]
    num_keypoints: npt.NDArray[np.int64]
    areas: npt.NDArray[np.float64]
    iscrowd: npt.NDArray[np.bool_]
    scribbles: tuple[npt.NDArray[np.int32] | None, ...]
    segmentations: tuple[Segmentation, ...] = field(repr=False)
    image: npt.NDArray[np.uint8] | None = field(default=None, repr=False)
    file: str = field(default="", repr=False)

    def __len__(self) -> int:
        """How many annotations there are."""
        return len(self.annotation_ids)

    @property
    def boxes_xyxy(self) -> npt.NDArray[np.float64]:
        """The boxes' corners: float64 (n, 4)."""
        if self.box_format == "xyxy":
            return self.boxes
        return np.concatenate([self.boxes[:, :2], self.boxes[:, :2] + self.boxes[:, 2:]], axis=1)

    @property
    def boxes_xywh(self) -> npt.NDArray[np.float64]:
        """The boxes as stored, up to rounding: float64 (n, 4)."""
        if self.box_format == "xywh":
            return self.boxes
        return np.concatenate([self.boxes[:, :2], self.boxes[:, 2:] - self.boxes[:, :2]], axis=1)

    def person(self, annotation: int) -> RefHumanSample:
        """The sample of one of its annotations alone."""
        one = slice(annotation, annotation + 1)
        return replace(
            self,
            annotation_ids=self.annotation_ids[one],
            category_ids=self.category_ids[one],
            boxes=self.boxes[one],
            keypoints=self.keypoints[one],
            num_keypoints=self.num_keypoints[one],
            areas=self.areas[one],
            iscrowd=self.iscrowd[one],
            scribbles=self.scribbles[one],
            segmentations=self.segmentations[one],
        )

    def rles(self) -> list[dict[str, Any]]:
        """One COCO RLE per annotation; polygons are rasterised and united as COCO does it.

        Raises:
            RecordError: compressed run lengths that are malformed.
        """
        found = []
        for annotation_id, segmentation in zip(
            self.annotation_ids.tolist(), self.segmentations, strict=True
        ):
            try:
                found.append(rasterize(segmentation, self.size))
            except ValueError as e:
                record = f"annotation {annotation_id}"
                raise RecordError(self.file, record, "segmentation", str(e), self.index) from e
        return found

    def masks(self) -> npt.NDArray[np.uint8]:
        """The masks: uint8 (n, H, W), 0 or 1, rasterised anew at each call."""
        if not len(self):
            return np.zeros((0, *self.size), np.uint8)
        return masks.decode(self.rles())

    def prompt(
        self, kind: PromptKind, annotation: int = 0, *, seed: int | None = None
    ) -> Prompt | None:
        """What a model is given to find a person.

        As in the published program: the text is the caption; the scribble is the first of five,
        the point the sixth of its twelve. With a seed (training) the scribble is any of the five
        and the point one of the fifth to the eighth. A person without scribbles has a point all
        the same: a pixel of the mask, drawn by the seed, or by the annotation's id.

        Args:
            kind: ``"text"``, ``"point"`` or ``"scribble"``.
            annotation: whom, counted from 0; the caption is the same for all.
            seed: None for evaluation; else choices depend on it and the annotation's id alone.

        Returns:
            The prompt; None where there is nothing to make it of, or nobody in the picture.

        Source: RefHuman, models/uniphd/uniphd.py (forward).
        """
        if kind not in PROMPTS:
            raise ValueError(f"prompt {kind!r}: expected one of {', '.join(PROMPTS)}")
        if kind == "text":
            return None if self.caption is None else Prompt("text", text=self.caption)
        if not len(self):
            return None
        annotation_id = int(self.annotation_ids[annotation])
        bits = random_bits(2, 0 if seed is None else seed + 1, annotation_id).tolist()
        scribbles = self.scribbles[annotation]
        if scribbles is not None:
            scribble = scribbles[0 if seed is None else bits[0] % len(scribbles)].astype(np.int64)
            if kind == "scribble":
                return Prompt("scribble", points=scribble)
            low, high = _TRAINED_POINTS
            place = EVALUATED_POINT if seed is None else low + bits[1] % (high - low + 1)
            return Prompt("point", points=scribble[place : place + 1])
        if kind == "scribble":
            return None
        rows, columns = np.nonzero(self.person(annotation).masks()[0])
        if not len(rows):
            return None
        pixel = bits[0] % len(rows)
        return Prompt("point", points=np.array([[columns[pixel], rows[pixel]]], np.int64))
