"""tsv_index against a loop of C memchr over the same memory-mapped file, and against Python.

CPU time of one thread, all contenders in turns over warm pages, outputs compared first. The rival
is a C function, compiled here, that calls memchr until the end and stores every offset.
"""

from __future__ import annotations

import argparse
import ctypes
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from refpix.kernels import isas, tsv_index, use_isa

MEMCHR_LOOP = r"""
#include <stdint.h>
#include <string.h>
int64_t rows(const char* values, int64_t size, int64_t* ends) {
    int64_t count = 0;
    for (const char *at = values, *stop = values + size; at < stop; ++count) {
        const char* found = memchr(at, '\n', stop - at);
        at = found ? found + 1 : stop;
        ends[count] = at - values;
    }
    return count;
}
"""


def memchr_loop(folder: Path) -> Callable[[np.ndarray, np.ndarray], int]:
    source, library = folder / "rows.c", folder / "rows.so"
    source.write_text(MEMCHR_LOOP)
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", source, "-o", library], check=True)
    rows = ctypes.CDLL(str(library)).rows
    rows.restype = ctypes.c_int64
    rows.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p]
    return lambda values, ends: rows(values.ctypes.data, len(values), ends.ctypes.data)


def make_file(path: Path, megabytes: int, row_bytes: int) -> int:
    """Rows of letters around row_bytes long; returns how many."""
    rng = np.random.default_rng(0)
    values = rng.integers(ord("A"), ord("z"), megabytes << 20, np.uint8)
    lengths = rng.integers(row_bytes // 2, row_bytes * 3 // 2 + 1, 2 * len(values) // row_bytes)
    ends = np.cumsum(lengths)
    ends = ends[ends < len(values)]
    values[ends - 1] = ord("\n")
    values.tofile(path)
    return len(ends) + 1


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=9)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rival = memchr_loop(Path(folder))
        for row_bytes in (200_000, 2_000, 60):
            path = Path(folder) / "rows.tsv"
            rows = make_file(path, args.megabytes, row_bytes)
            compare(np.memmap(path, np.uint8, "r"), rows, row_bytes, rival, args.rounds)


def compare(
    mapped: np.ndarray,
    rows: int,
    row_bytes: int,
    rival: Callable[[np.ndarray, np.ndarray], int],
    rounds: int,
) -> None:
    values = np.asarray(mapped)
    ends = np.zeros(rows + 1, np.int64)

    def ours(isa: str) -> Callable[[], np.ndarray]:
        def index() -> np.ndarray:
            with use_isa(isa):
                return tsv_index(values)

        return index

    runs: dict[str, Callable[[], object]] = {
        "C memchr": lambda: rival(values, ends),
        **{f"refpix {isa}": ours(isa) for isa in isas()},
        "numpy (reference)": lambda: tsv_index(values, backend="reference"),
    }
    count = rival(values, ends)
    for isa in isas():
        assert np.array_equal(ours(isa)()[1:], ends[:count]), isa
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(rounds):
        for name, run in runs.items():
            if "reference" in name and turn > 1:
                continue
            start = time.process_time()
            run()
            times[name].append(time.process_time() - start)
    print(f"{len(values) >> 20} MiB in {count} rows of about {row_bytes} bytes")
    print(f"{'':20}{'GB/s':>8}{'speed / memchr':>16}")
    for name, found in times.items():
        speed = statistics.median(
            theirs / mine for mine, theirs in zip(found, times["C memchr"], strict=False)
        )
        print(f"{name:20}{len(values) / min(found) / 1e9:8.1f}{speed:16.2f}")


if __name__ == "__main__":
    main()
