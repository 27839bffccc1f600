"""``refpix glt crop``."""

import json

import pytest
from typer.testing import CliRunner

from refpix.cli import app


def run(*arguments):
    return CliRunner().invoke(app, ["glt", "crop", "--n-workers", "1", *map(str, arguments)])


@pytest.fixture
def case(data):
    return data / "glt" / "crop"


@pytest.mark.parametrize("style", ["published", "dashes"])
def test_crops(case, tmp_path, style):
    published = style == "published"
    flags = ("--data_path", "--output_path", "--splits_path") if published else (
        "--data-path", "--output-path", "--splits-path")  # fmt: skip
    slash = "/" if published else ""
    out = f"{tmp_path / 'out'}{slash}"
    arguments = [flags[0], f"{case / 'images'}{slash}", flags[1], out, flags[2], case, "--quiet"]
    done = run(*arguments)
    assert done.exit_code == 0, done.output
    assert "58 crops in coco_glt, 58 crops in coco_cbl, of 5 pictures" in done.output
    for folder in ("coco_glt", "coco_cbl"):
        wanted = (case / "expected" / folder / "annotation.json").read_text()
        got = (tmp_path / "out" / folder / "annotation.json").read_text()
        assert got == wanted.replace("{output}", str(tmp_path / "out"))
    assert "5 were there" in run(*arguments).output


def test_failures_are_shown(case, tmp_path):
    (tmp_path / "val2014").mkdir()
    name = "val2014/COCO_val2014_000000010787.jpg"
    (tmp_path / name).write_bytes((case / "images" / name).read_bytes())
    paths = ["--data_path", tmp_path, "--splits_path", case, "--quiet"]
    done = run(*paths, "--output_path", tmp_path / "out")
    assert done.exit_code == 1
    assert "13 crops in coco_glt" in done.output
    assert "object 1028: picture 7912 is not there" in done.output
    assert "... 45 in all" in done.output
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert sum(len(entry.get("failures", ())) for entry in manifest["samples"]) == 45
    strict = run(*paths, "--output_path", tmp_path / "strict", "--strict")
    assert strict.exit_code == 2
    assert "is not there" in strict.output


def test_what_is_wrong_is_one_line(case, tmp_path):
    done = run("--data_path", tmp_path, "--output_path", tmp_path / "out", "--splits_path", case)
    assert done.exit_code == 2
    assert "neither val2014 nor train2014" in done.output
    paths = ["--data_path", case / "images", "--output_path", tmp_path / "out"]
    assert run(*paths, "--splits_path", tmp_path).exit_code == 2
    assert run(*paths, "--splits_path", case, "--cure", "none").exit_code == 2
