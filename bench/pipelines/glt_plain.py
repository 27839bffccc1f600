"""What the published MSCOCO-GLT generation does, written plainly: dictionaries, a row at a time.

Source: Generalized-Long-Tailed-Benchmarks, _COCOGeneration/mscoco_glt_generation.py; written anew
from its steps, with the random stream and the order of the classes as arguments.
"""

import json
import os

import numpy as np

SPLITS = ("train", "val", "test_lt", "test_bl", "test_bbl")


def load_coco(folder):
    """Both annotation files as one."""
    loaded = []
    for name in ("instances_train2014.json", "instances_val2014.json"):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            loaded.append(json.load(file))
    return {
        "categories": loaded[0]["categories"],
        "annotations": loaded[0]["annotations"] + loaded[1]["annotations"],
    }


def classes_of(attributes, coco):
    """Class of each object, and how many attributes occur."""
    names = [one["name"] for one in sorted(attributes["attributes"], key=lambda one: one["id"])]
    annotations = {one["id"]: one for one in coco["annotations"]}
    categories = {one["id"]: one["name"] for one in coco["categories"]}
    seen = {}
    classes = {}
    for key, vector in attributes["ann_vecs"].items():
        annotation = annotations[attributes["patch_id_to_ann_id"][key]]
        classes[key] = categories[annotation["category_id"]]
        for place, name in enumerate(names):
            if vector[place] > 0.5:
                seen[name] = seen.get(name, 0) + 1
    return classes, len(seen)


def share(vector):
    return vector / (vector.sum() + 1e-9)


def most_balanced(members, taken):
    """Key and vector of the object that balances the attributes best."""
    least, best, best_vector = 999999999.9, None, None
    for key, vector in members.items():
        vector = (vector > 0.5).astype(np.float32)
        if vector.sum() == 0:
            continue
        together = taken + vector
        if share(together).std() < least:
            least = share(together).std()
            best, best_vector = key, vector
    return best, best_vector


class Run:
    """One annotation set."""

    def __init__(self, attributes, coco, random, order):
        self.random = random
        self.attributes = attributes
        self.vectors = attributes["ann_vecs"]
        classes, self.seen = classes_of(attributes, coco)
        self.members = {name: {} for name in order}
        for key, vector in self.vectors.items():
            self.members[classes[key]][key] = vector
        sizes = [(len(keys), name) for name, keys in self.members.items()]
        sizes.sort(key=lambda one: one[0], reverse=True)
        self.label = {name: label for label, (_, name) in enumerate(sizes)}
        self.splits = {name: {"label": {}, "frequency": {}, "attribute": {}} for name in SPLITS}

    def add(self, split, name, key, vector):
        label = self.label[name]
        chosen = self.splits[split]
        chosen["label"][key] = label
        chosen["frequency"][key] = 0 if label <= 10 else 1 if label <= 22 else 2
        chosen["attribute"][key] = vector
        del self.vectors[key]
        del self.members[name][key]

    def balance(self, size):
        for name, members in self.members.items():
            taken = np.zeros(self.seen)
            for _ in range(size):
                key, vector = most_balanced(members, taken)
                self.add("test_bbl", name, key, vector)
                taken += vector

    def draw(self, split, name, count):
        for _ in range(count):
            members = self.members[name]
            key = list(members)[self.random.randint(0, len(members) - 1)]
            self.add(split, name, key, members[key])

    def draw_train(self, kind):
        sizes = [(len(keys), name) for name, keys in self.members.items()]
        sizes.sort(key=lambda one: one[0], reverse=True)
        for place, (size, name) in enumerate(sizes):
            count = sizes[-1][0]
            if kind == "exp":
                tail = 0.005 ** (place / (len(sizes) - 1.0))
                count = min(int(sizes[0][0] * tail), size)
            self.draw("train", name, count)

    def move(self, split, count):
        """Out of the training split."""
        train, other = self.splits["train"], self.splits[split]
        for _ in range(count):
            keys = list(train["label"].keys())
            key = keys[self.random.randint(0, len(keys) - 1)]
            for column in train:
                other[column][key] = train[column].pop(key)

    def output(self, coco):
        key_of = {one: key for key, one in self.attributes["patch_id_to_ann_id"].items()}
        annotations = {}
        for one in coco["annotations"]:
            if one["id"] in key_of:
                annotations[key_of[one["id"]]] = one
        return {
            **self.attributes,
            **self.splits,
            "cat2id": self.label,
            "annotations": annotations,
        }


def generate(load_attributes, anno_path, runs, random, order):
    """The annotation sets, one after another; files are read anew for each, as published."""
    for run in runs:
        attributes = load_attributes()
        coco = load_coco(anno_path)
        state = Run(attributes, coco, random, order)
        state.balance(run.test_size)
        for name in state.members:
            state.draw("test_bl", name, run.test_size)
        state.draw_train(run.train)
        if run.train == "exp":
            state.move("test_lt", run.test_size * len(state.members))
        state.move("val", run.val_size * len(state.members))
        yield state.output(coco)
