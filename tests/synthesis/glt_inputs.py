"""Drawn inputs of MSCOCO-GLT's splits: COCO's annotations and a file of attributes."""

import json

import numpy as np

from refpix.io.glt_pickle import save_pickle
from refpix.synthesis import GltRun, read_objects

RUNS = (GltRun("bl", "bl", 8, 2), GltRun("lt", "exp", 10, 1))


def coco(number, categories, first=1):
    """Annotations of one object each, of the given categories by turns."""
    return {
        "annotations": [
            {
                "id": first + n,
                "image_id": 1000 + first + n,
                "category_id": categories[n % len(categories)],
                "bbox": [n, 0.5, 10, 20.25],
                "segmentation": [[n, 1, 2.5]],
            }
            for n in range(number)
        ],
        "categories": [
            {"id": 3, "name": "dog"},
            {"id": 5, "name": "ant"},
            {"id": 9, "name": "cat"},
        ],
    }


class Inputs:
    """A folder of the three files, to be spoiled."""

    def __init__(self, folder, seed=0, train=90, val=60, width=10):
        rng = np.random.default_rng(seed)
        self.folder = folder
        self.train = coco(train, [3, 5, 3, 9, 3])
        self.val = coco(val, [5, 9], first=5000)
        ids = [one["id"] for one in self.train["annotations"] + self.val["annotations"]]
        keys = rng.permutation(10 * len(ids))[: len(ids)].tolist()
        order = rng.permutation(len(ids))
        self.attributes = {
            "ann_vecs": {keys[n]: rng.random(width) for n in order},
            "patch_id_to_ann_id": {keys[n]: ids[n] for n in range(len(ids))},
            "attributes": [{"id": 7 * n % 11, "name": f"a{n}"} for n in range(width)],
            "split": {"kept": "as it is"},
        }
        self.keys = list(self.attributes["ann_vecs"])

    def write(self):
        (self.folder / "annotations").mkdir(exist_ok=True)
        for name, content in (("train", self.train), ("val", self.val)):
            path = self.folder / "annotations" / f"instances_{name}2014.json"
            path.write_text(json.dumps(content))
        save_pickle(self.attribute_path, self.attributes)
        return self

    @property
    def attribute_path(self):
        return self.folder / "cocottributes.jbl"

    @property
    def paths(self):
        return self.attribute_path, self.folder / "annotations"

    def read(self, **options):
        return read_objects(*self.write().paths, **options)
