"""Interleaved CPU times of several ways to do one thing."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np


def compare(
    title: str,
    ways: dict[str, Callable[[], object]],
    rounds: int = 15,
    *,
    calls: int = 1,
    unit: str = "ms",
    keep: bool = False,
) -> None:
    """Prints each way's CPU time and its ratio to the last one.

    The ways take turns in one run, so that a busy machine slows all alike; the least time of each
    is what it needs. CPU time of the whole process: threads do not hide work.

    Args:
        title: what is compared.
        ways: each way's name and a call.
        rounds: turns each way gets.
        calls: calls a turn; with several, all but the first find code and data in cache.
        unit: ``"ms"`` or ``"us"``.
        keep: hold results until a way's turns are over, so that each goes to memory of its own;
            then the median counts, as the least time may have met memory that was at hand.
    """
    kept: list[object] = []
    for way in ways.values():
        way()
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            for _ in range(calls):
                start = time.process_time()
                result = way()
                times[name].append(time.process_time() - start)
                if keep:
                    kept.append(result)
    pick = np.median if keep else min
    found = {name: float(pick(seconds)) for name, seconds in times.items()}
    ours = list(found.values())[-1]
    scale = {"ms": 1e3, "us": 1e6}[unit]
    print(title)
    for name, seconds in found.items():
        print(f"  {name:<28}{seconds * scale:10.3f} {unit}{seconds / ours:9.1f} x")


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
