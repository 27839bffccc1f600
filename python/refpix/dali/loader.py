"""DALI's pipeline as a loader: the interface, order and state of `refpix.Loader`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from refpix._order import Order, shard
from refpix.dali._extra import require_dali
from refpix.dali.pipeline import refhcm_pipeline
from refpix.dali.source import Source, policy_name
from refpix.errors import ImageError, RowError
from refpix.io.image import decode_image
from refpix.loader import Dataset
from refpix.loader.batch import HALF, Batch, Triple, both_sides
from refpix.loader.epochs import Epochs
from refpix.types import PIXEL_LIMIT

__all__ = ["DaliLoader"]

Ints = npt.NDArray[np.int64]


class DaliLoader(Epochs):
    """Batches of a dataset through DALI; see `refpix.Loader`, whose batches and order these are.

    Iterating gives the batches of one epoch and then moves on to the next. Pixels are DALI's (see
    `refhcm_pipeline`), everything else is the same: rows, records, skipped rows, shards, state;
    a state of one can be loaded into the other. A bad row raises when its batch is due, after the
    batches before it.

    Args:
        dataset: see `refpix.Loader`.
        batch_size: rows a batch.
        size: height and width of the images in pixels, or one number for both.
        shuffle: a new order each epoch; else the dataset's order.
        seed: of the order.
        shard_id: which shard; None asks ``torch.distributed`` where it is initialised, else 0.
        num_shards: of how many; None likewise, else 1.
        last_batch: ``"partial"`` or ``"drop"``.
        errors: ``"raise"`` or ``"skip"``, which adds to ``report``.
        mean: per channel, of values in 0..1.
        std: per channel.
        dtype: ``float32`` or ``float16``.
        tensors: ``"numpy"``, in host memory, or ``"torch"``, where DALI has them.
        allow_truncated: see `refpix.Loader`.
        pixel_limit: see `refpix.Loader`.
        device_id: the GPU; None: all on the CPU.
        num_threads: DALI's threads; None is all the CPUs this process may use.
        parallel: read and decode base64 in ``py_num_workers`` processes.
        py_num_workers: how many.
        prefetch: batches ahead.
        **options: further ones of ``nvidia.dali.Pipeline``.

    Attributes:
        report: the `RowError` of every row skipped so far.
        epoch: the epoch that iterating gives next, or is giving.

    Raises:
        MissingExtraError: DALI is not installed.
        ValueError: an impossible option.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        batch_size: int = 1,
        size: int | tuple[int, int] = 512,
        shuffle: bool = False,
        seed: int = 0,
        shard_id: int | None = None,
        num_shards: int | None = None,
        last_batch: Any = "partial",
        errors: Literal["raise", "skip"] = "raise",
        mean: Triple = HALF,
        std: Triple = HALF,
        dtype: Literal["float32", "float16"] = "float32",
        tensors: Literal["numpy", "torch"] = "numpy",
        allow_truncated: bool = True,
        pixel_limit: int | None = PIXEL_LIMIT,
        device_id: int | None = None,
        num_threads: int | None = None,
        parallel: bool = False,
        py_num_workers: int = 1,
        prefetch: int = 2,
        **options: Any,
    ) -> None:
        super().__init__()
        if errors not in ("raise", "skip"):
            raise ValueError(f"errors={errors!r}: expected 'raise' or 'skip'")
        if tensors not in ("numpy", "torch"):
            raise ValueError(f"tensors={tensors!r}: expected 'numpy' or 'torch'")
        self.dataset = dataset
        self.errors = errors
        self.report: list[RowError] = []
        self._tensors = tensors
        rank, world_size = shard(shard_id, num_shards)
        # A bad row must not end the pipeline before the batches ahead of it are out: the source
        # leaves it out, and here it is missed.
        self._rows: dict[str, Any] = {
            "batch_size": batch_size,
            "shuffle": shuffle,
            "seed": seed,
            "shard_id": rank,
            "num_shards": world_size,
            "last_batch": policy_name(last_batch),
            "errors": "skip",
            "allow_truncated": allow_truncated,
            "pixel_limit": pixel_limit,
        }
        self._pixels: dict[str, Any] = {
            "size": both_sides(size),
            "mean": mean,
            "std": std,
            "dtype": dtype,
            "device_id": device_id,
            "num_threads": num_threads,
            "parallel": parallel,
            "py_num_workers": py_num_workers,
            "prefetch": prefetch,
            **options,
        }
        self._source = Source(dataset, **self._rows)
        self._pipe: Any = None
        self._stands_at: tuple[int, int] | None = None  # epoch and row that the pipeline is at
        require_dali()

    def _order(self) -> Order:
        return self._source.order()

    def __iter__(self) -> Iterator[Batch]:
        start = self._start()
        pipe, source = self._pipe_at(self.epoch, start)
        due = source.batches_of_epoch(self.epoch)
        self._stands_at = None  # should the caller break off, it stands where nobody knows
        for number, wanted in enumerate(due):
            try:
                images, sizes, rows = pipe.run()
            except Exception as error:
                self._pipe = None
                self._name_the_row(due[number : number + self._pixels["prefetch"] + 1], error)
                raise
            given = np.array(rows.as_array())
            faults = source.faults(wanted[~np.isin(wanted, given)])
            if faults and self.errors == "raise":
                raise faults[0]
            self.report += faults
            self._position += len(wanted)
            if given[0] >= 0:
                yield self._batch(images, sizes, given)
            del images, sizes, rows
        self._finish(pipe)
        self._end()
        self._stands_at = (self.epoch, 0)

    def _pipe_at(self, epoch: int, start: int) -> tuple[Any, Source]:
        """A pipeline that gives a row of an epoch next: the one at hand, if it stands there."""
        if self._pipe is None or self._stands_at != (epoch, start):
            self._pipe = None  # its worker processes end before others begin
            self._source = Source(self.dataset, **self._rows, epoch=epoch, start=start)
            self._pipe = refhcm_pipeline(self._source, **self._pixels)
        return self._pipe, self._source

    @staticmethod
    def _finish(pipe: Any) -> None:
        try:
            pipe.run()
        except StopIteration:
            pipe.reset()
        else:
            raise RuntimeError("DALI gave more batches than the epoch has")

    def _batch(self, images: Any, sizes: Any, rows: Ints) -> Batch:
        return Batch(
            images=_pixels_of(images, self._tensors, copy=not self._pipe.exec_dynamic),
            sizes=np.array(sizes.as_array()),
            rows=rows,
            samples=list(self.dataset.records(rows, {})),
        )

    def _name_the_row(self, batches: Sequence[Ints], error: Exception) -> None:
        """Raises a `RowError` for the picture that ended the pipeline, if it can be found."""
        for rows in batches:
            faults: dict[int, RowError] = {}
            for payload, row in zip(*self._source.read(rows, faults), strict=True):
                try:
                    decode_image(payload.tobytes(), allow_truncated=False)
                except ImageError as found:
                    raise self.dataset.row_error(int(row), found) from error


def _pixels_of(images: Any, tensors: str, *, copy: bool) -> Any:
    """DALI's batch as an array or tensor, over the same memory where that stays ours."""
    dense = images.as_tensor()
    if tensors == "numpy":
        array = np.asarray(dense.as_cpu())
        return array.copy() if copy else array
    from refpix.loader.torch_tensors import from_dlpack

    return from_dlpack(dense, copy=copy)
