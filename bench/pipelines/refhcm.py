"""The main job: RefHCM rows to a normalised 512x512 float32 batch, against its rivals.

All contestants take turns in one process, so that a busy machine slows all alike. Outputs are
compared before anything is timed. CPU time (of the whole process) and wall time are reported; a
ratio is the median over turns of the ratio within a turn.
"""

from __future__ import annotations

import argparse
import base64
import statistics
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import photos
import rivals
from tqdm import tqdm
from turns import Timings, describe, machine, write

from refpix import Loader
from refpix.datasets import RefHCM
from refpix.kernels import base64_decode, image_batch, jpeg_decode, tsv_index
from refpix.loader.buffers import aligned_empty
from refpix.types import BytesBatch

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / "data"
RESULTS = HERE.parent / "results"
SIZE = 512
PACKAGES = (
    "refpix", "numpy", "pillow", "torch", "pybase64", "simplejpeg", "nvidia-dali-cuda130",
)  # fmt: skip

OWN, LIBJPEG_TURBO = "decode only (refpix)", "decode only (simplejpeg)"

# What the project promises of this run: name, how to read it, bound.
TARGETS = (
    ("total / decode-only floor", "at most", 1.35),
    ("published / total", "at least", 3.5),
    ("best inexact rival / total", "at least", 1.3),
    ("speed-up of 2 threads", "at least", 1.85),
    ("base64: pybase64 / ours", "at least", 0.9),
    ("tsv_index: memchr / ours", "at least", 0.9),
)


