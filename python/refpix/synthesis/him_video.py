"""V-HIM: clips of two to four people over a background, from the name of the sample.

Two steps: ``plan_video`` makes all draws and reads the mattes, whose occlusions then decide whether
the sample is kept; only then is colour decoded, frame by frame. docs/synthesis.md lists the
published steps and their quirks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from refpix.errors import SampleError
from refpix.kernels import alpha_composite, alpha_occlude
from refpix.synthesis._pictures import Patch, Source, resized
from refpix.synthesis._planes import quantized
from refpix.synthesis._video_plan import (
    VIDEO_CURES,
    Clip,
    Level,
    VideoCure,
    VideoPlan,
    plan_video,
)
from refpix.types import PassOrder

__all__ = ["VIDEO_CURES", "HimVideo", "Level", "VideoCure", "him_video"]

Pixels = npt.NDArray[np.uint8]

# Of the largest share of a matte that one newer matte hides in one frame.
_MOST: Final = {"medium": 0.3, "hard": 0.85}
_LEAST: Final = {"medium": 0.05, "hard": 0.5}
_EPSILON = 1e-7
_NEAR = 1e-9  # sums in another order differ by less


class Frame(NamedTuple):
    """A finished frame.

    Attributes:
        image: uint8 (H, W, 3), RGB.
        size: height and width of the mattes.
        patches: per person where its matte may not be zero.
    """

    image: Pixels
    size: tuple[int, int]
    patches: list[Patch]

    @property
    def alphas(self) -> list[Pixels]:
        """Mattes, uint8 (H, W) per person: straight alpha, occlusion taken into account.

        Empty ones are kept.
        """
        return [patch.crop((0, 0, *self.size[::-1])) for patch in self.patches]


class HimVideo:
    """A sample that was kept: iterate over its frames; each pass composes them anew.

    Attributes:
        name: five digits.
        level: ``easy``, ``medium`` or ``hard``.
        size: height and width of the mattes.
        max_occluded: the largest share of a matte that another hides.
    """

    def __init__(
        self,
        plan: VideoPlan,
        level: Level,
        order: PassOrder,
        cures: Collection[VideoCure],
        mattes: _Mattes,
        max_occluded: float,
    ) -> None:
        self.name = plan.name
        self.level = level
        self.size = plan.size
        self.max_occluded = max_occluded
        self.instances = [clip.name for clip in plan.clips]
        self._plan = plan
        self._order = order
        self._upright = "exif" in cures
        self._mattes = mattes

    def __len__(self) -> int:
        return self._plan.frames

    def __iter__(self) -> Iterator[Frame]:
        previous, background = "", np.empty((0, 0, 3), np.uint8)
        for t, path in enumerate(self._plan.backgrounds):
            if path != previous:
                previous, background = path, self._background(path)
            image = background.copy()
            for clip, matte in zip(self._plan.clips, self._mattes.resized[t], strict=True):
                _paste(image, self._colour(clip, t), matte, clip.position)
            yield Frame(image, self.size, self._mattes.final[t])

    @property
    def frames(self) -> list[Pixels]:
        """All pictures, uint8 (H, W, 3) each."""
        return [frame.image for frame in self]

    @property
    def alphas(self) -> list[list[Pixels]]:
        """Per frame its mattes; no colour is decoded for them."""
        box = (0, 0, *self.size[::-1])
        return [[patch.crop(box) for patch in patches] for patches in self._mattes.final]

    def _background(self, path: str) -> Pixels:
        source = Source(self.name, path)
        if not self._upright or source.header(exif=True).orientation == 1:
            return source.rgb()
        with Image.open(path) as image:
            return np.array(ImageOps.exif_transpose(image.convert("RGB")))

    def _colour(self, clip: Clip, t: int) -> Pixels:
        source = Source(self.name, clip.colours[t])
        header = source.header()
        if (header.height, header.width) != clip.sizes[t]:
            height, width = clip.sizes[t]
            raise source.error(
                f"frame of {header.width}x{header.height} pixels, its matte has {width}x{height}"
            )
        height, width = clip.size
        return resized(source.rgb(clip.box), width, height, "bilinear", self._order)


class _Mattes(NamedTuple):
    """Per frame and person."""

    resized: list[list[Pixels]]
    final: list[list[Patch]]


def him_video(
    name: str | int,
    level: Level,
    *,
    data_dir: str,
    videos: Sequence[str],
    pictures: Sequence[str],
    folders: Sequence[str],
    clip_len: int = 30,
    order: PassOrder = "auto",
    cures: Collection[VideoCure] = (),
) -> HimVideo | None:
    """Make a sample of V-HIM2K5 or V-HIM60; nothing is written.

    Args:
        name: five digits or a number: the seed.
        level: how much people hide one another.
        data_dir: what the paths below are relative to.
        videos: folders of colour frames; ``/fgr/`` in a path becomes ``/pha/`` for the mattes,
            where there is no such folder frames are RGBA. Their order counts, as that of the
            lists below.
        pictures: backgrounds that are single pictures.
        folders: backgrounds that are folders of frames.
        clip_len: most frames.
        order: of the resize's passes, as ``image_resize``.
        cures: names of quirks not to reproduce (``VIDEO_CURES``).

    Returns:
        The sample, or None where the level rejects it.

    Raises:
        SampleError: too few videos, no background (or none wider than high), mattes that are
            missing, empty or too few, a file that is missing, damaged or of a wrong size; names
            sample and file. Colours are read, and may raise, when the frames are asked for.
        ValueError: an unknown level.

    Source: MaGGIe, tools/synthesize_video_him.py.
    """
    if level not in ("easy", "medium", "hard"):
        raise ValueError(f"level: expected easy, medium or hard, got {level}")
    name = f"{int(name):05d}"
    plan = plan_video(name, level, data_dir, videos, pictures, folders, clip_len, cures)
    found = _occlude(plan, level, order, exact=False)
    if found is _CLOSE:
        found = _occlude(plan, level, order, exact=True)
    if not isinstance(found, tuple):
        return None
    mattes, max_occluded = found
    return HimVideo(plan, level, order, cures, mattes, max_occluded)


_REJECTED: Final = "rejected"
_CLOSE: Final = "close to a threshold"


def _occlude(
    plan: VideoPlan, level: Level, order: PassOrder, exact: bool
) -> tuple[_Mattes, float] | str:
    """All mattes with what hides them, or why not.

    ``exact`` adds up as the published code does, over whole planes.
    """
    most, least = _MOST.get(level, np.inf), _LEAST.get(level, -np.inf)
    height, width = plan.size
    stack = np.zeros((len(plan.clips), height, width), np.float64)
    boxes = np.array([_visible(clip, width, height) for clip in plan.clips], np.int64)
    mattes = _Mattes([], [])
    max_occluded = 0.0
    for t in range(plan.frames):
        mattes.resized.append([])
        for k, clip in enumerate(plan.clips):
            if t >= len(clip.colours):
                raise SampleError(plan.name, clip.name, "more mattes than colour frames")
            h, w = clip.size
            if w < 1 or h < 1:  # not sooner: an earlier frame may reject the sample
                raise SampleError(plan.name, clip.name, f"resized to {w}x{h} pixels")
            matte = resized(clip.mattes[t].crop(clip.box), w, h, "bilinear", order)
            mattes.resized[t].append(matte)
            for occluded in _shares(stack, matte, k, clip.position, boxes, exact):
                if not exact and min(abs(occluded - most), abs(occluded - least)) < _NEAR:
                    return _CLOSE
                if occluded > most:
                    return _REJECTED
                max_occluded = max(max_occluded, occluded)
        # The next frame writes the same boxes anew, whole.
        seen = quantized(stack, boxes)
        mattes.final.append(
            [Patch(x, y, a) for (x, y, _, _), a in zip(boxes.tolist(), seen, strict=True)]
        )
    return _REJECTED if max_occluded < least else (mattes, max_occluded)


def _shares(
    stack: npt.NDArray[np.float64],
    matte: Pixels,
    index: int,
    position: tuple[int, int],
    boxes: npt.NDArray[np.int64],
    exact: bool,
) -> list[float]:
    """Puts a matte in front; of each one behind it that is not empty, the share it hides."""
    before = stack[:index].copy() if exact else None
    areas = alpha_occlude(stack, matte, index=index, position=position, boxes=boxes)[:index]
    if before is not None:
        areas = np.array([[a.sum(), b.sum()] for a, b in zip(before, stack, strict=False)])
    return [1.0 - new / (old + _EPSILON) for old, new in areas.tolist() if old > 0]


def _visible(clip: Clip, width: int, height: int) -> tuple[int, int, int, int]:
    """x, y, width, height of a clip within the picture."""
    (h, w), (x, y) = clip.size, clip.position
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + w, width), min(y + h, height)
    return x0, y0, max(x1 - x0, 0), max(y1 - y0, 0)


def _paste(image: Pixels, colour: Pixels, matte: Pixels, position: tuple[int, int]) -> None:
    alpha_composite(
        image[np.newaxis],
        colour[np.newaxis],
        matte[np.newaxis],
        positions=np.array([position], np.int64),
        out=image[np.newaxis],
    )
