"""What the training items of matting data are drawn with."""

from __future__ import annotations

import random
from dataclasses import dataclass
from types import ModuleType
from typing import Any, cast

import numpy as np

__all__ = ["Draws"]


@dataclass(frozen=True)
class Draws:
    """The generators of the published steps, which draw from four places.

    All are NumPy's RandomState, whose streams no version of NumPy changes.

    Attributes:
        own: the dataset's: nearly everything.
        shared: ``np.random`` there: frames of a clip, iterations of a clip's transition.
        pixels: imgaug's and albumentations' there: gamma, noise, compression, blur.
        pairs: ``random`` there: which two masks exchange a piece. None: as ``own``.
    """

    own: np.random.RandomState
    shared: np.random.RandomState
    pixels: np.random.RandomState
    pairs: ModuleType | random.Random | None = None

    @classmethod
    def of(cls, *key: int) -> Draws:
        """One generator for all, that the key alone determines.

        Args:
            key: numbers of at least 0.
        """
        state = np.random.RandomState(np.random.MT19937(np.random.SeedSequence(key)))
        return cls(state, state, state)

    @classmethod
    def published(cls, own: np.random.RandomState, pixels: np.random.RandomState) -> Draws:
        """As the published program draws: from Python's and NumPy's global state too."""
        return cls(own, cast(np.random.RandomState, np.random), pixels, random)

    def pair(self, count: int) -> tuple[int, int]:
        """Two numbers below ``count``, not the same."""
        if self.pairs is None:
            i, j = self.own.choice(count, 2, replace=False).tolist()
        else:
            i, j = self.pairs.sample(range(count), k=2)
        return i, j

    def happens(self, p: float) -> bool:
        """Whether a step of probability ``p`` is taken; 0 never, 1 always."""
        return bool(self.own.random_sample() < p)

    def number(self, low: int, high: int) -> int:
        """An integer from ``low`` to ``high - 1``."""
        return int(self.own.randint(low, high))

    def one_of(self, choices: Any) -> Any:
        """One of a sequence."""
        return choices[int(self.own.choice(len(choices)))]
