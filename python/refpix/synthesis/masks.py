"""Instance masks as M-HIM2K begins with: ``<mask_dir>/<picture>/<k:02d>.png``, people only.

A detection is kept when it is a person of score 0.7 or more that covers 2 % of the picture or more;
those kept are numbered in the detector's order, as published. ``matched_masks`` goes on from there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from refpix import masks
from refpix.errors import RecordError, RefpixError, SampleError
from refpix.synthesis._files import MANIFEST, Journal, SampleWriter, png_bytes
from refpix.synthesis._pictures import Source
from refpix.synthesis._runs import Entry, Summary, digest, failed, run

__all__ = [
    "PERSON",
    "Detector",
    "Instances",
    "Limits",
    "detect_masks",
    "kept",
    "masks_of_results",
    "write_masks",
]

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


class Detector(Protocol):
    """Finds instances in one picture, uint8 RGB (H, W, 3).

    An attribute ``settings``, a dict that JSON can hold, says what the result depends on: a folder
    that was begun with others is refused. Without it the name of the type or function stands in.
    """

    def __call__(self, rgb: npt.NDArray[np.uint8], /) -> Instances:
        """What it finds."""


class Limits(NamedTuple):
    """Which detections are kept.

    Attributes:
        person: label to keep.
        min_score: least score, itself included.
        min_area: least share of the picture, itself included.
    """

    person: int = PERSON
    min_score: float = 0.7
    min_area: float = 0.02


def kept(found: Instances, limits: Limits | None = None) -> npt.NDArray[np.uint8]:
    """Masks of the people that count, in the order given: uint8 (m, H, W), 0 and 255.

    Args:
        found: of one picture.
        limits: None: as published.

    Raises:
        ValueError: the arrays do not fit one another.
    """
    limits = limits or Limits()
    planes, scores, labels = (np.asarray(values) for values in found)
    if planes.ndim != 3 or scores.shape != planes.shape[:1] or labels.shape != planes.shape[:1]:
        raise ValueError(
            f"expected masks (n, H, W), scores (n,), labels (n,), got {planes.shape}, "
            f"{scores.shape}, {labels.shape}"
        )
    wanted = np.flatnonzero((labels == limits.person) & (scores >= limits.min_score))
    chosen = planes[wanted] != 0
    pixels = planes.shape[1] * planes.shape[2]
    large = np.count_nonzero(chosen, axis=(1, 2)) >= limits.min_area * pixels
    result: npt.NDArray[np.uint8] = chosen[large].astype(np.uint8) * np.uint8(255)
    return result


def _check_name(picture: str) -> None:
    """Names of pictures are names of folders beside the manifest."""
    if not picture or picture.startswith(".") or picture == MANIFEST or set(picture) & {"/", "\0"}:
        raise ValueError(f"picture name leaves its folder, or is taken: {picture!r}")


def write_masks(
    out: str | os.PathLike[str], picture: str, planes: npt.NDArray[np.uint8]
) -> dict[str, int]:
    """Writes a picture's folder of masks, whole or not at all; an older one is replaced.

    Args:
        out: the mask folder, e.g. ``masks_r50_c4_3x/comp``.
        picture: name without suffix, the folder's.
        planes: uint8 (n, H, W). With none nothing is written, and an older folder stays.

    Returns:
        Bytes of each file, by its name below ``out``.

    Raises:
        OutputError: a file cannot be written; names it.
        ValueError: the name leaves the folder.
    """
    _check_name(picture)
    if not len(planes):
        return {}
    writer = SampleWriter(os.fspath(out), picture)
    for k, plane in enumerate(planes):
        writer.write(f"{picture}/{k:02d}.png", png_bytes(plane))
    return writer.commit([picture])


def _written(root: str, picture: str, planes: npt.NDArray[np.uint8]) -> Entry:
    files = write_masks(root, picture, planes)
    if not files:
        return {"id": picture, "status": "nothing"}
    return {"id": picture, "status": "written", "files": files}


@dataclass(frozen=True)
class _Detection:
    """Finds and writes the masks of one picture file."""

    model: Detector
    root: str
    limits: Limits
    upright: bool
    strict: bool = field(default=False)

    def __call__(self, picture: str) -> Entry:
        name = Path(picture).stem
        source = Source(name, picture)
        try:
            pixels = source.upright_rgb() if self.upright else source.rgb()
            found = self.model(pixels)
            if np.shape(found.masks)[1:] != pixels.shape[:2]:
                reason = f"masks are {np.shape(found.masks)}, the picture {pixels.shape[:2]}"
                raise source.error(reason)
            try:
                planes = kept(found, self.limits)
            except ValueError as error:
                raise source.error(str(error)) from error
        except SampleError as error:
            if self.strict:
                raise
            return failed({"id": name}, error)
        return _written(self.root, name, planes)


def _settings_of(model: Detector) -> Any:
    named = getattr(model, "__qualname__", type(model).__qualname__)
    return getattr(model, "settings", named)


def detect_masks(
    model: Detector,
    pictures: Iterable[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    limits: Limits | None = None,
    upright: bool = False,
    strict: bool = False,
    progress: bool = False,
) -> Summary:
    """Runs a detector over picture files and writes the mask tree.

    A run that was stopped goes on where it was. At the end there is a ``manifest.json``.

    Args:
        model: the detector.
        pictures: files; their names without suffix name the folders.
        out: as ``write_masks``.
        limits: None: as published.
        upright: rotate by EXIF, as detectron2's reader does; else pixels as they are stored, as
            the mattes lie.
        strict: a picture that fails ends the run; else it is reported and the run goes on.
        progress: draw a bar on stderr.

    Raises:
        SampleError: two pictures have one name; or a picture cannot be read, or the model's masks
            do not fit it, when ``strict``.
        OutputError: a file cannot be written; names it.
        ValueError: the folder was begun with another model or other limits.
    """
    limits = limits or Limits()
    jobs: dict[str, str] = {}
    for given in pictures:
        picture = os.fspath(given)
        name = Path(picture).stem
        _check_name(name)
        if name in jobs:
            raise SampleError(name, picture, "another picture has this name")
        jobs[name] = picture
    root = os.fspath(out)
    settings = {"detector": _settings_of(model), "upright": upright, **limits._asdict()}
    work = _Detection(model, root, limits, upright, strict)
    journal, todo = Journal(root, settings), list(jobs.values())
    return run(journal, "masks", list(jobs), work, todo, progress=progress, seeds="none")


@dataclass(frozen=True)
class _Records:
    """Writes the masks of one picture's records."""

    results: Sequence[Mapping[str, Any]]
    root: str
    limits: Limits
    file: str

    def __call__(self, job: tuple[str, list[int]]) -> Entry:
        name, members = job
        order = sorted(members, key=lambda i: -float(self.results[i]["score"]))
        if not order:
            return {"id": name, "status": "nothing"}
        planes = _decoded(self.results, order, self.file)
        scores = np.array([float(self.results[i]["score"]) for i in order])
        labels = np.array([int(self.results[i]["category_id"]) for i in order])
        return _written(self.root, name, kept(Instances(planes, scores, labels), self.limits))


