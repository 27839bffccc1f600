"""JPEG files and RefHCM rows to normalised 512x512 batches on a GPU, against DALI and torchvision.

How far each contestant's pixels are from the published ones comes first. Then all take turns; a
turn is all pictures, batch by batch, until the device has done them. A ratio is the median over
turns of the ratio within a turn, by the clock.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1] / "pipelines"))

import photos
from devices import why_not
from turns import Timings
from where import add_section, describe, machine

from refpix import Loader
from refpix.datasets import RefHCM
from refpix.kernels import base64_decode, image_batch

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / "data"
RESULTS = HERE.parent / "results" / "gpu.json"
OURS, DECODER, CPU = "refpix", "refpix, decoding only", "CPU: image_batch, then copied"
LOADER = "refpix.Loader from TSV"

# What the project wants of an H200 with 16 cores: over, under, how to read it, bound.
TARGETS = (
    ("DALI, mixed", OURS, "at least", 1.2),
    ("torchvision", OURS, "at least", 1.2),
    (LOADER, OURS, "at most", 1.1),
)


def load_files(dataset: RefHCM, batch_size: int, size: int, *, pinned: bool) -> Any:
    """The rows' pictures out of base64, end to end."""
    import torch
    from pictures import Files

    payloads = dataset.payloads(range(len(dataset)))
    values, offsets = base64_decode(payloads.values, payloads.spans, num_threads=16)
    memory = torch.empty(len(values), dtype=torch.uint8, pin_memory=pinned).numpy()
    memory[:] = values
    return Files(memory, np.stack([offsets[:-1], offsets[1:]], axis=1), batch_size, size)


