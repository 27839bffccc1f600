"""Interleaved CPU times of several ways to do one thing."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np


def compare(title: str, ways: dict[str, Callable[[], object]], rounds: int = 15) -> None:
    """Prints each way's CPU milliseconds and its ratio to the last one.

    The ways take turns in one run, so that a busy machine slows all alike; the least time of each
    is what it needs. CPU time of the whole process: threads do not hide work.
    """
    for way in ways.values():
        way()
    least = dict.fromkeys(ways, float("inf"))
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.process_time()
            way()
            least[name] = min(least[name], time.process_time() - start)
    ours = list(least.values())[-1]
    print(title)
    for name, seconds in least.items():
        print(f"  {name:<28}{seconds * 1e3:10.3f} ms{seconds / ours:9.1f} x")


def label_maps(rng: np.random.Generator, count: int, height: int, width: int) -> np.ndarray:
    """uint8 (count, height, width): ellipses of labels 1..19 over 0, as bodies' parts lie."""
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    maps = np.zeros((count, height, width), np.uint8)
    for labels in maps:
        for label in range(1, 20):
            cy, cx = rng.uniform(0.1, 0.9, 2)
            ry, rx = rng.uniform(0.03, 0.2, 2)
            labels[((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1] = label
    return maps
