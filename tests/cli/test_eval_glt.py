import json

import numpy as np
import pytest
from tests.datasets.glt_files import FEW, write
from typer.testing import CliRunner

from refpix.cli import app
from refpix.datasets import CocoGLT
from refpix.metrics import LongTailAccuracy


def run(*arguments):
    return CliRunner().invoke(app, ["eval", "glt", *map(str, arguments)])


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("glt")
    write(folder, sizes=FEW, pictures=False)
    return folder


@pytest.fixture
def predictions(root, tmp_path):
    """Half of the objects right, by key, in another order than the dataset's."""
    dataset = CocoGLT(root, "val")
    labels = dataset.labels.tolist()
    given = {
        k: (v if i % 2 else 0) for i, (k, v) in enumerate(zip(dataset.keys, labels, strict=True))
    }
    path = tmp_path / "predictions.json"
    path.write_text(json.dumps(dict(reversed(given.items()))))
    return path, np.array(list(given.values()))


@pytest.mark.parametrize("protocol", ["paper", "standard"])
def test_scores(root, predictions, tmp_path, protocol):
    path, classes = predictions
    out = tmp_path / "scores.json"
    result = run(root, path, "--split", "val", "--protocol", protocol, "--json", out)
    assert result.exit_code == 0, result.output
    dataset = CocoGLT(root, "val")
    want = LongTailAccuracy(29, protocol=protocol)
    want.update(classes, dataset.labels, dataset.frequencies, dataset.attributes)
    scores = want.compute()
    found = json.loads(out.read_text())
    assert found["scores"] == scores.to_dict()
    assert found["split"] == "val"
    lines = result.stdout.splitlines()
    names = [line[:14].strip() for line in lines[1:-1]]
    assert names == ["all", "many", "medium", "few", *(f"attribute {i}" for i in range(3))]
    assert lines[1].split() == [
        *("all", "29", f"{100 * scores.all.accuracy:.2f}", "%"),
        *(f"{100 * scores.all.precision:.2f}", "%", f"{100 * scores.all.f1:.2f}", "%"),
    ]
    assert lines[-1] == f"Val-GLT, 29 classes, protocol {protocol}"


def test_npy(root, tmp_path):
    dataset = CocoGLT(root, "test_bbl")
    np.save(tmp_path / "p.npy", np.eye(29)[dataset.labels])
    result = run(root / "coco_glt", tmp_path / "p.npy")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[1].split()[2:4] == ["100.00", "%"]


def test_mistakes(root, predictions, tmp_path):
    path, _ = predictions
    for arguments, words in (
        ((root, path), "no prediction for"),
        ((root, path, "--split", "val", "--protocol", "other"), "--protocol other"),
        ((root, path, "--split", "val", "--variant", "bl"), "--variant bl: expected glt or cbl"),
        ((root, path, "--split", "val", "--variant", "cbl"), "no annotation.json"),
        ((root, path, "--split", "none"), "split='none'"),
        ((root, tmp_path / "none.json"), "none.json"),
    ):
        result = run(*arguments)
        assert result.exit_code == 2
        assert words in result.stderr
        assert len(result.stderr.splitlines()) == 1
