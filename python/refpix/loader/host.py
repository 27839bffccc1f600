"""Batches in host memory: decoded, resized and normalised by one fused kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from refpix.errors import KernelError, RowError
from refpix.kernels import image_batch
from refpix.loader.batch import Batch, Pixels, tensors_of, zoom_label_maps
from refpix.loader.buffers import BufferPool, aligned_empty
from refpix.loader.rows import BatchMaker, GatheredRows, Ints, Leftovers

__all__ = ["HostBatches"]

Gather = Callable[[Ints], GatheredRows]


class HostBatches(BatchMaker):
    """Makes the batches of `refpix.Loader` on the CPU.

    Args:
        gather: reads rows.
        pixels: how pictures become numbers.
        leftovers: decodes what the kernel leaves alone.
        batch_size: rows of a batch at most.
        label_size: height and width of label maps, None for none.
        tensors: ``"numpy"`` or ``"torch"``.
        pin_memory: as for the loader.
        channels_last: tensors in that memory format, which costs a copy.
        keep: batch buffers to hold that nobody uses.
    """

    def __init__(
        self,
        gather: Gather,
        pixels: Pixels,
        leftovers: Leftovers,
        *,
        batch_size: int,
        label_size: tuple[int, int] | None,
        tensors: str,
        pin_memory: bool | None,
        channels_last: bool,
        keep: int,
    ) -> None:
        self.engines = ("cpu",)
        self._gather = gather
        self._pixels = pixels
        self._leftovers = leftovers
        self._label_size = label_size
        self._tensors = tensors
        allocate = _allocator(tensors, pin_memory)
        height, width = pixels.size
        # Pixels are made channels first; only batches that stay so need memory of the wanted kind.
        planes = aligned_empty if channels_last else allocate
        self._buffers = BufferPool(
            lambda: planes((batch_size, 3, height, width), pixels.array_dtype), keep=keep
        )
        self._channels_last = channels_last
        self._interleaved = BufferPool(
            lambda: allocate((batch_size, height, width, 3), pixels.array_dtype), keep=keep
        )

    def gather(self, rows: Ints) -> GatheredRows:
        """See `BatchMaker`."""
        return self._gather(rows)

    def make(self, found: GatheredRows) -> tuple[Batch, list[RowError]]:
        """See `BatchMaker`."""
        images = self._buffers.take()[: len(found)]
        _, sizes, codes = image_batch(
            found.values,
            found.spans,
            encoding=found.encoding,
            size=self._pixels.size,
            filter=self._pixels.filter,
            order=self._pixels.order,
            mean=self._pixels.mean,
            std=self._pixels.std,
            dtype=self._pixels.dtype,
            allow_truncated=self._leftovers.allow_truncated,
            pixel_limit=self._leftovers.pixel_limit,
            out=images,
            num_threads=self._pixels.num_threads,
        )
        for item in np.flatnonzero(codes[:, 0]).tolist():
            try:
                self._rescue(found, item, codes[item], images, sizes)
            except KernelError as error:
                found.blame(item, error)
        kept = found.kept()
        if len(kept) < len(found):
            for slot, item in enumerate(kept):
                images[slot] = images[item]
            images = images[: len(kept)]
        maps: Any = None
        if found.maps is not None and self._label_size is not None:
            maps = zoom_label_maps(
                [found.maps[item] for item in kept], self._label_size, self._pixels.num_threads
            )
            maps = tensors_of(maps, "int32", self._tensors)
        return found.batch(kept, self._as_asked(images), sizes, maps), found.faults()

    def _rescue(
        self, found: GatheredRows, item: int, code: Ints, images: npt.NDArray[Any], sizes: Ints
    ) -> None:
        start, stop = found.spans[item]
        picture = self._leftovers.decode(found.values[start:stop], found.encoding, code)
        try:
            self._pixels.one_by_one([picture], images[item : item + 1])
        except MemoryError as error:
            raise KernelError("out_of_memory") from error
        sizes[item] = picture.shape[:2]

    def _as_asked(self, images: npt.NDArray[Any]) -> Any:
        given = tensors_of(images, self._pixels.dtype, self._tensors)
        if not self._channels_last:
            return given
        last = self._interleaved.take()[: len(images)]
        filled = tensors_of(last, self._pixels.dtype, self._tensors).permute(0, 3, 1, 2)
        return filled.copy_(given)


def _allocator(
    tensors: str, pin_memory: bool | None
) -> Callable[[tuple[int, ...], npt.DTypeLike], npt.NDArray[Any]]:
    if pin_memory is False or (pin_memory is None and tensors == "numpy"):
        return aligned_empty
    from refpix.loader.torch_tensors import cuda_available, pinned_empty

    return pinned_empty if pin_memory or cuda_available() else aligned_empty
