"""Inputs of MSCOCO-GLT's generation, made from a seed: an attribute file and COCO's annotations.

Shaped like the real ones: 29 classes of which one has 41 % of the objects and the smallest 0.8 %;
196 attributes from common to rare that occur together (each class has kinds of objects, each kind
likely attributes), as means of three annotators; and five annotations for each object that has
attributes, with polygons of some 40 numbers, in two files of 2:1.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from tqdm import tqdm

from refpix.io.glt_pickle import save_pickle

CLASSES, ATTRIBUTES = 29, 196
KINDS = 8  # of objects in a class
PER_OBJECT = 5  # annotations for each object with attributes
_SHARE_OF_LARGEST = 0.41
_SMALLEST = 0.0076


def class_sizes(objects: int) -> np.ndarray:
    rest = np.geomspace(0.05, _SMALLEST, CLASSES - 1)
    rest *= (1 - _SHARE_OF_LARGEST) / rest.sum()
    sizes = np.floor(np.concatenate([[_SHARE_OF_LARGEST], rest]) * objects).astype(int)
    sizes[0] += objects - sizes.sum()
    return sizes


def attribute_vectors(rng: np.random.Generator, classes: np.ndarray) -> np.ndarray:
    """float64 (objects, ATTRIBUTES): thirds, about 15 of them above 0.5."""
    often = 0.3 * rng.random(ATTRIBUTES) ** 4
    kinds = rng.random((CLASSES, KINDS, ATTRIBUTES)) < 0.08
    likely = np.where(kinds, 0.45, 0) * rng.random((CLASSES, KINDS, ATTRIBUTES)) + often
    vectors = np.empty((len(classes), ATTRIBUTES))
    kind = rng.choice(KINDS, len(classes), p=np.arange(KINDS, 0, -1) / (KINDS * (KINDS + 1) / 2))
    for begin in range(0, len(classes), 8192):
        rows = slice(begin, begin + 8192)
        chance = likely[classes[rows], kind[rows]]
        vectors[rows] = rng.binomial(3, np.minimum(chance * 1.2, 1)) / 3
    places = np.arange(ATTRIBUTES)  # every attribute occurs
    vectors[places % len(vectors), places] = 1
    return vectors


def polygons(rng: np.random.Generator, count: int = 2000) -> list[str]:
    """Segmentations as text, used over and over."""
    texts = []
    for _ in range(count):
        points = int(np.clip(rng.lognormal(3.6, 0.6), 6, 400)) // 2 * 2
        numbers = ", ".join(f"{x:.2f}" for x in rng.uniform(0, 640, points))
        texts.append(f"[[{numbers}]]")
    return texts


def write_annotations(path: Path, rng, ids, categories, shapes: list[str]) -> None:
    boxes = np.round(rng.uniform(1, 300, (len(ids), 4)), 2)
    images = rng.integers(1, 600_000, len(ids))
    choice = rng.integers(0, len(shapes), len(ids))
    table = ", ".join(
        f'{{"supercategory": "thing", "id": {number}, "name": "class {number:02d}"}}'
        for number in range(1, CLASSES + 1)
    )
    partial = path.with_suffix(".partial")
    with open(partial, "w") as file:
        file.write('{"info": {"year": 2014}, "images": [')
        file.write(
            ", ".join(
                f'{{"license": 5, "file_name": "COCO_{i:012d}.jpg", '
                f'"coco_url": "http://images.cocodataset.org/{i:012d}.jpg", '
                f'"height": 480, "width": 640, "id": {i}}}'
                for i in np.unique(images)[: len(ids) // 7].tolist()
            )
        )
        file.write('], "licenses": [], "annotations": [')
        columns = (ids, categories, images, choice, boxes)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        for n, (one, category, image, shape, box) in enumerate(rows):
            file.write(
                f'{", " if n else ""}{{"segmentation": {shapes[shape]}, '
                f'"area": {box[2] * 7.5:.4f}, "iscrowd": 0, "image_id": {image}, '
                f'"bbox": {box}, "category_id": {category}, "id": {one}}}'
            )
        file.write(f'], "categories": [{table}]}}')
    os.replace(partial, path)


def make_inputs(folder: Path, objects: int, seed: int = 0) -> tuple[Path, Path]:
    """Attribute file and folder of annotations; made once."""
    attributes, annotations = folder / "cocottributes_py3.jbl", folder / "annotations"
    if attributes.exists():
        return attributes, annotations
    annotations.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    total = objects * PER_OBJECT
    ids = rng.permutation(3 * total)[:total] + 1
    known = rng.permutation(total)[:objects]
    sizes = class_sizes(objects)
    classes = rng.permutation(np.repeat(np.arange(CLASSES), sizes))
    categories = rng.integers(1, CLASSES + 1, total)
    categories[known] = classes + 1
    shapes = polygons(rng)
    cut = total * 2 // 3
    for name, rows in (("train", slice(0, cut)), ("val", slice(cut, None))):
        path = annotations / f"instances_{name}2014.json"
        write_annotations(path, rng, ids[rows], categories[rows], shapes)
    vectors = attribute_vectors(rng, classes)
    keys = (rng.permutation(2 * objects)[:objects] + 1).tolist()
    content = {
        "ann_vecs": {key: vectors[row].copy() for row, key in enumerate(keys)},
        "patch_id_to_ann_id": dict(zip(keys, ids[known].tolist(), strict=True)),
        "attributes": [{"id": 3 * n + 1, "name": f"attribute {n}"} for n in range(ATTRIBUTES)],
        "split": dict.fromkeys(keys, "train2014"),
    }
    partial = attributes.with_suffix(".partial")
    dump(content, partial)
    os.replace(partial, attributes)
    return attributes, annotations


def dump(content: dict, path: Path) -> None:
    """As the published file was written; joblib takes most of a minute for it."""
    try:
        import joblib
    except ImportError:
        save_pickle(path, content)
        return
    with tqdm(total=1, desc="joblib.dump") as bar:
        joblib.dump(content, path, compress=True)
        bar.update()
