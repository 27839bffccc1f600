"""HimTraining, files to items, against the same steps in plain Pillow, OpenCV and NumPy.

Contestants take turns item by item in one process, on one thread each; items are compared first.
The draws are the same, so both do the same work. Blur and affine map are off: their pixels depend
on OpenCV's version.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from matting_inputs import VIDEO, matte
from matting_training_plain import plain_item
from photos import photo
from PIL import Image
from tqdm import tqdm
from turns import Timings, machine

from refpix.datasets import HimImages, HimTraining, HimVideo
from refpix.errors import EmptySampleError

DATA = Path(__file__).resolve().parent.parent / "data" / "matting_training"
PICTURE = (1080, 1920)
TRAINING = HimTraining(short_size=576, gamma_p=0.5, motion_p=0, affine_p=0)


def write(root: Path, pictures: int = 8, frames: int = 12) -> None:
    """Pictures with three mattes and a video with two; does nothing when they are there."""
    if (root / "done").exists():
        return
    rng = np.random.default_rng(0)

    def save(colour: Path, mattes: Path, size: tuple[int, int], people: list) -> None:
        colour.parent.mkdir(parents=True, exist_ok=True)
        mattes.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photo(rng, *size)).save(colour, quality=90)
        for i, (y, x, body) in enumerate(people):
            plane = np.zeros(size, np.uint8)
            plane[y : y + body.shape[0], x : x + body.shape[1]] = body
            Image.fromarray(plane).save(mattes / f"{i:02d}.png")

    def people(size: tuple[int, int], count: int) -> list:
        height, width = size[0] * 4 // 5, size[0] // 2
        far = size[0] - height, size[1] - width - 8 * frames
        places = [(int(rng.integers(far[0])), int(rng.integers(far[1]))) for _ in range(count)]
        return [(y, x, matte(rng, height, width)) for y, x in places]

    for i in tqdm(range(pictures), desc="making pictures", unit="picture"):
        save(root / f"I/images/{i}.jpg", root / f"I/alphas/{i}", PICTURE, people(PICTURE, 3))
    walkers = people(VIDEO, 2)
    for i in tqdm(range(frames), desc="making a video", unit="frame"):
        moved = [(y, x + 8 * i, body) for y, x, body in walkers]
        save(root / f"V/fgr/v/{i:05d}.jpg", root / f"V/pha/v/{i:05d}", VIDEO, moved)
    (root / "done").touch()


def run(name: str, dataset: HimImages | HimVideo, rounds: int) -> None:
    """Prints seconds an item, each item's least over the rounds."""
    best: dict[str, float] = {}
    count = 0
    for index in tqdm(range(len(dataset)), desc=name, unit="item"):
        sample = dataset.sample(index)
        fresh = partial(dataset.sample, index)  # a sample keeps what it has read
        try:
            ours, theirs = TRAINING(sample), plain_item(TRAINING, sample)
        except EmptySampleError:
            continue
        if ours.keys() != theirs.keys():
            sys.exit(f"{name} {index}: not the same keys: nothing is measured")
        for key, value in ours.items():
            if not np.array_equal(value, theirs[key]):
                sys.exit(f"{name} {index}: {key} differs: nothing is measured")
        del ours, theirs
        count += 1
        times = Timings()
        for _ in range(rounds):
            times.run("plain", lambda: plain_item(TRAINING, fresh()))  # noqa: B023
            times.run("refpix", lambda: TRAINING(fresh()))  # noqa: B023
        for way, seconds in times.cpu.items():
            best[way] = best.get(way, 0.0) + min(seconds)
    for way, seconds in best.items():
        each = seconds / count
        print(f"{name:<10}{way:<10}{each * 1e3:9.1f} ms CPU{1 / each:9.2f} items/s")
    print(f"{name:<10}plain / refpix {best['plain'] / best['refpix']:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    cv2.setNumThreads(1)
    write(DATA)
    print(machine(("refpix", "numpy", "pillow", "opencv-python-headless", "zlib-ng")))
    run("pictures", HimImages(DATA, "I"), rounds)
    clips = HimVideo(DATA, "V", clip_length=8, overlap=6, whole_clips=True, max_step_size=2)
    run("clips", clips, rounds)


if __name__ == "__main__":
    main()
