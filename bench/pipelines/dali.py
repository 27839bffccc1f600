"""DALI fed by `refpix.dali.Source`, against DALI's own file reader and `refpix.Loader`.

All contestants take turns in one process. No pipeline prefetches: what it did ahead at the end of
its turn would be counted in the next one's. The source reads rows of a TSV file and decodes base64;
the file reader has the same pictures as files, which is less work and what DALI is made for.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import photos
from nvidia.dali import Pipeline, fn, types
from tqdm import tqdm
from turns import Timings, describe, machine, write

from refpix import Loader
from refpix.dali import DaliLoader, Source
from refpix.datasets import RefHCM

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / "data"
RESULTS = HERE.parent / "results"
SIZE = 512
PACKAGES = ("refpix", "numpy", "pillow", "nvidia-dali-cuda130")


def unpack(dataset: RefHCM, folder: Path) -> list[str]:
    """The pictures as files, for DALI's reader."""
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    (payloads, _) = Source(dataset, batch_size=len(dataset))(_First())
    for i, payload in enumerate(payloads):
        path = folder / f"{i:05}.jpg"
        path.write_bytes(payload.tobytes())
        names.append(str(path))
    return names


class _First:
    iteration = epoch_idx = 0


def reading(batch_size: int, source: Source | list[str], *, parallel: bool = False) -> Pipeline:
    """A pipeline that gives encoded pictures, from our rows or from files."""
    pipe = Pipeline(
        batch_size, 1, None, prefetch_queue_depth=1, py_num_workers=2, py_start_method="spawn"
    )
    with pipe:
        if isinstance(source, Source):
            pipe.set_outputs(*source.nodes(parallel=parallel, prefetch_queue_depth=4))
        else:
            pipe.set_outputs(*fn.readers.file(files=source, pad_last_batch=True))
    pipe.build()
    return pipe


def decoding(batch_size: int, files: list[str], threads: int) -> Pipeline:
    """The steps of `refhcm_pipeline` behind DALI's file reader."""
    pipe = Pipeline(batch_size, threads, None, prefetch_queue_depth=1)
    with pipe:
        encoded, rows = fn.readers.file(files=files, pad_last_batch=True)
        pictures = fn.decoders.image(encoded, output_type=types.RGB, adjust_orientation=False)
        resized = fn.resize(pictures, size=(SIZE, SIZE), interp_type=types.INTERP_CUBIC)
        images = fn.crop_mirror_normalize(
            resized, output_layout="CHW", mean=[127.5] * 3, std=[127.5] * 3
        )
        pipe.set_outputs(images, rows)
    pipe.build()
    return pipe


def epoch(pipe: Pipeline, batches: int | None) -> None:
    """All batches of an epoch: so many, or until the source says that it has ended."""
    try:
        for _ in range(batches or 1 << 60):
            pipe.run()
    except StopIteration:
        pipe.reset()


def difference(dataset: RefHCM, batch_size: int) -> dict[str, float]:
    """How far DALI's pixels are off the published ones, in grey levels of 255."""
    off = []
    options = {"batch_size": batch_size, "size": SIZE}
    for theirs, ours in zip(
        DaliLoader(dataset, **options), Loader(dataset, **options), strict=True
    ):
        off.append(np.rint(np.abs(theirs.images - ours.images) * 127.5).astype(np.uint8))
    every = np.concatenate(off)
    return {
        "max": int(every.max()),
        "mean": float(every.mean()),
        "share_differing": float((every > 0).mean()),
        "share_above_1": float((every > 1).mean()),
    }


def measure(count: int, batch_size: int, rounds: int, threads: int) -> dict[str, object]:
    path = DATA / f"photos-{count}.tsv"
    photos.write_rec(path, count)
    dataset = RefHCM(path, task="rec", index="memory")
    files = unpack(dataset, DATA / f"photos-{count}")
    report: dict[str, object] = {
        "machine": machine(PACKAGES),
        "pictures": count,
        "mean_kb": round(sum(os.path.getsize(name) for name in files) / count / 1e3, 1),
        "batch_size": batch_size,
        "threads": threads,
        "off_by": difference(dataset, batch_size),
    }
    batches = -(-count // batch_size)
    loaders = {
        "Source, decode, resize (DaliLoader)": DaliLoader(
            dataset, batch_size=batch_size, size=SIZE, num_threads=threads, prefetch=1
        ),
        "refpix.Loader": Loader(dataset, batch_size=batch_size, size=SIZE, num_threads=threads),
    }
    readers: dict[str, tuple[Pipeline, int | None]] = {
        "Source": (reading(batch_size, Source(dataset, batch_size=batch_size)), None),
        "Source, 2 workers": (
            reading(batch_size, Source(dataset, batch_size=batch_size), parallel=True),
            None,
        ),
        "fn.readers.file": (reading(batch_size, files), batches),
        "fn.readers.file, decode, resize": (decoding(batch_size, files, threads), batches),
    }
    works: dict[str, Callable[[], object]] = {
        name: (lambda pipe=pipe, many=many: epoch(pipe, many))
        for name, (pipe, many) in readers.items()
    }
    works |= {name: (lambda it=it: sum(len(b) for b in it)) for name, it in loaders.items()}
    for work in works.values():
        work()
    timings = Timings()
    for _ in tqdm(range(rounds), desc="turns"):
        for name, work in works.items():
            timings.run(name, work)
    report["ms_per_picture"] = {name: timings.medians(name, 1e3 / count) for name in works}
    report["ratios"] = {
        "Source / fn.readers.file, wall": timings.ratio("Source", "fn.readers.file", "wall"),
        "DaliLoader / DALI from files, wall": timings.ratio(
            "Source, decode, resize (DaliLoader)", "fn.readers.file, decode, resize", "wall"
        ),
        "DaliLoader / refpix.Loader, wall": timings.ratio(
            "Source, decode, resize (DaliLoader)", "refpix.Loader", "wall"
        ),
    }
    return report


def print_report(report: dict) -> None:
    print("\n" + describe(report["machine"]))
    print(f"{report['pictures']} pictures of {report['mean_kb']} KB; batches of", end=" ")
    print(f"{report['batch_size']}, {report['threads']} threads\n")
    print(f"{'':38}{'CPU ms':>9}{'wall ms':>9}{'images/s':>10}")
    for name, times in report["ms_per_picture"].items():
        cpu = "-" if "workers" in name else f"{times['cpu']:.3f}"  # theirs is not counted
        print(f"{name:38}{cpu:>9}{times['wall']:9.3f}{1e3 / times['wall']:10.0f}")
    for name, value in {**report["ratios"], **report["off_by"]}.items():
        print(f"{name:38}{value:9.4g}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=96)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, default=RESULTS / "dali.json")
    options = parser.parse_args()
    report = measure(options.pictures, options.batch_size, options.rounds, options.threads)
    print_report(report)
    write(report, options.json)


if __name__ == "__main__":
    main()
