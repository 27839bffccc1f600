"""What a RefCOCO-M row and an example of its protocol are, once read."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from refpix import masks as rle
from refpix.datasets._images import Decoder
from refpix.datasets.refcocom_rows import InstanceField, MaskField, RefCocoMRecord
from refpix.errors import RowError
from refpix.types import PIXEL_LIMIT, BytesBatch

if TYPE_CHECKING:
    from refpix.datasets.refcocom import RefCocoM

__all__ = ["RefCocoMExample", "RefCocoMInstance", "RefCocoMSample"]


@dataclass(frozen=True, slots=True, eq=False)
class RefCocoMInstance:
    """A referred instance of a picture.

    Attributes:
        file: the parquet file, for messages; likewise ``row`` and ``place``.
        row: 0-based row in that file.
        place: 0-based place among the row's instances.
        id: unique instance id (``sample_id`` in predictions).
        category: COCO category, None where the file has none.
        supercategory: likewise.
        label: that of flat files, else None.
        sentences: the referring expressions.
        box: float64 (4,) in pixels in the dataset's ``box_format``.
        box_xyxy: float64 (4,), the same as x0, y0, x1, y1.
        rle: the mask as COCO run lengths, ``{"counts": str or bytes or list, "size": [H, W]}``.
    """

    file: str
    row: int
    place: int
    id: int
    category: str | None
    supercategory: str | None
    label: Any
    sentences: tuple[str, ...]
    box: npt.NDArray[np.float64]
    box_xyxy: npt.NDArray[np.float64]
    rle: MaskField

    @classmethod
    def of(
        cls, sample: InstanceField, where: tuple[str, int], place: int, box_format: str
    ) -> RefCocoMInstance:
        """From a checked row."""
        x, y, width, height = sample["bbox"]
        stored, corners = np.array(sample["bbox"]), np.array([x, y, x + width, y + height])
        return cls(
            file=where[0],
            row=where[1],
            place=place,
            id=sample["id"],
            category=sample["category"],
            supercategory=sample["supercategory"],
            label=sample["label"],
            sentences=tuple(sample["sentences"]),
            box=corners if box_format == "xyxy" else stored,
            box_xyxy=corners,
            rle=sample["mask"],
        )

    @property
    def mask(self) -> npt.NDArray[np.uint8]:
        """The mask, decoded anew each time: uint8 (H, W), 0 and 1.

        Raises:
            RowError: the counts are malformed or do not fit the size, or that is absurd.
        """
        height, width = self.rle["size"]
        if height * width > PIXEL_LIMIT:
            raise self._error(f"{height} x {width} is more than {PIXEL_LIMIT} pixels")
        try:
            mask: npt.NDArray[np.uint8] = rle.decode([self.rle])[0]
        except (ValueError, TypeError, OverflowError) as e:
            raise self._error(getattr(e, "reason", str(e))) from e
        return mask

    def _error(self, reason: str) -> RowError:
        name = f"samples[{self.place}].mask (id {self.id})"
        return RowError(self.file, self.row, -1, f"{name}: {reason}")


@dataclass(frozen=True, eq=False)
class RefCocoMSample:
    """One picture and its referred instances; picture and masks are decoded on first use.

    Attributes:
        file: the parquet file.
        row: 0-based row in that file.
        file_name: COCO 2014 file name.
        image_id: COCO id of the picture.
        path: relative path that came with the picture, or None.
        width: of the picture in pixels as the file says (flat files: as the masks say), or None.
        height: likewise.
        instances: in the file's order.
        payload: the picture file; None in a record.
        decoder: how it is decoded.
    """

    file: str
    row: int
    file_name: str
    image_id: int
    path: str | None
    width: int | None
    height: int | None
    instances: tuple[RefCocoMInstance, ...]
    payload: bytes | None = field(repr=False)
    decoder: Decoder = field(repr=False)

    @classmethod
    def of(
        cls, record: RefCocoMRecord, where: tuple[str, int], box_format: str, decoder: Decoder
    ) -> RefCocoMSample:
        """From a checked row."""
        meta = record["image_meta"]
        return cls(
            file=where[0],
            row=where[1],
            file_name=record["file_name"],
            image_id=meta["image_id"],
            path=record["image"]["path"],
            width=meta["width"],
            height=meta["height"],
            instances=tuple(
                RefCocoMInstance.of(sample, where, place, box_format)
                for place, sample in enumerate(record["samples"])
            ),
            payload=record["image"]["bytes"],
            decoder=decoder,
        )

    @cached_property
    def image(self) -> npt.NDArray[np.uint8]:
        """uint8 (H, W, 3) RGB, decoded by content.

        Raises:
            RowError: the payload is no picture, too large or damaged.
            ValueError: this is a record, which has no picture.
        """
        if self.payload is None:
            raise ValueError(f"{self.file}: row {self.row}: a record has no picture")
        (picture,) = self.decoder.decode(*BytesBatch.from_items([self.payload]), "raw")
        if isinstance(picture, Exception):
            reason = getattr(picture, "reason", str(picture))
            raise RowError(self.file, self.row, -1, f"image: {reason}") from picture
        return picture

    @cached_property
    def masks(self) -> npt.NDArray[np.uint8]:
        """uint8 (instances, H, W), 0 and 1.

        Raises:
            RowError: a mask is malformed, or their sizes differ.
        """
        if not self.instances:
            return np.zeros((0, self.height or 0, self.width or 0), np.uint8)
        decoded = [instance.mask for instance in self.instances]
        if len({mask.shape for mask in decoded}) > 1:
            raise RowError(self.file, self.row, -1, "samples: masks of different sizes")
        return np.stack(decoded)

    @property
    def boxes(self) -> npt.NDArray[np.float64]:
        """float64 (instances, 4) in pixels in the dataset's ``box_format``."""
        return np.array([instance.box for instance in self.instances]).reshape(-1, 4)

    @property
    def sentences(self) -> list[tuple[str, ...]]:
        """The expressions of each instance."""
        return [instance.sentences for instance in self.instances]


@dataclass(frozen=True, slots=True, eq=False)
class RefCocoMExample:
    """An example of the protocol: one sentence about one instance of one picture.

    Attributes:
        index: its place among all examples.
        item: the picture's index in the dataset.
        sentence_index: place of the sentence among the instance's.
        instance: what the sentence refers to.
        dataset: where the picture is read from.
    """

    index: int
    item: int
    sentence_index: int
    instance: RefCocoMInstance
    dataset: RefCocoM = field(repr=False)

    @property
    def key(self) -> tuple[int, int]:
        """Instance id and place of the sentence: the name that predictions go by."""
        return self.instance.id, self.sentence_index

    @property
    def sentence(self) -> str:
        """The referring expression."""
        return self.instance.sentences[self.sentence_index]

    @property
    def rle(self) -> MaskField:
        """The ground truth as COCO run lengths; the same object for all of an instance."""
        return self.instance.rle

    @property
    def mask(self) -> npt.NDArray[np.uint8]:
        """The ground truth: uint8 (H, W), 0 and 1."""
        return self.instance.mask

    @property
    def image(self) -> npt.NDArray[np.uint8]:
        """The picture, read and decoded anew each time: uint8 (H, W, 3) RGB."""
        return self.dataset.sample(self.item).image
