"""I-HIM50K: one picture of two to four people over a background, from the number of the sample.

Every draw, rounding and quirk of the published generator is kept; docs/synthesis.md lists them. The
mattes are read first: they decide which foregrounds are placed and where, so that the colours of
those left out are never decoded, and of the others only the box that is used.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from refpix.kernels import alpha_composite, alpha_occlude
from refpix.synthesis._him_plan import (
    cut_matte,
    draw,
    hides_too_much,
    hides_too_much_published,
    placements,
    resized_size,
)
from refpix.synthesis._pictures import Patch, Source, in_mode, resized
from refpix.synthesis._planes import quantized, zero_planes
from refpix.types import PassOrder

__all__ = ["IMAGE_CURES", "HimImage", "ImageCure", "him_image", "matte_path"]

Pixels = npt.NDArray[np.uint8]

#: Quirks that can be cured, by name. ``matte-path``: only the folder's and the file's own name are
#: rewritten, not the whole path. ``exact-fit``: a foreground as wide as the background is placed.
ImageCure = Literal["matte-path", "exact-fit"]
IMAGE_CURES: Final[tuple[ImageCure, ...]] = ("matte-path", "exact-fit")


class Instance(NamedTuple):
    """A foreground in the finished picture.

    Attributes:
        name: path of the foreground's picture.
        colour: uint8 (h, w, 3), resized.
        x: of its upper left corner in the picture.
        y: likewise.
        seen: uint8 (h, w), its matte there: straight alpha, occlusion taken into account.
    """

    name: str
    colour: Pixels
    x: int
    y: int
    seen: Pixels


class HimImage(NamedTuple):
    """A sample, as arrays.

    Attributes:
        sample_id: its number, the seed.
        image: uint8 (H, W, 3) RGB, or in the background's mode: (H, W) over a gray or bilevel one,
            (H, W, 4) over CMYK, (H, W, 3) over YCbCr.
        background: what lies under it, the same shape.
        instances: those that are seen, in the order they were drawn, back to front.
        background_name: path of the background.
        mode: Pillow's name of the image's mode: ``L``, ``RGB``, ``CMYK`` or ``YCbCr``.
    """

    sample_id: int
    image: Pixels
    background: Pixels
    instances: list[Instance]
    background_name: str
    mode: str = "RGB"

    @property
    def alphas(self) -> list[Pixels]:
        """Mattes, uint8 (H, W) each: straight alpha, occlusion taken into account."""
        height, width = self.image.shape[:2]
        return [Patch(i.x, i.y, i.seen).crop((0, 0, width, height)) for i in self.instances]

    @property
    def foregrounds(self) -> list[Pixels]:
        """Per instance its whole rectangle of colour on black, uint8 (H, W, 3)."""
        canvases = []
        for instance in self.instances:
            canvas = np.zeros((*self.image.shape[:2], 3), np.uint8)
            h, w = instance.colour.shape[:2]
            canvas[instance.y : instance.y + h, instance.x : instance.x + w] = instance.colour
            canvases.append(canvas)
        return canvases


def matte_path(path: str, cured: bool = False) -> str:
    """Where the matte of a foreground lies.

    Args:
        path: of the foreground's picture.
        cured: rewrite the last folder and the file's name only. The published code rewrites every
            ``images`` and ``.jpg`` of the whole path.
    """
    if not cured:
        return path.replace("images", "alphas").replace(".jpg", ".png")
    folder, name = os.path.split(path)
    above, last = os.path.split(folder)
    last, name = last.replace("images", "alphas"), name.replace("images", "alphas")
    return os.path.join(above, last, name.replace(".jpg", ".png"))


class _Drawn(NamedTuple):
    """A foreground that was drawn: its matte, resized, and how to make its colour."""

    source: Source
    box: tuple[int, int, int, int]
    matte: Pixels


def him_image(
    sample_id: int,
    foregrounds: Sequence[str],
    backgrounds: Sequence[str],
    *,
    order: PassOrder = "auto",
    cures: Collection[ImageCure] = (),
) -> HimImage | None:
    """Make a sample of I-HIM50K; nothing is written.

    Args:
        sample_id: the sample's number, 0..2**32 - 1: the seed.
        foregrounds: paths of pictures; ``matte_path`` gives their mattes. Their order counts.
        backgrounds: paths of pictures. Their order counts.
        order: of the resize's passes, as ``image_resize``.
        cures: names of quirks not to reproduce (``IMAGE_CURES``).

    Returns:
        The sample, or None where no foreground could be placed.

    Raises:
        SampleError: too few foregrounds, no background, a file that is missing, damaged or of a
            wrong size, an empty matte; names sample and file. (The published code fails there
            too, except where a matte and its picture differ in size.)

    Source: MaGGIe, tools/synthesize_image_him.py.
    """
    rs = np.random.RandomState(sample_id)
    chosen = draw(rs, sample_id, len(foregrounds), len(backgrounds))
    sources = [Source(sample_id, foregrounds[i]) for i in chosen.foregrounds]
    cured = "matte-path" in cures
    cuts = [cut_matte(s, Source(sample_id, matte_path(s.path, cured))) for s in sources]
    background_name = backgrounds[chosen.background]
    base = Source(sample_id, background_name)
    header = base.header()
    drawn = []
    for source, (matte, box) in zip(sources, cuts, strict=True):
        height, width = resized_size(rs, source, matte.shape, header.height)
        drawn.append(_Drawn(source, box, resized(matte, width, height, "bicubic", order)))
    count = len(drawn)
    with zero_planes(count, header.height, header.width) as (stack, boxes):
        places, areas = _place(rs, drawn, stack, boxes, "exact-fit" in cures)
        seen = quantized(stack, boxes)
    if not any(areas):
        return None
    mode = base.background_mode()
    background = base.background()
    image = background.copy()
    instances = []
    for i, (item, place) in enumerate(zip(drawn, places, strict=True)):
        if place is None:
            continue
        height, width = item.matte.shape
        colour = resized(item.source.rgb(item.box), width, height, "bicubic", order)
        _paste(image, in_mode(colour, mode), item.matte, place)
        if areas[i]:
            instances.append(Instance(item.source.path, colour, *place, seen[i]))
    if mode == "1":  # pasting leaves levels between, which are white once saved
        image, mode = np.where(image == 0, np.uint8(0), np.uint8(255)), "L"
    return HimImage(sample_id, image, background, instances, background_name, mode)


def _place(
    rs: np.random.RandomState,
    drawn: Sequence[_Drawn],
    stack: npt.NDArray[np.float32],
    boxes: npt.NDArray[np.int64],
    exact_fit: bool,
) -> tuple[list[tuple[int, int] | None], list[float]]:
    """Positions (None: left out) of the foregrounds, and areas of their mattes."""
    areas = [0.0] * len(drawn)
    height, width = stack.shape[1:]
    steps = placements(rs, [item.matte.shape for item in drawn], (height, width), exact_fit)
    try:
        trial = next(steps)
        while True:
            i, (x, y) = trial
            matte = drawn[i].matte
            left = _put_in_front(stack, matte, i, (x, y), boxes)
            if left is not None:
                areas[: i + 1] = left
                boxes[i] = x, y, matte.shape[1], matte.shape[0]
            trial = steps.send(left is not None)
    except StopIteration as end:
        return end.value, areas


def _put_in_front(
    stack: npt.NDArray[np.float32],
    matte: Pixels,
    index: int,
    position: tuple[int, int],
    boxes: npt.NDArray[np.int64],
) -> list[float] | None:
    """Areas of planes 0..index afterwards; None, and nothing done, where it hides too much."""
    (h, w), (x, y) = matte.shape, position
    # Taking a trial back is rarer, and cheaper, than looking first.
    behind = stack[:index, y : y + h, x : x + w]
    saved = behind.copy()
    areas = alpha_occlude(stack, matte, index=index, position=position, boxes=boxes)
    refused = hides_too_much(areas)
    if refused is None:
        before = stack.copy()
        before[:index, y : y + h, x : x + w] = saved
        before[index] = 0
        refused = hides_too_much_published(before, stack)
    if not refused:
        remaining: list[float] = areas[:, 1].tolist()
        return remaining
    behind[...] = saved
    stack[index, y : y + h, x : x + w] = 0
    return None


def _paste(image: Pixels, colour: Pixels, matte: Pixels, place: tuple[int, int]) -> None:
    """Lays a colour of the picture's mode over it, in place."""
    under, over = (a if a.ndim == 3 else a[..., np.newaxis] for a in (image, colour))
    alpha_composite(
        under[np.newaxis],
        np.ascontiguousarray(over)[np.newaxis],
        matte[np.newaxis],
        positions=np.array([place], np.int64),
        out=under[np.newaxis],
    )
