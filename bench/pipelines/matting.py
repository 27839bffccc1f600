"""HIM synthesis, samples to files, against the same published steps in plain Pillow and NumPy.

Contestants take turns sample by sample in one process, on one thread each. What they wrote is
compared first: mattes to the bit, JPEG files by their pixels. CPU time is that of the process. The
floor is what the codecs alone take for the same files: nothing that reads and writes them by
libjpeg-turbo and zlib-ng can go under it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import matting_inputs as inputs
import matting_plain as plain
import numpy as np
from PIL import Image
from tqdm import tqdm
from turns import Timings, machine

from refpix import synthesis
from refpix.kernels import jpeg_decode
from refpix.synthesis._files import jpeg_bytes
from refpix.synthesis._png import png_bytes, read_gray
from refpix.synthesis.generate import _ImageWork, _VideoWork
from refpix.types import BytesBatch

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / "data" / "matting"
RESULTS = HERE.parent / "results"
PACKAGES = ("refpix", "numpy", "pillow", "zlib-ng")

# What the project promises of this run: name, least ratio.
TARGETS = (
    ("image: published / refpix", 8.0),
    ("image: published without its slow sum / refpix", 4.0),
    ("video: published / refpix, per frame", 5.0),
)


def same_pictures(ours: Path, theirs: Path, folders: tuple[str, ...]) -> None:
    """Exits unless both wrote the same files with the same pixels."""
    for folder in folders:
        names = [
            sorted(str(p.relative_to(root / folder)) for p in (root / folder).rglob("*.*"))
            for root in (ours, theirs)
        ]
        if names[0] != names[1]:
            sys.exit(f"{folder}: not the same files: nothing is measured")
        for name in names[0]:
            a, b = (np.asarray(Image.open(root / folder / name)) for root in (ours, theirs))
            if not np.array_equal(a, b):
                sys.exit(f"{folder}/{name}: pixels differ: nothing is measured")


def in_turns(ways: dict[str, Callable[[object], object]], jobs: list, rounds: int) -> Timings:
    """Each way on each job, one after the other; a job's least time over the rounds counts."""
    every = Timings()
    with tqdm(total=rounds * len(jobs), unit="sample") as bar:
        for _ in range(rounds):
            for job in jobs:
                for name, way in ways.items():
                    every.run(name, partial(way, job))
                bar.update()
    best = Timings()
    for clock in ("cpu", "wall"):
        for name, times in getattr(every, clock).items():
            turns = [times[i :: len(jobs)] for i in range(len(jobs))]
            getattr(best, clock)[name] = [min(turn) for turn in turns]
    return best


def codec_floor(reads: list[Path], arrays: list[np.ndarray], canvases: list) -> None:
    """Decodes the inputs and encodes the outputs of a sample; writes nothing."""
    for path in reads:
        if path.suffix == ".png":
            read_gray(path)
        else:
            jpeg_decode(*BytesBatch.from_items([path.read_bytes()]))
    for array in arrays:
        png_bytes(array) if array.ndim == 2 else jpeg_bytes(array)
    for colour, canvas, position in canvases:
        jpeg_bytes(colour, canvas, position)


def image_run(count: int, rounds: int, out: Path) -> dict[str, object]:
    root = inputs.write_images(DATA / "him")
    foregrounds, backgrounds = synthesis.image_lists(root / "fg/images", root / "bg")
    ours = _ImageWork(str(out / "ours"), tuple(foregrounds), tuple(backgrounds), "auto", ())
    floors, jobs, instances = {}, [], 0
    for sample in range(count):
        made = synthesis.him_image(sample, foregrounds, backgrounds)
        if made is None:
            continue
        jobs.append(sample)
        instances += len(made.instances)
        reads = [Path(made.background_name)]
        for instance in made.instances:
            reads += [Path(instance.name), Path(synthesis.matte_path(instance.name))]
        canvases = [(i.colour, made.image.shape[:2], (i.x, i.y)) for i in made.instances]
        arrays = [made.image, made.background, *made.alphas]
        floors[sample] = partial(codec_floor, reads, arrays, canvases)
    pictures = out / "plain"
    ways = {
        "published": lambda s: plain.image(s, foregrounds, backgrounds, pictures, True),
        "published without its slow sum": lambda s: plain.image(
            s, foregrounds, backgrounds, pictures, False
        ),
        "refpix": ours,
        "codecs alone": lambda s: floors[s](),
    }
    for sample in jobs:
        ways["published without its slow sum"](sample)
        ours(sample)
    same_pictures(out / "ours", pictures, ("images", "bg", "alphas", "fg"))
    times = in_turns(ways, jobs, rounds)
    return {
        "samples": len(jobs),
        "instances_per_sample": instances / len(jobs),
        "ms_per_sample": per(times, len(jobs)),
        "ratios": {
            "image: published / refpix": total_ratio(times, "published", "refpix"),
            "image: published without its slow sum / refpix": total_ratio(
                times, "published without its slow sum", "refpix"
            ),
            "image: refpix / codecs alone": total_ratio(times, "refpix", "codecs alone"),
        },
    }


