"""RefHCM's numbers: pixels to fractions to bins, and the ids and strings of bins and codes.

Pure NumPy. Every step is one float32 operation in the published order, so results are those of
the published program to the bit (RefHCM, utils/transforms.py and data/mm_data/*.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from refpix.datasets.refhcm_text import KEYPOINT_NAMES

__all__ = [
    "BIN_0",
    "BOS",
    "CODE_0",
    "EOS",
    "NUM_CODES",
    "PAD",
    "PARSING_BEGIN",
    "PARSING_END",
    "PARSING_QUERIES",
    "UNK",
    "VOCAB_SIZE",
    "bin_ids",
    "box_tokens",
    "code_ids",
    "code_tokens",
    "keypoint_bins",
    "quantise",
    "region_area",
    "resize_ratios",
    "scale_boxes",
    "scale_keypoints",
]

#: Ids of the published vocabulary: specials, GPT-2 words and <mask>, 8192 codes, 1000 bins.
BOS: Final = 0
PAD: Final = 1
EOS: Final = 2
UNK: Final = 3
CODE_0: Final = 50265
NUM_CODES: Final = 8192
BIN_0: Final = CODE_0 + NUM_CODES
VOCAB_SIZE: Final = BIN_0 + 1000

#: Codes with a meaning of their own in the full-mask layout: begin, end and 48 queries.
PARSING_BEGIN: Final = 40
PARSING_END: Final = 41
PARSING_QUERIES: Final = tuple(range(42, 90))

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


def resize_ratios(width: int, height: int, size: int) -> tuple[np.float32, np.float32]:
    """How much a picture is stretched to ``size`` x ``size``: float32 ratios of width and height.

    Args:
        width: of the decoded picture, pixels.
        height: of the decoded picture, pixels.
        size: side of the square it becomes; the aspect ratio is not kept.
    """
    return np.float32(size / width), np.float32(size / height)


def scale_boxes(
    boxes: npt.ArrayLike, width: int, height: int, size: int, max_image_size: int
) -> Floats:
    """Boxes in pixels of the decoded picture to fractions of ``max_image_size``.

    Args:
        boxes: (n, 4) or (4,), xyxy; made float32 first.
        width: of the decoded picture, pixels.
        height: of the decoded picture, pixels.
        size: side of the square that the picture is resized to.
        max_image_size: the divisor, 512 as published (RHrc: ``size``).

    Returns:
        float32, shaped like ``boxes``. Values are not clamped.
    """
    return _scale(boxes, 4, width, height, size, max_image_size)


def scale_keypoints(
    keypoints: npt.ArrayLike, width: int, height: int, size: int, max_image_size: int
) -> Floats:
    """Keypoints in pixels to fractions of ``max_image_size``: float32 (..., 2 k), x and y in turn.

    Raises:
        ValueError: an odd number of coordinates.
    """
    return _scale(keypoints, 2, width, height, size, max_image_size)


def _scale(
    values: npt.ArrayLike, step: int, width: int, height: int, size: int, max_image_size: int
) -> Floats:
    # A number too big for float32 becomes inf, as in torch, and is refused when it is quantised.
    with np.errstate(over="ignore", invalid="ignore"):
        pixels = np.asarray(values, dtype=np.float32)
        if pixels.ndim == 0 or pixels.shape[-1] % step:
            raise ValueError(f"coordinates come in groups of {step}, shape is {pixels.shape}")
        ratios = np.tile(np.array(resize_ratios(width, height, size)), pixels.shape[-1] // 2)
        scaled: Floats = pixels * ratios / np.float32(max_image_size)
    return scaled


def region_area(box: Sequence[float], width: int, height: int, size: int) -> np.float32:
    """Area of a box in pixels of the resized picture (signed for reversed boxes).

    Args:
        box: x0, y0, x1, y1 as read, in double precision.
        width: of the decoded picture, pixels.
        height: of the decoded picture, pixels.
        size: side of the square that the picture is resized to.
    """
    x0, y0, x1, y1 = box
    with np.errstate(over="ignore", invalid="ignore"):
        area = np.float32((x1 - x0) * (y1 - y0))
        scaled: np.float32 = area * np.float32((size / width) * (size / height))
    return scaled


def quantise(normalised: npt.ArrayLike, num_bins: int = 1000, *, clamp: bool = False) -> Ints:
    """Fractions to bins: times ``num_bins - 1``, rounded half to even, all in float32.

    Args:
        normalised: any shape; what ``scale_boxes`` and ``scale_keypoints`` return.
        num_bins: bins of the vocabulary.
        clamp: keep bins within the vocabulary. Off as published: bins outside become unknown
            tokens.

    Returns:
        int64, shaped like ``normalised``; beyond 2**62 they stay there.

    Raises:
        ValueError: a NaN or an infinity.
    """
    with np.errstate(over="ignore"):
        bins = np.rint(np.asarray(normalised, dtype=np.float32) * np.float32(num_bins - 1))
    if not np.isfinite(bins).all():
        raise ValueError("a coordinate is not a finite number")
    low, high = (0, num_bins - 1) if clamp else (-(2**62), 2**62)
    clipped: Ints = np.clip(bins, np.float32(low), np.float32(high)).astype(np.int64)
    return clipped


def keypoint_bins(
    normalised: npt.ArrayLike, num_bins: int = 1000, *, clamp: bool = False
) -> list[tuple[str, int, int]]:
    """Names and bins of the visible keypoints, in COCO's order.

    A point counts as visible when the larger of its two coordinates is not zero: (0, 0) and
    (0, -4) are left out, (9, 0) and (-5, -3) are not. Points beyond the seventeenth are ignored.

    Args:
        normalised: float32 (2 k,), what ``scale_keypoints`` returns.
        num_bins: bins of the vocabulary.
        clamp: as in ``quantise``.

    Raises:
        ValueError: a visible point with a NaN or an infinity, or an odd number of coordinates.
    """
    points = np.asarray(normalised, dtype=np.float32).reshape(-1, 2)[: len(KEYPOINT_NAMES)]
    visible = points.max(axis=1, initial=-np.inf) != 0
    bins = quantise(points[visible], num_bins, clamp=clamp).tolist()
    names = [KEYPOINT_NAMES[i] for i in np.flatnonzero(visible)]
    return [(name, x, y) for name, (x, y) in zip(names, bins, strict=True)]


def box_tokens(bins: Iterable[int]) -> str:
    """Bins as text: ``"<bin_1> <bin_2> ..."``."""
    return " ".join(f"<bin_{b}>" for b in bins)


def code_tokens(codes: Iterable[int]) -> str:
    """Codes as text: ``"<code_1> <code_2> ..."``."""
    return " ".join(f"<code_{c}>" for c in codes)


def bin_ids(bins: npt.ArrayLike, num_bins: int = 1000) -> Ints:
    """Token ids of bins, int64; bins outside 0..num_bins - 1 are the unknown token."""
    return _ids(bins, BIN_0, num_bins)


def code_ids(codes: npt.ArrayLike) -> Ints:
    """Token ids of codes, int64; codes outside 0..8191 are the unknown token."""
    return _ids(codes, CODE_0, NUM_CODES)


def _ids(numbers: npt.ArrayLike, first: int, count: int) -> Ints:
    numbers = np.asarray(numbers, dtype=np.int64)
    return np.where((numbers >= 0) & (numbers < count), first + numbers, UNK)
