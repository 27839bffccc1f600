"""What decides a picture of I-HIM50K: its draws, in the published order, and what they hang on.

Shared by all that make such pictures: ``him_image``, one at a time on the host, and
``torch_on_the_fly.HimComposer``, batches on a device.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from refpix.errors import SampleError
from refpix.synthesis._pictures import Source, bounding_box

__all__ = [
    "MOST_INSTANCES",
    "Cut",
    "Draws",
    "Trial",
    "cut_matte",
    "draw",
    "hides_too_much",
    "hides_too_much_published",
    "placements",
    "resized_size",
    "seeds_of",
]

#: Foregrounds that are drawn at most.
MOST_INSTANCES: Final = 4

_ATTEMPTS = 3
_KEPT = 0.7  # of its area, what a matte must keep when another comes in front
_NEAR = 1e-4  # this close to it, float32 sums decide as in the published code
_EPSILON = 1e-7
_SEEDS = 2**32
_STEP = 1_000_003  # prime: other seeds for a number whose own gives no picture

Pixels = npt.NDArray[np.uint8]


class Draws(NamedTuple):
    """What is drawn first: numbers in the lists."""

    foregrounds: list[int]
    background: int


class Cut(NamedTuple):
    """A foreground's matte within the box of what is not zero: uint8 (h, w); x, y, w, h."""

    matte: Pixels
    box: tuple[int, int, int, int]


class Trial(NamedTuple):
    """A position that was drawn for a foreground: x and y of its upper left corner."""

    item: int
    position: tuple[int, int]


def seeds_of(number: int, start: int, attempts: int) -> Iterator[int]:
    """Seeds to try for a sample, its own first."""
    for attempt in range(attempts):
        yield (start + number + attempt * _STEP) % _SEEDS


def draw(rs: np.random.RandomState, sample: int, foregrounds: int, backgrounds: int) -> Draws:
    """Which foregrounds, back to front, and which background.

    Args:
        rs: of the sample's seed, new.
        sample: for errors.
        foregrounds: how many there are.
        backgrounds: likewise.

    Raises:
        SampleError: there are too few.
    """
    count = int(rs.randint(2, MOST_INSTANCES + 1))
    if count > foregrounds:
        raise SampleError(sample, "", f"{count} foregrounds drawn out of {foregrounds}")
    if not backgrounds:
        raise SampleError(sample, "", "no backgrounds")
    # By number: the draws are the same, and no array of all paths is made.
    chosen = rs.choice(foregrounds, size=(count,), replace=False)
    return Draws([int(i) for i in chosen], int(rs.choice(backgrounds)))


def cut_matte(colour: Source, matte_file: Source) -> Cut:
    """The matte of a foreground, read and cut out.

    Raises:
        SampleError: a file that is missing or damaged, a matte that is empty or of another size
            than its picture.
    """
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
    return Cut(matte[y : y + h, x : x + w], box)


def resized_size(
    rs: np.random.RandomState, source: Source, cut: tuple[int, ...], height: int
) -> tuple[int, int]:
    """Height and width that a foreground is given, 50 to 90 % of the picture's height.

    Args:
        rs: of the sample.
        source: the foreground, for errors.
        cut: height and width of its cut.
        height: of the picture.
    """
    scale = rs.uniform(0.5, 0.9) * height / cut[0]
    new_width, new_height = int(cut[1] * scale), int(cut[0] * scale)
    if new_width < 1 or new_height < 1:
        raise source.error(f"resized to {new_width}x{new_height} pixels")
    return new_height, new_width


def placements(
    rs: np.random.RandomState,
    sizes: Sequence[tuple[int, ...]],
    picture: tuple[int, int],
    exact_fit: bool,
) -> Generator[Trial, bool, list[tuple[int, int] | None]]:
    """Draws positions, asks for each whether it may be, and returns what came of it.

    Args:
        rs: of the sample.
        sizes: height and width of each foreground, back to front.
        picture: height and width of the picture.
        exact_fit: whether one as wide as the picture fits.

    Yields:
        A position; send whether it is taken.

    Returns:
        A position per foreground; None: it is left out.
    """
    room = 1 if exact_fit else 0
    places: list[tuple[int, int] | None] = []
    for index, (h, w) in enumerate(sizes):
        place = None
        for _ in range(_ATTEMPTS):
            try:
                x = int(rs.randint(0, picture[1] - w + room))
                y = int(rs.randint(0, picture[0] - h + room))
            except ValueError:  # does not fit; the draw that fails consumes nothing
                break
            if (yield Trial(index, (x, y))):
                place = (x, y)
                break
        places.append(place)
    return places


def hides_too_much(areas: npt.NDArray[np.float64]) -> bool | None:
    """Whether a foreground hides too much of those behind it.

    Args:
        areas: float64 (n, 2), of all planes up to its own before and after (``alpha_occlude``).

    Returns:
        None: it is so close that ``hides_too_much_published`` must be asked.
    """
    old, new = areas[:, 0], areas[:, 1]
    ratio = new / (old + _EPSILON)
    seen = old > 0
    if np.any(seen & (np.abs(ratio - _KEPT) < _NEAR)):
        return None
    return bool(np.any(seen & (ratio < _KEPT)))


def hides_too_much_published(before: npt.NDArray[Any], after: npt.NDArray[Any]) -> bool:
    """The same by the published sums, which run in float32 over whole planes (n, H, W)."""
    old, new = before.sum((1, 2)), after.sum((1, 2))
    return bool(np.any((old > 0) & (new / (old + _EPSILON) < _KEPT)))
