"""Masks of M-HIM2K, ``masks_matched_<detector>``: one for each matte, under the matte's name.

A matte gets the detected mask that overlaps it most, if by enough; a matte that no detection fits
gets one drawn from itself. docs/synthesis.md says what of this is published, and what is not.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from refpix import masks as rle
from refpix.errors import SampleError
from refpix.kernels import rle_overlap
from refpix.synthesis._engines import Engine
from refpix.synthesis._files import Journal, SampleWriter, png_bytes
from refpix.synthesis._pictures import Source, sorted_files
from refpix.synthesis._runs import Entry, Summary, failed, run

__all__ = ["MIN_IOU", "drawn_mask", "generate_matched_masks", "match_masks", "without_overlaps"]

MIN_IOU: Final = 0.7
_LARGEST_SQUARE = 30

Planes = npt.NDArray[np.uint8]


def match_masks(
    found: Planes, mattes: Planes, *, min_iou: float = MIN_IOU
) -> npt.NDArray[np.int64]:
    """For each matte the mask that overlaps it most.

    IoU is between what is not 0 in the mask and in the matte, soft edges included. Of equal ones
    the first; a mask may be that of several mattes.

    Args:
        found: uint8 (m, H, W).
        mattes: uint8 (n, H, W).
        min_iou: to be exceeded.

    Returns:
        int64 (n,), numbers of masks; -1: none overlaps enough.
    """
    if not len(found) or not len(mattes):
        return np.full(len(mattes), -1, np.int64)
    batch = rle.encode(np.concatenate((found, mattes)))
    pairs = [(i, len(found) + j) for j in range(len(mattes)) for i in range(len(found))]
    counts = rle_overlap(*batch, np.array(pairs, np.int64)).reshape(len(mattes), len(found), 3)
    shared, of_mask, of_matte = np.moveaxis(counts, 2, 0)
    iou = shared / (of_mask + of_matte - shared + 1e-6)
    best = iou.argmax(axis=1)
    return np.where(iou[np.arange(len(mattes)), best] > min_iou, best, -1)


def drawn_mask(matte: Planes, seed: str) -> Planes:
    """A mask drawn from a matte: cut at a random level, then dilated or eroded by squares, or both.

    Args:
        matte: uint8 (H, W).
        seed: what the draws depend on.

    Returns:
        uint8 (H, W), 0 and 255.
    """
    draws = random.Random(seed)
    level = draws.uniform(0.01, 0.99)
    widen, thin = draws.randint(1, _LARGEST_SQUARE), draws.randint(1, _LARGEST_SQUARE)
    steps = draws.choice(("widen thin", "thin widen", "widen", "thin")).split()
    plane = matte / 255.0 > level
    for step in steps:
        plane = _over_square(plane, widen if step == "widen" else thin, step == "widen")
    return _bytes(plane)


def _bytes(plane: npt.NDArray[np.bool_]) -> Planes:
    """0 and 255."""
    values: Planes = np.where(plane, np.uint8(255), np.uint8(0))
    return values


def _over_square(plane: npt.NDArray[np.bool_], side: int, dilate: bool) -> npt.NDArray[np.bool_]:
    """OpenCV's dilation or erosion by a square; what is outside the picture counts for nothing."""
    if not dilate:
        return ~_over_square(~plane, side, True)
    before = side // 2
    for axis in (0, 1):
        length = plane.shape[axis]
        sums = np.cumsum(plane, axis=axis, dtype=np.int32)
        sums = np.insert(sums, 0, 0, axis=axis)
        places = np.arange(length)
        low = np.clip(places - before, 0, length)
        high = np.clip(places - before + side, 0, length)
        plane = sums.take(high, axis=axis) > sums.take(low, axis=axis)
    return plane


def without_overlaps(found: Planes, mattes: Planes) -> Planes:
    """Masks that share no pixel: one that several have stays where the matte is strongest.

    If the mask of that matte is not among them, nobody keeps the pixel.

    Args:
        found: uint8 (n, H, W).
        mattes: uint8 (n, H, W), one for each mask.
    """
    shared = np.count_nonzero(found, axis=0) > 1
    result: Planes = found.copy()
    if shared.any():
        strongest = mattes.argmax(axis=0)
        for k, plane in enumerate(result):
            plane[shared & (strongest != k)] = 0
    return result