def video_run(rounds: int, out: Path) -> dict[str, object]:
    root = inputs.write_videos(DATA / "vhm")
    videos, pictures, folders = synthesis.video_lists(root, "train")
    lists = {"videos": videos, "pictures": pictures, "folders": folders}
    ours = _VideoWork(
        str(out / "ours"), str(root), tuple(videos), tuple(pictures), tuple(folders),
        inputs.FRAMES, "auto", (),
    )  # fmt: skip
    chosen, frames = {}, 0
    for level in ("easy", "medium", "hard"):
        for name in range(40):
            made = synthesis.him_video(
                name, level, data_dir=str(root), clip_len=inputs.FRAMES, **lists
            )
            if made is not None and sum(j.level == level for j in chosen) < 1:
                chosen[synthesis.VideoJob(level, f"{name:05d}", level)] = made
                frames += len(made)
    ways = {
        "published": lambda job: plain.video(
            int(job.name), job.level, root, lists, inputs.FRAMES, out / "plain" / job.level
        ),
        "refpix": ours,
    }
    for job in chosen:
        for way in ways.values():
            way(job)
    same_pictures(out / "ours", out / "plain", ("easy", "medium", "hard"))
    times = in_turns(ways, list(chosen), rounds)
    return {
        "clips": len(chosen),
        "frames": frames,
        "instances": [len(made.instances) for made in chosen.values()],
        "ms_per_frame": per(times, frames),
        "ratios": {
            "video: published / refpix, per frame": total_ratio(times, "published", "refpix")
        },
    }


def per(times: Timings, count: int) -> dict[str, dict[str, float]]:
    return {
        name: {
            "cpu": sum(times.cpu[name]) * 1e3 / count,
            "wall": sum(times.wall[name]) * 1e3 / count,
        }
        for name in times.cpu
    }


def total_ratio(times: Timings, over: str, under: str) -> float:
    return statistics.fsum(times.cpu[over]) / statistics.fsum(times.cpu[under])


def print_report(report: dict) -> None:
    where = report["machine"]
    print(f"\n{where['cpu']}, {where['cores']} cores, {where['isa']}, Python {where['python']}")
    ratios: dict[str, float] = {}
    for title, unit in (("image", "ms_per_sample"), ("video", "ms_per_frame")):
        print(f"\n{title}, {unit.replace('_', ' ')}{'CPU':>23}{'wall':>9}")
        for name, times in report[title][unit].items():
            print(f"  {name:34}{times['cpu']:9.1f}{times['wall']:9.1f}")
        ratios |= report[title]["ratios"]
    print()
    for name, bound in TARGETS:
        value = ratios.pop(name)
        print(f"{name:50}{value:8.2f}   at least {bound} {'met' if value >= bound else 'MISSED'}")
    for name, value in ratios.items():
        print(f"{name:50}{value:8.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, default=RESULTS / "matting.json")
    options = parser.parse_args()
    # Folder names within the published rule: "images" in a path would be rewritten.
    out = Path(tempfile.mkdtemp(prefix="synthesis-"))
    try:
        report = {
            "machine": machine(PACKAGES),
            "image": image_run(options.samples, options.rounds, out / "image"),
            "video": video_run(options.rounds, out / "video"),
        }
    finally:
        shutil.rmtree(out, ignore_errors=True)
    print_report(report)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=1) + "\n")
    print(f"\nwritten: {os.path.relpath(options.json)}")


if __name__ == "__main__":
    main()
