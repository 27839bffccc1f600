"""RefHuman: referring human pose and mask, COCO's JSON beside a folder of pictures."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from refpix.datasets._images import Decoder
from refpix.datasets._rows import Faults, Indices, Payloads, RowDataset, row_numbers
from refpix.datasets.refhuman_json import Cache, read_annotations
from refpix.datasets.refhuman_layout import (
    LeftOut,
    drop_reasons,
    find_annotations,
    find_images,
)
from refpix.datasets.refhuman_sample import BoxFormat, RefHumanSample
from refpix.errors import KernelError, RecordError, RowError, detached
from refpix.types import PIXEL_LIMIT, BytesBatch

__all__ = ["RefHuman"]

Picture = npt.NDArray[np.uint8]


class RefHuman(RowDataset):
    """RefHuman's annotation file and pictures as a map-style dataset of `RefHumanSample`.

    A sample is a picture's record, in ascending order of id: the training split has those with
    labelled keypoints, others all. Random access, slices, batches (``__getitems__``), iteration;
    picklable, safe to use after fork and from several threads. `refpix.Loader` takes it.

    Args:
        root: the dataset's folder, with ``RefHuman_<split>.json`` and ``images``; or a JSON file,
            ``images`` then lies beside it.
        split: ``"train"``, ``"val"``, or the name of another file of that pattern. For a JSON
            file None is told from its name.
        box_format: of ``sample.boxes``: ``"xyxy"``, or ``"xywh"`` as stored.
        filtered: leave out, as the published program does, crowds, people without a labelled
            keypoint, and boxes that are empty within the picture. `left_out` lists them.
        transforms: called on each sample; what it returns is what indexing gives.
        on_error: ``"raise"``: a malformed record is an error at once. ``"report"``: it is left
            out and listed in ``faults``.
        images: folder or zip archive of the pictures, if not beside the file.
        allow_truncated: keep what arrived of pictures whose data ends early, as published.
        pixel_limit: most pixels of a picture; more is a fault. None for no limit.
        check_size: a picture of another size than its record says is a fault: the annotations
            would not fit it.
        cache: the file's columns are kept beside it (``.refpix-columns``), so that JSON is read
            once; ``"memory"`` writes nothing, ``"rebuild"`` starts anew.
        num_threads: threads for batches.
        progress: a bar while a file is read for the first time.

    Attributes:
        faults: the malformed records, with ``on_error="report"``.

    Raises:
        FileNotFoundError: no such file or folder.
        RecordError: a malformed record; names file, record, field and reason.

    Source: RefHuman, datasets/refhuman.py; https://github.com/bo-miao/RefHuman
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str | None = None,
        *,
        box_format: BoxFormat = "xyxy",
        filtered: bool = True,
        transforms: Callable[[RefHumanSample], Any] | None = None,
        on_error: Literal["raise", "report"] = "raise",
        images: str | os.PathLike[str] | None = None,
        allow_truncated: bool = True,
        pixel_limit: int | None = PIXEL_LIMIT,
        check_size: bool = True,
        cache: Cache = "auto",
        num_threads: int = 1,
        progress: bool = False,
    ) -> None:
        if box_format not in ("xyxy", "xywh"):
            raise ValueError(f"box_format={box_format!r}: expected 'xyxy' or 'xywh'")
        if on_error not in ("raise", "report"):
            raise ValueError(f"on_error={on_error!r}: expected 'raise' or 'report'")
        self.path, self.split = find_annotations(Path(root), split)
        self.box_format: BoxFormat = box_format
        self.filtered = filtered
        self.transforms = transforms
        self.check_size = check_size
        self.annotations, self.faults = read_annotations(self.path, cache=cache, progress=progress)
        if self.faults and on_error == "raise":
            more = f" (and {len(self.faults) - 1} more)" if len(self.faults) > 1 else ""
            first = self.faults[0]
            raise RecordError(first.file, first.record, first.field, first.reason + more)
        self.tree = find_images(self.path.parent, images)
        self.decoder = Decoder(allow_truncated, pixel_limit, num_threads)
        self._kept = np.ones(len(self.annotations["id"]), bool)
        if filtered:
            self._kept[list(drop_reasons(self.annotations))] = False
        self._rows = self._split_rows()

    def __repr__(self) -> str:
        return f"RefHuman({str(self.path)!r}, split={self.split!r}): {len(self)} samples"

    def _count(self) -> int:
        return len(self.annotations["image_id"])

    def __getitems__(self, indices: Indices) -> list[Any]:
        """The samples of a batch; a file that several of them name is decoded once."""
        faults: Faults = {}
        samples = self._samples(indices, faults)
        if faults:
            raise faults[min(faults)]
        done = [sample for sample in samples if sample is not None]
        return done if self.transforms is None else [self.transforms(sample) for sample in done]

    def unfiltered(self) -> RefHuman:
        """The same samples with all their annotations, crowds included, boxes as stored (xywh)."""
        whole = copy.copy(self)
        whole.filtered = False
        whole.box_format = "xywh"
        whole._kept = np.ones_like(self._kept)
        return whole

    @property
    def image_ids(self) -> npt.NDArray[np.int64]:
        """Of the samples: int64 (n,)."""
        ids: npt.NDArray[np.int64] = self.annotations["image_id"][self.rows]
        return ids

    def left_out(self) -> list[LeftOut]:
        """The records that are in the file and not in the dataset, and why."""
        known, found = self.annotations, []
        ids = known["image_id"].tolist()
        reasons = drop_reasons(known) if self.filtered else {}
        for annotation in sorted(reasons):
            image_id = ids[known["image"][annotation]]
            name = f"annotation {known['id'][annotation]}"
            found.append(LeftOut(name, image_id, reasons[annotation]))
        for row in sorted(set(range(len(ids))) - set(self._split_rows().tolist())):
            why = "no annotation" if not len(known.of_image(row)) else "no labelled keypoint"
            found.append(LeftOut(f"image {ids[row]}", ids[row], why))
        return found

    def records(self, rows: Indices, faults: Faults | None = None) -> list[RefHumanSample | None]:
        """Everything but pixels: samples without image.

        Args:
            rows: indices into this dataset.
            faults: for `refpix.Loader`; nothing here can be at fault.

        Raises:
            IndexError: no such sample.
        """
        places = row_numbers(rows, len(self), None, self)
        given = zip(places.tolist(), self.rows[places].tolist(), strict=True)
        return [self._record(i, row) for i, row in given]

    def payloads(self, rows: Indices, faults: Faults | None = None) -> Payloads:
        """The picture files of some samples, read into one buffer, each once.

        Args:
            rows: indices into this dataset.
            faults: None raises the first missing file; a dict receives its `RowError` under its
                place in ``rows``, and the span of such a sample is empty.

        Raises:
            RecordError: a missing or unreadable file.
        """
        found: Faults = {}
        payloads = self._payloads(rows, found)
        if faults is not None:
            faults.update(found)
        elif found:
            raise found[min(found)]
        return payloads

    def row_error(self, row: int, error: KernelError) -> RowError:
        """The error that a fault in a sample's picture amounts to."""
        at = f" (at byte {error.position})" if error.position >= 0 else ""
        return self.error(row, "file_name", f"{self._located(row)}: {error.reason}{at}")

    def error(self, row: int, field: str, reason: str) -> RecordError:
        """An error that names a sample's record."""
        record = f"image {self.image_ids[row]}"
        return RecordError(os.fspath(self.path), record, field, reason, row)

    def verify(
        self, rows: Indices | None = None, *, batch_size: int = 16, progress: bool = False
    ) -> list[RowError]:
        """Decodes every picture and mask and lists the bad samples; never stops at the first.

        Args:
            rows: indices into this dataset; None is all.
            batch_size: samples at a time, which bounds memory.
            progress: a bar.
        """
        todo = list(range(len(self)) if rows is None else rows)
        problems: list[RowError] = list(self.faults)
        with tqdm(total=len(todo), unit="sample", disable=not progress) as bar:
            for start in range(0, len(todo), batch_size):
                batch = todo[start : start + batch_size]
                faults: Faults = {}
                for i, sample in enumerate(self._samples(batch, faults)):
                    try:
                        if sample is not None:
                            sample.rles()
                    except RecordError as e:
                        faults[i] = e
                problems += [detached(faults[i]) for i in sorted(faults)]
                bar.update(len(batch))
        return problems

    def _split_rows(self) -> npt.NDArray[np.int64]:
        """Rows of the images of the split, in ascending order of id."""
        count = len(self.annotations["image_id"])
        if self.split != "train":
            return np.arange(count)
        labelled = np.zeros(count, np.int64)
        np.add.at(labelled, self.annotations["image"], self.annotations["num_keypoints"])
        return np.flatnonzero(labelled != 0)

    def annotations_of(self, row: int) -> npt.NDArray[np.int64]:
        """The annotations of a sample, as places in ``annotations``: int64 (n,)."""
        places = self.annotations.of_image(int(self.rows[row]))
        return places[self._kept[places]]

    def _record(self, index: int, row: int) -> RefHumanSample:
        known, places = self.annotations, self.annotations_of(index)
        boxes = known["bbox"][places]
        if self.box_format == "xyxy":
            with np.errstate(over="ignore"):
                boxes = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
        height, width = known["image_size"][row].tolist()
        return RefHumanSample(
            index=index,
            image_id=int(known["image_id"][row]),
            file_name=known.text("file_name", row),
            caption=known.text("caption", row) if known["has_caption"][row] else None,
            size=(height, width),
            annotation_ids=known["id"][places],
            category_ids=known["category_id"][places],
            boxes=boxes,
            box_format=self.box_format,
            keypoints=known["keypoints"][places],
            num_keypoints=known["num_keypoints"][places],
            areas=known["area"][places],
            iscrowd=known["iscrowd"][places],
            scribbles=tuple(known.scribble(place) for place in places.tolist()),
            segmentations=tuple(known.segmentation(place) for place in places.tolist()),
            file=os.fspath(self.path),
        )

    def _located(self, row: int) -> str:
        return self.tree.locate(self.annotations.text("file_name", int(self.rows[row])))

    def _payloads(self, rows: Indices, faults: Faults) -> Payloads:
        names: dict[str, int] = {}
        contents: list[bytes] = []
        problems: dict[str, str] = {}
        places = []
        for i, row in enumerate(self.table_rows(rows).tolist()):
            name = self.annotations.text("file_name", row)
            if name not in names:
                names[name] = len(contents)
                try:
                    contents.append(self.tree.read(name))
                except (OSError, ValueError) as e:
                    contents.append(b"")
                    missing = isinstance(e, FileNotFoundError)
                    problems[name] = "no such file" if missing else str(e)
            if name in problems:
                index = int(row_numbers([rows[i]], len(self), None, self)[0])
                reason = f"{self.tree.locate(name)}: {problems[name]}"
                faults[i] = self.error(index, "file_name", reason)
            places.append(names[name])
        packed = BytesBatch.from_items(contents)
        return Payloads(packed.values, packed.spans[np.array(places, np.int64)], "raw")

    def _samples(self, rows: Indices, faults: Faults) -> list[RefHumanSample | None]:
        samples = self.records(rows)
        payloads = self._payloads(rows, faults)
        spans, inverse = np.unique(payloads.spans, axis=0, return_inverse=True)
        pictures = self.decoder.decode(payloads.values, spans, payloads.encoding)
        given: set[int] = set()
        for i, place in enumerate(inverse.reshape(-1).tolist()):
            sample, picture = samples[i], pictures[place]
            samples[i] = None
            if i in faults or sample is None:
                continue
            if isinstance(picture, KernelError):
                faults[i] = self.row_error(sample.index, picture)
                continue
            if isinstance(picture, Exception):
                faults[i] = self.error(sample.index, "file_name", str(picture))
                continue
            height, width = picture.shape[:2]
            if self.check_size and (height, width) != sample.size:
                reason = (
                    f"{self.tree.locate(sample.file_name)} is {width} x {height}, "
                    f"the record says {sample.size[1]} x {sample.size[0]}"
                )
                faults[i] = self.error(sample.index, "width, height", reason)
                continue
            # Pictures may be drawn on: two samples of one file must not share theirs.
            shared = place in given
            given.add(place)
            samples[i] = replace(sample, image=picture.copy() if shared else picture)
        return samples
