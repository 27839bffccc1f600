"""MSCOCO-GLT's crops, pictures to files, against the published steps in plain Pillow.

Contestants take turns picture by picture in one process, on one thread each; what they wrote is
compared first, by its pixels. CPU time is that of the process; files go to memory (/dev/shm) where
there is such, as making a file on a disk takes a tenth of a millisecond. The published program
opens a picture again for each of its objects; a rival opens it once and is otherwise the same. The
floor is what the codecs alone take: decoding what the crops need of a picture, once, and encoding
the crops.

Pictures are photo-like JPEG files of COCO's shapes (146 KB at 640x480). Objects: one to four a
picture, 2.1 on average, as 180,000 objects on 84,000 pictures are; sides log-normal around 110
pixels, a quarter below 64 and a quarter above 190.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matting import in_turns, per, total_ratio
from photos import SHAPES, jpeg
from PIL import Image
from tqdm import tqdm
from turns import describe, machine, write

from refpix.synthesis.glt_crop_files import _CropWork, _Job, _Object
from refpix.synthesis.glt_crops import GltPicture, crop_box, padded

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / "data" / "glt_crops"
RESULTS = HERE.parent / "results"
PACKAGES = ("refpix", "numpy", "pillow")
TARGETS = (("published / refpix", 2.5),)

OBJECTS = (1, 1, 1, 2, 2, 2, 2, 3, 3, 4)  # a picture; mean 2.1


class Picture(NamedTuple):
    """A picture and the boxes of its objects, by key."""

    id: int
    path: Path
    boxes: dict[str, tuple[float, float, float, float]]


def make_pictures(count: int, seed: int = 0) -> list[Picture]:
    rng = np.random.default_rng(seed)
    DATA.mkdir(parents=True, exist_ok=True)
    pictures = []
    for i in tqdm(range(count), desc="making pictures"):
        height, width = SHAPES[i % len(SHAPES)]
        path = DATA / f"COCO_train2014_{i:012d}.jpg"
        if not path.exists():
            path.write_bytes(jpeg(np.random.default_rng([seed, i]), height, width))
        boxes = {}
        for k in range(OBJECTS[i % len(OBJECTS)]):
            side, shape = 110 * np.exp(rng.normal(0, 0.8)), np.exp(rng.normal(0, 0.35))
            w = float(np.clip(side * shape, 8, width).round(2))
            h = float(np.clip(side / shape, 8, height).round(2))
            x = float(rng.uniform(0, width - w)) if w < width else 0.0
            y = float(rng.uniform(0, height - h)) if h < height else 0.0
            boxes[f"{i * 10 + k}"] = (round(x, 2), round(y, 2), w, h)
        pictures.append(Picture(i, path, boxes))
    return pictures


def published_crop(image: Image.Image, bbox: tuple[float, float, float, float]) -> Image.Image:
    """The published steps: extend, clip, crop, pad to a square by a second crop."""
    edges = []
    for start, size, limit in zip(bbox[:2], bbox[2:], image.size, strict=True):
        low, high = (
            (start - 50, start + 50 + size)
            if size < 100
            else (start - size * 0.2, start + 1.2 * size)
        )
        edges.append((max(low, 0), min(high, limit)))
    (x1, x2), (y1, y2) = edges
    crop = image.crop((x1, y1, x2, y2))
    w, h = crop.size
    pad = (max(w, h) - min(w, h)) / 2
    return crop.crop((0, -pad, w, h + pad) if w > h else (-pad, 0, w + pad, h))


def published(picture: Picture, out: Path) -> None:
    for key, bbox in picture.boxes.items():
        with Image.open(picture.path) as image:
            published_crop(image, bbox).save(out / f"{key}.jpg")


def opened_once(picture: Picture, out: Path) -> None:
    with Image.open(picture.path) as image:
        for key, bbox in picture.boxes.items():
            published_crop(image, bbox).save(out / f"{key}.jpg")


class Folders:
    """A folder of its own for each time a picture is cropped: file systems write files that are
    replaced to the disk at once, which is not what is measured here."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.times: dict[int, int] = {}

    def __call__(self, picture: Picture) -> Path:
        time = self.times.get(picture.id, 0)
        self.times[picture.id] = time + 1
        folder = self.root / str(time) / "images"
        if not folder.exists():
            folder.mkdir(parents=True)
        return folder


