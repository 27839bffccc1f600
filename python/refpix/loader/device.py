"""Batches on a CUDA device: payloads go up, pixels never come down.

    thread 1            rows -> base64 text -> page-locked bytes
    thread 2                headers, what the CPU has to decode; enqueues
    side stream                 copy, decode, resize and normalise, labels, event
    consumer's stream                                       waits for the event, step

Nothing here waits for the device, but for page-locked memory that it still has to read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from refpix.errors import KernelError, RowError
from refpix.kernels import (
    base64_decode_each,
    base64_room,
    fault_name,
    image_resize_normalize,
    label_zoom,
)
from refpix.loader.batch import Batch, Pixels
from refpix.loader.rows import BatchMaker, GatheredRows, Ints, Leftovers, kernel_error
from refpix.types import ImagesBatch

__all__ = ["DeviceBatches", "Staging", "batches_on"]

Bytes = npt.NDArray[np.uint8]
Gather = Callable[[Ints], GatheredRows]

# One is filled, one waits, one's work is being enqueued, and one is read by the device.
_STAGINGS = 4


def batches_on(
    device: int,
    gather: Gather,
    pixels: Pixels,
    leftovers: Leftovers,
    *,
    engine: Literal["auto", "hardware", "hybrid", "cpu"],
    label_size: tuple[int, int] | None,
    channels_last: bool,
) -> DeviceBatches:
    """`DeviceBatches` with a stream and a decoder of their own."""
    from refpix.cuda import JpegDecoder
    from refpix.loader.torch_side_stream import SideStream

    limit = leftovers.pixel_limit
    decoder = JpegDecoder(
        device,
        engine=engine,
        allow_truncated=leftovers.allow_truncated,
        pixel_limit=2**63 - 1 if limit is None else limit,
        num_threads=pixels.num_threads,
    )
    return DeviceBatches(
        gather,
        pixels,
        leftovers,
        side=SideStream(device),
        decoder=decoder,
        label_size=label_size,
        channels_last=channels_last,
    )


class Staging:
    """Page-locked memory out of which one batch is copied to the device.

    The device reads it when it gets there, long after the call that asked for the copy. So it is
    filled anew only when the event that was recorded behind the batch's work has passed.

    Args:
        side: the stream, see `refpix.loader.torch_side_stream.SideStream`.
    """

    def __init__(self, side: Any) -> None:
        self._side = side
        self._memory: list[Bytes] = []
        self._used = 0
        self._held: list[Any] = []
        self._event: Any = None

    def array(self, count: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """Page-locked memory of this batch's, (count,); another one at each call."""
        size = count * np.dtype(dtype).itemsize
        if self._used == len(self._memory):
            self._memory.append(np.empty(0, np.uint8))
        if len(self._memory[self._used]) < size:
            # Asking for page-locked memory is slow: with some to spare it happens a few times.
            self._memory[self._used] = self._side.pinned(size + size // 4)
        self._used += 1
        return self._memory[self._used - 1][:size].view(dtype)

    def upload(self, array: npt.NDArray[Any]) -> Any:
        """A copy on the device, by way of page-locked memory."""
        pinned = self.array(array.size, array.dtype).reshape(array.shape)
        np.copyto(pinned, array)
        return self._side.upload(pinned)

    def hold(self, memory: Any) -> None:
        """Keeps other memory that the device will read until it has."""
        self._held.append(memory)

    def release_after(self, event: Any) -> None:
        """Says when the device is done with it."""
        self._event = event

    def wait(self) -> None:
        """Makes it free to be filled."""
        if self._event is not None:
            self._side.wait(self._event)
        self._event = None
        self._held.clear()
        self._used = 0


@dataclass
class Encoded:
    """The rows of a batch, and their image files: item i is ``values[spans[i, 0]:spans[i, 1]]``."""

    found: GatheredRows
    staging: Staging
    values: Bytes
    spans: Ints


class DeviceBatches(BatchMaker):
    """Makes the batches of `refpix.Loader` on a CUDA device.

    Args:
        gather: reads rows.
        pixels: how pictures become numbers.
        leftovers: decodes what the decoder leaves alone.
        side: the stream to work on, see `refpix.loader.torch_side_stream.SideStream`.
        decoder: see `refpix.cuda.JpegDecoder`.
        label_size: height and width of label maps, None for none.
        channels_last: tensors in that memory format.

    Raises:
        ValueError: the filter is not available on a device.
    """

    def __init__(
        self,
        gather: Gather,
        pixels: Pixels,
        leftovers: Leftovers,
        *,
        side: Any,
        decoder: Any,
        label_size: tuple[int, int] | None,
        channels_last: bool,
    ) -> None:
        if pixels.filter == "lanczos":
            raise ValueError("filter='lanczos' is not available on a device")
        self.engines = decoder.engines
        self._gather = gather
        self._pixels = pixels
        self._leftovers = leftovers
        self._side = side
        self._decoder = decoder
        self._label_size = label_size
        self._channels_last = channels_last
        self._stagings = deque(Staging(side) for _ in range(_STAGINGS))

    def gather(self, rows: Ints) -> Encoded:
        """See `BatchMaker`. Image files are ready to be copied to the device."""
        found = self._gather(rows)
        # None is left where several iterate at a time.
        staging = self._longest_used() or Staging(self._side)
        staging.wait()
        return Encoded(found, staging, *self._files(found, staging))

    def make(self, encoded: Encoded) -> tuple[Batch, list[RowError]]:
        """See `BatchMaker`. What it returns is still to be computed: see ``Batch.ready``."""
        found, staging = encoded.found, encoded.staging
        try:
            with self._side.active():
                batch = self._enqueue(encoded)
        finally:  # whatever was enqueued before an error reads the memory as well
            event = self._side.record()
            staging.release_after(event)
            self._stagings.append(staging)
        batch.ready = event
        return batch, found.faults()

    def hand_over(self, batch: Batch) -> None:
        """See `BatchMaker`."""
        self._side.hand_over(batch.ready, batch.images, batch.label_maps)

    def settle(self) -> None:
        """Waits until the device has read all page-locked memory, which may be freed from now on.

        torch does not know of copies by other libraries, and would give the memory out again.
        """
        idle = []
        while staging := self._longest_used():
            staging.wait()
            idle.append(staging)
        self._stagings.extend(idle)

    def _longest_used(self) -> Staging | None:
        """Takes the memory whose event will pass first; it is this thread's alone then."""
        with suppress(IndexError):
            return self._stagings.popleft()
        return None

    def _enqueue(self, encoded: Encoded) -> Batch:
        found, staging = encoded.found, encoded.staging
        values, spans = encoded.values, encoded.spans
        staging.hold(values)
        decoded = self._decoder.decode(values, spans)
        sizes = decoded.host_sizes.copy()
        pictures: dict[int, Bytes] = {}
        for item in np.flatnonzero(decoded.faults[:, 0]).tolist():
            if found.is_blamed(item):  # its text is no base64
                continue
            start, stop = spans[item]
            try:
                picture = self._leftovers.decode(values[start:stop], "raw", decoded.faults[item])
            except KernelError as error:
                found.blame(item, error)
            else:
                pictures[item] = picture
                sizes[item] = picture.shape[:2]
        kept = found.kept()
        images = self._images(decoded, pictures, kept, staging)
        maps = None
        if found.maps is not None and self._label_size is not None:
            maps = self._zoomed([found.maps[item] for item in kept], self._label_size, staging)
        return found.batch(kept, images, sizes, maps)

    def _files(self, found: GatheredRows, staging: Staging) -> tuple[Bytes, Ints]:
        """Image files and their spans: where they lie, or out of base64 into page-locked memory.

        A text that does not decode is its item's fault, which then has an empty file.
        """
        if found.encoding == "raw":
            return found.values, found.spans
        memory = staging.array(base64_room(found.values, found.spans), np.uint8)
        spans, faults = base64_decode_each(
            found.values, found.spans, memory, num_threads=self._pixels.num_threads
        )
        for item in np.flatnonzero(faults[:, 0]).tolist():
            fault, position = faults[item].tolist()
            found.blame(item, kernel_error(fault_name(fault), position))
        return memory, spans

    def _images(
        self, decoded: Any, pictures: dict[int, Bytes], kept: list[int], staging: Staging
    ) -> Any:
        """The slots of the items that were kept, of the decoder's pixels and of Pillow's."""
        planes = (*self._pixels.size, 3) if self._channels_last else (3, *self._pixels.size)
        images = self._side.empty((len(kept), *planes), self._pixels.dtype)
        if not pictures and len(kept) == len(decoded.host_sizes):
            self._fill(images, decoded.pixels, decoded.offsets, decoded.sizes)
        else:
            self._fill_in_runs(images, decoded, pictures, kept, staging)
        return images.permute(0, 3, 1, 2) if self._channels_last else images

    def _fill_in_runs(
        self,
        images: Any,
        decoded: Any,
        pictures: dict[int, Bytes],
        kept: list[int],
        staging: Staging,
    ) -> None:
        by_decoder = [item for item in kept if item not in pictures]
        by_pillow = [pictures[item] for item in kept if item in pictures]
        # Items at fault have no pixels, so those of the others lie end to end without them.
        sizes = decoded.host_sizes[by_decoder]
        offsets = np.concatenate([[0], np.cumsum(3 * sizes.prod(axis=1))]).astype(np.int64)
        sources = [(decoded.pixels, staging.upload(offsets), staging.upload(sizes))]
        if by_pillow:
            pixels, offsets, sizes = ImagesBatch.from_images(by_pillow)
            sources.append(tuple(staging.upload(array) for array in (pixels, offsets, sizes)))
        done = [0, 0]  # pictures of each source
        slot = 0
        for source, run in groupby(kept, key=lambda item: int(item in pictures)):
            count = len(list(run))
            first, end = done[source], done[source] + count
            pixels, offsets, sizes = sources[source]
            self._fill(
                images[slot : slot + count], pixels, offsets[first : end + 1], sizes[first:end]
            )
            done[source] = end
            slot += count

    def _fill(self, images: Any, pixels: Any, offsets: Any, sizes: Any) -> None:
        if not len(sizes):
            return
        image_resize_normalize(
            pixels,
            offsets,
            sizes,
            out_size=self._pixels.size,
            filter=self._pixels.filter,
            order=self._pixels.order,
            mean=self._pixels.mean,
            std=self._pixels.std,
            dtype=self._pixels.dtype,
            channels_last=self._channels_last,
            out=images,
        )

    def _zoomed(
        self, maps: Sequence[npt.NDArray[np.int32]], size: tuple[int, int], staging: Staging
    ) -> Any:
        """Label maps of any sizes brought to one, on the device; see `zoom_label_maps`."""
        zoomed = self._side.empty((len(maps), *size), "int32")
        if not maps:
            return zoomed
        sizes = np.array([labels.shape for labels in maps], np.int64)
        lengths = sizes.prod(axis=1)
        if not lengths.all():  # on the device it would be noted where nobody asks
            raise KernelError("bad_size", int(np.argmin(lengths)))
        values = staging.array(int(lengths.sum()), np.int32)
        np.concatenate([labels.reshape(-1) for labels in maps], out=values)
        label_zoom(
            self._side.upload(values),
            staging.upload(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)),
            staging.upload(sizes),
            out_size=size,
            out=zoomed,
        )
        return zoomed
