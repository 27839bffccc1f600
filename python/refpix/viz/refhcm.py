"""Samples of RefHCM, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from refpix.datasets import RefHCM, RefHCMSample
from refpix.datasets.refhcm_text import HOI_ACTIONS, HOI_OBJECTS, NO_TEXT, Interaction
from refpix.errors import RowError
from refpix.viz.sample import draw_sample
from refpix.viz.sheet import contact_sheet
from refpix.viz.text import caption

__all__ = ["draw_refhcm", "draw_rows"]


def draw_refhcm(
    sample: RefHCMSample,
    *,
    image: npt.NDArray[np.uint8] | None = None,
    side: int | None = None,
    codes: bool = False,
) -> Image.Image:
    """Draw a sample: box, and whichever it has of pose, parsing, objects and text.

    Args:
        sample: a sample.
        image: uint8 (H, W, 3), drawn instead of the sample's own picture; any size, as
            coordinates are scaled to it.
        side: as for `draw_sample`.
        codes: draw parsing codes as a grid instead of the label map.

    Raises:
        ValueError: there is no picture.
    """
    if sample.image is None:
        raise ValueError("a record has no picture to draw on")
    picture = Image.fromarray(sample.image)
    if image is not None:
        picture = Image.fromarray(image).resize(picture.size, Image.Resampling.BICUBIC)
    boxes = [sample.box_xyxy.tolist()]
    labels = [""]
    for action in sample.actions or ():
        if action.object < 0:  # done without an object
            labels[0] = _interaction(action)
        else:
            boxes.append(list(action.box))
            labels.append(_interaction(action))
    grid = codes and sample.codes is not None
    return draw_sample(
        picture,
        box=np.array(boxes),
        box_labels=labels,
        keypoints=sample.keypoints,
        label_map=None if grid else sample.label_map,
        codes=sample.codes if grid else None,
        text=_title(sample),
        note=f"{sample.task} row {sample.row}, id {sample.id}",
        side=side,
    )


def draw_rows(
    dataset: RefHCM,
    rows: Sequence[int],
    *,
    columns: int | None = None,
    side: int = 360,
    codes: bool = False,
) -> Image.Image:
    """Draw rows of a file on one sheet; a bad row is shown as its error.

    Args:
        dataset: the file.
        rows: indices into it.
        columns: of the sheet; None chooses.
        side: longer side of each picture in pixels.
        codes: as for `draw_refhcm`.

    Raises:
        IndexError: no such row.
        ValueError: no rows.
    """
    tiles = []
    for row in rows:
        try:
            tiles.append(draw_refhcm(dataset[row], side=side, codes=codes))
        except RowError as error:
            tiles.append(_error_tile(error, side))
    return contact_sheet(tiles, columns)


def _title(sample: RefHCMSample) -> str | None:
    if sample.text is None:
        return None
    return "(the person in the box)" if sample.text == NO_TEXT else sample.text


def _interaction(action: Interaction) -> str:
    doing = _name(HOI_ACTIONS, action.action).split()[0]
    return doing if action.object < 0 else f"{doing} {_name(HOI_OBJECTS, action.object)}"


def _name(names: Sequence[str], number: Any) -> str:
    return names[number] if 0 <= number < len(names) else str(number)


def _error_tile(error: RowError, side: int) -> Image.Image:
    tile = Image.new("RGB", (side, round(side * 0.75)), (250, 226, 226))
    strip = caption(error.reason, f"row {error.row}, byte {error.offset}", side, 14, max_lines=8)
    if strip is not None:
        tile.paste(strip, (0, 0))
    return tile if strip is None or strip.height < tile.height else strip
