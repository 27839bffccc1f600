"""One picture with all that is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from refpix.viz.canvas import Canvas
from refpix.viz.palette import (
    IGNORED,
    INSTANCES,
    LEFT,
    PARSING_NAMES,
    PARSING_PALETTE,
    RIGHT,
    Colour,
)
from refpix.viz.text import PAPER, caption, legend

__all__ = ["draw_sample"]

_SCRIBBLE_COLOUR = 7  # of the first: lime, unlike the first masks and both sides of a pose
_NARROWEST = 0.55  # of a title, in longer sides of the picture


def draw_sample(
    image: Image.Image | npt.NDArray[np.uint8],
    *,
    box: npt.ArrayLike | None = None,
    box_labels: Sequence[str] = (),
    keypoints: npt.ArrayLike | None = None,
    label_map: npt.NDArray[np.integer] | None = None,
    codes: Sequence[int] | npt.NDArray[np.integer] | None = None,
    masks: Sequence[npt.NDArray[Any]] | npt.NDArray[Any] = (),
    polygons: Sequence[npt.ArrayLike] = (),
    scribbles: Sequence[npt.ArrayLike] = (),
    marked: int = -1,
    text: str | None = None,
    note: str | None = None,
    side: int | None = None,
    contours: bool = True,
    show_legend: bool = True,
    names: Sequence[str] = PARSING_NAMES,
    palette: npt.NDArray[np.uint8] = PARSING_PALETTE,
) -> Image.Image:
    """Draw a picture with its annotations.

    Coordinates are pixels of ``image``. Line widths and letters follow the size of the result.

    Args:
        image: RGB picture, or uint8 (H, W, 3).
        box: (4,) or (n, 4), x0, y0, x1, y1 each; the first is the person's.
        box_labels: written at the boxes, as far as there are any.
        keypoints: (17, 3) or (n, 17, 3), COCO order, x, y and visibility (0 is not drawn).
        label_map: integers (h, w), parsing classes; 0 stays clear. Stretched over the picture, so
            that one of 512x512 serves too.
        codes: parsing codes, 48 = 8 rows x 6 columns, as a grid over the first box.
        masks: bool or uint8 (h, w) each, one colour each.
        polygons: (k, 2) each, closed outlines.
        scribbles: (k, 2) each, open lines through points.
        marked: which point of each scribble stands out; -1 for none.
        text: the title over the picture, wrapped.
        note: one line in gray under it.
        side: length of the drawn picture's longer side in pixels (title and legend come on top).
            None keeps its own, but enlarges small ones.
        contours: outline label maps and masks.
        show_legend: list the classes of the label map, and a pose's sides, below.
        names: of the classes.
        palette: uint8 (k, 3), their colours.

    Returns:
        An RGB picture. Titles and legends of very narrow ones are wider than the picture.

    Raises:
        ValueError: no picture, keypoints of another shape, or codes without a box.
    """
    canvas = Canvas(image, side)
    boxes = np.empty((0, 4)) if box is None else np.asarray(box, np.float64).reshape(-1, 4)
    entries: list[tuple[str, Colour]] = []
    if label_map is not None:
        for label in canvas.labels(label_map, palette, contours=contours):
            known = 0 <= label < min(len(names), len(palette))
            red, green, blue = (int(v) for v in palette[label]) if known else IGNORED
            entries.append((names[label] if known else f"label {label}", (red, green, blue)))
    for i, mask in enumerate(masks):
        canvas.mask(np.asarray(mask), INSTANCES[i % len(INSTANCES)], contours=contours)
    if codes is not None:
        if len(boxes) == 0:
            raise ValueError("codes are a grid over a box: give box=")
        canvas.codes(codes, boxes[0])
    for i, polygon in enumerate(polygons):
        canvas.outline(polygon, INSTANCES[i % len(INSTANCES)])
    for i in reversed(range(len(boxes))):  # the person's box comes on top
        chip = box_labels[i] if i < len(box_labels) else ""
        canvas.box(boxes[i], INSTANCES[i % len(INSTANCES)], chip)
    if keypoints is not None:
        poses = np.asarray(keypoints)
        for pose in poses[np.newaxis] if poses.ndim == 2 else poses:
            canvas.pose(pose)
        if (poses[..., 2] > 0).any():
            entries += [("the person's left", LEFT), ("right", RIGHT)]
    for i, scribble in enumerate(scribbles):
        canvas.scribble(scribble, INSTANCES[(i + _SCRIBBLE_COLOUR) % len(INSTANCES)], marked)
    width = max(canvas.size[0], round(_NARROWEST * max(canvas.size)))
    size = max(13, min(30, round(max(canvas.size) / 26)))
    below = legend(entries, width, max(12, round(size * 0.8))) if show_legend else None
    return _stack([caption(text, note, width, size), canvas.finish(), below])


def _stack(strips: Sequence[Image.Image | None]) -> Image.Image:
    present = [strip for strip in strips if strip is not None]
    if len(present) == 1:
        return present[0]
    width = max(strip.width for strip in present)
    stacked = Image.new("RGB", (width, sum(strip.height for strip in present)), PAPER)
    y = 0
    for strip in present:
        stacked.paste(strip, ((width - strip.width) // 2, y))
        y += strip.height
    return stacked
