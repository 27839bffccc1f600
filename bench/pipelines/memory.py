"""Memory of indexing a large RefHCM file and loading one epoch of it, beyond the page cache.

The file is made on the fly. A fresh process indexes it, without a side file to read, and takes an
epoch; meanwhile this one looks at its anonymous and shared memory (RssAnon + RssShmem), some
hundred times a second. The mapped file counts as page cache: the kernel takes it back at will.
"""

from __future__ import annotations

import argparse
import base64
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import photos
from tqdm import tqdm

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / "data"
RESULTS = HERE.parent / "results"
TARGET_MB = 400
BATCH_SIZE, SIZE, THREADS = 32, 128, 2


def write_large(path: Path, gigabytes: float, pictures: int = 36) -> int:
    """A REC file of that size, a few pictures over and over; returns its rows."""
    rng = np.random.default_rng(0)
    shapes = itertools.islice(itertools.cycle(photos.SHAPES), pictures)
    texts = [base64.b64encode(photos.jpeg(rng, *shape)) for shape in shapes]
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = 0
    with (
        path.open("wb", buffering=1 << 20) as file,
        tqdm(total=int(gigabytes * 1e9), unit="B", unit_scale=True, desc="writing") as bar,
    ):
        while bar.n < bar.total:
            head = f"{rows}_0\t{rows}\tperson number {rows}\t10,20,300,400\t".encode()
            text = texts[rows % pictures]
            file.write(head + text + b"\n")
            bar.update(len(head) + len(text) + 1)
            rows += 1
    return rows


def child(path: Path) -> None:
    """What is measured; says on stdout where it stands, as lines of JSON."""
    start = time.perf_counter()

    def say(phase: str, **more: object) -> None:
        seconds = round(time.perf_counter() - start, 2)
        print(json.dumps({"phase": phase, "seconds": seconds, **more}), flush=True)

    from refpix import Loader
    from refpix.datasets import RefHCM

    say("indexing")
    dataset = RefHCM(path, task="rec", index="rebuild", num_threads=THREADS)
    say("epoch", rows=len(dataset))
    loader = Loader(
        dataset, batch_size=BATCH_SIZE, size=SIZE, shuffle=True, num_threads=THREADS, progress=True
    )
    seen = np.zeros(len(dataset), bool)
    for batch in loader:
        seen[batch.rows] = True
    if not seen.all() or loader.report:
        sys.exit("the epoch is not whole")
    say("end")


def resident(pid: int) -> dict[str, int]:
    """Bytes of a process that are not the page cache's, and those that are."""
    status = Path(f"/proc/{pid}/status").read_text()
    kib = {name: int(size) for name, size in re.findall(r"^(Rss\w+):\s+(\d+) kB", status, re.M)}
    return {
        "own": 1024 * (kib.get("RssAnon", 0) + kib.get("RssShmem", 0)),
        "file": 1024 * kib.get("RssFile", 0),
    }


def watch(path: Path) -> dict[str, object]:
    """Runs the child; the peak of each phase in MB (1e6 bytes)."""
    command = [sys.executable, __file__, "--child", str(path)]
    peaks: dict[str, dict[str, float]] = {}
    lines: list[dict] = [{"phase": "imports", "seconds": 0.0}]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        os.set_blocking(process.stdout.fileno(), False)
        while process.poll() is None:
            lines += [json.loads(line) for line in process.stdout]
            peak = peaks.setdefault(lines[-1]["phase"], {"own": 0.0, "file": 0.0})
            try:
                now = resident(process.pid)
            except OSError:  # it has just ended
                break
            for kind in peak:
                peak[kind] = max(peak[kind], now[kind] / 1e6)
            time.sleep(0.005)
        process.wait()
        lines += [json.loads(line) for line in process.stdout]
    if process.returncode:
        sys.exit(f"the measured process ended with {process.returncode}")
    began = {line["phase"]: line["seconds"] for line in lines}
    return {
        "rows": next(line["rows"] for line in lines if "rows" in line),
        "seconds": {
            "imports": began["indexing"],
            "indexing": round(began["epoch"] - began["indexing"], 2),
            "epoch": round(began["end"] - began["epoch"], 2),
        },
        "peak_mb": {
            phase: round(peaks[phase]["own"], 1) for phase in ("imports", "indexing", "epoch")
        },
        "peak_mapped_file_mb": round(max(peak["file"] for peak in peaks.values()), 1),
    }


def measure(gigabytes: float, keep: bool) -> dict[str, object]:
    from refhcm import machine

    path = DATA / "memory.tsv"
    if not keep or not path.exists():
        free = shutil.disk_usage(HERE).free / 1e9
        if free < gigabytes + 2:
            sys.exit(f"{free:.0f} GB are free here, {gigabytes + 2:g} are needed")
        write_large(path, gigabytes)
    index = path.with_name(path.name + ".refpix-index")
    index.unlink(missing_ok=True)
    try:
        report = {
            "machine": machine(),
            "file_gb": round(path.stat().st_size / 1e9, 3),
            "batch_size": BATCH_SIZE,
            "size": SIZE,
            "num_threads": THREADS,
            **watch(path),
        }
    finally:
        index.unlink(missing_ok=True)
        if not keep:
            path.unlink(missing_ok=True)
    report["peak_own_mb"] = max(report["peak_mb"].values())
    report["target_mb"] = TARGET_MB
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=5.0)
    parser.add_argument("--keep", action="store_true", help="leave the file, and use it if there")
    parser.add_argument("--json", type=Path, default=RESULTS / "memory.json")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child)
        return
    report = measure(options.gigabytes, options.keep)
    seconds, peak = report["seconds"], report["peak_mb"]
    print(f"\n{report['file_gb']} GB, {report['rows']} rows; beyond the page cache:\n")
    for phase in peak:
        print(f"{phase:12}{seconds[phase]:8.2f} s{peak[phase]:9.1f} MB")
    met = report["peak_own_mb"] < TARGET_MB
    print(f"\npeak {report['peak_own_mb']} MB, target under {TARGET_MB}:", end=" ")
    print("met" if met else "MISSED")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=1) + "\n")
    print(f"written: {os.path.relpath(options.json)}")


if __name__ == "__main__":
    main()
