"""Draws the packaged sample: people of sticks and discs on a textured ground, fully annotated.

    python tools/make_sample.py [FOLDER]

Eight rows for each of rec, rkpt, rpar and rhrc, in the layout of the RefHCM dataset. Nothing in it
is a photograph. The same numbers come out every time; JPEG bytes depend on Pillow's encoder.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from refpix.datasets import write_refhcm

SIZE = (240, 180)  # width, height
PICTURES = 4
COLOURS = {
    "red": (200, 60, 50),
    "blue": (60, 90, 200),
    "green": (50, 150, 80),
    "white": (225, 225, 215),
}
TROUSERS = {"black": (45, 45, 50), "grey": (120, 120, 125), "brown": (120, 80, 50)}
SKIN = (222, 180, 150)
SHOE = (90, 50, 40)

# Classes of the parsing map, as numbered in CIHP.
HAIR, UPPER, PANTS, FACE, ARM_L, ARM_R, SHOE_L, SHOE_R = 2, 5, 9, 13, 14, 15, 18, 19

# COCO's keypoints of a standing figure, in heights of a head from the top middle, before it moves.
POSE = np.array(
    [
        *[(0, 0.6), (0.2, 0.45), (-0.2, 0.45), (0.4, 0.55), (-0.4, 0.55)],
        *[(0.8, 1.5), (-0.8, 1.5), (1.2, 2.5), (-1.2, 2.5), (1.3, 3.4), (-1.3, 3.4)],
        *[(0.5, 3.6), (-0.5, 3.6), (0.6, 5.0), (-0.6, 5.0), (0.6, 6.4), (-0.6, 6.4)],
    ]
)


def ground(rng: np.random.Generator) -> Image.Image:
    """A smooth random texture, so that pictures compress like pictures."""
    coarse = rng.integers(70, 190, (9, 12, 1)) + rng.integers(-25, 25, (9, 12, 3))
    picture = Image.fromarray(coarse.astype(np.uint8)).resize(SIZE, Image.Resampling.BICUBIC)
    noise = rng.normal(0, 6, (SIZE[1], SIZE[0], 3))
    return Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8))


def limbs(points: np.ndarray, head: float) -> list[tuple[int, list, float]]:
    """Class, end points and width of what a figure is made of, back to front."""
    p = [tuple(point) for point in points]
    shoulders, hips = (points[5] + points[6]) / 2, (points[11] + points[12]) / 2
    arm, leg = head * 0.35, head * 0.5
    toe = np.array([head * 0.3, 0])
    return [
        (ARM_L, [p[5], p[7], p[9]], arm),
        (PANTS, [p[11], p[13], p[15]], leg),
        (PANTS, [p[12], p[14], p[16]], leg),
        (SHOE_L, [p[15], tuple(points[15] + toe)], head * 0.3),
        (SHOE_R, [p[16], tuple(points[16] - toe)], head * 0.3),
        (UPPER, [tuple(shoulders), tuple(hips)], head * 1.5),
        (ARM_R, [p[6], p[8], p[10]], arm),
    ]


def draw_person(picture, labels, points, head, colours):
    """Draws a figure into the picture and its own label map."""
    colour = {**colours, ARM_L: SKIN, ARM_R: SKIN, SHOE_L: SHOE, SHOE_R: SHOE, FACE: SKIN}
    pens = [(ImageDraw.Draw(picture), colour.get), (ImageDraw.Draw(labels), lambda kind: kind)]
    for pen, ink in pens:
        for kind, line, width in limbs(points, head):
            pen.line(line, fill=ink(kind), width=max(2, round(width)))
            for x, y in line if kind != UPPER else ():  # Joints, so that limbs begin at them.
                pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), ink(kind))
        x, y = points[0]
        r = head / 2
        pen.ellipse((x - r, y - r * 1.3, x + r, y + r), fill=ink(HAIR))
        pen.ellipse((x - r * 0.8, y - r * 0.7, x + r * 0.8, y + r * 1.1), fill=ink(FACE))


def codes_of(labels: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """The commonest class of each of 8 x 6 cells of the box."""
    x0, y0, x1, y1 = box
    grid = Image.fromarray(labels[y0:y1, x0:x1]).resize((60, 80), Image.Resampling.NEAREST)
    cells = np.asarray(grid).reshape(8, 10, 6, 10).swapaxes(1, 2).reshape(48, 100)
    return np.array([np.bincount(cell).argmax() for cell in cells])


def person(rng: np.random.Generator, picture: Image.Image, number: int, side: int) -> dict:
    """Draws one of the two people of a picture and annotates it."""
    head = rng.uniform(17, 22)
    middle = SIZE[0] * (0.28 + 0.44 * side) + rng.uniform(-8, 8)
    points = POSE * head + [middle, rng.uniform(12, 22)]
    points[5:] += rng.normal(0, head * 0.12, (12, 2))
    shirt, trousers = rng.choice(list(COLOURS)), rng.choice(list(TROUSERS))
    colours = {UPPER: COLOURS[shirt], PANTS: TROUSERS[trousers], HAIR: (60, 40, 30)}
    labels = Image.new("L", SIZE)
    draw_person(picture, labels, points, head, colours)
    label_map = np.asarray(labels)
    ys, xs = np.nonzero(label_map)
    box = (int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1)
    keypoints = np.where(rng.random((17, 1)) < 0.9, points.round(1), 0)
    keypoints[(points < 0).any(axis=1) | (points >= SIZE).any(axis=1)] = 0
    where = ("left", "right")[side]
    return {
        "id": f"{number:07d}_{side}",
        "image_id": f"{number:07d}",
        "text": f"person in {shirt} on the {where}",
        "caption": f"The person on the {where} wears a {shirt} shirt and {trousers} trousers.",
        "box": box,
        "keypoints": keypoints,
        "codes": codes_of(label_map, box),
        "label_map": label_map,
    }


def people() -> list[dict]:
    """Eight people in four pictures."""
    rng = np.random.default_rng(20)
    rows = []
    for number in range(PICTURES):
        picture = ground(rng)
        pair = [person(rng, picture, number, side) for side in (0, 1)]
        # The second figure is drawn over the first: its pixels are not the first's.
        pair[0]["label_map"] = np.where(pair[1]["label_map"] > 0, 0, pair[0]["label_map"])
        pixels = np.asarray(picture.filter(ImageFilter.GaussianBlur(0.6)))
        rows += [{**row, "image": pixels} for row in pair]
    return rows


def pack(folder: Path, archive: Path) -> None:
    """Archives a folder, the same bytes for the same files."""
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            info = zipfile.ZipInfo(str(path.relative_to(folder.parent)), (2025, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            file.writestr(info, path.read_bytes())


def main() -> None:
    """Writes the sample's folder anew."""
    default = Path(__file__).parent.parent / "python/refpix/data/sample"
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    rows = people()
    files = {
        "rec": "refcoco_train.tsv",
        "rkpt": "refcoco_pose_train.tsv",
        "rpar": "refcihp_train.tsv",
        "rhrc": "capcihp_train.tsv",
    }
    with tempfile.TemporaryDirectory() as scratch:
        for task, name in files.items():
            folder = Path(scratch) / task
            folder.mkdir()
            told = [{**row, "text": row["caption"]} if task == "rhrc" else row for row in rows]
            write_refhcm(folder / name, task, told, quality=80)
        pack(Path(scratch) / "rpar/annos", Path(scratch) / "rpar/annos.zip")
        shutil.rmtree(Path(scratch) / "rpar/annos")
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(scratch, target)


if __name__ == "__main__":
    main()
