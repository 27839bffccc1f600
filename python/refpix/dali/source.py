"""Rows of a dataset for ``fn.external_source``, in the order of `refpix.Loader`."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from refpix._order import Order, shard
from refpix.dali._extra import require_dali
from refpix.dali._payloads import NOTHING, Presenter
from refpix.errors import KernelError, RowError, detached
from refpix.kernels import base64_decode
from refpix.loader import Dataset
from refpix.types import PIXEL_LIMIT

__all__ = ["BatchInfo", "Source", "policy_name"]

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Faults = dict[int, RowError]


class BatchInfo(Protocol):
    """What DALI says of the batch it wants (``nvidia.dali.types.BatchInfo``).

    Attributes:
        iteration: number of the batch in its epoch.
        epoch_idx: how often the pipeline was reset.
    """

    iteration: int
    epoch_idx: int


def policy_name(last_batch: Any) -> str:
    """``"partial"`` or ``"drop"``, of one of these or of DALI's ``LastBatchPolicy``.

    Raises:
        ValueError: another policy.
    """
    name = str(getattr(last_batch, "name", last_batch)).lower()
    if name not in ("partial", "drop"):
        raise ValueError(
            f"last_batch={last_batch!r}: expected 'partial' or 'drop'; filling up would give rows "
            "twice an epoch"
        )
    return name


class Source:
    """Encoded pictures and row numbers, batch by batch, for ``fn.external_source``.

    What a call gives depends on the epoch and the number of the batch alone. So DALI may call it in
    any number of worker processes, may prefetch, and goes on exactly after a checkpoint::

        source = Source(RefHCM("dataset", task="rec"), batch_size=32, shuffle=True, seed=0)
        with pipe:
            encoded, rows = source.nodes(parallel=True)

    which is ``fn.external_source(source, num_outputs=2, batch=True, batch_info=True, ...)``. Each
    row comes exactly once an epoch, in the order of a `refpix.Loader` with the same seed, shards
    and batch size; ``StopIteration`` ends the epoch and ``pipe.reset()`` begins the next.

    Pictures come as they lie in the file (base64 decoded). Those that DALI refuses, or reads to
    other pixels than published, come as BMP: truncated ones, CMYK, 16-bit and GIF, for instance.

    Args:
        dataset: anything `refpix.Loader` takes: `RefHCM`, `RefHuman`, `RefCocoM`, ...
        batch_size: rows a batch; as the pipeline's.
        shuffle: a new order each epoch; else the dataset's order.
        seed: of the order.
        epoch: the first one to give.
        start: rows of the first epoch to leave out, for going on within it.
        shard_id: which shard; None asks ``torch.distributed`` where it is initialised, else 0.
        num_shards: of how many; None likewise, else 1.
        last_batch: what becomes of rows that do not fill a batch: ``"partial"`` gives a smaller
            one, ``"drop"`` leaves them out. DALI's ``LastBatchPolicy`` will do, except FILL.
        errors: ``"raise"`` stops at a bad row with a `RowError`; from a worker process DALI passes
            on its text alone. ``"skip"`` leaves the row out of its batch; compare the row numbers
            that arrive with `rows_of_batch`, and ask `faults` for the reason. A batch of which
            nothing is left is one black pixel with row -1.
        allow_truncated: decode what is there of pictures that end early, as published.
        pixel_limit: most pixels of a picture; more is a fault. None for no limit, as published.
        num_threads: for base64.

    Attributes:
        report: `RowError` of rows skipped by calls in this process.

    Raises:
        ValueError: an impossible option.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        batch_size: int,
        shuffle: bool = False,
        seed: int = 0,
        epoch: int = 0,
        start: int = 0,
        shard_id: int | None = None,
        num_shards: int | None = None,
        last_batch: Any = "partial",
        errors: Literal["raise", "skip"] = "raise",
        allow_truncated: bool = True,
        pixel_limit: int | None = PIXEL_LIMIT,
        num_threads: int = 1,
    ) -> None:
        if batch_size < 1 or num_threads < 1:
            raise ValueError("batch_size and num_threads must be at least 1")
        if errors not in ("raise", "skip"):
            raise ValueError(f"errors={errors!r}: expected 'raise' or 'skip'")
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.epoch = epoch
        self.start = start
        self.shard_id, self.num_shards = shard(shard_id, num_shards)
        self.last_batch = policy_name(last_batch)
        self.errors = errors
        self.num_threads = num_threads
        self.report: list[RowError] = []
        self._presenter = Presenter(allow_truncated, pixel_limit)
        self._cached: tuple[int, list[Ints]] | None = None
        self._in_use = False

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_cached": None}

    def set_epoch(self, epoch: int) -> None:
        """Makes ``epoch`` the first one. For a source that no pipeline draws from yet.

        Raises:
            RuntimeError: a pipeline draws from it. DALI prefetches across epochs and in other
                processes, so that rows would be lost or given twice. Epochs advance by themselves;
                to jump, build a new pipeline, or use `DaliLoader`.
        """
        if self._in_use:
            raise RuntimeError(
                "a pipeline draws from this source, and epochs advance with it; to jump to one, "
                "build a new pipeline with Source(..., epoch=...)"
            )
        self.epoch, self.start, self._cached = epoch, 0, None

    def order(self) -> Order:
        """Which rows come when."""
        return Order(
            count=len(self.dataset),
            batch_size=self.batch_size,
            shuffle=self.shuffle,
            seed=self.seed,
            rank=self.shard_id,
            world_size=self.num_shards,
            drop_last=self.last_batch == "drop",
        )

    def rows_of_epoch(self, epoch: int) -> Ints:
        """int64 (n,): this shard's dataset indices in the order of an epoch."""
        return self.order().rows(epoch)

    def batches_of_epoch(self, epoch: int) -> list[Ints]:
        """The rows of each batch of an epoch, bad rows included; without those before ``start``."""
        if self._cached is None or self._cached[0] != epoch:
            start = self.start if epoch == self.epoch else 0
            self._cached = (epoch, self.order().batches(epoch, start))
        return self._cached[1]

    def rows_of_batch(self, info: BatchInfo) -> Ints:
        """int64 (n,): the rows of a batch, bad ones included.

        Raises:
            StopIteration: the epoch has no such batch.
        """
        batches = self.batches_of_epoch(self.epoch + info.epoch_idx)
        if info.iteration >= len(batches):
            raise StopIteration
        return batches[info.iteration]

    def __len__(self) -> int:
        """Batches of a whole epoch."""
        return len(self.order())

    def __call__(self, info: BatchInfo) -> tuple[list[Bytes], Ints]:
        """One batch.

        Returns:
            payloads: one uint8 (bytes,) each, files of pictures.
            rows: int64 (n,), their indices in the dataset.

        Raises:
            StopIteration: the epoch has no such batch.
            RowError: a bad row, unless they are skipped.
            TypeError: DALI was not asked for ``batch_info``.
        """
        self._in_use = True
        if not hasattr(info, "epoch_idx"):
            raise TypeError("refpix.dali.Source needs fn.external_source(..., batch_info=True)")
        rows = self.rows_of_batch(info)
        faults: Faults = {}
        payloads, kept = self.read(rows, faults)
        if faults and self.errors == "raise":
            raise faults[min(faults)]
        self.report += [detached(faults[i]) for i in sorted(faults)]
        return (payloads, kept) if payloads else ([NOTHING], np.array([-1], np.int64))

    def faults(self, rows: Ints) -> list[RowError]:
        """What is wrong with those of some rows that this source cannot give, in order."""
        found: Faults = {}
        if len(rows):
            self.read(rows, found)
        return [detached(found[i]) for i in sorted(found)]

    def nodes(self, *, parallel: bool = False, prefetch_queue_depth: int = 2) -> tuple[Any, Any]:
        """The source in a pipeline that is being defined: encoded pictures (uint8), rows (int64).

        Args:
            parallel: in ``py_num_workers`` processes of the pipeline; with
                ``py_start_method="spawn"`` the main module must be importable.
            prefetch_queue_depth: batches that the workers prepare ahead, all together.

        Raises:
            MissingExtraError: DALI is not installed.
        """
        dali = require_dali()
        self._in_use = True
        ahead = {"prefetch_queue_depth": prefetch_queue_depth} if parallel else {}
        encoded, rows = dali.fn.external_source(
            self,
            num_outputs=2,
            batch=True,
            batch_info=True,
            parallel=parallel,
            dtype=[dali.types.UINT8, dali.types.INT64],
            ndim=[1, 0],
            **ahead,
        )
        return encoded, rows

    def read(self, rows: Ints, faults: Faults) -> tuple[list[Bytes], Ints]:
        """Payloads of some rows, and which rows they are of.

        Args:
            rows: indices into the dataset.
            faults: receives the `RowError` of each bad row under its place in ``rows``.
        """
        self.dataset.records(rows, faults)
        values, spans, encoding = self.dataset.payloads(rows, faults)
        good = [place for place in range(len(rows)) if place not in faults]
        if encoding == "base64":
            values, spans = self._decoded(values, spans, rows, good, faults)
        else:
            spans = spans[good]
        payloads, kept = [], []
        for place, (begin, end) in zip(good, spans.tolist(), strict=True):
            try:
                payloads.append(self._presenter.present(values[begin:end]))
                kept.append(place)
            except KernelError as error:
                faults[place] = self.dataset.row_error(int(rows[place]), error)
        return payloads, rows[kept]

    def _decoded(
        self, values: Bytes, spans: Ints, rows: Ints, good: list[int], faults: Faults
    ) -> tuple[Bytes, Ints]:
        """Bytes of the good texts and their spans; takes bad ones out of ``good``."""
        while True:
            texts = np.ascontiguousarray(spans[good])
            try:
                decoded, offsets = base64_decode(values, texts, num_threads=self.num_threads)
            except KernelError as error:
                place = good.pop(error.item)
                faults[place] = self.dataset.row_error(int(rows[place]), error)
            else:
                return decoded, np.stack([offsets[:-1], offsets[1:]], axis=1)