def differences(files: Any, contestants: dict[str, Any]) -> dict[str, dict[str, float]]:
    """How far each contestant is from the published pixels, in grey levels of 255."""
    from pictures import to_host

    few = files.take(slice(0, len(files.spans), max(1, len(files.spans) // 64)))
    want, _, faults = image_batch(
        few.values, few.spans, encoding="raw", size=(files.size, files.size), num_threads=16
    )
    if faults[:, 0].any():
        sys.exit("the bench's own pictures are at fault")
    found = {}
    for name, batches in contestants.items():
        got = np.concatenate([to_host(batch).copy() for batch in batches(few)])
        levels = np.abs(got - want) * 127.5
        found[name] = {
            "max": float(levels.max()),
            "mean": float(levels.mean()),
            # Half a level and more is another pixel, less is another order of additions.
            "share_differing": float((levels >= 0.5).mean()),
            "share_above_1": float((levels >= 1.5).mean()),
        }
    return found


def epoch(batches: Any, files: Any, wait: Callable[[], None]) -> None:
    for batch in batches(files):
        del batch
    wait()


def loader_epoch(loader: Loader, count: int, wait: Callable[[], None]) -> None:
    done = 0
    for batch in loader:
        done += len(batch)
        del batch
    wait()
    if done != count:
        raise RuntimeError(f"{done} of {count} rows")


def measure(options: argparse.Namespace, device: str) -> dict[str, Any]:
    """The report; ``device`` is torch's name."""
    import torch
    from pictures import THREADS, on_the_cpu, ours, rivals

    from refpix.cuda import JpegDecoder

    path = DATA / f"photos-seeds-{options.pictures}.tsv" if options.tsv is None else options.tsv
    if options.tsv is None:
        photos.write_rec_on_all_cores(path, options.pictures)
    dataset = RefHCM(path, task="rec", index="memory").select(range(options.pictures))
    # Some thousand pictures a turn, so that it takes its time: the same ones over and over.
    rows = dataset.select(np.tile(np.arange(options.pictures), options.repeat))
    on_gpu = device != "cpu"
    files = load_files(rows, options.batch_size, options.size, pinned=on_gpu)
    once = files.take(slice(0, options.pictures))
    wait = torch.cuda.synchronize if on_gpu else lambda: None

    decoder = JpegDecoder(device)
    others, missing = rivals(device)
    contestants = {**others, CPU: on_the_cpu(device), OURS: ours(decoder)}
    report: dict[str, Any] = {
        "pictures": options.pictures,
        "repeat": options.repeat,
        "mean_kb": round(float(np.diff(once.spans, axis=1).mean()) / 1e3, 1),
        "batch_size": options.batch_size,
        "size": options.size,
        "threads": THREADS,
        "left_out": missing,
        "engines": dict(Counter(decoder.decode(once.values, once.spans).engines)),
        "off_by_of_255": differences(once, contestants),
    }
    print_differences(report)

    loader = Loader(
        rows,
        batch_size=options.batch_size,
        size=options.size,
        tensors="torch",
        device=device if on_gpu else None,
    )
    works: dict[str, Callable[[], None]] = {
        name: (lambda batches=batches: epoch(batches, files, wait))
        for name, batches in contestants.items()
    }
    only = ours(decoder, resize=False)
    works[DECODER] = lambda: epoch(only, files, wait)
    works[LOADER] = lambda: loader_epoch(loader, len(rows), wait)
    for work in works.values():
        work()
    timings = Timings()
    for turn in range(options.rounds):
        # Nobody always comes after the same one.
        names = list(works)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            timings.run(name, works[name])
    report["ms_per_picture"] = {name: timings.medians(name, 1e3 / len(rows)) for name in works}
    report["ratios"] = {
        f"{over} / {under}": timings.ratio(over, under, "wall")
        for over, under in [*((name, OURS) for name in works if name != OURS)]
    }
    decoder.close()
    return report


def print_differences(report: dict[str, Any]) -> None:
    for name, reason in report["left_out"].items():
        print(f"{name}: left out: {reason}")
    print(
        f"\n{report['pictures']} pictures of {report['mean_kb']} KB, {report['repeat']} times, in"
    )
    print(f"batches of {report['batch_size']}, {report['threads']} threads; decoded by", end=" ")
    print(", ".join(f"{engine}: {count}" for engine, count in report["engines"].items()))
    print(
        f"\n{'grey levels off the published pixels':34}{'max':>8}{'mean':>8}{'differ':>9}{'> 1':>9}"
    )
    for name, off in report["off_by_of_255"].items():
        print(f"{name:34}{off['max']:8.1f}{off['mean']:8.3f}", end="")
        print(f"{100 * off['share_differing']:7.1f} %{100 * off['share_above_1']:7.2f} %")


def print_times(report: dict[str, Any]) -> None:
    print(f"\n{'':34}{'CPU ms':>9}{'wall ms':>9}{'images/s':>10}")
    for name, times in report["ms_per_picture"].items():
        print(f"{name:34}{times['cpu']:9.3f}{times['wall']:9.3f}{1e3 / times['wall']:10.0f}")
    print("\nby the clock:")
    for over, under, kind, bound in TARGETS:
        variants = [name for name in report["ms_per_picture"] if name.startswith(over)]
        if not variants:
            print(f"{over + ' / ' + under:40}  not measured: it is not here")
            continue
        best = min(variants, key=lambda name: report["ms_per_picture"][name]["wall"])
        value = report["ratios"][f"{best} / {under}"]
        met = value <= bound if kind == "at most" else value >= bound
        print(
            f"{best + ' / ' + under:40}{value:8.2f}   {kind} {bound}: {'met' if met else 'MISSED'}"
        )


def main(argv: Sequence[str] | None = None, device: str | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=400)
    parser.add_argument("--repeat", type=int, default=4, help="times all pictures in a turn")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--tsv", type=Path, help="a REC file of yours instead of photo-like ones")
    parser.add_argument("--make-data", action="store_true", help="only make the pictures")
    parser.add_argument("--json", type=Path, default=RESULTS)
    options = parser.parse_args(argv)
    if options.make_data:
        photos.write_rec_on_all_cores(
            DATA / f"photos-seeds-{options.pictures}.tsv", options.pictures
        )
        return 0
    if device is None and why_not():
        print(f"bench/gpu/refhcm.py: nothing is run: {why_not()}")
        return 1
    where = machine()
    print(describe(where) + "\n")
    report = measure(options, device or "cuda")
    print_times(report)
    add_section(options.json, "refhcm", {"machine": where, **report})
    return 0


if __name__ == "__main__":
    sys.exit(main())
