"""RefHCM files for tests: the committed ones, and ones made on the fly."""

import json
from pathlib import Path

import numpy as np
import pytest

from refpix.datasets import write_refhcm


@pytest.fixture(scope="session")
def refhcm(data) -> Path:
    """The committed part of the golden RefHCM files."""
    return data / "refhcm"


@pytest.fixture(scope="session")
def expected(refhcm):
    """Expected values of a file's rows under the first configuration, by name."""

    def load(name, folder=refhcm):
        content = json.loads((folder / "expected" / f"{name}.json").read_text("utf-8"))
        return content, next(iter(content["configs"].values()))

    return load


def _person(i, task, size=(24, 32)):
    rng = np.random.default_rng(i)
    height, width = size
    values = {
        "id": f"{i:07d}_0",
        "image_id": f"{i:07d}",
        "image": rng.integers(0, 256, (height, width, 3), dtype=np.uint8),
        "text": f"person {i}",
        "box": (1.5, 2, 20 + i % 5, 22.25),
    }
    if task == "rkpt":
        values["keypoints"] = rng.integers(1, 20, (17, 2)) * (rng.random((17, 1)) < 0.8)
    if task == "rpar":
        values["codes"] = rng.integers(0, 32, 48)
        values["label_map"] = rng.integers(0, 20, size, dtype=np.uint8)
    if task == "hoi":
        values["actions"] = [(3, 41, (1.0, 2.0, 3.5, 4.0)), (0, 1, (0, 0, 9, 9))]
    return values


@pytest.fixture
def person():
    """A made-up row by number and task."""
    return _person


@pytest.fixture
def make(tmp_path):
    """Writes a file of made-up rows with lossless pictures; returns its path."""

    def write(task, count=6, name=None, **options):
        path = tmp_path / (name or f"{task}.tsv")
        write_refhcm(
            path, task, (_person(i, task) for i in range(count)), image_format="PNG", **options
        )
        return path

    return write
