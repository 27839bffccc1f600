"""Endless training samples, made when they are asked for; PyTorch's DataLoader takes them as is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from refpix.synthesis._him_plan import seeds_of
from refpix.synthesis.him_image import HimImage, ImageCure, him_image
from refpix.types import PassOrder

__all__ = ["HimImageSamples", "HimImageStream"]

Transform = Callable[[HimImage], Any]

_ENDLESS = 2**32


class HimImageSamples:
    """Synthesised pictures by number: a map-style dataset of any length.

    Sample i is that of seed ``start + i``, or, where nothing can be placed there, of the next seed
    1,000,003 further. So a sample depends on its number alone, whoever makes it. Picklable.

    Args:
        foregrounds: as ``him_image`` takes them.
        backgrounds: likewise.
        length: how many samples there are.
        start: the first seed. Training epochs differ with ``start=epoch * length``.
        transform: applied to each sample.
        order: as ``him_image``.
        cures: likewise.
        attempts: seeds to try for one number.
    """

    def __init__(
        self,
        foregrounds: Sequence[str],
        backgrounds: Sequence[str],
        *,
        length: int = 50_000,
        start: int = 0,
        transform: Transform | None = None,
        order: PassOrder = "auto",
        cures: Collection[ImageCure] = (),
        attempts: int = 100,
    ) -> None:
        self.foregrounds = list(foregrounds)
        self.backgrounds = list(backgrounds)
        self.length = length
        self.start = start
        self.transform = transform
        self.order: PassOrder = order
        self.cures = tuple(cures)
        self.attempts = attempts

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Any:
        """The sample, transformed.

        Raises:
            IndexError: there is no such number.
            SampleError: it cannot be made of its inputs.
            ValueError: no seed gave a picture.
        """
        if not -self.length <= index < self.length:
            raise IndexError(f"sample {index} of {self.length}")
        return self._make(index % self.length)

    def _make(self, number: int) -> Any:
        for seed in seeds_of(number, self.start, self.attempts):
            made = him_image(
                seed,
                self.foregrounds,
                self.backgrounds,
                order=self.order,
                cures=self.cures,
            )
            if made is not None:
                return made if self.transform is None else self.transform(made)
        raise ValueError(f"sample {number}: nothing could be placed with {self.attempts} seeds")


class HimImageStream(HimImageSamples):
    """The same without an end: iterate over it.

    Within a PyTorch DataLoader each worker takes every n-th sample; ``shard`` splits further, as
    between the processes of a distributed run. Iterating again begins again: ``start`` says where.

    Args:
        foregrounds: as ``HimImageSamples``.
        backgrounds: likewise.
        shard: this process's index and the number of processes.
        **options: of ``HimImageSamples``, ``length`` excepted.
    """

    def __init__(
        self,
        foregrounds: Sequence[str],
        backgrounds: Sequence[str],
        *,
        shard: tuple[int, int] = (0, 1),
        **options: Any,
    ) -> None:
        super().__init__(foregrounds, backgrounds, length=_ENDLESS, **options)
        self.shard = shard

    # Loaders ask for the length of what has one; a stream has none.
    __len__ = None  # type: ignore[assignment]
    __getitem__ = None  # type: ignore[assignment]

    def __iter__(self) -> Iterator[Any]:
        index, count = self.shard
        worker, workers = _worker()
        number, step = index * workers + worker, count * workers
        while True:
            yield self._make(number)
            number += step


def _worker() -> tuple[int, int]:
    """Index and number of a DataLoader's workers; torch is looked up, not imported."""
    data = sys.modules.get("torch.utils.data")
    info = data.get_worker_info() if data is not None else None
    return (0, 1) if info is None else (info.id, info.num_workers)
