"""A small RefHuman folder to be spoilt: two pictures, two people."""

import copy
import json

import numpy as np
from PIL import Image

KEYPOINTS = [v for k in range(17) for v in (10 + k, 12 + k, 1 + k % 2)]
SCRIBBLE = [v for k in range(60) for v in (10 + k % 20, 12 + k % 20)]

FILE = {
    "info": {},
    "images": [
        {"id": 7, "file_name": "b.png", "width": 48, "height": 40, "caption": "left of a right"},
        {"id": 3, "file_name": "a.png", "width": 50, "height": 44, "caption": "the other"},
    ],
    "annotations": [
        {
            "id": 70,
            "image_id": 7,
            "category_id": 1,
            "iscrowd": 0,
            "area": 625,
            "bbox": [8, 9, 25.5, 25],
            "keypoints": KEYPOINTS,
            "num_keypoints": 17,
            "segmentation": [[8, 9, 33, 9, 33, 34, 8, 34]],
            "scribble": SCRIBBLE,
        },
        {
            "id": 30,
            "image_id": 3,
            "category_id": 1,
            "area": 600.0,
            "bbox": [10.0, 10.0, 20.0, 30.0],
            "keypoints": [*KEYPOINTS[:9], *[0] * 9, *KEYPOINTS[18:]],
            "num_keypoints": 14,
            "segmentation": {"size": [44, 50], "counts": [450, 400, 1350]},
        },
    ],
    "categories": [{"id": 1, "name": "person"}],
}


def write(folder, edit=None, split="val"):
    """Writes the folder, after ``edit(content)`` changed the content; the JSON file's path."""
    content = copy.deepcopy(FILE)
    if edit is not None:
        content = edit(content) or content
    (folder / "images").mkdir(exist_ok=True)
    for number, image in enumerate(FILE["images"]):
        values = np.arange(image["height"] * image["width"] * 3) * (7 + number) % 256
        pixels = values.reshape(image["height"], image["width"], 3).astype(np.uint8)
        Image.fromarray(pixels).save(folder / "images" / image["file_name"])
    path = folder / f"RefHuman_{split}.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path
