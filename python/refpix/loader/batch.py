"""What a batch is, and how decoded pictures become one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from refpix.kernels import cpu_count, image_resize_normalize, label_zoom
from refpix.loader.buffers import aligned_empty
from refpix.types import DType, ImagesBatch, PassOrder, ResizeFilter

__all__ = [
    "HALF",
    "Batch",
    "Collate",
    "Pixels",
    "Triple",
    "both_sides",
    "pixels_of",
    "tensors_of",
    "zoom_label_maps",
]

Ints = npt.NDArray[np.int64]
Triple = tuple[float, float, float]

#: Mean and standard deviation that the published pipelines take unless told otherwise.
HALF: Triple = (0.5, 0.5, 0.5)


@dataclass
class Batch:
    """One batch.

    Attributes:
        images: (n, 3, h, w), normalised; a NumPy array or, when asked for, a torch tensor
            (pinned when CUDA is there, or on a device). bfloat16 is uint16 bit patterns in NumPy.
        sizes: int64 (n, 2), height and width of the pictures before the resize.
        rows: int64 (n,), their indices in the dataset.
        samples: the records, without pixels, in the same order.
        label_maps: int32 (n, h, w), parsing classes, where they were asked for.
        ready: of batches on a device: the ``torch.cuda.Event`` behind the work that makes them.
            The stream that was current when the batch was handed out waits for it; others must,
            as in ``other.wait_event(batch.ready)``. None in host memory.
    """

    images: Any
    sizes: Ints
    rows: Ints
    samples: list[Any]
    label_maps: Any = None
    ready: Any = None

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        shape = tuple(self.images.shape)
        return f"Batch(images={shape} {self.images.dtype}, rows={self.rows.tolist()})"

    @property
    def boxes(self) -> npt.NDArray[np.float32]:
        """RefHCM: float32 (n, 4), x0, y0, x1, y1 in pixels of the pictures before the resize."""
        boxes = [sample.box_xyxy for sample in self.samples]
        return np.array(boxes, np.float32).reshape(-1, 4)

    def pin_memory(self) -> Batch:
        """The same with page-locked tensors; ``torch.utils.data.DataLoader`` calls it."""
        maps = None if self.label_maps is None else self.label_maps.pin_memory()
        return replace(self, images=self.images.pin_memory(), label_maps=maps)


@dataclass(frozen=True)
class Pixels:
    """How pictures become numbers."""

    size: tuple[int, int]
    filter: ResizeFilter
    order: PassOrder
    mean: Triple
    std: Triple
    dtype: DType
    num_threads: int

    @property
    def array_dtype(self) -> npt.DTypeLike:
        """What NumPy stores: bfloat16 as its bits."""
        return np.uint16 if self.dtype == "bfloat16" else self.dtype

    def one_by_one(self, images: Sequence[npt.NDArray[np.uint8]], out: npt.NDArray[Any]) -> None:
        """Decoded pictures into slots, for what `image_batch` does not take."""
        image_resize_normalize(
            *ImagesBatch.from_images(images),
            out_size=self.size,
            filter=self.filter,
            order=self.order,
            mean=self.mean,
            std=self.std,
            dtype=self.dtype,
            out=out,
            num_threads=self.num_threads,
        )


def zoom_label_maps(
    maps: Sequence[npt.NDArray[np.int32]], size: tuple[int, int], num_threads: int
) -> npt.NDArray[np.int32]:
    """int32 (n, h, w): label maps of any size, as the published pipeline brings them to one."""
    batch = ImagesBatch.from_images(maps)  # the same layout, of labels
    return label_zoom(*batch, out_size=size, num_threads=num_threads)


def both_sides(size: int | tuple[int, int]) -> tuple[int, int]:
    """Height and width, of one number for both.

    Raises:
        ValueError: not positive, or no such numbers.
    """
    try:
        height, width = (size, size) if isinstance(size, int | np.integer) else tuple(size)
        both = (int(height), int(width))
    except (TypeError, ValueError):
        raise ValueError(f"size={size!r}: expected height and width, or one number") from None
    if min(both) < 1:
        raise ValueError(f"size={size!r}: height and width must be positive")
    return both


def pixels_of(
    size: int | tuple[int, int],
    filter: ResizeFilter,
    order: PassOrder,
    mean: Triple,
    std: Triple,
    dtype: DType,
    num_threads: int | None,
) -> Pixels:
    """The options of `refpix.Loader` that concern pixels, checked.

    Raises:
        ValueError: an impossible one.
    """
    if dtype not in ("float32", "float16", "bfloat16"):
        raise ValueError(f"dtype={dtype!r}: expected 'float32', 'float16' or 'bfloat16'")
    threads = cpu_count() if num_threads is None else num_threads
    if threads < 1:
        raise ValueError(f"num_threads={num_threads}: expected at least 1")
    return Pixels(both_sides(size), filter, order, mean, std, dtype, threads)


class Collate:
    """Samples to a `Batch`: the ``collate_fn`` for ``torch.utils.data.DataLoader``.

    There, every worker decodes its own samples; `Loader` does without workers and is faster. The
    batch's ``rows`` are those of the samples in their file.

    Args:
        size: height and width of the results in pixels, or one number for both.
        filter: as for `Loader`, and so are the others.
        order: see `Loader`.
        mean: see `Loader`.
        std: see `Loader`.
        dtype: see `Loader`.
        tensors: ``"torch"`` or ``"numpy"``.
        num_threads: threads per worker.
    """

    def __init__(
        self,
        *,
        size: int | tuple[int, int] = 512,
        filter: ResizeFilter = "bicubic",
        order: PassOrder = "auto",
        mean: Triple = HALF,
        std: Triple = HALF,
        dtype: DType = "float32",
        tensors: Literal["numpy", "torch"] = "torch",
        num_threads: int = 1,
    ) -> None:
        self._pixels = pixels_of(size, filter, order, mean, std, dtype, num_threads)
        self._tensors = tensors

    def __call__(self, samples: Sequence[Any]) -> Batch:
        """The batch of some decoded samples (they have ``image``, and ``row`` or ``index``)."""
        pictures = [sample.image for sample in samples]
        out = aligned_empty((len(samples), 3, *self._pixels.size), self._pixels.array_dtype)
        self._pixels.one_by_one(pictures, out)
        return Batch(
            images=tensors_of(out, self._pixels.dtype, self._tensors),
            sizes=np.array([p.shape[:2] for p in pictures], np.int64).reshape(-1, 2),
            rows=np.array([_row(sample) for sample in samples], np.int64),
            samples=list(samples),
        )


def _row(sample: Any) -> int:
    row: int = sample.row if hasattr(sample, "row") else sample.index
    return row


def tensors_of(images: npt.NDArray[Any], dtype: str, tensors: str) -> Any:
    """The array as ``tensors`` wants them (``"numpy"`` or ``"torch"``), over the same memory."""
    if tensors == "numpy":
        return images
    from refpix.loader.torch_tensors import as_tensor

    return as_tensor(images, dtype)
