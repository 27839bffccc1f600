"""Many pictures on one sheet."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from PIL import Image

from refpix.errors import RowError
from refpix.viz.palette import Colour
from refpix.viz.text import caption

__all__ = ["contact_sheet", "error_tile", "sheet_of"]

_GROUND: Colour = (232, 234, 238)


def contact_sheet(
    images: Sequence[Image.Image],
    columns: int | None = None,
    *,
    title: str | None = None,
    gap: int = 14,
    background: Colour = _GROUND,
) -> Image.Image:
    """Lay pictures out in rows.

    Args:
        images: RGB pictures of any sizes; none is scaled.
        columns: of the sheet; None makes it about as wide as high, a little wider.
        title: written over the sheet.
        gap: pixels between pictures and around them.
        background: colour of the sheet.

    Returns:
        An RGB picture. Columns are as wide as their widest picture, rows as high as their highest;
        pictures stand at the top of their cell, in its middle.

    Raises:
        ValueError: no pictures, or no columns.
    """
    if not images:
        raise ValueError("a sheet needs at least one picture")
    if columns is None:
        shape = sum(i.height for i in images) / max(1, sum(i.width for i in images))
        columns = round(math.sqrt(len(images) * shape * 1.4))
        columns = min(max(columns, 1), len(images))
        columns = math.ceil(len(images) / math.ceil(len(images) / columns))
    if columns < 1:
        raise ValueError(f"columns={columns}: a sheet needs at least one")
    rows = [images[i : i + columns] for i in range(0, len(images), columns)]
    widths = [max(image.width for image in images[i::columns]) for i in range(len(rows[0]))]
    heights = [max(image.height for image in row) for row in rows]
    width = sum(widths) + gap * (len(widths) + 1)
    strip = caption(title, None, width - 2 * gap, max(15, min(24, width // 60)))
    top = gap + (strip.height + gap if strip else 0)
    sheet = Image.new("RGB", (width, top + sum(heights) + gap * len(heights)), background)
    if strip:
        sheet.paste(strip, (gap, gap))
    y = top
    for row, height in zip(rows, heights, strict=True):
        x = gap
        for image, cell in zip(row, widths, strict=False):  # the last row may be short
            sheet.paste(image, (x + (cell - image.width) // 2, y))
            x += cell + gap
        y += height + gap
    return sheet


def sheet_of(
    draw: Callable[[int], Image.Image], indices: Iterable[int], columns: int | None, side: int
) -> Image.Image:
    """Pictures of a dataset's samples on one sheet; a bad one is shown as its error.

    Args:
        draw: makes the picture at an index.
        indices: into the dataset.
        columns: of the sheet; None chooses.
        side: longer side of an error's tile in pixels.

    Raises:
        ValueError: no indices.
    """
    tiles = []
    for index in indices:
        try:
            tiles.append(draw(index))
        except RowError as error:
            tiles.append(error_tile(error, side))
    return contact_sheet(tiles, columns)


def error_tile(error: RowError, side: int) -> Image.Image:
    """A bad row's reason on red ground, where its picture would be."""
    tile = Image.new("RGB", (side, round(side * 0.75)), (250, 226, 226))
    place = f"row {error.row}" + (f", byte {error.offset}" if error.offset >= 0 else "")
    strip = caption(error.reason, place, side, 14, max_lines=8)
    if strip is not None:
        tile.paste(strip, (0, 0))
    return tile if strip is None or strip.height < tile.height else strip
