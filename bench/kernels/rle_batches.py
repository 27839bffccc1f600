"""Drawn masks as columns: batches of people and specks, made quickly; outlines."""

from __future__ import annotations

import numpy as np

from refpix.kernels._rle import run_lengths
from refpix.types import RleBatch


def person(rng: np.random.Generator, height: int, width: int, scale: float) -> np.ndarray:
    """bool (height, width): head, trunk, arms, legs with ragged edges; `scale` times the height."""
    size = height * scale
    y, x = np.mgrid[:height, :width]
    x = (x - rng.uniform(0.3, 0.7) * width) / size
    y = (y - rng.uniform(0.4, 0.6) * height) / size
    x = x + 0.001 * rng.standard_normal(x.shape)  # hair and cloth
    mask = np.zeros((height, width), bool)
    limbs = rng.uniform(-0.07, 0.07, 4)
    for cx, cy, rx, ry, lean in (
        (0.0, -0.42, 0.06, 0.08, 0.0),
        (0.0, -0.12, 0.13, 0.24, 0.0),
        (-0.2, -0.14, 0.05, 0.24, 0.5 + limbs[0]),
        (0.2, -0.14, 0.05, 0.24, -0.5 + limbs[1]),
        (-0.08, 0.28, 0.06, 0.26, 0.2 + limbs[2]),
        (0.08, 0.28, 0.06, 0.26, -0.2 + limbs[3]),
    ):
        mask |= ((x - cx + lean * (y - cy)) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1
    return mask


def people(count: int, height: int, width: int, scale: float, seed: int = 0) -> RleBatch:
    """A batch of `count` people."""
    rng = np.random.default_rng(seed)
    runs = [run_lengths(person(rng, height, width, scale)) for _ in range(count)]
    return RleBatch.from_counts(runs, [(height, width)] * count)


def specks(count: int, height: int, width: int, seed: int = 0) -> RleBatch:
    """Objects of 5 to 15 columns anywhere in the picture: 10 to 30 runs."""
    rng = np.random.default_rng(seed)
    items = []
    for _ in range(count):
        columns, tall = rng.integers(5, 16), int(rng.integers(4, 16))
        start = int(rng.integers(0, width - 20) * height + rng.integers(0, height - 20))
        runs = [start]
        for _ in range(columns):
            runs += [tall, height - tall]
        items.append([*runs[:-1], height * width - sum(runs[:-1])])
    return RleBatch.from_counts(items, [(height, width)] * count)


def spans_of(rles: list[dict]) -> tuple[np.ndarray, np.ndarray]:
    """The texts end to end: values, spans."""
    ends = np.cumsum([0, *(len(rle["counts"]) for rle in rles)], dtype=np.int64)
    values = np.frombuffer(b"".join(rle["counts"] for rle in rles), np.uint8)
    return values, np.stack([ends[:-1], ends[1:]], axis=1)


def outlines(
    count: int, height: int, width: int, scale: float, points: int, seed: int = 0
) -> list[np.ndarray]:
    """float64 (2 * points,) each: outlines with limbs, to a hundredth of a pixel."""
    rng = np.random.default_rng(seed)
    angles = np.linspace(0, 2 * np.pi, points, endpoint=False)
    found = []
    for _ in range(count):
        waves = sum(
            rng.uniform(-0.25, 0.25) * np.cos(k * angles + rng.uniform(0, 6)) for k in range(2, 9)
        )
        radius = (
            scale
            * min(height, width)
            / 2
            * np.clip(1 + waves + rng.normal(0, 0.01, points), 0.1, 1.6)
        )
        x = rng.uniform(0.3, 0.7) * width + radius * np.cos(angles) * 0.6
        y = rng.uniform(0.4, 0.6) * height + radius * np.sin(angles)
        outline = np.stack([np.clip(x, 0, width), np.clip(y, 0, height)], axis=1)
        found.append(np.round(outline, 2).reshape(-1))
    return found
