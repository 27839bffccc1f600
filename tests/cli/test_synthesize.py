import json

import pytest
from tests.full_disk import full_disk
from tests.synthesis.drawn_inputs import Drawn, tree
from typer.testing import CliRunner

from refpix.cli import app


@pytest.fixture
def drawn(tmp_path):
    return Drawn(tmp_path / "drawn")


def run(*arguments):
    return CliRunner().invoke(app, ["synthesize", *map(str, arguments)])


@pytest.mark.parametrize("flag", ["--output-dir", "--output_dir"])
def test_image_him(drawn, tmp_path, flag):
    (tmp_path / "invalid.txt").write_text("p5.jpg\n")
    out = tmp_path / "out"
    result = run(
        "image-him", "--image-root", drawn.root / "fg/images", "--bg-root", drawn.root / "bg",
        "--invalid-names", tmp_path / "invalid.txt", flag, out, "--n-workers", 1,
        "--max-num-images", 3,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "written" in result.output
    manifest = json.loads((out / "manifest.json").read_text())
    assert len(manifest["samples"]) == 3
    assert manifest["settings"]["foregrounds"][0] == 5


def test_failures_are_reported_with_their_number(drawn, tmp_path):
    for i in range(6):
        drawn.matte(i).unlink()
    arguments = (
        "image-him", "--image-root", drawn.root / "fg/images", "--bg-root", drawn.root / "bg",
        "--output-dir", tmp_path / "out", "--n-workers", 1, "--max-num-images", 2, "--quiet",
    )  # fmt: skip
    result = run(*arguments)
    assert result.exit_code == 1
    assert "sample 0:" in result.output
    assert ".png: No such file" in result.output
    strict = run(*arguments, "--strict")
    assert strict.exit_code == 2
    assert strict.output.count("\n") == 1


def test_bad_arguments(drawn, tmp_path):
    result = run("image-him", "--image-root", tmp_path / "none", "--bg-root", drawn.root / "bg",
                 "--output-dir", tmp_path / "out", "--n-workers", 1)  # fmt: skip
    assert result.exit_code == 2
    assert f"{tmp_path / 'none'}: No such file" in result.output
    result = run("image-him", "--image-root", drawn.root / "fg/images", "--bg-root",
                 drawn.root / "bg", "--output-dir", tmp_path / "out", "--cure", "flu")  # fmt: skip
    assert result.exit_code == 2
    assert "matte-path, exact-fit" in result.output


def test_video_him(data, tmp_path):
    case = json.loads((data / "video_him/expected.json").read_text())["scenarios"]["clip3"]
    lists = tmp_path / "lists"
    lists.mkdir()
    for entry in (data / "video_him/input").iterdir():
        (lists / entry.name).symlink_to(entry)
    (lists / "fg_test.txt").write_text("\n".join(case["valid_videos"]) + "\n")
    (lists / "bg_test.txt").write_text("\n".join(case["bg_files"] + case["bg_videos"]) + "\n")
    out = tmp_path / "out"
    result = run(
        "video-him", "--split", "test", "--data-dir", lists, "--out-dir", out, "--n-workers", 1,
        "--names", "26", "--clip-len", 3, "--per-level",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert {name.split("/")[0] for name in tree(out)} == {"comp_easy", "comp_hard", "manifest.json"}


def test_a_full_disk_is_one_line_that_names_the_file(drawn, tmp_path):
    with full_disk(6000):
        result = run(
            "image-him", "--image-root", drawn.root / "fg/images", "--bg-root", drawn.root / "bg",
            "--output-dir", tmp_path / "out", "--n-workers", 1, "--quiet",
        )  # fmt: skip
    assert result.exit_code == 2
    assert result.stderr.startswith(f"refpix: {tmp_path / 'out'}/")
    assert result.stderr.endswith(": File too large\n")
