"""MSCOCO-GLT's crops as files: ``<set>/images/<key>.jpg`` and ``<set>/annotation.json``."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from refpix.errors import KernelError, SampleError
from refpix.io.atomic import whole_file
from refpix.io.glt_splits_file import SPLITS, GltSplits, Key, read_splits
from refpix.synthesis._engines import Engine
from refpix.synthesis._files import Journal, OutputError, SampleWriter
from refpix.synthesis._glt_annotation import annotation
from refpix.synthesis._runs import Entry, digest, run
from refpix.synthesis.glt_crops import CropBox, CropCure, GltPicture, crop_box

__all__ = ["CROP_SETS", "CropSummary", "coco_pictures", "generate_crops", "published_sets"]

#: Folder of each annotation set's crops, by the name of its file.
CROP_SETS: Final = {
    "coco_intra_lt_inter_lt": "coco_glt",
    "coco_intra_lt_inter_bl": "coco_cbl",
}
_FOLDERS = ("val2014", "train2014")  # a picture in both is taken from the last


class CropSummary(NamedTuple):
    """What a run did.

    Attributes:
        objects: crops written by folder of a set, those of earlier runs included.
        pictures: of COCO that have objects.
        skipped: of them, those that an earlier run had finished.
        failures: key and reason of each object without a crop; it is in no annotation.
    """

    objects: dict[str, int]
    pictures: int
    skipped: int
    failures: list[tuple[str, str]]


class _Object(NamedTuple):
    key: str
    bbox: tuple[float, float, float, float]
    files: tuple[str, ...]  # where its crop goes, below the output


class _Failure(NamedTuple):
    key: str
    reason: str
    files: tuple[str, ...]  # that are not there


class _Job(NamedTuple):
    """A picture and its objects; without a picture there is a reason why."""

    id: str
    path: str
    reason: str
    objects: tuple[_Object, ...]


def published_sets(folder: str | os.PathLike[str]) -> dict[str, GltSplits]:
    """Both annotation sets of a folder, by the folder of their crops.

    Args:
        folder: with ``coco_intra_lt_inter_lt`` and ``coco_intra_lt_inter_bl``; of each ``.json``
            is taken before ``.jbl``.

    Raises:
        FileNotFoundError: a set is missing.
        RecordError: a file is malformed; and so on, see `read_splits`.
    """
    sets = {}
    for name, crops in CROP_SETS.items():
        files = (Path(folder) / f"{name}{end}" for end in (".json", ".jbl"))
        found = [file for file in files if file.exists()]
        if not found:
            raise FileNotFoundError(f"{Path(folder) / name}: neither .json nor .jbl is there")
        sets[crops] = read_splits(found[0])
    return sets


def coco_pictures(data_path: str | os.PathLike[str]) -> dict[int, str]:
    """Paths of COCO's pictures by id: ``.jpg`` files in ``val2014`` and ``train2014``.

    Args:
        data_path: folder of the two, with or without a slash at the end.

    Raises:
        FileNotFoundError: neither of the two is there.
    """
    found = {}
    folders = [f for f in (os.path.join(data_path, name) for name in _FOLDERS) if os.path.isdir(f)]
    if not folders:
        raise FileNotFoundError(f"{os.fspath(data_path)}: neither val2014 nor train2014 is there")
    for folder in folders:
        for name in os.listdir(folder):
            number = name.split(".")[0].split("_")[-1]
            if name.endswith(".jpg") and number.isascii() and number.isdigit():
                found[int(number)] = os.path.join(folder, name)
    return found


def _wanted(sets: Mapping[str, GltSplits]) -> Iterator[tuple[Key, str, GltSplits]]:
    for folder, splits in sets.items():
        for name in SPLITS:
            for key in splits.splits[name].keys:
                yield key, f"{folder}/images/{key}.jpg", splits


def _jobs(sets: Mapping[str, GltSplits], pictures: Mapping[int, str]) -> list[_Job]:
    """Objects by their pictures, in the order in which these are met."""
    places = {
        id(s): {key: row for row, key in enumerate(s.annotations.keys)} for s in sets.values()
    }
    files: dict[tuple[str, int | None, tuple[float, ...]], dict[str, None]] = {}
    for key, file, splits in _wanted(sets):
        text = str(key)
        if text in ("", ".", "..") or any(c in text for c in "/\\\0"):
            raise ValueError(f"{splits.name}: key {text!r} cannot be the name of a file")
        row = places[id(splits)].get(key)
        image = None if row is None else int(splits.annotations.image_id[row])
        bbox = () if row is None else tuple(splits.annotations.bbox[row].tolist())
        files.setdefault((text, image, bbox), {})[file] = None
    objects: dict[int | None, list[_Object]] = {}
    for (text, image, bbox), where in files.items():
        objects.setdefault(image, []).append(_Object(text, bbox, tuple(where)))  # type: ignore[arg-type]
    return [
        _Job("unannotated", "", "not among COCO's annotations", tuple(some))
        if image is None
        else _Job(
            str(image),
            pictures.get(image, ""),
            "" if image in pictures else f"picture {image} is not there",
            tuple(some),
        )
        for image, some in objects.items()
    ]


@dataclass(frozen=True)
class _CropWork:
    """Crops all objects of one picture and writes them; picklable."""

    root: str
    cures: tuple[CropCure, ...]
    strict: bool

    def __call__(self, job: _Job) -> Entry:
        failures: list[_Failure] = []
        files: dict[str, int] = {}
        try:
            if job.reason:
                raise SampleError("", "", job.reason)
            files = self._write(job, failures)
        except SampleError as error:
            reason = f"{error.file}: {error.reason}" if error.file else error.reason
            failures = [_Failure(one.key, reason, one.files) for one in job.objects]
        if failures and self.strict:
            raise SampleError(failures[0].key, "", failures[0].reason)
        entry: Entry = {"id": job.id, "status": "written", "files": files}
        if failures:
            reasons = "; ".join(f"object {key}: {reason}" for key, reason, _ in failures)
            entry |= {"status": "failed", "reason": reasons, "failures": failures}
        return entry

    def _write(self, job: _Job, failures: list[_Failure]) -> dict[str, int]:
        """Files written, with their bytes; ``failures`` receives the objects left out."""
        writer = SampleWriter(self.root, job.id)
        try:
            picture = GltPicture(job.path)
            wanted: list[tuple[_Object, CropBox]] = []
            for one in job.objects:
                try:
                    box = crop_box(one.bbox, picture.width, picture.height, cures=self.cures)
                    wanted.append((one, box))
                except ValueError as error:
                    failures.append(_Failure(one.key, str(error), one.files))
            if failures and self.strict:
                return {}
            parts = picture.parts([box for _, box in wanted])
        except KernelError as error:
            raise SampleError("", job.path, error.reason) from error
        except OSError as error:
            raise SampleError("", job.path, error.strerror or str(error)) from error
        for (one, box), part in zip(wanted, parts, strict=True):
            payload = picture.jpeg(part, box)
            for file in one.files:
                writer.write(file, payload)
        return writer.commit(())


def generate_crops(
    output_path: str | os.PathLike[str],
    *,
    data_path: str | os.PathLike[str],
    sets: Mapping[str, GltSplits],
    cures: Collection[CropCure] = (),
    workers: int = 1,
    engine: Engine = "local",
    start_method: str | None = None,
    strict: bool = False,
    progress: bool = False,
) -> CropSummary:
    """Write the crops of some annotation sets, and what the published loader reads about them.

    Each picture is read once for all its objects, and what two sets share is cropped once. A run
    that was stopped goes on where it was; at the end there is a ``manifest.json``.

    Args:
        output_path: made if need be; the annotations hold it as it is given.
        data_path: as `coco_pictures`.
        sets: by folder, as `published_sets` has them.
        cures: as `crop_box`.
        workers: processes, or on Ray tasks at a time.
        engine: ``local`` or ``ray``. The files are the same.
        start_method: of local processes; None: the system's.
        strict: an object that cannot be cropped ends the run; else it is left out of its
            annotation and reported.
        progress: draw a bar on stderr.

    Raises:
        SampleError: an object cannot be cropped, when ``strict``; names it.
        OutputError: a file cannot be written; names it. Nothing half-written stays in place.
        FileNotFoundError: there are no pictures.
        ValueError: the folder was begun with other sets or options; a key cannot name a file.
    """
    root = os.fspath(output_path)
    jobs = _jobs(sets, coco_pictures(data_path))
    lines = (f"{job.id} {one}" for job in jobs for one in job.objects)
    settings = {
        "cures": sorted(cures),
        "sets": {folder: splits.name for folder, splits in sets.items()},
        "objects": [sum(len(job.objects) for job in jobs), digest(lines)],
    }
    journal = Journal(root, settings)
    summary = run(
        journal,
        "glt-crops",
        [job.id for job in jobs],
        _CropWork(root, tuple(cures), strict),
        jobs,
        engine=engine,
        workers=workers,
        start_method=start_method,
        progress=progress,
        seeds="none",
    )
    entries = (journal.entries[job.id] for job in jobs)
    failures = [_Failure(*one) for entry in entries for one in entry.get("failures", ())]
    counts = _write_annotations(root, sets, {file for one in failures for file in one.files})
    pictures = sum(bool(job.path) for job in jobs)
    return CropSummary(counts, pictures, summary.skipped, [one[:2] for one in failures])


def _write_annotations(
    root: str, sets: Mapping[str, GltSplits], lost: Collection[str]
) -> dict[str, int]:
    """Writes each set's annotation; objects in it, by set."""
    counts = {}
    for folder, splits in sets.items():
        keys = [key for name in SPLITS for key in splits.splits[name].keys]
        missing = {key for key in keys if f"{folder}/images/{key}.jpg" in lost}
        content = annotation(splits, os.path.join(root, folder, "images"), missing)
        target = os.path.join(root, folder, "annotation.json")
        try:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with whole_file(target) as file:
                file.write(json.dumps(content).encode("ascii"))
        except OSError as error:
            raise OutputError(target, error.strerror or str(error)) from error
        counts[folder] = len(set(keys) - missing)
    return counts
