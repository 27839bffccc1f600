"""The published path against ours on a dataset's rows: first whether they agree, then how fast."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from refpix.datasets import RefHCM
from refpix.datasets.refhcm_published import published_batch
from refpix.errors import RowError
from refpix.kernels import cpu_count
from refpix.loader import Loader

__all__ = ["Agreement", "Comparison", "Timing", "compare", "compare_outputs"]

_IMAGES_PER_ROUND = 64


@dataclass(frozen=True)
class Agreement:
    """Whether the loader's images are those of the published path.

    Attributes:
        images: number of pictures compared.
        equal: how many are equal, bit for bit.
        largest_difference: of any value, in the normalised tensors; NaN where there is nothing to
            compare because the published path raised.
        unequal_rows: indices into the dataset of the others.
        rows: int64 (images,), indices of all that were compared.
        skipped: rows that cannot be loaded.
    """

    images: int
    equal: int
    largest_difference: float
    unequal_rows: tuple[int, ...]
    rows: npt.NDArray[np.int64] = field(repr=False)
    skipped: tuple[RowError, ...]

    @property
    def identical(self) -> bool:
        """Whether all are, and there are any."""
        return 0 < self.images == self.equal


@dataclass(frozen=True)
class Timing:
    """One contender's time for one image: the median of the rounds.

    Attributes:
        name: who.
        threads: native threads at most.
        wall_ms: milliseconds per image on the clock.
        cpu_ms: milliseconds per image of CPU time, all threads together.
    """

    name: str
    threads: int
    wall_ms: float
    cpu_ms: float

    @property
    def images_per_second(self) -> float:
        """By the clock."""
        return 1000.0 / self.wall_ms


@dataclass(frozen=True)
class Comparison:
    """What `compare` found.

    Attributes:
        agreement: of the outputs. Timings of outputs that differ would mean nothing.
        timings: the published path first.
        size: side of the output in pixels.
        rounds: how often each was timed, in turns.
        mean_height: of the pictures, in pixels.
        mean_width: likewise.
        mean_payload_bytes: of what is decoded: base64 text, or the file.
    """

    agreement: Agreement
    timings: tuple[Timing, ...]
    size: int
    rounds: int
    mean_height: float
    mean_width: float
    mean_payload_bytes: float

    def speedup(self, timing: Timing) -> float:
        """How many times less CPU time per image a contender takes than the published path."""
        return self.timings[0].cpu_ms / timing.cpu_ms


def compare_outputs(
    dataset: RefHCM,
    rows: Sequence[int] | npt.NDArray[np.int64] | None = None,
    *,
    size: int = 512,
    batch_size: int = 16,
    num_threads: int = 1,
) -> Agreement:
    """Load rows both ways and compare the tensors, bit for bit.

    Args:
        dataset: the rows' source.
        rows: indices into it; None is all.
        size: side of the output in pixels.
        batch_size: rows at a time, which bounds memory.
        num_threads: of the loader.
    """
    every = np.arange(len(dataset), dtype=np.int64) if rows is None else np.asarray(rows, np.int64)
    loader = Loader(
        dataset.select(every),
        batch_size=batch_size,
        size=size,
        num_threads=num_threads,
        errors="skip",
    )
    loaded: list[int] = []
    unequal: list[int] = []
    worst = 0.0
    for batch in loader:
        for image, row in zip(batch.images, every[batch.rows].tolist(), strict=True):
            loaded.append(row)
            try:
                wanted = published_batch(dataset.payloads([row]), size=size)[0]
            except (OSError, ValueError):
                unequal.append(row)
                worst = float("nan")
                continue
            if image.tobytes() != wanted.tobytes():
                unequal.append(row)
                worst = float(np.maximum(worst, np.abs(image - wanted).max()))
    return Agreement(
        images=len(loaded),
        equal=len(loaded) - len(unequal),
        largest_difference=worst,
        unequal_rows=tuple(unequal),
        rows=np.array(loaded, np.int64),
        skipped=tuple(loader.report),
    )


def compare(
    dataset: RefHCM,
    *,
    size: int = 512,
    batch_size: int = 16,
    num_threads: int | None = None,
    limit: int = _IMAGES_PER_ROUND,
    seconds: float = 4.0,
    progress: bool = False,
) -> Comparison:
    """Compare outputs, then time the published path and the loader in turns.

    Both read rows and fields through `RefHCM`; what differs is the way from the payload to the
    batch. A round is 64 images for each, rows being repeated where there are fewer.

    Args:
        dataset: the rows' source; ``limit`` of them, evenly spread, are taken.
        size: side of the output in pixels.
        batch_size: images per batch.
        num_threads: most threads of the loader, which is timed with one and with this many. None:
            the CPUs this process may use.
        limit: most rows to take.
        seconds: about how long to time; there are two rounds at least.
        progress: a bar.

    Raises:
        ValueError: no row can be loaded.
    """
    if len(dataset) == 0:
        raise ValueError(f"{dataset.path}: no rows to compare")
    most = cpu_count() if num_threads is None else num_threads
    rows = np.unique(np.linspace(0, len(dataset) - 1, min(limit, len(dataset))).astype(np.int64))
    agreement = compare_outputs(dataset, rows, size=size, batch_size=batch_size, num_threads=most)
    if agreement.images == 0:
        raise ValueError(f"{dataset.path}: none of {len(rows)} rows can be loaded") from (
            agreement.skipped[0]
        )
    repeated = np.resize(agreement.rows, _IMAGES_PER_ROUND)
    part = dataset.select(repeated)
    contenders: list[tuple[str, int, Callable[[], None]]] = [
        ("published path", 1, partial(_run_published, part, size, batch_size))
    ]
    for threads in sorted({1, most}):
        loader = Loader(part, batch_size=batch_size, size=size, num_threads=threads)
        contenders.append(("refpix", threads, partial(_run_loader, loader)))
    walls, cpus = _time_in_turns([run for _, _, run in contenders], seconds, progress)
    spans = part.payloads(range(min(len(agreement.rows), len(part)))).spans
    sizes = _sizes(part)
    per_image_ms = 1000.0 / len(part)
    return Comparison(
        agreement=agreement,
        timings=tuple(
            Timing(name, threads, float(wall) * per_image_ms, float(cpu) * per_image_ms)
            for (name, threads, _), wall, cpu in zip(
                contenders, np.median(walls, axis=0), np.median(cpus, axis=0), strict=True
            )
        ),
        size=size,
        rounds=len(walls),
        mean_height=float(sizes[:, 0].mean()),
        mean_width=float(sizes[:, 1].mean()),
        mean_payload_bytes=float((spans[:, 1] - spans[:, 0]).mean()),
    )


def _run_published(dataset: RefHCM, size: int, batch_size: int) -> None:
    for start in range(0, len(dataset), batch_size):
        rows = range(start, min(start + batch_size, len(dataset)))
        dataset.records(rows)
        published_batch(dataset.payloads(rows), size=size)


def _run_loader(loader: Loader) -> None:
    for _ in loader:
        pass


def _sizes(dataset: RefHCM) -> npt.NDArray[np.int64]:
    loader = Loader(dataset, batch_size=len(dataset), size=8)
    return np.concatenate([batch.sizes for batch in loader])


def _time_in_turns(
    runs: Sequence[Callable[[], None]], seconds: float, progress: bool
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Wall and CPU seconds, float64 (rounds, contenders) each; the first round is not counted."""
    walls: list[list[float]] = []
    cpus: list[list[float]] = []
    started = time.perf_counter()
    with tqdm(total=seconds, desc="timing", disable=not progress, leave=False) as bar:
        bar.bar_format = "{desc}: {percentage:3.0f}% |{bar}|"
        while len(walls) < 3 or time.perf_counter() - started < seconds:
            walls.append([0.0] * len(runs))
            cpus.append([0.0] * len(runs))
            for i, run in enumerate(runs):
                wall, cpu = time.perf_counter(), time.process_time()
                run()
                walls[-1][i] = time.perf_counter() - wall
                cpus[-1][i] = time.process_time() - cpu
            bar.n = min(seconds, time.perf_counter() - started)
            bar.refresh()
    return np.array(walls[1:]), np.array(cpus[1:])
