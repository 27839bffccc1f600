"""What the transforms do to a picture and its target: mirror, cut out, resize.

Source: RefHuman, datasets/transforms.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image

from refpix.compat._transforms import Picture, Target, resized, size_of
from refpix.compat.refhuman import _masks
from refpix.compat.refhuman.cures import Cures
from refpix.types import PassOrder

__all__ = ["PUBLISHED", "Target", "crop", "hflip", "resize"]

#: No cure.
PUBLISHED = Cures()

#: Every keypoint's place after a flip: left and right exchanged.
_MIRRORED = [0, *(k for pair in range(1, 17, 2) for k in (pair + 1, pair))]
_SIDES = {"left": "right", "right": "left"}
_SIDE_WORDS = re.compile(r"\b(left|right)\b", re.IGNORECASE)


def hflip(image: Picture, target: Target, *, cures: Cures = PUBLISHED) -> tuple[Picture, Target]:
    """Mirrors both: boxes at the width, keypoints and scribbles at the last column."""
    width = size_of(image)[0]
    flipped: Picture
    if isinstance(image, Image.Image):
        flipped = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    else:
        flipped = image[:, ::-1]
    target = target.copy()
    if "boxes" in target:
        x0, y0, x1, y1 = target["boxes"].unbind(-1)
        target["boxes"] = torch.stack([width - x1, y0, width - x0, y1], dim=-1)
    if "keypoints" in target:
        points = target["keypoints"][:, _MIRRORED]
        moved = width - points[..., 0] - 1
        if cures.keep_unlabelled_at_zero:
            moved = torch.where(points[..., 2] > 0, moved, points[..., 0])
        target["keypoints"] = torch.cat([moved.unsqueeze(-1), points[..., 1:]], dim=-1)
    if "masks" in target:
        target["masks"] = _masks.flip(target["masks"])
    if "scribble" in target:
        x, y = target["scribble"].unbind(-1)
        target["scribble"] = torch.stack([width - x - 1, y], dim=-1)
    if "caption" in target:
        target["caption"] = _mirrored_words(target["caption"], cures.flip_whole_words)
    return flipped, target


def _mirrored_words(caption: str, whole_words: bool) -> str:
    if not whole_words:
        return re.sub("left|right", lambda match: _SIDES[match[0]], _masked(caption))
    return _SIDE_WORDS.sub(_other_side, caption)


def _masked(caption: str) -> str:
    # The published program goes through "[TMP]": one in the caption comes out as "right".
    return caption.replace("[TMP]", "left")


def _other_side(match: re.Match[str]) -> str:
    word = match[0]
    other = _SIDES[word.lower()]
    if word.isupper():
        return other.upper()
    return other.capitalize() if word[0].isupper() else other


def crop(
    image: Picture,
    target: Target,
    region: tuple[int, int, int, int],
    *,
    cures: Cures = PUBLISHED,
) -> tuple[Picture, Target]:
    """Cuts a region out: (top, left, height, width), within the picture.

    People whose box becomes empty are left out of boxes, labels, areas, crowd flags and
    keypoints, and, cured, of masks and scribbles.
    """
    top, left, height, width = region
    cropped: Picture
    if isinstance(image, Image.Image):
        cropped = image.crop((left, top, left + width, top + height))
    else:
        cropped = image[top : top + height, left : left + width]
    target = target.copy()
    target["size"] = torch.tensor([height, width])
    limit = torch.tensor([width, height], dtype=torch.float32)
    corner = torch.tensor([left, top])
    fields = ["labels", "iscrowd", "keypoints"]
    if "masks" in target:
        target["masks"] = _masks.crop(target["masks"], top, left, height, width)
    keep = None
    if "boxes" in target:
        corners = torch.min(target["boxes"].reshape(-1, 2, 2) - corner, limit).clamp(min=0)
        target["boxes"] = corners.reshape(-1, 4)
        target["area"] = (corners[:, 1] - corners[:, 0]).prod(dim=1)
        keep = (corners[:, 1] > corners[:, 0]).all(dim=1)
        fields += ["boxes", "area"]
    elif "masks" in target:
        keep = _masks.areas(target["masks"]) > 0
        fields += ["area"]
    if keep is not None:
        whole: Any = target.get("masks")
        paired = whole is not None and _masks.count(whole) == len(keep)
        if cures.filter_together:
            fields += ["scribble"]
        for field in fields:
            if field in target and len(target[field]) == len(keep):
                target[field] = target[field][keep]
        if cures.filter_together and paired:
            target["masks"] = _masks.select(whole, keep)
        if cures.area_of_mask and paired:
            target["area"] = _masks.areas(_masks.select(whole, keep))
    if "keypoints" in target:
        target["keypoints"] = _cropped_keypoints(target["keypoints"], corner, limit, cures)
    if "scribble" in target:
        target["scribble"] = torch.min(target["scribble"] - corner, limit).clamp(min=0)
    return cropped, target


def _cropped_keypoints(
    keypoints: torch.Tensor, corner: torch.Tensor, limit: torch.Tensor, cures: Cures
) -> torch.Tensor:
    moved, flags = keypoints[..., :2] - corner, keypoints[..., 2:]
    held = torch.min(moved, limit).clamp(min=0)
    result = torch.cat([held, flags], dim=-1)
    if cures.hide_cropped_keypoints:
        inside = ((moved >= 0) & (moved < limit)).all(dim=-1, keepdim=True) & (flags > 0)
        result = torch.where(inside, result, torch.zeros_like(result))
    return result


def resize(
    image: Picture,
    target: Target | None,
    size: int | Sequence[int],
    max_size: int | None = None,
    *,
    order: PassOrder = "auto",
    cures: Cures = PUBLISHED,
) -> tuple[Picture, Target | None]:
    """Resizes both, the aspect ratio kept.

    Args:
        image: the picture.
        target: its target, in pixels.
        size: what the short side becomes; or (width, height).
        max_size: of the long side; the short one then gives way.
        order: of the two passes of the resize.
        cures: which quirks not to have.
    """
    width, height = size_of(image)
    new = _new_size(width, height, size, max_size, cures.round_long_side)
    pixels = resized(image, new, "bilinear", order)
    if target is None:
        return pixels, None
    across, down = new[1] / width, new[0] / height
    target = target.copy()
    if "boxes" in target:
        target["boxes"] = target["boxes"] * torch.tensor([across, down, across, down])
    if "area" in target:
        target["area"] = target["area"] * (across * down)
    if "keypoints" in target:
        target["keypoints"] = target["keypoints"] * torch.tensor([across, down, 1.0])
    target["size"] = torch.tensor(new)
    if "masks" in target and _masks.count(target["masks"]):
        target["masks"] = _masks.resize(target["masks"], new)
    if "scribble" in target:
        target["scribble"] = target["scribble"] * torch.tensor([across, down])
    return pixels, target


def _new_size(
    width: int, height: int, size: int | Sequence[int], max_size: int | None, rounded: bool
) -> tuple[int, int]:
    """Height and width after the resize."""
    if not isinstance(size, int):
        new_width, new_height = size
        return new_height, new_width
    short, long = min(width, height), max(width, height)
    if max_size is not None and long / short * size > max_size:
        size = max(1, round(max_size * short / long))
    if short == size:
        return height, width
    exact = size * long / short
    other = round(exact) if rounded else int(exact)
    return (other, size) if width < height else (size, other)
