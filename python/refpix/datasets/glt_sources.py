"""Where MSCOCO-GLT's crops come from."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from refpix.datasets._images import Decoder
from refpix.datasets.glt_annotation import GltAnnotation, check_annotation
from refpix.errors import KernelError, RecordError
from refpix.io.glt_splits_file import read_splits
from refpix.io.tree import FileTree
from refpix.synthesis._glt_annotation import annotation
from refpix.synthesis.glt_crop_files import coco_pictures
from refpix.synthesis.glt_crops import glt_crop_jpegs, glt_crops
from refpix.types import BytesBatch

__all__ = ["CocoCrops", "CropFiles", "CropSource", "crops_of_splits"]

Pixels = npt.NDArray[np.uint8]


class CropSource(ABC):
    """Crops by row of a split. Picklable, holds no open files.

    Attributes:
        field: of an object's record that a fault of its crop is laid to.
    """

    field: ClassVar[str] = "path"

    @abstractmethod
    def pixels(self, rows: Sequence[int], decoder: Decoder) -> list[Pixels | Exception]:
        """The crops of some rows: uint8 (H, W, 3) each, or the error that one raised."""

    @abstractmethod
    def payload(self, row: int) -> bytes:
        """A picture file of one crop.

        Raises:
            OSError: it cannot be read; other errors where it cannot be made.
        """

    @abstractmethod
    def locate(self, row: int) -> str:
        """The file that a crop comes from, for messages."""


class CropFiles(CropSource):
    """Crops that lie on disk.

    Args:
        tree: folder or archive of the pictures.
        names: of the crops in it, by row.
    """

    def __init__(self, tree: FileTree, names: Sequence[str]) -> None:
        self.tree = tree
        self.names = names

    def pixels(self, rows: Sequence[int], decoder: Decoder) -> list[Pixels | Exception]:
        """See `CropSource.pixels`."""
        found: list[Pixels | Exception | None] = []
        payloads = []
        for row in rows:
            try:
                payloads.append(self.payload(row))
                found.append(None)
            except (OSError, ValueError) as e:
                found.append(e)
        decoded = iter(decoder.decode(*BytesBatch.from_items(payloads), "raw"))
        return [next(decoded) if one is None else one for one in found]

    def payload(self, row: int) -> bytes:
        """See `CropSource.payload`."""
        return self.tree.read(self.names[row])

    def locate(self, row: int) -> str:
        """See `CropSource.locate`."""
        return self.tree.locate(self.names[row])


class CocoCrops(CropSource):
    """Crops that are made of COCO's pictures when they are asked for, and never written.

    Args:
        files: path of the picture, by row; empty where there is none.
        image_ids: int64 (n,), of the pictures.
        bboxes: float64 (n, 4), x, y, width, height.
        saved: as `glt_crop_jpegs` gives them, decoded; else before they are saved.
    """

    field = "bbox"

    def __init__(
        self,
        files: Sequence[str],
        image_ids: npt.NDArray[np.int64],
        bboxes: npt.NDArray[np.float64],
        saved: bool,
    ) -> None:
        self.files, self.image_ids, self.bboxes, self.saved = files, image_ids, bboxes, saved

    def pixels(self, rows: Sequence[int], decoder: Decoder) -> list[Pixels | Exception]:
        """See `CropSource.pixels`; a picture of several crops is decoded once."""
        found: dict[int, Any] = {}
        for file in dict.fromkeys(self.files[row] for row in rows):
            ours = list(dict.fromkeys(row for row in rows if self.files[row] == file))
            found |= zip(ours, self._of_picture(ours), strict=True)
        if self.saved:
            payloads = {row: one for row, one in found.items() if isinstance(one, bytes)}
            decoded = decoder.decode(*BytesBatch.from_items(list(payloads.values())), "raw")
            found |= zip(payloads, decoded, strict=True)
        # Two samples of one object must not share their pixels: they may be drawn on.
        given: set[int] = set()
        crops: list[Pixels | Exception] = []
        for row in rows:
            one = found[row]
            crops.append(one.copy() if row in given and isinstance(one, np.ndarray) else one)
            given.add(row)
        return crops

    def payload(self, row: int) -> bytes:
        """See `CropSource.payload`: a JPEG if ``saved``, else a PPM file, which loses nothing."""
        (crop,) = self._of_picture([row])
        if isinstance(crop, Exception):
            raise crop
        if isinstance(crop, bytes):
            return crop
        height, width = crop.shape[:2]
        return b"P6 %d %d 255\n" % (width, height) + crop.tobytes()

    def locate(self, row: int) -> str:
        """See `CropSource.locate`."""
        return self.files[row] or f"picture {self.image_ids[row]}"

    def _of_picture(self, rows: Sequence[int]) -> list[Pixels | bytes | Exception]:
        """The crops of one picture; the fault of one spoils no other."""
        file = self.files[rows[0]]
        try:
            if not file:
                raise FileNotFoundError("no such file")
            if self.saved:
                return [*glt_crop_jpegs(file, self.bboxes[rows])]
            return [_rgb(crop) for crop in glt_crops(file, self.bboxes[rows])]
        except (OSError, KernelError) as e:
            return [e] * len(rows)
        except ValueError as e:
            if len(rows) > 1:
                return [one for row in rows for one in self._of_picture([row])]
            return [ValueError(str(e).removeprefix("object 0: "))]


def _rgb(crop: Pixels) -> Pixels:
    """As ``convert("RGB")`` makes it of a crop."""
    if crop.ndim == 2:
        return np.repeat(crop[..., np.newaxis], 3, axis=2)
    if crop.shape[2] == 4:
        return np.array(Image.fromarray(crop, "CMYK").convert("RGB"))
    return crop


def crops_of_splits(
    path: Path, coco: str | os.PathLike[str], split: str, *, saved: bool
) -> tuple[GltAnnotation, CocoCrops]:
    """What the annotation of a generated tree would hold, and its crops, without the tree.

    Args:
        path: file of splits, ours or published.
        coco: folder of ``train2014`` and ``val2014``.
        split: the one that is wanted.
        saved: see `CocoCrops`.

    Raises:
        RecordError: a malformed file; an object that COCO does not know is a fault of its own.
        FileNotFoundError: no such file or folder.
    """
    splits = read_splits(path)
    places = {str(key): row for row, key in enumerate(splits.annotations.keys)}
    unknown = [key for one in splits.splits.values() for key in one.keys if str(key) not in places]
    try:
        whole = annotation(splits, "images", unknown)
    except ValueError as e:
        raise RecordError(os.fspath(path), "", "", str(e)) from e
    known = check_annotation(path, whole, [split])
    lost = {str(key) for key in splits.splits[split].keys} & {str(key) for key in unknown}
    reason = "not among COCO's annotations"
    known.faults.extend(
        RecordError(os.fspath(path), f"{split}: object {key}", "", reason) for key in sorted(lost)
    )
    rows = np.array([places[key] for key in known.splits[split].keys], np.int64)
    image_ids, pictures = splits.annotations.image_id[rows], coco_pictures(coco)
    files = [pictures.get(one, "") for one in image_ids.tolist()]
    return known, CocoCrops(files, image_ids, splits.annotations.bbox[rows], saved)
