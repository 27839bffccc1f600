import json
import sys

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from refpix import masks as rle
from refpix.cli import app
from refpix.synthesis.masks import Instances


def run(command, *arguments):
    return CliRunner().invoke(app, ["synthesize", command, *map(str, arguments)])


def test_masks_of_results(tmp_path):
    mask = rle.to_coco(rle.encode(np.ones((4, 5), bool)))[0]
    mask["counts"] = mask["counts"].decode()
    record = {"image_id": 3, "category_id": 1, "score": 0.8, "segmentation": mask}
    (tmp_path / "r.json").write_text(json.dumps([record, {**record, "score": 0.6}]))
    images = [{"id": 3, "file_name": "comp/p.jpg"}]
    (tmp_path / "a.json").write_text(json.dumps({"images": images}))
    files = "--results", tmp_path / "r.json", "--annotations", tmp_path / "a.json"
    result = run("masks", tmp_path / "out", *files)
    assert result.exit_code == 0, result.output
    assert "1 written" in result.output
    assert [p.name for p in (tmp_path / "out/p").iterdir()] == ["00.png"]
    result = run("masks", tmp_path / "out", *files, "--quiet")
    assert "1 were there" in result.output
    (tmp_path / "r.json").write_text("[{}]")
    result = run("masks", tmp_path / "other", *files)
    assert result.exit_code == 2
    assert "result 0" in result.stderr


def test_masks_of_a_model(tmp_path, monkeypatch):
    detectors = pytest.importorskip("refpix.synthesis.torch_detectors")
    asked = []

    def load(config="its own", **options):
        asked.append((config, options))
        return lambda rgb: Instances(np.ones((1, *rgb.shape[:2])), np.ones(1), np.ones(1))

    monkeypatch.setattr(detectors, "torchvision_detector", load)
    monkeypatch.setattr(detectors, "detectron2_detector", load)
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("b.jpg", "a.PNG"):
        Image.new("RGB", (6, 4)).save(folder / name)
    (folder / "notes.txt").write_text("no picture")
    model = "--model", "torchvision", "--images", folder
    result = run("masks", tmp_path / "out", *model, "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert "2 written" in result.output
    assert (tmp_path / "out/a/00.png").exists()
    (folder / "c.jpg").write_bytes(b"damaged")
    options = "--config", "some.yaml", "--weights", "some.pkl", "--min-score", 0.5
    result = run("masks", tmp_path / "d2", "--model", "detectron2", *model[2:], *options)
    assert result.exit_code == 1
    assert "c.jpg" in result.stderr
    assert asked == [
        ("its own", {"device": "cpu", "min_score": 0.7}),
        ("some.yaml", {"device": "auto", "min_score": 0.5, "weights": "some.pkl"}),
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--results", "r.json"],
        ["--model", "torchvision"],
        ["--model", "torchvision", "--results", "r.json"],
    ],
)
def test_one_source_of_masks(tmp_path, arguments):
    result = run("masks", tmp_path / "out", *arguments)
    assert result.exit_code == 2
    assert "refpix: " in result.stderr
    assert not (tmp_path / "out").exists()


def test_torch_is_optional(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "refpix.synthesis.torch_detectors", None)
    result = run("masks", tmp_path / "out", "--model", "torchvision", "--images", tmp_path)
    assert result.exit_code == 2
    assert "--model torchvision needs torch" in result.stderr


def test_matched_masks(tmp_path):
    plane = np.zeros((20, 30), np.uint8)
    plane[3:15, 4:20] = 255
    for folder, name in (("alphas/p", "03.png"), ("masks/p", "00.png"), ("alphas/q", "00.png")):
        (tmp_path / folder).mkdir(parents=True)
        Image.fromarray(plane).save(tmp_path / folder / name)
    folders = tmp_path / "masks", tmp_path / "alphas"
    options = "--missing", "leave", "--n-workers", 1, "--split-overlaps"
    result = run("matched-masks", *folders, tmp_path / "out", *options)
    assert result.exit_code == 0, result.output
    assert "1 nothing, 1 written" in result.output
    with Image.open(tmp_path / "out/p/03.png") as image:
        np.testing.assert_array_equal(np.asarray(image), plane)
    Image.new("L", (1, 1)).save(tmp_path / "alphas/q/01.png")
    result = run("matched-masks", *folders, tmp_path / "all", "--n-workers", 1)
    assert result.exit_code == 1
    assert "q/01.png" in result.stderr
