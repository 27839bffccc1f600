"""Made-up RefCOCO-M: masks that look like people's, and predictions that are nearly right."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image
from pyarrow import parquet
from pycocotools import mask as rival
from tqdm import tqdm

HEIGHT, WIDTH = 480, 640
# Head, body, arms, legs: centre and radii in heights of the person.
PARTS = (
    (0.0, -0.42, 0.065, 0.085),
    (0.0, -0.18, 0.125, 0.2),
    (-0.14, -0.16, 0.045, 0.2),
    (0.14, -0.16, 0.045, 0.2),
    (-0.06, 0.2, 0.06, 0.3),
    (0.07, 0.2, 0.06, 0.3),
)


def waves(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A random field in squares of 6 pixels: outlines as uneven as those of clothes and hair."""
    field = rng.normal(size=(height // 6 + 1, width // 6 + 1)).astype(np.float32)
    return field.repeat(6, axis=0).repeat(6, axis=1)[:height, :width]


def person(rng: np.random.Generator) -> np.ndarray:
    """uint8 (HEIGHT, WIDTH), Fortran order."""
    tall = rng.uniform(150, 470)
    x0, y0 = rng.uniform(0.15, 0.85) * WIDTH, rng.uniform(0.35, 0.65) * HEIGHT
    rows = slice(max(0, int(y0 - 0.65 * tall)), min(HEIGHT, int(y0 + 0.65 * tall)))
    columns = slice(max(0, int(x0 - 0.35 * tall)), min(WIDTH, int(x0 + 0.35 * tall)))
    y, x = np.ogrid[rows, columns]
    part = np.zeros((y.size, x.size), bool)
    rough = 0.12 * waves(rng, y.size, x.size)
    for dx, dy, rx, ry in PARTS:
        sway = rng.normal(0, 0.02, 2)
        u = ((x - x0) / tall - dx - sway[0]) / rx
        v = ((y - y0) / tall - dy - sway[1]) / ry
        part |= u * u + v * v + rough < 1
    mask = np.zeros((HEIGHT, WIDTH), np.uint8, order="F")
    mask[rows, columns] = part
    return mask


def perturbed(rng: np.random.Generator, mask: np.ndarray) -> np.ndarray:
    """Shifted by a few pixels, with holes; some are of somebody else."""
    if rng.random() < 0.1:
        return person(rng)
    moved = np.roll(mask.T, rng.integers(-12, 13, 2), (0, 1))
    return (moved & (waves(rng, WIDTH, HEIGHT) < 2.0)).T


def write(path: Path, pictures: int, masks: int, sentences: int) -> list[dict]:
    """Writes the parquet file, unless it is there; returns predictions as COCO results."""
    stored = path.with_suffix(".json")
    if path.exists() and stored.exists():
        return json.loads(stored.read_text())
    rng = np.random.default_rng(0)
    with io.BytesIO() as buffer:
        Image.new("RGB", (WIDTH, HEIGHT)).save(buffer, "JPEG")
        payload = buffer.getvalue()
    of_picture = np.sort(
        np.concatenate([np.arange(pictures), rng.integers(0, pictures, masks - pictures)])
    )
    of_mask = np.sort(np.concatenate([np.arange(masks), rng.integers(0, masks, sentences - masks)]))
    counts = np.bincount(of_mask, minlength=masks)
    rows = [
        {
            "file_name": f"{i}.jpg",
            "image_meta": {"width": WIDTH, "height": HEIGHT, "image_id": i},
            "image": {"bytes": payload, "path": f"images/{i}.jpg"},
            "samples": [],
        }
        for i in range(pictures)
    ]
    predictions = []
    for k in tqdm(range(masks), desc="making masks"):
        truth = person(rng)
        rle = text(rival.encode(truth))
        rows[of_picture[k]]["samples"].append(
            {
                "id": k,
                "category": "person",
                "supercategory": "person",
                "sentences": [f"person {k} {j}" for j in range(counts[k])],
                "bbox": rival.toBbox(rle).tolist(),
                "mask": rle,
            }
        )
        for j in range(counts[k]):
            guess = text(rival.encode(perturbed(rng, truth)))
            predictions.append({"sample_id": k, "sentence_index": j, "segmentation": guess})
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.Table.from_pylist(rows), path, row_group_size=100)
    stored.write_text(json.dumps(predictions))
    return predictions


def text(rle: dict) -> dict:
    return {"counts": rle["counts"].decode(), "size": list(rle["size"])}