def check_outputs(texts: list[bytes], batch: BytesBatch, contestants: dict) -> dict[str, float]:
    """The published result of every picture, to the bit; how far the inexact rivals are off."""
    few = slice(0, len(texts), max(1, len(texts) // 32))
    want = np.stack([rivals.published_item(text) for text in texts[few]])
    spans = np.ascontiguousarray(batch.spans[few])
    got, _, faults = image_batch(batch.values, spans, size=(SIZE, SIZE))
    if faults[:, 0].any() or not np.array_equal(got, want):
        sys.exit("refpix does not give the published result: nothing is measured")
    off = {}
    for name, run in contestants.items():
        other = run(texts[few])
        off[name] = float(np.abs(other - want).max() * 127.5)
    return off


def floor_ways(texts: list[bytes]) -> dict[str, Callable[[slice], object]]:
    """JPEG decoding alone: ours, and libjpeg-turbo's, the floor of those who use it whole."""
    payloads = [base64.b64decode(text) for text in texts]
    batch = BytesBatch.from_items(payloads)
    # One picture at a time into warm memory, as a loader would.
    out = np.empty(640 * 640 * 3, np.uint8)
    spans = [batch.spans[i : i + 1] for i in range(len(payloads))]
    ways: dict[str, Callable[[slice], object]] = {
        OWN: lambda chunk: [jpeg_decode(batch.values, span, out=out) for span in spans[chunk]]
    }
    if rivals.simplejpeg is not None:
        ways[LIBJPEG_TURBO] = lambda chunk: [
            rivals.simplejpeg.decode_jpeg(payload) for payload in payloads[chunk]
        ]
    return ways


def measure(path: Path, count: int, batch_size: int, rounds: int) -> dict[str, object]:
    dataset = RefHCM(path, task="rec", index="memory")
    payloads = dataset.payloads(range(count))
    batch = BytesBatch(payloads.values, payloads.spans)
    texts = [batch.item(i) for i in range(count)]
    mean_kb = statistics.fmean(len(text) * 0.75 for text in texts) / 1e3
    inexact = rivals.inexact()
    report: dict[str, object] = {
        "machine": machine(PACKAGES),
        "pictures": count,
        "mean_kb": round(mean_kb, 1),
        "batch_size": batch_size,
        "max_difference_of_255": check_outputs(texts, batch, inexact),
    }

    out = aligned_empty((batch_size, 3, SIZE, SIZE), np.float32)
    chunks = [slice(at, min(at + batch_size, count)) for at in range(0, count, batch_size)]

    def ours(chunk: slice, threads: int) -> None:
        spans = np.ascontiguousarray(batch.spans[chunk])
        image_batch(
            batch.values, spans, size=(SIZE, SIZE), out=out[: len(spans)], num_threads=threads
        )

    loaders = {
        threads: Loader(dataset.select(range(count)), batch_size=batch_size, num_threads=threads)
        for threads in (1, 2)
    }
    decoded = np.empty(sum(len(t) for t in texts[:64]), np.uint8)
    few = np.ascontiguousarray(batch.spans[:64])
    # Batch by batch in turns: a machine's clock drifts within seconds.
    by_batch: dict[str, Callable[[slice], object]] = {
        "published": lambda chunk: rivals.published_batch(texts[chunk]),
        **{name: (lambda chunk, run=run: run(texts[chunk])) for name, run in inexact.items()},
        **floor_ways(texts),
        "refpix": lambda chunk: ours(chunk, 1),
        "refpix, 2 threads": lambda chunk: ours(chunk, 2),
    }
    at_once: dict[str, Callable[[], object]] = {
        "refpix.Loader": lambda: [len(b) for b in loaders[1]],
        "refpix.Loader, 2 threads": lambda: [len(b) for b in loaders[2]],
        "memchr loop": rivals.memchr_loop(payloads.values),
        "tsv_index": lambda: tsv_index(payloads.values),
        "base64_decode": lambda: base64_decode(batch.values, few, out=decoded),
    }
    if rivals.pybase64 is not None:
        at_once["pybase64"] = lambda: [
            rivals.pybase64.b64decode_as_bytearray(text, validate=True) for text in texts[:64]
        ]
    for batch_work in by_batch.values():
        batch_work(chunks[0])
    for work in at_once.values():
        work()
    timings = Timings()
    with tqdm(total=rounds * len(chunks), desc="batches in turns", unit="batch") as bar:
        for _ in range(rounds):
            for chunk in chunks:
                for name, batch_work in by_batch.items():
                    timings.run(name, partial(batch_work, chunk))
                bar.update()
            for name, work in at_once.items():
                timings.run(name, work)

    sizes = dict.fromkeys(by_batch, min(batch_size, count))
    sizes |= {name: count for name in at_once if name.startswith("refpix.")}
    report["ms_per_picture"] = {
        name: timings.medians(name, 1e3 / size) for name, size in sizes.items()
    }
    report["ratios"] = ratios(timings, list(inexact))
    return report


def ratios(timings: Timings, inexact: list[str]) -> dict[str, float]:
    found = {
        "total / own decode only": timings.ratio("refpix", OWN),
        "published / total": timings.ratio("published", "refpix"),
        "speed-up of 2 threads": timings.ratio("refpix", "refpix, 2 threads", "wall"),
        "Loader: speed-up of 2 threads": timings.ratio(
            "refpix.Loader", "refpix.Loader, 2 threads", "wall"
        ),
        "tsv_index: memchr / ours": timings.ratio("memchr loop", "tsv_index"),
    }
    if LIBJPEG_TURBO in timings.cpu:
        found["total / decode-only floor"] = timings.ratio("refpix", LIBJPEG_TURBO)
    if inexact:
        best = timings.quickest(inexact)
        found["best inexact rival / total"] = timings.ratio(best, "refpix")
    if "pybase64" in timings.cpu:
        found["base64: pybase64 / ours"] = timings.ratio("pybase64", "base64_decode")
    return found


def print_report(report: dict) -> None:
    print("\n" + describe(report["machine"]))
    print(f"{report['pictures']} pictures of {report['mean_kb']} KB, batches of", end=" ")
    print(f"{report['batch_size']}, {SIZE}x{SIZE} float32\n")
    print(f"{'':34}{'CPU ms':>9}{'wall ms':>9}{'images/s':>10}{'max off':>9}")
    off = report["max_difference_of_255"]
    for name, times in report["ms_per_picture"].items():
        rate = 1e3 / times["wall"]
        note = f"{off[name]:8.1f}" if name in off else ""
        print(f"{name:34}{times['cpu']:9.3f}{times['wall']:9.3f}{rate:10.0f}{note:>9}")
    print()
    for name, kind, bound in TARGETS:
        if name not in report["ratios"]:
            print(f"{name:34}{'not measured: rival is not installed':>40}")
            continue
        value = report["ratios"][name]
        met = value <= bound if kind == "at most" else value >= bound
        print(f"{name:34}{value:8.2f}   {kind} {bound:<6} {'met' if met else 'MISSED'}")
    for name in report["ratios"].keys() - {name for name, _, _ in TARGETS}:
        print(f"{name:34}{report['ratios'][name]:8.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=400)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, default=RESULTS / "refhcm.json")
    options = parser.parse_args()
    path = DATA / f"photos-{options.pictures}.tsv"
    photos.write_rec(path, options.pictures)
    report = measure(path, options.pictures, options.batch_size, options.rounds)
    print_report(report)
    write(report, options.json)


if __name__ == "__main__":
    main()
