"""info, verify and view of RefHuman's files."""

import json

import numpy as np
import pytest
from PIL import Image
from tests.datasets.refhuman_files import write
from typer.testing import CliRunner

from refpix.cli import app


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.fixture
def folder(tmp_path):
    write(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["", "RefHuman_val.json"])
def test_view(folder, name):
    sheet = folder / "sheet.png"
    result = run("view", folder / name, "-o", sheet, "--side", 200)
    assert result.exit_code == 0, result.output
    assert "2 rows" in result.stdout
    one = run("view", folder / name, "-o", folder / "one.png", "--side", 200, "--rows", "1")
    assert one.exit_code == 0
    both, alone = (pixels(path) for path in (sheet, folder / "one.png"))
    assert both.shape[1] > alone.shape[1]
    assert len(np.unique(both.reshape(-1, 3), axis=0)) > 100


def test_view_shows_a_missing_picture_as_its_error(folder):
    (folder / "images" / "a.png").unlink()
    result = run("view", folder, "-o", folder / "sheet.png")
    assert result.exit_code == 0, result.output


def test_info(folder):
    def edit(content):
        content["annotations"][0]["iscrowd"] = 1
        del content["annotations"][1]["area"]

    write(folder, edit)
    result = run("info", folder, "--json")
    about = json.loads(result.stdout)
    assert (about["samples"], about["annotations"], about["scribbles"]) == (2, 1, 1)
    assert about["left_out"] == {"annotation: crowd": 1}
    assert about["faults"][0].endswith("annotation 30: area: missing")
    lines = run("info", folder).stdout
    assert "left out     1 x annotation: crowd" in lines
    assert "annotation 30: area: missing" in lines


def test_verify(folder):
    assert run("verify", folder).exit_code == 0
    (folder / "images" / "b.png").write_bytes(b"no picture")
    result = run("verify", folder, "--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert (report["task"], report["rows"], len(report["bad"])) == ("refhuman", 2, 1)
    assert "image 7: file_name: " in run("verify", folder).stdout
