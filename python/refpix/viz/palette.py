"""Colours and names: parsing classes, left and right, codes, instances."""

from __future__ import annotations

import colorsys
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = [
    "CENTRE",
    "IGNORED",
    "INSTANCES",
    "LEFT",
    "PARSING_NAMES",
    "PARSING_PALETTE",
    "RIGHT",
    "SKELETON",
    "Colour",
    "code_colour",
    "joint_colour",
]

#: Red, green and blue, 0 to 255.
Colour = tuple[int, int, int]

_PARSING: Final[tuple[tuple[str, Colour], ...]] = (
    ("background", (0, 0, 0)),
    ("hat", (214, 39, 72)),
    ("hair", (141, 91, 46)),
    ("glove", (255, 222, 48)),
    ("sunglasses", (92, 60, 146)),
    ("upper clothes", (255, 127, 42)),
    ("dress", (226, 62, 190)),
    ("coat", (28, 104, 204)),
    ("socks", (150, 236, 186)),
    ("pants", (72, 80, 214)),
    ("torso skin", (240, 196, 148)),
    ("scarf", (142, 140, 24)),
    ("skirt", (226, 88, 138)),
    ("face", (255, 158, 132)),
    ("left arm", (56, 208, 236)),
    ("right arm", (0, 142, 146)),
    ("left leg", (176, 228, 62)),
    ("right leg", (56, 146, 66)),
    ("left shoe", (198, 162, 255)),
    ("right shoe", (128, 66, 206)),
)

#: The 20 classes of CIHP's parsing, which RPar's label maps hold.
PARSING_NAMES: Final = tuple(name for name, _ in _PARSING)

#: uint8 (20, 3): their colours. Left and right of a limb share a hue, left is the lighter.
PARSING_PALETTE: Final[npt.NDArray[np.uint8]] = np.array([c for _, c in _PARSING], dtype=np.uint8)
PARSING_PALETTE.flags.writeable = False

#: Labels that the palette has no colour for, e.g. 255 or -1 for "ignored".
IGNORED: Final[Colour] = (128, 128, 128)

#: The person's left, the person's right (not the picture's), and what is in between.
LEFT: Final[Colour] = (255, 149, 0)
RIGHT: Final[Colour] = (20, 186, 255)
CENTRE: Final[Colour] = (245, 245, 245)

#: Boxes and masks, one after the other.
INSTANCES: Final[tuple[Colour, ...]] = (
    (255, 59, 92),
    (0, 200, 140),
    (255, 196, 0),
    (150, 110, 255),
    (0, 176, 255),
    (255, 120, 40),
    (255, 90, 200),
    (150, 210, 60),
)

#: COCO's limbs, as pairs of 0-based keypoints.
SKELETON: Final[tuple[tuple[int, int], ...]] = (
    *((15, 13), (13, 11), (16, 14), (14, 12)),  # legs
    *((11, 12), (5, 11), (6, 12), (5, 6)),  # trunk
    *((5, 7), (7, 9), (6, 8), (8, 10)),  # arms
    *((1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6)),  # head
)


def joint_colour(*keypoints: int) -> Colour:
    """The colour of a keypoint, or of the limb between two: left, right, or in between.

    Args:
        keypoints: 0-based, in COCO's order, where the nose is 0 and odd numbers are left.
    """
    sides = {keypoint % 2 for keypoint in keypoints if keypoint > 0}
    if len(sides) != 1:
        return CENTRE
    return LEFT if sides == {1} else RIGHT


def code_colour(code: int) -> Colour:
    """A colour for a parsing code: neighbours in number are far apart in hue."""
    hue = (code * 0.618034) % 1.0
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.62, 0.98)
    return round(255 * red), round(255 * green), round(255 * blue)
