"""refpix glt stats: what it writes, prints and refuses."""

import sys

import pytest
from tests.datasets.glt_files import TWO, make_annotation, write
from typer.testing import CliRunner

from refpix.cli import app


def run(*arguments):
    return CliRunner().invoke(app, ["glt", "stats", *map(str, arguments)])


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("glt")
    write(folder, sizes=TWO)
    return folder


def test_files(root, tmp_path):
    pytest.importorskip("matplotlib")
    options = ("--format", "svg,png", "--examples", 1, "--split", "train,test_bbl")
    result = run(root, "-o", tmp_path / "out", *options)
    assert result.exit_code == 0, result.output
    names = {path.relative_to(tmp_path / "out").as_posix() for path in tmp_path.rglob("*.*")}
    assert {
        "index.html",
        "figures/attribute-std.svg",
        "figures/attribute-std.png",
        "figures/classes-coco_glt-test_bbl.svg",
        "figures/attributes-coco_glt-train.png",
        "sheets/classes-Train-GLT.png",
        "sheets/attributes-Test-GBL.png",
    } <= names
    assert len(names) == 1 + 2 * (1 + 2 * 2) + 2 * 2
    lines = result.stdout.splitlines()
    assert lines[0] == f"file     {root / 'coco_glt' / 'annotation.json'}"
    labels = list(make_annotation("glt", sizes=TWO)["train"]["label"].values())
    most = max(map(labels.count, labels))
    assert lines[4].split()[:4] == ["Train-GLT", "40", str(most), "1"]
    assert lines[-1].startswith(f"{tmp_path / 'out' / 'index.html'}: ")
    assert "Examples: Test-GBL" in (tmp_path / "out" / "index.html").read_text("utf-8")


def test_faults(tmp_path):
    pytest.importorskip("matplotlib")

    def spoil(whole):
        labels = whole["train"]["label"]
        labels[next(iter(labels))] = 99

    folder = write(tmp_path, sizes=TWO, edit=spoil)
    for path in (folder / "images").iterdir():
        path.write_bytes(b"no picture")
    result = run(folder, "-o", tmp_path / "out", "--examples", 1, "--split", "test_bbl")
    assert result.exit_code == 1
    assert "train: object" in result.stderr
    assert "from 0 to 28, got 99" in result.stderr
    assert len(result.stderr.splitlines()) == 1 + TWO["test_bbl"]
    assert (tmp_path / "out" / "index.html").is_file()
    assert not list((tmp_path / "out").rglob("*.png"))  # there is nothing to show


def test_pictures_are_not_needed(root, tmp_path):
    pytest.importorskip("matplotlib")
    write(tmp_path, sizes=TWO, pictures=False)
    result = run(tmp_path, "-o", tmp_path / "out", "--examples", 0)
    assert result.exit_code == 0, result.output


def test_mistakes(root, tmp_path, monkeypatch):
    for arguments, words in (
        ((root, "--format", "pdf"), "--format pdf: expected svg, png"),
        ((tmp_path / "none",), "no such file or folder"),
        ((root, "--split", "all"), "split='all'"),
        ((root, "--attributes", root / "coco_glt" / "annotation.json"), "format: missing"),
    ):
        result = run(*arguments, "-o", tmp_path / "out")
        assert result.exit_code == 2
        assert words in result.stderr
        assert not (tmp_path / "out").exists()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = run(root, "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert result.stderr.strip().endswith("pip install 'refpix[plots]'")
