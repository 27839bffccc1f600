"""The vocabulary of batches: ragged bytes and ragged images as flat arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = [
    "KEYPOINT_NAMES",
    "PIXEL_LIMIT",
    "BytesBatch",
    "DType",
    "ImagesBatch",
    "PassOrder",
    "ResizeFilter",
    "RleBatch",
]

DType = Literal["float32", "float16", "bfloat16"]
ResizeFilter = Literal["bicubic", "bilinear", "box", "lanczos"]
#: Order of a resize's two passes: Pillow 13's, that of Pillow up to 12, or the installed one's.
PassOrder = Literal["pillow13", "pillow12", "auto"]

#: Most pixels of a picture unless told otherwise: twice Pillow's ``Image.MAX_IMAGE_PIXELS``, where
#: ``Image.open`` speaks of a bomb. A header of a few hundred bytes can ask for 13 GB.
PIXEL_LIMIT: Final = 2**30 // 6

#: The 17 COCO keypoints in order.
KEYPOINT_NAMES: Final = (
    "nose",
    *(
        f"{side}_{part}"
        for part in ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
        for side in ("left", "right")
    ),
)


class BytesBatch(NamedTuple):
    """Byte strings of any lengths, where they lie in one buffer.

    Attributes:
        values: uint8 (bytes,), e.g. a memory-mapped file.
        spans: int64 (n, 2), item i is ``values[spans[i, 0]:spans[i, 1]]``.
    """

    values: npt.NDArray[np.uint8]
    spans: npt.NDArray[np.int64]

    @classmethod
    def from_items(cls, items: Iterable[bytes | str]) -> BytesBatch:
        """Copies byte strings (or text, as UTF-8) end to end."""
        encoded = [i.encode("utf-8", "surrogatepass") if isinstance(i, str) else i for i in items]
        stops = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
        values = np.frombuffer(b"".join(encoded), dtype=np.uint8)
        return cls(values, np.stack([stops[:-1], stops[1:]], axis=1))

    @classmethod
    def from_offsets(
        cls, values: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]
    ) -> BytesBatch:
        """Items that lie end to end: item i is ``values[offsets[i]:offsets[i + 1]]``."""
        return cls(values, np.stack([offsets[:-1], offsets[1:]], axis=1))

    def item(self, i: int) -> bytes:
        """Item i as bytes."""
        start, stop = self.spans[i]
        return self.values[start:stop].tobytes()


class ImagesBatch(NamedTuple):
    """Images of any sizes, uint8, end to end in one buffer.

    Attributes:
        pixels: uint8 (bytes,), each image (H, W, C) in C order.
        offsets: int64 (n + 1,), image i is ``pixels[offsets[i]:offsets[i + 1]]``.
        sizes: int64 (n, 2), height and width in pixels.
    """

    pixels: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]

    @classmethod
    def from_images(cls, images: Sequence[npt.NDArray[Any]]) -> ImagesBatch:
        """Copies images (or label maps, of another type), (H, W) or (H, W, C), end to end."""
        offsets = np.cumsum([0, *(image.size for image in images)], dtype=np.int64)
        flat = [np.ascontiguousarray(image).reshape(-1) for image in images]
        pixels = np.concatenate(flat) if flat else np.empty(0, np.uint8)
        sizes = np.array([image.shape[:2] for image in images], dtype=np.int64).reshape(-1, 2)
        return cls(pixels, offsets, sizes)

    def image(self, i: int) -> npt.NDArray[np.uint8]:
        """Image i as a view: uint8 (H, W, C)."""
        height, width = (int(s) for s in self.sizes[i])
        flat: npt.NDArray[Any] = self.pixels[self.offsets[i] : self.offsets[i + 1]]
        return flat.reshape(height, width, -1)


class RleBatch(NamedTuple):
    """Binary masks of any sizes as COCO run lengths, end to end in one array.

    Attributes:
        counts: uint32 (runs,), run lengths down the columns, background first (which may be 0);
            those of an item sum to its height * width.
        offsets: int64 (n + 1,), item i is ``counts[offsets[i]:offsets[i + 1]]``.
        sizes: int64 (n, 2), height and width in pixels.
    """

    counts: npt.NDArray[np.uint32]
    offsets: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]

    @classmethod
    def from_counts(
        cls, counts: Sequence[Sequence[int]], sizes: Sequence[tuple[int, int]]
    ) -> RleBatch:
        """Of one list of run lengths and one (height, width) per mask.

        Raises:
            OverflowError: a run length is negative or does not fit in 32 bits.
        """
        flat = [int(run) for runs in counts for run in runs]
        if any(not 0 <= run < 2**32 for run in flat):
            raise OverflowError("run lengths must be in 0..2**32 - 1")
        return cls(
            np.array(flat, dtype=np.uint32),
            np.cumsum([0, *map(len, counts)], dtype=np.int64),
            np.array(sizes, dtype=np.int64).reshape(-1, 2),
        )

    def runs(self, i: int) -> npt.NDArray[np.uint32]:
        """Run lengths of item i, as a view."""
        return self.counts[self.offsets[i] : self.offsets[i + 1]]

    def take(self, items: npt.ArrayLike) -> RleBatch:
        """A batch of some of the items, in the order given: int64 (k,), repeats allowed."""
        picked = np.asarray(items, dtype=np.int64)
        lengths = np.diff(self.offsets)[picked]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        source = np.repeat(self.offsets[picked] - offsets[:-1], lengths) + np.arange(offsets[-1])
        return RleBatch(self.counts[source], offsets, self.sizes[picked])
