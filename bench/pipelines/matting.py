"""HIM synthesis, samples to files, against the same published steps in plain Pillow and NumPy.

Contestants take turns sample by sample in one process, on one thread each. What they wrote is
compared first: mattes to the bit, JPEG files by their pixels. CPU time is that of the process. The
floor is what the codecs alone take: the calls that decode a sample's inputs and encode its outputs,
as the synthesis makes them (of foregrounds the box that is used, of planes the patch that is not
zero), from files at hand in memory to files in memory, and nothing else.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import matting_inputs as inputs
import matting_kernels as kernels
import matting_plain as plain
import numpy as np
from PIL import Image
from tqdm import tqdm
from turns import Timings, describe, machine, write

from refpix import synthesis
from refpix.kernels import jpeg_decode
from refpix.synthesis._files import jpeg_bytes
from refpix.synthesis._pictures import bounding_box
from refpix.synthesis._png import gray_pixels, png_bytes
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
    *kernels.TARGETS,
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


class CodecFloor:
    """Decodes the inputs and encodes the outputs of a sample; reads and writes no files."""

    def __init__(self, made: synthesis.HimImage) -> None:
        self._made = made
        self._background = BytesBatch.from_items([Path(made.background_name).read_bytes()])
        self._mattes = []
        self._colours = []
        for instance in made.instances:
            matte = Path(synthesis.matte_path(instance.name)).read_bytes()
            x, y, w, h = bounding_box(gray_pixels(matte))
            colour = BytesBatch.from_items([Path(instance.name).read_bytes()])
            self._mattes.append(matte)
            self._colours.append((colour, np.array([[x, y, x + w, y + h]], np.int64)))

    def __call__(self) -> None:
        for matte in self._mattes:
            gray_pixels(matte)
        for colour, box in self._colours:
            jpeg_decode(*colour, roi=box)
        jpeg_decode(*self._background)
        canvas = self._made.image.shape[:2]
        for instance in self._made.instances:
            png_bytes(instance.seen, canvas, (instance.x, instance.y))
            jpeg_bytes(instance.colour, canvas, (instance.x, instance.y))
        jpeg_bytes(self._made.background)
        jpeg_bytes(self._made.image)


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
        floors[sample] = CodecFloor(made)
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
    print(f"\n{describe(report['machine'])}")
    ratios: dict[str, float] = {}
    for title, unit in (("image", "ms_per_sample"), ("video", "ms_per_frame")):
        print(f"\n{title}, {unit.replace('_', ' ')}{'CPU':>28}{'wall':>9}")
        for name, times in report[title][unit].items():
            print(f"  {name:44}{times['cpu']:9.1f}{times['wall']:9.1f}")
        ratios |= report[title]["ratios"]
    print("\nkernels, CPU ms")
    for name, value in report["kernels"]["ms"].items():
        print(f"  {name:44}{value:9.1f}")
    ratios |= report["kernels"]["ratios"]
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
            "kernels": kernels.kernel_run(3 * options.rounds),
        }
    finally:
        shutil.rmtree(out, ignore_errors=True)
    print_report(report)
    write(report, options.json)


if __name__ == "__main__":
    main()
