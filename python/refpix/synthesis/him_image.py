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

from refpix.errors import SampleError
from refpix.kernels import alpha_composite, alpha_occlude
from refpix.synthesis._pictures import Patch, Source, bounding_box, gray_of, resized
from refpix.synthesis._planes import quantized, zero_planes
from refpix.types import PassOrder

__all__ = ["IMAGE_CURES", "HimImage", "ImageCure", "him_image", "matte_path"]

Pixels = npt.NDArray[np.uint8]

#: Quirks that can be cured, by name. ``matte-path``: only the folder's and the file's own name are
#: rewritten, not the whole path. ``exact-fit``: a foreground as wide as the background is placed.
ImageCure = Literal["matte-path", "exact-fit"]
IMAGE_CURES: Final[tuple[ImageCure, ...]] = ("matte-path", "exact-fit")

_ATTEMPTS = 3
_KEPT = 0.7  # of its area, what a matte must keep when another comes in front
_NEAR = 1e-4  # this close to it, float32 sums decide as in the published code
_EPSILON = 1e-7


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
        image: uint8 (H, W, 3) RGB, or (H, W) over a gray background.
        background: what lies under it, the same shape.
        instances: those that are seen, in the order they were drawn, back to front.
        background_name: path of the background.
    """

    sample_id: int
    image: Pixels
    background: Pixels
    instances: list[Instance]
    background_name: str

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
    count = int(rs.randint(2, 5))
    if count > len(foregrounds):
        raise SampleError(sample_id, "", f"{count} foregrounds drawn out of {len(foregrounds)}")
    if not backgrounds:
        raise SampleError(sample_id, "", "no backgrounds")
    # By number: the draws are the same, and no array of all paths is made.
    names = [foregrounds[i] for i in rs.choice(len(foregrounds), size=(count,), replace=False)]
    cropped = [_cropped(sample_id, name, "matte-path" in cures) for name in names]
    background_name = backgrounds[int(rs.choice(len(backgrounds)))]
    base = Source(sample_id, background_name)
    header = base.header()
    drawn = [_resize_matte(rs, *item, header.height, order) for item in cropped]
    with zero_planes(count, header.height, header.width) as (stack, boxes):
        places, areas = _place(rs, drawn, stack, boxes, "exact-fit" in cures)
        seen = quantized(stack, boxes)
    if not any(areas):
        return None
    background = base.background()
    image = background.copy()
    instances = []
    for i, (item, place) in enumerate(zip(drawn, places, strict=True)):
        if place is None:
            continue
        height, width = item.matte.shape
        colour = resized(item.source.rgb(item.box), width, height, "bicubic", order)
        _paste(image, colour, item.matte, place)
        if areas[i]:
            instances.append(Instance(item.source.path, colour, *place, seen[i]))
    return HimImage(sample_id, image, background, instances, background_name)


def _cropped(sample_id: int, name: str, cured: bool) -> tuple[Source, Pixels, tuple[int, ...]]:
    """A foreground's source, its matte within the box of what is not zero, and that box."""
    colour, matte_file = Source(sample_id, name), Source(sample_id, matte_path(name, cured))
    header = colour.header()
    matte = matte_file.luma()
    if matte.shape != (header.height, header.width):
        raise matte_file.error(
            f"matte of {matte.shape[1]}x{matte.shape[0]} pixels for a picture of "
            f"{header.width}x{header.height}"
        )
    x, y, w, h = box = bounding_box(matte)
    if w == 0:
        raise matte_file.error("empty matte")
    return colour, matte[y : y + h, x : x + w], box


def _resize_matte(
    rs: np.random.RandomState,
    source: Source,
    matte: Pixels,
    box: tuple[int, ...],
    target_height: int,
    order: PassOrder,
) -> _Drawn:
    height, width = matte.shape
    scale = rs.uniform(0.5, 0.9) * target_height / height
    new_width, new_height = int(width * scale), int(height * scale)
    if new_width < 1 or new_height < 1:
        raise source.error(f"resized to {new_width}x{new_height} pixels")
    x, y, w, h = box
    return _Drawn(source, (x, y, w, h), resized(matte, new_width, new_height, "bicubic", order))


def _place(
    rs: np.random.RandomState,
    drawn: Sequence[_Drawn],
    stack: npt.NDArray[np.float32],
    boxes: npt.NDArray[np.int64],
    exact_fit: bool,
) -> tuple[list[tuple[int, int] | None], list[float]]:
    """Positions (None: left out) of the foregrounds, and areas of their mattes."""
    room = 1 if exact_fit else 0
    height, width = stack.shape[1:]
    places: list[tuple[int, int] | None] = []
    areas = [0.0] * len(drawn)
    for i, item in enumerate(drawn):
        h, w = item.matte.shape
        place = None
        for _ in range(_ATTEMPTS):
            try:
                x = int(rs.randint(0, width - w + room))
                y = int(rs.randint(0, height - h + room))
            except ValueError:  # does not fit; the draw that fails consumes nothing
                break
            left = _put_in_front(stack, item.matte, i, (x, y), boxes)
            if left is None:
                continue
            place = (x, y)
            areas[: i + 1] = left
            boxes[i] = x, y, w, h
            break
        places.append(place)
    return places, areas


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
    old, new = areas[:, 0], areas[:, 1]
    ratio = new / (old + _EPSILON)
    seen = old > 0
    refused = bool(np.any(seen & (ratio < _KEPT)))
    if np.any(seen & (np.abs(ratio - _KEPT) < _NEAR)):
        # The published sums run in float32 over whole planes; only here could that decide else.
        trial = stack.sum((1, 2))
        before = stack.copy()
        before[:index, y : y + h, x : x + w] = saved
        before[index] = 0
        old_32 = before.sum((1, 2))
        refused = bool(np.any((old_32 > 0) & (trial / (old_32 + _EPSILON) < _KEPT)))
    if not refused:
        remaining: list[float] = new.tolist()
        return remaining
    behind[...] = saved
    stack[index, y : y + h, x : x + w] = 0
    return None


def _paste(image: Pixels, colour: Pixels, matte: Pixels, place: tuple[int, int]) -> None:
    """Lays a colour over the picture, in place."""
    planes = image if image.ndim == 3 else image[..., np.newaxis]
    over = colour if image.ndim == 3 else gray_of(colour)[..., np.newaxis]
    alpha_composite(
        planes[np.newaxis],
        np.ascontiguousarray(over)[np.newaxis],
        matte[np.newaxis],
        positions=np.array([place], np.int64),
        out=planes[np.newaxis],
    )
