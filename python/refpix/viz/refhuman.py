"""Samples of RefHuman, drawn."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from refpix.datasets.refhuman import RefHuman
from refpix.datasets.refhuman_sample import EVALUATED_POINT, RefHumanSample
from refpix.viz.sample import draw_sample
from refpix.viz.sheet import sheet_of

__all__ = ["draw_refhuman", "draw_refhuman_rows"]


def draw_refhuman(
    sample: RefHumanSample, *, scribble: int | None = 0, side: int | None = None
) -> Image.Image:
    """Draw a picture with masks, boxes, skeletons and scribbles of its people.

    Args:
        sample: a sample with its picture.
        scribble: which of the five; the point that serves as point prompt is white. None draws
            no scribbles.
        side: as for `draw_sample`.

    Raises:
        ValueError: a record has no picture.
        RecordError: a mask cannot be decoded.
    """
    if sample.image is None:
        raise ValueError("a record has no picture to draw on")
    lines = [s[scribble] for s in sample.scribbles if s is not None and scribble is not None]
    several = len(sample) > 1
    labels = [str(number) if several else "" for number in range(1, len(sample) + 1)]
    return draw_sample(
        Image.fromarray(sample.image),
        box=sample.boxes_xyxy if len(sample) else None,
        box_labels=labels,
        keypoints=sample.keypoints if len(sample) else None,
        masks=sample.masks(),
        scribbles=lines,
        marked=EVALUATED_POINT,
        text=sample.caption,
        note=f"image {sample.image_id}, {sample.file_name}",
        side=side,
    )


def draw_refhuman_rows(
    dataset: RefHuman, indices: Sequence[int], *, columns: int | None = None, side: int = 360
) -> Image.Image:
    """Draw samples on one sheet; a bad one is shown as its error.

    Args:
        dataset: the dataset, without transforms.
        indices: into it.
        columns: of the sheet; None chooses.
        side: longer side of each picture in pixels.

    Raises:
        IndexError: no such sample.
        ValueError: no indices.
    """
    return sheet_of(lambda index: draw_refhuman(dataset[index], side=side), indices, columns, side)
