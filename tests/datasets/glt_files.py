"""Small MSCOCO-GLT folders, drawn from a seed: annotation files and crops."""

import json

import numpy as np
from PIL import Image, ImageDraw

#: MSCOCO-GLT's classes have names of up to 14 letters; one here is longer than any.
CLASSES = (
    *("person", "dining table", "car", "chair", "bird", "sheep", "cow", "elephant", "horse"),
    *("dog", "cat", "giraffe", "zebra", "boat", "train", "bus", "airplane", "motorcycle"),
    *("bicycle", "truck", "pizza", "cake", "sandwich", "couch", "bed", "teddy bear"),
    *("stuffed animal in a shop window", "bear", "toilet"),
)
SIZES = {
    "glt": {"train": 900, "val": 58, "test_lt": 58, "test_bl": 58, "test_bbl": 58},
    "cbl": {"train": 290, "val": 29, "test_lt": 0, "test_bl": 58, "test_bbl": 58},
}


def usual(classes, tail):
    """Shares of classes, as a power of their rank."""
    shares = np.arange(1, classes + 1.0) ** -tail
    return shares / shares.sum()


def vectors(rng, labels, attributes, tail):
    """Attributes of objects: bool (n, attributes), the first more often than the last."""
    chance = 0.6 * np.arange(1, attributes + 1.0) ** -tail
    shifted = [np.roll(chance, int(label) * 2) for label in labels]
    return rng.random((len(labels), attributes)) < np.array(shifted).reshape(-1, attributes)


def draw_split(rng, size, label_tail, attribute_tail, classes, attributes):
    """Labels and attributes of a split; all classes occur."""
    extra = rng.choice(classes, max(size - classes, 0), p=usual(classes, label_tail))
    labels = np.sort(np.concatenate([np.arange(min(size, classes)), extra]))
    return labels, vectors(rng, labels, attributes, attribute_tail)


def annotate(keys, labels, vectors, train_counts, path):
    """A split of annotation.json as published, without pictures being looked at."""
    counts = np.array([vectors[labels == c].sum(axis=0) for c in range(len(train_counts))])
    usual = train_counts / np.maximum(train_counts.sum(axis=1, keepdims=True), 1)
    own = vectors / np.maximum(vectors.sum(axis=1, keepdims=True), 1)
    scores = (usual[labels] * own).sum(axis=1)
    order = np.sort(scores)[::-1]
    high, low = order[len(order) // 3], order[len(order) // 3 * 2]
    groups = np.where(scores > high, 0, np.where(scores > low, 1, 2))
    columns = {
        "label": labels.tolist(),
        "frequency": np.digitize(labels, [11, 23]).tolist(),
        "attribute": groups.tolist(),
        "path": [path.format(key) for key in keys],
        "attribute_score": scores.tolist(),
    }
    split = {name: dict(zip(keys, values, strict=True)) for name, values in columns.items()}
    split["attribute_dist"] = {str(c): row.tolist() for c, row in enumerate(counts.astype(float))}
    return split


def make_annotation(variant, seed=0, *, sizes=None, attributes=60, output="/data4/out"):
    """annotation.json of a set, as published, with the paths of somebody else's machine."""
    rng = np.random.default_rng([seed, len(variant), ord(variant[0])])
    cat2id = {name: i for i, name in enumerate(CLASSES)}
    whole = {"cat2id": cat2id, "id2cat": {str(i): n for n, i in cat2id.items()}, "key2path": {}}
    tails = {"train": 1.1, "val": 1.1, "test_lt": 1.1, "test_bl": 0.0, "test_bbl": 0.0}
    names = ("label", "frequency", "attribute", "path", "attribute_score")
    number, train_counts = 1000, None
    for split, size in (sizes or SIZES[variant]).items():
        if size == 0:
            whole[split] = {name: {} for name in names}
            continue
        tail = 0.0 if variant == "cbl" else tails[split]
        even = 0.25 if split == "test_bbl" else 0.9
        labels, has = draw_split(rng, size, tail, even, len(CLASSES), attributes)
        if train_counts is None:
            train_counts = np.array([has[labels == c].sum(axis=0) for c in range(len(CLASSES))])
        keys = [str(number + 7 * i) for i in range(size)]
        number += 7 * size
        path = f"{output}/coco_{variant}/images/{{}}.jpg"
        whole[split] = annotate(keys, labels, has, train_counts, path)
    return whole


def crop(key, label, side=40):
    """A picture that says which object it is."""
    image = Image.new("RGB", (side, side), tuple(np.random.default_rng(label).integers(60, 220, 3)))
    ImageDraw.Draw(image).text((4, side // 2 - 6), key, fill="white")
    return image


def write(folder, variant="glt", *, edit=None, pictures=True, **options):
    """Writes a set below a folder.

    Args:
        folder: where.
        variant: which set.
        edit: called with the annotation before it is written.
        pictures: whether to write crops.
        **options: of `make_annotation`.
    """
    whole = make_annotation(variant, **options)
    if edit is not None:
        edit(whole)
    target = folder / f"coco_{variant}"
    (target / "images").mkdir(parents=True, exist_ok=True)
    (target / "annotation.json").write_text(json.dumps(whole))
    if pictures:
        for split in SIZES["glt"]:
            for key, label in whole[split]["label"].items():
                crop(key, label).save(target / "images" / f"{key}.jpg")
    return target


#: Two splits: a test of figures takes time by their number.
TWO = {"train": 40, "val": 0, "test_lt": 0, "test_bl": 0, "test_bbl": 9}
#: Few of everything, for tests that need pictures.
FEW = {"train": 40, "val": 29, "test_lt": 0, "test_bl": 6, "test_bbl": 9}
