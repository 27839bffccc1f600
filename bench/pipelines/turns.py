"""Contenders in turns: times, ratios within a turn, and what machine it was."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from refpix.kernels import active_isa


class Timings:
    """CPU and wall seconds per turn and contender."""

    def __init__(self) -> None:
        self.cpu: dict[str, list[float]] = {}
        self.wall: dict[str, list[float]] = {}

    def run(self, name: str, work: Callable[[], object]) -> None:
        cpu, wall = time.process_time(), time.perf_counter()
        work()
        self.wall.setdefault(name, []).append(time.perf_counter() - wall)
        self.cpu.setdefault(name, []).append(time.process_time() - cpu)

    def ratio(self, over: str, under: str, clock: str = "cpu") -> float:
        """Median over turns of the ratio within a turn."""
        times = getattr(self, clock)
        return statistics.median(a / b for a, b in zip(times[over], times[under], strict=True))

    def quickest(self, names: Sequence[str]) -> str:
        return min(names, key=lambda name: statistics.median(self.cpu[name]))

    def medians(self, name: str, scale: float) -> dict[str, float]:
        """Median CPU and wall time of a turn, in seconds times ``scale``."""
        return {
            "cpu": statistics.median(self.cpu[name]) * scale,
            "wall": statistics.median(self.wall[name]) * scale,
        }


def machine(packages: Sequence[str]) -> dict[str, object]:
    """The processor, the versions, and the load it started under."""
    info: dict[str, str] = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        info.setdefault(key.strip(), value.strip())
    versions: dict[str, str | None] = {}
    for package in packages:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return {
        "cpu": info.get("model name", platform.machine()),
        "cores": os.cpu_count(),
        "isa": active_isa(),
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
        "versions": versions,
    }


def describe(where: dict) -> str:
    return f"{where['cpu']}, {where['cores']} cores, {where['isa']}, Python {where['python']}"


def write(report: dict, path: Path) -> None:
    """The report as JSON, where ``--json`` says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1) + "\n")
    print(f"\nwritten: {os.path.relpath(path)}")
