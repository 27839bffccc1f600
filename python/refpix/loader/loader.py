"""Rows to batches: in a reproducible order, made ahead on a thread, in host or device memory."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from functools import partial
from typing import Any, Literal

from tqdm import tqdm

from refpix._order import Order, shard
from refpix.errors import MissingExtraError, RowError, detached
from refpix.loader.ahead import Ahead
from refpix.loader.batch import HALF, Batch, Collate, Triple, both_sides, pixels_of
from refpix.loader.epochs import Epochs
from refpix.loader.host import HostBatches
from refpix.loader.rows import (
    BatchMaker,
    Dataset,
    GatheredRows,
    LabelledDataset,
    Leftovers,
    check_dataset,
)
from refpix.loader.which_device import device_number
from refpix.types import PIXEL_LIMIT, DType, PassOrder, ResizeFilter

__all__ = ["Batch", "Collate", "Dataset", "LabelledDataset", "Loader"]


class Loader(Epochs):
    """Batches of a dataset, ready for a model.

    Iterating gives the batches of one epoch and then moves on to the next epoch. Rows come in an
    order that depends on ``seed`` and the epoch alone: not on threads, machine or NumPy. Each rank
    takes every ``world_size``-th row of it, so shards are disjoint and together complete (their
    lengths differ by one at most).

    One background thread finds rows and another makes batches of them, ``prefetch`` ahead; the work
    itself runs on native threads without the GIL. Memory is bounded by the batches in flight and
    those the caller holds: batch buffers are reused as soon as nothing refers to them.

    With ``device`` a CUDA device, its threads only find rows and decode base64; the device decodes,
    resizes and normalises on a stream of the loader's own, and the stream that is torch's current
    one when a batch is handed out waits for it. The host does not. Pixels are then nvJPEG's, which
    differ (see docs/loader.md), except with ``engine="cpu"``; all else is the same.

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
        filter: ``bicubic``, ``bilinear``, ``box`` or ``lanczos`` (which no device has).
        order: of the resize passes: ``pillow13``, ``pillow12``, or ``auto``, the installed one's.
        tensors: ``"numpy"`` or ``"torch"``; None is torch where a device is named, else numpy.
        pin_memory: page-locked batches in host memory; None: for torch, when CUDA is available.
        device: None or ``"cpu"``: batches in host memory. ``"cuda"``, ``"cuda:1"``, 1 or a
            ``torch.device``: on that device. ``"auto"``: ``"cuda"`` if it can be used, else
            ``"cpu"``.
        engine: of the device's decoder, see `refpix.cuda.JpegDecoder`.
        channels_last: tensors in torch's channels-last memory format; on the CPU that is a copy.
        prefetch: batches to prepare ahead.
        drop_last: leave out a last batch that is not full.
        allow_truncated: decode what is there of pictures that end early, as published.
        pixel_limit: most pixels of a picture; more is a fault. None for no limit, as published;
            one row of a few hundred bytes can then take half a minute and 13 GB.
        progress: show a bar per epoch.

    Attributes:
        report: the `RowError` of every row skipped so far (file, row, byte offset, reason).
        epoch: the epoch that iterating gives next, or is giving.
        device: number of the CUDA device that batches are on; None: in host memory.
        channels_last: whether images are in that memory format.
        engines: what decodes JPEGs: of ``cpu``, ``hybrid`` and ``hardware``; see
            `refpix.cuda.JpegDecoder`.

    Raises:
        BackendUnavailableError: a device was asked for, and CUDA cannot be used here; says why.
        MissingExtraError: tensors or pinned memory were asked for, and torch is not installed.
        TypeError: ``dataset`` is none that rows can be asked of.
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
        tensors: Literal["numpy", "torch"] | None = None,
        pin_memory: bool | None = None,
        device: Any = None,
        engine: Literal["auto", "hardware", "hybrid", "cpu"] = "auto",
        channels_last: bool = False,
        prefetch: int = 2,
        drop_last: bool = False,
        allow_truncated: bool = True,
        pixel_limit: int | None = PIXEL_LIMIT,
        progress: bool = False,
    ) -> None:
        super().__init__()
        check_dataset(dataset, label_maps=label_size is not None)
        if batch_size < 1 or prefetch < 1:
            raise ValueError("batch_size and prefetch must be at least 1")
        if errors not in ("raise", "skip"):
            raise ValueError(f"errors={errors!r}: expected 'raise' or 'skip'")
        if tensors is None:
            tensors = "numpy" if device is None else "torch"
        if tensors not in ("numpy", "torch"):
            raise ValueError(f"tensors={tensors!r}: expected 'numpy' or 'torch'")
        if engine not in ("auto", "hardware", "hybrid", "cpu"):
            raise ValueError(f"engine={engine!r}: expected 'auto', 'hardware', 'hybrid' or 'cpu'")
        self.device = device_number(device)
        self.channels_last = channels_last
        if tensors == "numpy" and (channels_last or self.device is not None):
            raise ValueError(
                "tensors='numpy': device memory and channels_last are torch's: tensors='torch'"
            )
        if (tensors == "torch" or pin_memory) and importlib.util.find_spec("torch") is None:
            raise MissingExtraError("Loader with tensors or pinned memory", "torch", "torch")
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
        self._label_size = None if label_size is None else both_sides(label_size)
        pixels = pixels_of(size, filter, order, mean, std, dtype, num_threads)
        gather = partial(GatheredRows, dataset, label_maps=label_size is not None)
        leftovers = Leftovers(allow_truncated, pixel_limit)
        self._batches: BatchMaker
        if self.device is None:
            self._batches = HostBatches(
                gather,
                pixels,
                leftovers,
                batch_size=batch_size,
                label_size=self._label_size,
                tensors=tensors,
                pin_memory=pin_memory,
                channels_last=channels_last,
                keep=prefetch + 2,
            )
        else:
            from refpix.loader.device import batches_on

            self._batches = batches_on(
                self.device,
                gather,
                pixels,
                leftovers,
                engine=engine,
                label_size=self._label_size,
                channels_last=channels_last,
            )

    @property
    def has_label_maps(self) -> bool:
        """Whether batches come with label maps."""
        return self._label_size is not None

    @property
    def engines(self) -> tuple[str, ...]:
        """See `Loader`."""
        return self._batches.engines

    def __repr__(self) -> str:
        where = "in host memory" if self.device is None else f"on cuda:{self.device}"
        return (
            f"<Loader of {len(self.dataset)} rows, {self.batch_size} a batch, {where}; "
            f"engines: {', '.join(self.engines)}>"
        )

    def _order(self) -> Order:
        return Order(
            count=len(self.dataset),
            batch_size=self.batch_size,
            shuffle=self.shuffle,
            seed=self.seed,
            rank=self.rank,
            world_size=self.world_size,
            drop_last=self.drop_last,
        )

    def __iter__(self) -> Iterator[Batch]:
        start = self._start()
        batches = self._order().batches(self.epoch, start)
        end = start + sum(map(len, batches))
        try:
            with (
                Ahead(self._batches.gather, batches, 1) as gathered,
                Ahead(self._make, gathered, self.prefetch) as ahead,
                tqdm(total=end, initial=start, unit="row", disable=not self.progress) as bar,
            ):
                for batch, skipped in ahead:
                    done = len(batch) + len(skipped)
                    bar.update(done)
                    self._position += done
                    self.report.extend(skipped)
                    if len(batch):
                        self._batches.hand_over(batch)
                        yield batch
                    del batch  # its buffer may serve again once the caller lets go of it
        finally:
            self._batches.settle()
        self._end()

    def _make(self, gathered: Any) -> tuple[Batch, list[RowError]]:
        batch, faults = self._batches.make(gathered)
        if faults and self.errors == "raise":
            raise faults[0]
        return batch, [detached(fault) for fault in faults]