def masks_of_results(
    results: Sequence[Mapping[str, Any]],
    names: Mapping[Any, str],
    out: str | os.PathLike[str],
    *,
    file: str = "results",
    limits: Limits | None = None,
    progress: bool = False,
) -> Summary:
    """Writes the mask tree of COCO results with run lengths.

    A run that was stopped goes on where it was. At the end there is a ``manifest.json``.

    Args:
        results: records with ``image_id``, ``category_id``, ``score``, ``segmentation``; within a
            picture taken by falling score, equal ones as they come.
        names: picture name without suffix, by ``image_id``.
        out: as ``write_masks``.
        file: where the records came from, for errors.
        limits: None: as published.
        progress: draw a bar on stderr.

    Raises:
        RecordError: a record is malformed; names it.
        OutputError: a file cannot be written; names it.
        ValueError: the folder was begun with other results or limits; two pictures have one name.
    """
    limits = limits or Limits()
    by_picture, lines = _sorted_out(results, names, file)
    jobs = [(names[key], members) for key, members in by_picture.items()]
    ids = [name for name, _ in jobs]
    for name in ids:
        _check_name(name)
    if len(set(ids)) < len(ids):
        raise ValueError(f"{file}: two pictures have one name without suffix")
    root = os.fspath(out)
    settings = {"results": [len(results), digest(lines)], **limits._asdict()}
    work = _Records(results, root, limits, file)
    return run(Journal(root, settings), "masks", ids, work, jobs, progress=progress, seeds="none")


def _sorted_out(
    results: Sequence[Mapping[str, Any]], names: Mapping[Any, str], file: str
) -> tuple[dict[Any, list[int]], list[str]]:
    """Numbers of the records by picture, and what the records say as text."""
    by_picture: dict[Any, list[int]] = {key: [] for key in names}
    lines = []
    for i, record in enumerate(results):
        try:
            score, label = float(record["score"]), int(record["category_id"])
            by_picture[record["image_id"]].append(i)
            runs = record["segmentation"]["counts"]
        except (KeyError, TypeError, ValueError) as error:
            reason = f"missing, unknown or malformed: {error}"
            raise RecordError(file, f"result {i}", "", reason) from error
        text = runs.decode("latin-1") if isinstance(runs, bytes) else str(runs)
        lines.append(f"{names[record['image_id']]} {label} {score} {text}")
    return by_picture, lines


def _decoded(
    results: Sequence[Mapping[str, Any]], order: Sequence[int], file: str
) -> npt.NDArray[Any]:
    try:
        return masks.decode([results[i]["segmentation"] for i in order])
    except (RefpixError, KeyError, TypeError, ValueError) as error:
        item = getattr(error, "item", -1)
        record = f"result {order[item]}" if item >= 0 else f"one of results {min(order)} and on"
        raise RecordError(file, record, "segmentation", str(error)) from error