@dataclass(frozen=True)
class _Matching:
    """Matches and writes the masks of one picture; picklable."""

    found_dir: str
    mattes_dir: str
    root: str
    min_iou: float
    missing: str
    overlaps: str
    seed: int
    strict: bool = field(default=False)

    def __call__(self, name: str) -> Entry:
        entry: Entry = {"id": name}
        try:
            names, mattes = self._planes(name, os.path.join(self.mattes_dir, name))
            if not names:
                raise SampleError(name, os.path.join(self.mattes_dir, name), "no mattes")
            folder = os.path.join(self.found_dir, name)
            sources, found = (
                self._planes(name, folder, mattes.shape[1:])
                if os.path.isdir(folder)
                else ([], mattes[:0])
            )
        except SampleError as error:
            if self.strict:
                raise
            return failed(entry, error)
        best = match_masks(found, mattes, min_iou=self.min_iou)
        planes = self._chosen(name, names, best, found, mattes)
        writer = SampleWriter(self.root, name)
        taken = {}
        for k, (matte_name, plane) in enumerate(zip(names, planes, strict=True)):
            if best[k] >= 0 or self.missing == "draw":
                writer.write(f"{name}/{matte_name}", png_bytes(plane))
                taken[matte_name] = sources[best[k]] if best[k] >= 0 else "drawn"
        files = writer.commit([name])
        return {
            **entry,
            "status": "written" if files else "nothing",
            "masks": taken,
            "files": files,
        }

    def _chosen(
        self,
        name: str,
        names: Sequence[str],
        best: npt.NDArray[np.int64],
        found: Planes,
        mattes: Planes,
    ) -> Planes:
        planes = np.zeros_like(mattes)
        for k, i in enumerate(best):
            if i >= 0:
                planes[k] = _bytes(found[i] != 0)
            elif self.missing == "draw":
                planes[k] = drawn_mask(mattes[k], f"{self.seed} {name} {names[k]}")
        return without_overlaps(planes, mattes) if self.overlaps == "split" else planes

    def _planes(
        self, name: str, folder: str, size: tuple[int, ...] | None = None
    ) -> tuple[list[str], Planes]:
        """Gray pictures of a folder and their names."""
        try:
            paths = [path for path in sorted_files(folder) if path.lower().endswith(".png")]
        except OSError as error:
            raise SampleError(name, folder, error.strerror or str(error)) from error
        planes: list[Planes] = []
        for path in paths:
            plane = Source(name, path).luma()
            wanted = size or (planes[0].shape if planes else plane.shape)
            if plane.shape != wanted:
                reason = f"is {plane.shape}, the picture's others are {wanted}"
                raise SampleError(name, path, reason)
            planes.append(plane)
        stack = np.stack(planes) if planes else np.zeros((0, *(size or (0, 0))), np.uint8)
        return [os.path.basename(path) for path in paths], stack


def generate_matched_masks(
    masks_dir: str | os.PathLike[str],
    mattes_dir: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    min_iou: float = MIN_IOU,
    missing: Literal["draw", "leave"] = "draw",
    overlaps: Literal["keep", "split"] = "keep",
    seed: int = 0,
    workers: int = 1,
    engine: Engine = "local",
    start_method: str | None = None,
    strict: bool = False,
    progress: bool = False,
) -> Summary:
    """Write ``<out>/<picture>/<matte's name>`` for each matte of each picture.

    A run that was stopped goes on where it was. At the end there is a ``manifest.json``, which says
    which mask each matte got.

    Args:
        masks_dir: folders of detected masks, as ``detect_masks`` writes them, e.g.
            ``masks_r50_c4_3x/comp``. A picture without one had no detection.
        mattes_dir: folders of mattes, e.g. ``alphas/comp``.
        out: e.g. ``masks_matched_r50_c4_3x/comp``.
        min_iou: as ``match_masks``.
        missing: ``draw`` a mask where none matches, or ``leave`` it out.
        overlaps: ``keep`` them, or ``split``: see ``without_overlaps``.
        seed: of the drawn masks, with the names of picture and matte.
        workers: processes, or on Ray tasks at a time.
        engine: ``local`` or ``ray``. The files are the same.
        start_method: of local processes; None: the system's.
        strict: a picture that fails ends the run; else it is reported and the run goes on.
        progress: draw a bar on stderr.

    Raises:
        SampleError: a picture failed, when ``strict``.
        OutputError: a file cannot be written; names it.
        OSError: the mattes cannot be listed.
        ValueError: the folder was begun with other options; an option has no such value.
    """
    if missing not in ("draw", "leave") or overlaps not in ("keep", "split"):
        raise ValueError(f"expected draw or leave, keep or split, got {missing}, {overlaps}")
    with os.scandir(mattes_dir) as entries:
        names = sorted(entry.name for entry in entries if entry.is_dir())
    root = os.fspath(out)
    settings: dict[str, Any] = {
        "min_iou": min_iou, "missing": missing, "overlaps": overlaps, "seed": seed,
    }  # fmt: skip
    work = _Matching(
        os.fspath(masks_dir),
        os.fspath(mattes_dir),
        root,
        min_iou,
        missing,
        overlaps,
        seed,
        strict,
    )
    return run(
        Journal(root, settings),
        "matched-masks",
        names,
        work,
        names,
        engine=engine,
        workers=workers,
        start_method=start_method,
        progress=progress,
        seeds="seed, picture and matte",
    )
