"""Instance masks as M-HIM2K has them: ``<mask_dir>/<picture>/<k:02d>.png``, people only.

A detection is kept when it is a person of score 0.7 or more that covers 2 % of the picture or more;
those kept are numbered in the detector's order, as published.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from refpix import masks
from refpix.errors import RecordError, RefpixError, SampleError
from refpix.synthesis._files import SampleWriter, png_bytes
from refpix.synthesis._pictures import Source

__all__ = ["PERSON", "Instances", "detect_masks", "kept", "masks_of_results", "write_masks"]

#: COCO's category of people, and torchvision's label.
PERSON: Final = 1


class Instances(NamedTuple):
    """What a detector found in one picture.

    Attributes:
        masks: bool or uint8 (n, H, W), foreground is not 0.
        scores: (n,), 0 to 1.
        labels: (n,), categories; ``PERSON`` is people.
    """

    masks: npt.NDArray[Any]
    scores: npt.NDArray[Any]
    labels: npt.NDArray[Any]


def kept(
    found: Instances, *, person: int = PERSON, min_score: float = 0.7, min_area: float = 0.02
) -> npt.NDArray[np.uint8]:
    """Masks of the people that count, in the order given: uint8 (m, H, W), 0 and 255.

    Args:
        found: of one picture.
        person: label to keep.
        min_score: least score, itself included.
        min_area: least share of the picture, itself included.

    Raises:
        ValueError: the arrays do not fit one another.
    """
    planes, scores, labels = (np.asarray(values) for values in found)
    if planes.ndim != 3 or scores.shape != planes.shape[:1] or labels.shape != planes.shape[:1]:
        raise ValueError(
            f"expected masks (n, H, W), scores (n,), labels (n,), got {planes.shape}, "
            f"{scores.shape}, {labels.shape}"
        )
    wanted = np.flatnonzero((labels == person) & (scores >= min_score))
    chosen = planes[wanted] != 0
    pixels = planes.shape[1] * planes.shape[2]
    large = np.count_nonzero(chosen, axis=(1, 2)) >= min_area * pixels
    result: npt.NDArray[np.uint8] = chosen[large].astype(np.uint8) * np.uint8(255)
    return result


def write_masks(
    out: str | os.PathLike[str], picture: str, planes: npt.NDArray[np.uint8]
) -> list[Path]:
    """Writes a picture's folder of masks, whole or not at all; an older one is replaced.

    Args:
        out: the mask folder, e.g. ``masks_matched_r50_c4_3x/comp``.
        picture: name without suffix, the folder's.
        planes: uint8 (n, H, W). With none nothing is written, and an older folder stays.

    Raises:
        OutputError: a file cannot be written; names it.
        ValueError: the name leaves the folder.
    """
    if picture in ("", ".", "..") or "/" in picture or "\0" in picture:
        raise ValueError(f"picture name leaves its folder: {picture!r}")
    if not len(planes):
        return []
    writer = SampleWriter(os.fspath(out), picture)
    for k, plane in enumerate(planes):
        writer.write(f"{picture}/{k:02d}.png", png_bytes(plane))
    return [Path(out) / relative for relative in writer.commit([picture])]


def detect_masks(
    model: Callable[[npt.NDArray[np.uint8]], Instances],
    pictures: Iterable[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    **limits: Any,
) -> dict[str, int]:
    """Runs a detector over picture files and writes the mask tree.

    Args:
        model: takes uint8 RGB (H, W, 3).
        pictures: files; their names without suffix name the folders.
        out: as ``write_masks``.
        **limits: as ``kept``.

    Returns:
        Masks written, by picture.

    Raises:
        SampleError: a picture cannot be read, or the model's masks do not fit it.
        OutputError: a file cannot be written.
    """
    counts = {}
    for given in pictures:
        picture = os.fspath(given)
        name = Path(picture).stem
        if name in counts:
            raise SampleError(name, picture, "another picture has this name")
        pixels = Source(name, picture).rgb()
        found = model(pixels)
        if np.shape(found.masks)[1:] != pixels.shape[:2]:
            reason = f"masks are {np.shape(found.masks)}, the picture {pixels.shape[:2]}"
            raise SampleError(name, picture, reason)
        counts[name] = len(write_masks(out, name, kept(found, **limits)))
    return counts


def masks_of_results(
    results: Sequence[Mapping[str, Any]],
    names: Mapping[Any, str],
    out: str | os.PathLike[str],
    *,
    file: str = "results",
    **limits: Any,
) -> dict[str, int]:
    """Writes the mask tree of COCO results with run lengths.

    Args:
        results: records with ``image_id``, ``category_id``, ``score``, ``segmentation``; within a
            picture taken by falling score, equal ones as they come.
        names: picture name without suffix, by ``image_id``.
        out: as ``write_masks``.
        file: where the records came from, for errors.
        **limits: as ``kept``.

    Returns:
        Masks written, by picture; 0 where nothing was kept.

    Raises:
        RecordError: a record is malformed; names it.
        OutputError: a file cannot be written.
    """
    by_picture: dict[Any, list[int]] = {key: [] for key in names}
    for i, record in enumerate(results):
        try:
            by_picture[record["image_id"]].append(i)
            float(record["score"]), int(record["category_id"]), record["segmentation"]["counts"]
        except (KeyError, TypeError, ValueError) as error:
            reason = f"missing, unknown or malformed: {error}"
            raise RecordError(file, f"result {i}", "", reason) from error
    counts = {}
    for key, members in by_picture.items():
        order = sorted(members, key=lambda i: -float(results[i]["score"]))
        counts[names[key]] = 0
        if order:
            planes = _decoded(results, order, file)
            scores = np.array([float(results[i]["score"]) for i in order])
            labels = np.array([int(results[i]["category_id"]) for i in order])
            chosen = kept(Instances(planes, scores, labels), **limits)
            counts[names[key]] = len(write_masks(out, names[key], chosen))
    return counts


def _decoded(
    results: Sequence[Mapping[str, Any]], order: Sequence[int], file: str
) -> npt.NDArray[Any]:
    try:
        return masks.decode([results[i]["segmentation"] for i in order])
    except (RefpixError, KeyError, TypeError, ValueError) as error:
        item = getattr(error, "item", -1)
        record = f"result {order[item]}" if item >= 0 else f"one of results {min(order)} and on"
        raise RecordError(file, record, "segmentation", str(error)) from error