def decode_alone(picture: Picture) -> None:
    opened = GltPicture(picture.path)
    opened.parts([crop_box(b, opened.width, opened.height) for b in picture.boxes.values()])


class Encoder:
    """Encodes crops that were made before."""

    def __init__(self, pictures: list[Picture]) -> None:
        self.crops = {}
        for picture in pictures:
            opened = GltPicture(picture.path)
            boxes = [crop_box(b, opened.width, opened.height) for b in picture.boxes.values()]
            parts = [part.copy() for part in opened.parts(boxes)]
            self.crops[picture.id] = opened, list(zip(parts, boxes, strict=True))

    def __call__(self, picture: Picture) -> None:
        opened, crops = self.crops[picture.id]
        for part, box in crops:
            opened.jpeg(part, box)


def compare(pictures: list[Picture], ours: Path, plain: Path) -> None:
    """Exits unless crops are the published ones, before the save and as files."""
    for picture in pictures:
        opened = GltPicture(picture.path)
        boxes = [crop_box(b, opened.width, opened.height) for b in picture.boxes.values()]
        parts = opened.parts(boxes)
        with Image.open(picture.path) as image:
            for (key, bbox), box, part in zip(picture.boxes.items(), boxes, parts, strict=True):
                before = np.asarray(published_crop(image, bbox))
                files = [np.asarray(Image.open(f / f"{key}.jpg")) for f in (ours, plain)]
                if not np.array_equal(padded(part, box), before):
                    sys.exit(f"{picture.path}: object {key}: pixels differ: nothing is measured")
                if not np.array_equal(*files):
                    sys.exit(f"{picture.path}: object {key}: files differ: nothing is measured")


def crop_run(count: int, rounds: int, out: Path) -> dict[str, object]:
    pictures = make_pictures(count)
    folders = {name: Folders(out / name) for name in ("published", "once", "ours")}

    def refpix(picture: Picture) -> None:
        work = _CropWork(str(folders["ours"](picture).parent), (), True)
        objects = tuple(_Object(k, b, (f"images/{k}.jpg",)) for k, b in picture.boxes.items())
        work(_Job(str(picture.id), str(picture.path), "", objects))

    ways = {
        "published": lambda p: published(p, folders["published"](p)),
        "Pillow, opened once": lambda p: opened_once(p, folders["once"](p)),
        "refpix": refpix,
        "decoding alone": decode_alone,
        "encoding alone": Encoder(pictures),
    }
    for picture in pictures:
        for way in ways.values():
            way(picture)
    compare(pictures, out / "ours/0/images", out / "published/0/images")
    times = in_turns(ways, pictures, rounds)
    crops = sum(len(p.boxes) for p in pictures)
    shares = per(times, crops)
    floor = shares["decoding alone"]["cpu"] + shares["encoding alone"]["cpu"]
    return {
        "pictures": len(pictures),
        "crops": crops,
        "kilobytes_per_picture": sum(p.path.stat().st_size for p in pictures) / 1e3 / count,
        "ms_per_crop": shares,
        "ratios": {
            "published / refpix": total_ratio(times, "published", "refpix"),
            "Pillow, opened once / refpix": total_ratio(times, "Pillow, opened once", "refpix"),
            "refpix / codecs alone": shares["refpix"]["cpu"] / floor,
        },
    }


def print_report(report: dict) -> None:
    crops = report["crops"]
    print(f"\n{describe(report['machine'])}")
    print(f"{crops['crops']} crops of {crops['pictures']} pictures, ms per crop: CPU, wall")
    for name, times in crops["ms_per_crop"].items():
        print(f"  {name:34}{times['cpu']:9.3f}{times['wall']:9.3f}")
    targets = dict(TARGETS)
    for name, value in crops["ratios"].items():
        bound = targets.get(name)
        verdict = "" if bound is None else f"   at least {bound} "
        verdict += "" if bound is None else "met" if value >= bound else "MISSED"
        print(f"{name:36}{value:8.2f}{verdict}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, default=RESULTS / "glt_crops.json")
    options = parser.parse_args()
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    out = Path(tempfile.mkdtemp(prefix="glt-crops-", dir=memory))
    try:
        crops = crop_run(options.pictures, options.rounds, out)
    finally:
        shutil.rmtree(out, ignore_errors=True)
    report = {"machine": machine(PACKAGES), "crops": crops}
    print_report(report)
    write(report, options.json)


if __name__ == "__main__":
    main()
