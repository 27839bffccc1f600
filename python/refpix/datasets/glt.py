"""MSCOCO-GLT: objects cut out of COCO's pictures, long-tailed in classes and attributes."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from refpix.datasets._images import Decoder
from refpix.datasets._rows import Faults, Indices, Payloads, RowDataset, row_numbers
from refpix.datasets.glt_annotation import read_annotation
from refpix.datasets.glt_layout import (
    PROTOCOLS,
    SPLIT_NAMES,
    Variant,
    find_annotation,
    find_splits,
    resolve_split,
)
from refpix.datasets.glt_sample import GltSample
from refpix.datasets.glt_sources import CropFiles, CropSource, crops_of_splits
from refpix.datasets.refhuman_layout import find_images
from refpix.errors import KernelError, RecordError, RowError, detached
from refpix.types import PIXEL_LIMIT, BytesBatch

__all__ = ["CocoGLT", "GltProtocol"]

Ints = npt.NDArray[np.int64]


class GltProtocol(NamedTuple):
    """What a protocol trains, validates and tests on.

    Attributes:
        name: ``"CLT"``, ``"ALT"`` or ``"GLT"``.
        train: the training split.
        val: the validation split of the same set.
        test: the test split of the same set, none of whose objects is trained on.
    """

    name: str
    train: CocoGLT
    val: CocoGLT
    test: CocoGLT


class CocoGLT(RowDataset):
    """A split of MSCOCO-GLT as a map-style dataset of `GltSample`, one per object.

    Random access, slices (``ds[10:20]`` is a dataset), batches (``ds.__getitems__([3, 1])``),
    iteration; picklable, safe to use after fork and from several threads. `refpix.Loader` takes
    it. Objects come in the annotation's order.

    The paths in the annotation hold the output folder of whoever made the crops. Only the names
    below ``images`` are used, so that the folder may lie anywhere.

    With ``coco=`` crops are made of COCO's pictures when they are asked for, and never written:
    the published crops to the pixel, as they are before they are saved as JPEG. ``saved=True``
    gives them as they are after that: the samples of a generated tree, to the bit.

    Args:
        root: folder that holds ``coco_glt`` and ``coco_cbl``, or one of these, or its
            ``annotation.json``. With ``coco``: a file of splits (``.json``, ``.jbl``), or the
            folder of both.
        split: ``"train"``, ``"val"``, ``"test_lt"``, ``"test_bl"`` or ``"test_bbl"``, or as the
            paper calls it: ``"Train-GLT"``, ``"Train-CBL"``, ``"Test-GLT"``, ``"Test-CBL"``,
            ``"Test-GBL"``.
        variant: of two sets in ``root``, which: ``"glt"`` (also where None does not tell) or
            ``"cbl"``. Test splits are disjoint from the training split of their own set only.
        transforms: called on each sample; what it returns is what indexing gives.
        on_error: ``"raise"``: a malformed object is an error at once. ``"report"``: it is left
            out and listed in ``faults``.
        images: folder or zip archive of the crops, if not ``images`` beside the annotation.
        coco: folder of COCO's pictures, with ``train2014`` and ``val2014``.
        saved: with ``coco``, put crops through the published JPEG save.
        allow_truncated: keep what arrived of pictures whose data ends early. (Published: an
            error.)
        pixel_limit: most pixels of a picture; more is a fault. None for no limit.
        num_threads: threads for batches.

    Attributes:
        path: the annotation file, or that of splits.
        split: its key in the file.
        variant: None where neither folder nor argument tells.
        classes: names by class.
        faults: the malformed objects, with ``on_error="report"``.

    Raises:
        FileNotFoundError: no such file or folder.
        RecordError: a malformed file or object; names file, split, object, field and reason.
        ValueError: no such split or variant.

    Source: Generalized-Long-Tailed-Benchmarks, data/DT_COCO_LT.py.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str = "train",
        *,
        variant: Variant | None = None,
        transforms: Callable[[GltSample], Any] | None = None,
        on_error: Literal["raise", "report"] = "raise",
        images: str | os.PathLike[str] | None = None,
        coco: str | os.PathLike[str] | None = None,
        saved: bool = False,
        allow_truncated: bool = False,
        pixel_limit: int | None = PIXEL_LIMIT,
        num_threads: int = 1,
    ) -> None:
        if on_error not in ("raise", "report"):
            raise ValueError(f"on_error={on_error!r}: expected 'raise' or 'report'")
        if (coco is None and saved) or (coco is not None and images is not None):
            raise ValueError("saved= goes with coco=, and images= without it")
        self.split, told = resolve_split(split, variant)
        self.transforms = transforms
        self.decoder = Decoder(allow_truncated, pixel_limit, num_threads)
        source: CropSource
        if coco is None:
            self.path, self.variant = find_annotation(Path(root), told)
            annotation = read_annotation(self.path, [self.split])
        else:
            self.path, self.variant = find_splits(Path(root), told)
            annotation, source = crops_of_splits(self.path, coco, self.split, saved=saved)
        self.faults: list[RecordError] = annotation.faults
        if self.faults and on_error == "raise":
            more = f" (and {len(self.faults) - 1} more)" if len(self.faults) > 1 else ""
            first = self.faults[0]
            raise RecordError(first.file, first.record, first.field, first.reason + more)
        self.classes = annotation.classes
        self.objects = annotation.splits[self.split]
        if coco is None:
            source = CropFiles(find_images(self.path.parent, images), self.objects.names)
        self.source = source
        self._rows = np.arange(len(self.objects.keys))

    @classmethod
    def protocol(
        cls,
        name: str,
        root: str | os.PathLike[str],
        *,
        transforms: Callable[[GltSample], Any] | None = None,
        test_transforms: Callable[[GltSample], Any] | None = None,
        **options: Any,
    ) -> GltProtocol:
        """The splits of a protocol: training, validation, test.

        Args:
            name: ``"CLT"`` (Train-GLT, Test-CBL), ``"ALT"`` (Train-CBL, Test-GBL) or ``"GLT"``
                (Train-GLT, Test-GBL).
            root: folder that holds ``coco_glt`` and ``coco_cbl``, or the one that is needed.
            transforms: for training.
            test_transforms: for validation and test.
            **options: of all three; see `CocoGLT`.

        Raises:
            ValueError: no such protocol.
        """
        if name.upper() not in PROTOCOLS:
            raise ValueError(f"protocol {name!r}: expected one of {', '.join(PROTOCOLS)}")
        about = PROTOCOLS[name.upper()]
        options["variant"] = about.variant
        return GltProtocol(
            name.upper(),
            cls(root, "train", transforms=transforms, **options),
            cls(root, "val", transforms=test_transforms, **options),
            cls(root, about.test, transforms=test_transforms, **options),
        )

    @property
    def name(self) -> str:
        """The split's name in the paper; where the variant is not known, its key."""
        return self.split if self.variant is None else SPLIT_NAMES[self.variant, self.split]

    def __repr__(self) -> str:
        return f"CocoGLT({str(self.path)!r}, {self.split!r}): {len(self)} objects"

    def _count(self) -> int:
        return len(self.objects.keys)

    def __getitems__(self, indices: Indices) -> list[Any]:
        """The samples of a batch, decoded together."""
        faults: Faults = {}
        samples = self._samples(indices, faults)
        if faults:
            raise faults[min(faults)]
        return samples if self.transforms is None else [self.transforms(one) for one in samples]

    @property
    def keys(self) -> list[str]:
        """The objects' numbers in the attribute data, as text."""
        return [self.objects.keys[row] for row in self.rows.tolist()]

    @property
    def labels(self) -> Ints:
        """Classes: int64 (n,)."""
        return self.objects.labels[self.rows]

    @property
    def frequencies(self) -> Ints:
        """Groups of the classes: int64 (n,), 0 many, 1 medium, 2 few."""
        return self.objects.frequencies[self.rows]

    @property
    def attributes(self) -> Ints:
        """Groups of the attributes: int64 (n,), 0 usual ones, 2 unusual ones."""
        return self.objects.attributes[self.rows]

    def records(self, rows: Indices, faults: Faults | None = None) -> list[GltSample]:
        """Everything but pixels: samples without image.

        Args:
            rows: indices into this dataset.
            faults: for `refpix.Loader`; nothing here can be at fault.

        Raises:
            IndexError: no such object.
        """
        places = row_numbers(rows, len(self), None, self).tolist()
        return [self._record(i, int(self.rows[i])) for i in places]

    def payloads(self, rows: Indices, faults: Faults | None = None) -> Payloads:
        """The crops' files in one buffer, for a native batch.

        Args:
            rows: indices into this dataset.
            faults: None raises the first crop that cannot be read; a dict receives its `RowError`
                under its place in ``rows``, whose span is then empty.

        Raises:
            RecordError: a missing or unreadable file.
        """
        files = []
        given = row_numbers(rows, len(self), None, self).tolist()
        for place, index in enumerate(given):
            try:
                files.append(self.source.payload(int(self.rows[index])))
            except (OSError, ValueError) as e:
                error = self._error(index, e)
                if faults is None:
                    raise error from e
                faults.setdefault(place, error)
                files.append(b"")
        return Payloads(*BytesBatch.from_items(files), "raw")

    def row_error(self, row: int, error: KernelError) -> RowError:
        """The error that a fault in an object's picture amounts to; ``row`` is an index."""
        return self._error(int(row_numbers([row], len(self), None, self)[0]), error)

    def verify(
        self, indices: Indices | None = None, *, batch_size: int = 64, progress: bool = False
    ) -> list[RowError]:
        """Decodes every crop and lists the bad ones; never stops at the first.

        Args:
            indices: into this dataset; None is all.
            batch_size: objects at a time, which bounds memory.
            progress: a bar.
        """
        todo = list(range(len(self)) if indices is None else indices)
        problems: list[RowError] = list(self.faults)
        with tqdm(total=len(todo), unit="object", disable=not progress) as bar:
            for start in range(0, len(todo), batch_size):
                faults: Faults = {}
                self._samples(todo[start : start + batch_size], faults)
                problems += [detached(faults[i]) for i in sorted(faults)]
                bar.update(len(todo[start : start + batch_size]))
        return problems

    def _record(self, index: int, row: int) -> GltSample:
        objects = self.objects
        label = int(objects.labels[row])
        return GltSample(
            index=index,
            key=objects.keys[row],
            label=label,
            category=self.classes[label],
            frequency=int(objects.frequencies[row]),
            attribute=int(objects.attributes[row]),
            score=float(objects.scores[row]),
            file_name=objects.names[row],
        )

    def _error(self, index: int, error: Exception) -> RecordError:
        row = int(self.rows[index])
        reason = getattr(error, "reason", None) or str(error)
        if isinstance(error, FileNotFoundError):
            reason = "no such file"
        elif isinstance(error, OSError) and error.strerror:
            reason = error.strerror
        at = getattr(error, "position", -1)
        if at >= 0:
            reason += f" (at byte {at})"
        record = f"{self.split}: object {self.objects.keys[row]}"
        where = self.source.locate(row)
        field = self.source.field
        return RecordError(os.fspath(self.path), record, field, f"{where}: {reason}", index)

    def _samples(self, indices: Indices, faults: Faults) -> list[GltSample]:
        """Samples; those of ``faults`` have no image."""
        given = row_numbers(indices, len(self), None, self)
        pictures = self.source.pixels(self.rows[given].tolist(), self.decoder)
        samples = self.records(given)
        for place, (index, picture) in enumerate(zip(given.tolist(), pictures, strict=True)):
            if isinstance(picture, Exception):
                faults[place] = self._error(index, picture)
                faults[place].__cause__ = picture
            else:
                samples[place] = replace(samples[place], image=picture)
        return samples
