"""Rows to batches: decoded, resized and normalised by native threads, in a reproducible order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, Protocol, cast

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from refpix._buffers import BufferPool, aligned_empty
from refpix._order import epoch_rows, shard, shares
from refpix._prefetch import Ahead
from refpix.batch import (
    HALF,
    Batch,
    Collate,
    Triple,
    both_sides,
    pixels_of,
    tensors_of,
    zoom_label_maps,
)
from refpix.errors import ImageError, KernelError, RowError, detached, from_fault
from refpix.io.image import decode_image
from refpix.kernels import base64_decode, fault_name, image_batch
from refpix.types import PIXEL_LIMIT, DType, PassOrder, ResizeFilter

__all__ = ["Batch", "Collate", "Dataset", "LabelledDataset", "Loader", "check_state"]

Ints = npt.NDArray[np.int64]

# Payloads of these kinds are Pillow's to decode; see image_batch.
_PILLOW = ("image_unrecognised", "jpeg_unsupported")


class Dataset(Protocol):
    """What a dataset must offer to be loaded (``refpix.datasets.RefHCM`` does).

    ``faults`` receives the `RowError` of each bad row under its place in ``rows``.
    """

    def __len__(self) -> int: ...

    def records(self, rows: Any, faults: dict[int, RowError]) -> Sequence[Any]:
        """Everything but pixels, per row; None for a bad one."""
        ...

    def payloads(self, rows: Any, faults: dict[int, RowError]) -> Any:
        """Values uint8 (bytes,), spans int64 (n, 2), and ``base64`` or ``raw``."""
        ...

    def row_error(self, row: int, error: KernelError) -> RowError:
        """The error for a row whose picture is at fault."""
        ...


class LabelledDataset(Dataset, Protocol):
    """A dataset with label maps, which ``Loader(label_size=...)`` wants."""

    def label_maps(self, rows: Any, faults: dict[int, RowError]) -> Sequence[Any]:
        """int32 (H, W) per row; None for a bad one."""
        ...


class Loader:
    """Batches of a dataset, ready for a model.

    Iterating gives the batches of one epoch and then moves on to the next epoch. Rows come in an
    order that depends on ``seed`` and the epoch alone: not on threads, machine or NumPy. Each rank
    takes every ``world_size``-th row of it, so shards are disjoint and together complete (their
    lengths differ by one at most).

    One background thread prepares ``prefetch`` batches ahead; the work itself runs on native
    threads without the GIL. Memory is bounded by the batches in flight and those the caller holds:
    batch buffers are reused as soon as nothing refers to them.

    Args:
        dataset: see `Dataset`; e.g. ``refpix.datasets.RefHCM``.
        batch_size: rows per batch; the last one of an epoch may be smaller.
        size: height and width of the images in pixels, or one number for both; the aspect ratio is
            not kept, as in the published pipelines.
        label_size: also give the label maps, brought to this height and width as the published
            pipeline does (RPar: 512); None gives none.
        shuffle: a new order each epoch; else the dataset's order.
        seed: of the order.
        num_threads: native threads; None is all the CPUs this process may use.
        rank: which shard; None asks ``torch.distributed`` where it is initialised, else 0.
        world_size: of how many; None likewise, else 1.
        errors: ``"raise"`` stops at a bad row with a `RowError`. ``"skip"`` leaves the row out of
            its batch and adds the error to ``report``.
        dtype: ``float32``, ``float16`` or ``bfloat16``.
        mean: per channel, of values in 0..1.
        std: per channel.
        filter: ``bicubic``, ``bilinear``, ``box`` or ``lanczos``.
        order: of the resize passes: ``pillow13``, ``pillow12``, or ``auto``, the installed one's.
        tensors: ``"numpy"`` or ``"torch"``.
        pin_memory: page-locked batches; None: for torch, when CUDA is available.
        prefetch: batches to prepare ahead.
        drop_last: leave out a last batch that is not full.
        allow_truncated: decode what is there of pictures that end early, as published.
        pixel_limit: most pixels of a picture; more is a fault. None for no limit, as published;
            one row of a few hundred bytes can then take half a minute and 13 GB.
        progress: show a bar per epoch.

    Attributes:
        report: the `RowError` of every row skipped so far (file, row, byte offset, reason).
        epoch: the epoch that iterating gives next, or is giving.

    Raises:
        ValueError: an impossible option.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        batch_size: int = 1,
        size: int | tuple[int, int] = 512,
        label_size: int | tuple[int, int] | None = None,
        shuffle: bool = False,
        seed: int = 0,
        num_threads: int | None = None,
        rank: int | None = None,
        world_size: int | None = None,
        errors: Literal["raise", "skip"] = "raise",
        dtype: DType = "float32",
        mean: Triple = HALF,
        std: Triple = HALF,
        filter: ResizeFilter = "bicubic",
        order: PassOrder = "auto",
        tensors: Literal["numpy", "torch"] = "numpy",
        pin_memory: bool | None = None,
        prefetch: int = 2,
        drop_last: bool = False,
        allow_truncated: bool = True,
        pixel_limit: int | None = PIXEL_LIMIT,
        progress: bool = False,
    ) -> None:
        if batch_size < 1 or prefetch < 1:
            raise ValueError("batch_size and prefetch must be at least 1")
        if errors not in ("raise", "skip"):
            raise ValueError(f"errors={errors!r}: expected 'raise' or 'skip'")
        if tensors not in ("numpy", "torch"):
            raise ValueError(f"tensors={tensors!r}: expected 'numpy' or 'torch'")
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.rank, self.world_size = shard(rank, world_size)
        self.errors = errors
        self.prefetch = prefetch
        self.drop_last = drop_last
        self.dtype = dtype
        self.progress = progress
        self.report: list[RowError] = []
        self.epoch = 0
        self._position = 0  # rows of the shard that were handed out or skipped
        self._resume_at = 0
        self._allow_truncated = allow_truncated
        self._pixel_limit = pixel_limit
        self._tensors = tensors
        self._label_size = None if label_size is None else both_sides(label_size)
        self._pixels = pixels_of(size, filter, order, mean, std, dtype, num_threads)
        shape = (batch_size, 3, *self._pixels.size)
        allocate = _allocator(tensors, pin_memory)
        self._buffers = BufferPool(
            lambda: allocate(shape, self._pixels.array_dtype), keep=prefetch + 2
        )

    def __len__(self) -> int:
        """Batches of an epoch (of this rank), if no batch is skipped whole."""
        rows = len(range(self.rank, len(self.dataset), self.world_size))
        return rows // self.batch_size if self.drop_last else -(-rows // self.batch_size)

    @property
    def has_label_maps(self) -> bool:
        """Whether batches come with label maps."""
        return self._label_size is not None

    def set_epoch(self, epoch: int) -> None:
        """Makes the next iteration that of this epoch, from its beginning."""
        self.epoch = epoch
        self._position = self._resume_at = 0

    def state_dict(self) -> dict[str, Any]:
        """Where the iteration stands: after the batch that was handed out last."""
        return {
            "version": 1,
            "epoch": self.epoch,
            "position": self._position,
            "seed": self.seed,
            "shuffle": self.shuffle,
            "rank": self.rank,
            "world_size": self.world_size,
            "rows": len(self.dataset),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on where `state_dict` was taken, with the very next row.

        Args:
            state: from a loader of the same rows, seed and sharding; the batch size may differ.

        Raises:
            ValueError: the state is of another order of rows.
        """
        check_state(state, self.state_dict())
        self.epoch = int(state["epoch"])
        self._position = self._resume_at = int(state["position"])

    def rows_of_epoch(self, epoch: int) -> Ints:
        """int64 (n,): this rank's dataset indices in the order of an epoch."""
        return epoch_rows(
            len(self.dataset),
            self.seed,
            epoch,
            shuffle=self.shuffle,
            rank=self.rank,
            world_size=self.world_size,
        )

    def __iter__(self) -> Iterator[Batch]:
        rows = self.rows_of_epoch(self.epoch)
        start, self._resume_at = self._resume_at, 0
        self._position = start
        batches = shares(rows, self.batch_size, start=start, drop_last=self.drop_last)
        end = start + sum(map(len, batches))
        with (
            Ahead(self._prepare, batches, self.prefetch) as ahead,
            tqdm(total=end, initial=start, unit="row", disable=not self.progress) as bar,
        ):
            for batch, skipped in ahead:
                done = len(batch) + len(skipped)
                bar.update(done)
                self._position += done
                self.report.extend(skipped)
                if len(batch):
                    yield batch
                del batch  # its buffer may serve again once the caller lets go of it
        self.epoch += 1
        self._position = 0

    def _prepare(self, rows: Ints) -> tuple[Batch, list[RowError]]:
        faults: dict[int, RowError] = {}
        records = self.dataset.records(rows, faults)
        values, spans, encoding = self.dataset.payloads(rows, faults)
        maps: Sequence[Any] | None = None
        if self._label_size is not None:
            maps = cast(LabelledDataset, self.dataset).label_maps(rows, faults)
        good = np.array([i for i in range(len(rows)) if i not in faults], np.int64)
        images = self._buffers.take()[: len(good)]
        spans = np.ascontiguousarray(spans[good])
        _, sizes, codes = image_batch(
            values,
            spans,
            encoding=encoding,
            size=self._pixels.size,
            filter=self._pixels.filter,
            order=self._pixels.order,
            mean=self._pixels.mean,
            std=self._pixels.std,
            dtype=self._pixels.dtype,
            allow_truncated=self._allow_truncated,
            pixel_limit=self._pixel_limit,
            out=images,
            num_threads=self._pixels.num_threads,
        )
        for slot in np.flatnonzero(codes[:, 0]).tolist():
            payload = values[spans[slot, 0] : spans[slot, 1]]
            error = self._rescue(
                payload, encoding, codes[slot], images[slot : slot + 1], sizes[slot]
            )
            if error is not None:
                row = int(rows[good[slot]])
                faults[int(good[slot])] = self.dataset.row_error(row, error)
        if faults and self.errors == "raise":
            raise faults[min(faults)]
        kept = [slot for slot, place in enumerate(good.tolist()) if place not in faults]
        if len(kept) < len(good):
            for to, slot in enumerate(kept):
                images[to] = images[slot]
            images, sizes, good = images[: len(kept)], sizes[kept], good[kept]
        batch = Batch(
            images=tensors_of(images, self._pixels.dtype, self._tensors),
            sizes=sizes,
            rows=rows[good],
            samples=[records[i] for i in good],
        )
        if maps is not None and self._label_size is not None:
            zoomed = zoom_label_maps(
                [maps[i] for i in good], self._label_size, self._pixels.num_threads
            )
            batch.label_maps = tensors_of(zoomed, "int32", self._tensors)
        return batch, [detached(faults[i]) for i in sorted(faults)]

    def _rescue(
        self,
        payload: npt.NDArray[np.uint8],
        encoding: str,
        code: Ints,
        slot: npt.NDArray[Any],
        size: Ints,
    ) -> KernelError | None:
        """Decodes with Pillow what the native decoder leaves to it; what is wrong if it cannot."""
        name = fault_name(int(code[0]))
        if name not in _PILLOW:
            return _kernel_error(name, int(code[1]))
        try:
            image = decode_image(
                _decoded(payload, encoding),
                allow_truncated=self._allow_truncated,
                pixel_limit=self._pixel_limit,
            )
            self._pixels.one_by_one([image], slot)
        except ImageError as error:
            return error
        except MemoryError:  # as of the native decoder: the row's fault
            return KernelError("out_of_memory")
        size[:] = image.shape[:2]
        return None


def check_state(state: dict[str, Any], own: dict[str, Any]) -> None:
    """Whether a loader can go on from a state.

    Args:
        state: of another run.
        own: what ``state_dict`` of this loader gives.

    Raises:
        ValueError: the state is of another order of rows.
    """
    for key in ("version", "seed", "shuffle", "rank", "world_size", "rows"):
        if state.get(key) != own[key]:
            raise ValueError(
                f"state is of another loader: {key} is {state.get(key)!r} there, {own[key]!r} here"
            )


def _kernel_error(fault: str, position: int) -> KernelError:
    error = from_fault(fault, -1, position)
    return error if isinstance(error, KernelError) else KernelError(fault)


def _decoded(payload: npt.NDArray[np.uint8], encoding: str) -> bytes:
    if encoding == "raw":
        return payload.tobytes()
    values, _ = base64_decode(payload, np.array([[0, len(payload)]], np.int64))
    return bytes(values.tobytes())


def _allocator(
    tensors: str, pin_memory: bool | None
) -> Callable[[tuple[int, ...], npt.DTypeLike], npt.NDArray[Any]]:
    if pin_memory is False or (pin_memory is None and tensors == "numpy"):
        return aligned_empty
    from refpix.torch_tensors import cuda_available, pinned_empty

    return pinned_empty if pin_memory or cuda_available() else aligned_empty
