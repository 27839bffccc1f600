"""info, verify and view of MSCOCO-GLT's folders."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image
from tests.datasets.glt_files import FEW, write
from typer.testing import CliRunner

from refpix.cli import app
from refpix.datasets import CocoGLT
from refpix.datasets.glt_info import describe_glt


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("glt")
    for variant in ("glt", "cbl"):
        write(folder, variant, sizes=FEW)
    return folder


@pytest.fixture
def folder(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "data")
    return tmp_path / "data"


@pytest.mark.parametrize("name", ["", "coco_glt", "coco_glt/annotation.json"])
def test_info(whole, name):
    result = run("info", whole / name)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    sets = 1 if name else 2
    assert sum(line.startswith("file ") for line in lines) == sets
    assert lines[2] == "classes  29"
    assert lines[4].split()[:2] == ["Train-GLT", "40"]
    assert lines[6].split() == ["Test-GLT", "0", "0", "0", "-"]
    found = json.loads(run("info", whole / name, "--json").stdout)
    assert len(found) == sets
    assert found[0] == json.loads(json.dumps(describe_glt(whole / name)[0].to_dict()))
    train = found[0]["splits"]["train"]
    assert sum(train["class_counts"]) == train["objects"] == sum(train["attribute_groups"]) == 40
    assert len(train["attribute_counts"]) == 60


def test_verify(folder):
    assert "168 rows checked: all good" in run("verify", folder).stdout
    dataset = CocoGLT(folder, "test_bl")
    path = folder / "coco_glt" / "images" / f"{dataset.keys[2]}.jpg"
    path.write_bytes(path.read_bytes()[:-60])
    result = run("verify", folder)
    assert result.exit_code == 0  # as elsewhere, a picture that ends early passes
    result = run("verify", folder, "--reject-truncated")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert len(lines) == 2
    assert f"test_bl: object {dataset.keys[2]}: path: {path}: " in lines[0]
    assert lines[1] == "168 rows checked: 1 bad"
    one = ("--split", "Train-CBL", "--limit", 7, "--json", "--reject-truncated")
    found = json.loads(run("verify", folder, *one).stdout)
    assert (found["task"], found["rows"], found["checked"]) == ("glt", 40, 7)
    assert found["file"] == str(folder / "coco_cbl" / "annotation.json")
    images = shutil.move(folder / "coco_glt" / "images", folder / "elsewhere")
    moved = ("--root", images, "--split", "val")
    assert run("verify", folder, *moved).exit_code == 0
    assert run("verify", folder, "--split", "val").exit_code == 1


def test_verify_lists_malformed_objects(tmp_path):
    def spoil(content):
        content["val"]["label"][next(iter(content["val"]["label"]))] = 99

    write(tmp_path, sizes=FEW, edit=spoil)
    result = run("verify", tmp_path, "--split", "val")
    assert result.exit_code == 1
    assert "got 99" in result.stdout
    assert "28 rows checked: 1 bad" in result.stdout
    assert "got 99" in run("info", tmp_path).stdout


def test_view(folder, tmp_path):
    out = tmp_path / "sheet.png"
    result = run("view", folder, "--split", "test_bbl", "--rows", "0,3,5-6", "-o", out)
    assert result.exit_code == 0, result.output
    with Image.open(out) as image:
        sheet = np.asarray(image)
    sample = CocoGLT(folder, "test_bbl")[3]
    ground = sample.image[0, 0].astype(int)  # the crop's own colour
    near = (np.abs(sheet.astype(int) - ground) < 12).all(axis=2)
    assert near.sum() > 10_000
    (folder / "coco_glt" / "images" / f"{CocoGLT(folder, 'train').keys[0]}.jpg").unlink()
    assert run("view", folder, "-o", out).exit_code == 0  # its tile says what is wrong
    assert run("view", folder, "--split", "test_lt", "-o", out).exit_code == 2


def test_other_json_is_not_taken_for_it(tmp_path):
    path = tmp_path / "other.json"
    path.write_text('{"images": []}')
    assert "annotations" in run("info", path).stderr
    path.write_text(' {"cat2id": {}}')
    assert "cat2id" in run("info", path).stderr
