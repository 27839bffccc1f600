"""Inputs of the CUDA kernels' benches, from a seed. Tiny: some hundred bytes, odd sizes."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1] / "kernels"))

import rle_masks
import shapes

from refpix.kernels import rle_encode
from refpix.types import ImagesBatch

#: Drawn one by one, so that a few must do; batches repeat them.
DISTINCT_MASKS = 25


class Inputs:
    """Makes arrays of the sizes that a bench asks for, or of a sixteenth of the sides if tiny."""

    def __init__(self, *, tiny: bool = False, seed: int = 0) -> None:
        self.tiny = tiny
        self._rng = np.random.default_rng(seed)

    def count(self, count: int) -> int:
        return min(count, 3) if self.tiny else count

    def side(self, side: int) -> int:
        return side // 16 + 1 if self.tiny else side

    def sides(self, *sides: int) -> tuple[int, ...]:
        return tuple(map(self.side, sides))

    def noise(self, count: int, *shape: int) -> np.ndarray:
        """uint8 (count, *shape); of the shape, the first two are sides."""
        shape = (self.count(count), *self.sides(*shape[:2]), *shape[2:])
        return self._rng.integers(0, 256, shape, np.uint8)

    def floats(self, count: int, *shape: int) -> np.ndarray:
        """float32 0..1, likewise."""
        return self.noise(count, *shape).astype(np.float32) / np.float32(255)

    def numbers(self, below: int, count: int, *shape: int) -> np.ndarray:
        """int64 (count, *shape) 0 <= x < below."""
        return self._rng.integers(0, below, (self.count(count), *shape), np.int64)

    def few(self, below: int, count: int) -> np.ndarray:
        """uint8 (count,) 0 <= x < below."""
        return self.numbers(below, count).astype(np.uint8)

    def tables(self, count: int) -> np.ndarray:
        """uint8 (count, 256)."""
        return self._rng.integers(0, 256, (self.count(count), 256), np.uint8)

    def uniform(self, low: float, high: float, count: int, *shape: int) -> np.ndarray:
        """float32 (count, *shape)."""
        return self._rng.uniform(low, high, (self.count(count), *shape)).astype(np.float32)

    def ragged(self, count: int, height: int, width: int) -> tuple[np.ndarray, ...]:
        """Pictures end to end: pixels, offsets, sizes; sides differ by some pixels."""
        sizes = [
            (self.side(height) - i % 3, self.side(width) - i % 5) for i in range(self.count(count))
        ]
        return ImagesBatch.from_images(
            [self._rng.integers(0, 256, (*size, 3), np.uint8) for size in sizes]
        )

    def masks(self, count: int, height: int, width: int) -> np.ndarray:
        """uint8 (count, height, width) 0/1: people."""
        distinct = min(self.count(count), DISTINCT_MASKS)
        few = rle_masks.drawn(shapes.person, distinct, *self.sides(height, width))
        return np.resize(few, (self.count(count), *few.shape[1:]))

    def rles(self, count: int, height: int, width: int) -> tuple[np.ndarray, ...]:
        """The same as run lengths: counts, offsets, sizes."""
        return rle_encode(self.masks(count, height, width))

    def mattes(self, count: int, height: int, width: int) -> np.ndarray:
        """uint8 (count, height, width): people-like, a few pixels of all values at the rim."""
        height, width = self.sides(height, width)
        y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        soft = np.clip((0.7 - np.hypot(x, y)) * 40 + 0.5, 0, 1) * 255
        return np.repeat(soft.astype(np.uint8)[None], self.count(count), axis=0)

    def labels(self, count: int, height: int, width: int) -> np.ndarray:
        """uint8 (count, height, width), 0..19 in blocks, as bodies' parts lie."""
        height, width = self.sides(height, width)
        coarse = self._rng.integers(0, 20, (self.count(count), height // 16 + 1, width // 16 + 1))
        fine = coarse.repeat(16, axis=1).repeat(16, axis=2)[:, :height, :width]
        return np.ascontiguousarray(fine.astype(np.uint8))

    def ragged_labels(self, count: int, height: int, width: int) -> tuple[np.ndarray, ...]:
        """Label maps end to end: values, offsets, sizes."""
        maps = [self.labels(1, height - i % 3, width - i % 5)[0] for i in range(self.count(count))]
        offsets = np.cumsum([0, *(one.size for one in maps)], dtype=np.int64)
        sizes = np.array([one.shape for one in maps], np.int64)
        return np.concatenate([one.ravel() for one in maps]), offsets, sizes

    def boxes(self, count: int, side: int) -> np.ndarray:
        """float32 (count, 4), x1, y1, x2, y2 within a square."""
        corner = self.uniform(0, 0.4 * self.side(side), count, 2)
        extent = self.uniform(0.2 * self.side(side), 0.6 * self.side(side), count, 2)
        return np.concatenate([corner, corner + extent], axis=1)

    def codes(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Texts of 48 parsing codes each, end to end: values, spans."""
        texts = [",".join(map(str, self._rng.integers(0, 32, 48))) for _ in range(64)]
        chosen = [texts[i % len(texts)].encode() for i in range(self.count(count))]
        ends = np.cumsum([0, *map(len, chosen)], dtype=np.int64)
        return np.frombuffer(b"".join(chosen), np.uint8), np.stack([ends[:-1], ends[1:]], axis=1)
