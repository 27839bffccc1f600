import base64
import json
import subprocess
import sys

import pytest
from PIL import Image
from typer.testing import CliRunner

import refpix
from refpix import throughput
from refpix.cli import app
from refpix.datasets import sample_path


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "good.tsv"
    path.write_bytes(sample_path("rkpt").read_bytes())
    return path


@pytest.fixture
def bad(tmp_path):
    """Six rows of rec, of which 1 to 4 are bad, and where their faults begin."""
    rows = [line.split(b"\t") for line in sample_path("rec").read_bytes().splitlines()[:6]]
    rows[1][4] = b"*" + rows[1][4][:40] + b"A" + b"\xff"
    rows[2] = rows[2][:3]
    rows[3][3] = b"1,2,3,nan"
    rows[4][4] = base64.b64encode(b"no picture at all")
    lines = [b"\t".join(row) + b"\n" for row in rows]
    starts = [sum(map(len, lines[:i])) for i in range(len(lines))]
    path = tmp_path / "bad.tsv"
    path.write_bytes(b"".join(lines))
    return path, starts, lines


@pytest.fixture
def cut(tmp_path):
    """One row whose picture ends early."""
    row = sample_path("rec").read_bytes().splitlines()[0].split(b"\t")
    row[4] = base64.b64encode(base64.b64decode(row[4])[:-300])
    path = tmp_path / "cut.tsv"
    path.write_bytes(b"\t".join(row) + b"\n")
    return path


def one_line(result):
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("refpix: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_info(good):
    result = run("info", good, "--json")
    assert result.exit_code == 0
    info = json.loads(result.stdout)
    assert (info["rows"], info["columns"], info["task"]) == (8, 6, "rkpt")
    assert info["bytes"] == good.stat().st_size
    assert info["index"] == "written"
    assert [field["name"] for field in info["first_row"]][-1] == "image"
    text = run("info", good).stdout
    for words in ("rows     8", "task rkpt", "refpix-index: used", "person in red on the left"):
        assert words in text
    assert max(map(len, text.splitlines())) < 120


def test_info_writes_no_index_when_told_so(good):
    assert run("info", good, "--index", "memory").exit_code == 0
    assert list(good.parent.iterdir()) == [good]


def test_verify_good_rows(good):
    result = run("verify", good, "--num-threads", 2)
    assert (result.exit_code, result.stdout) == (0, "8 rows checked: all good\n")


def test_verify_lists_bad_rows(bad):
    path, starts, lines = bad
    result = run("verify", path, "--task", "rec", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert (found["file"], found["task"], found["rows"]) == (str(path), "rec", 6)
    assert found["checked"] == 6
    assert [error["row"] for error in found["bad"]] == [1, 2, 3, 4]
    for error, reason in zip(
        found["bad"], ("ASCII", "too few columns", "box: NaN", "no image"), strict=True
    ):
        assert reason in error["reason"]
        assert error["file"] == str(path)
        row = error["row"]
        assert starts[row] <= error["offset"] < starts[row] + len(lines[row])
    at = found["bad"][0]["offset"] - starts[1]
    assert lines[1][at] == 0xFF
    assert lines[3][found["bad"][2]["offset"] - starts[3] :].startswith(b"1,2,3,nan")
    printed = run("verify", path, "--task", "rec")
    assert printed.exit_code == 1
    lines = printed.stdout.splitlines()
    assert lines[-1] == "6 rows checked: 4 bad"
    assert lines[0].startswith(f"{path}: row 1 (byte {found['bad'][0]['offset']}): image: ")


def test_verify_the_first_rows_only(bad):
    path, _, _ = bad
    assert run("verify", path, "--task", "rec", "--limit", 1).exit_code == 0
    result = run("verify", path, "--task", "rec", "--limit", 2)
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (1, "2 rows checked: 1 bad")


def test_verify_decides_about_cut_pictures(cut):
    assert run("verify", cut).exit_code == 0
    result = run("verify", cut, "--reject-truncated")
    assert result.exit_code == 1
    assert "ends early" in result.stdout


def test_view_draws_rows(good, tmp_path):
    sheet = tmp_path / "sheet.png"
    result = run("view", good, "--rows", "0,3,5-6", "-o", sheet, "--side", 200, "--columns", 2)
    assert result.exit_code == 0
    assert "4 rows" in result.stdout
    with Image.open(sheet) as picture:
        assert 400 < picture.width < 500
        assert picture.height > 2 * 150
    everything = run("view", good, "-o", tmp_path / "all.png", "--side", 64)
    assert "8 rows" in everything.stdout


def test_view_shows_bad_rows_too(bad, tmp_path):
    result = run("view", bad[0], "--task", "rec", "-o", tmp_path / "sheet.png", "--side", 100)
    assert (result.exit_code, "6 rows" in result.stdout) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--rows", "99"), "no sample 99"),
        (("--rows", "3-1"), "backwards"),
        (("-o", "sheet.nothing"), "unknown file extension"),
        (("--task", "poses"), "unknown task 'poses'"),
    ],
)
def test_view_says_what_is_wrong(good, arguments, reason, monkeypatch):
    monkeypatch.chdir(good.parent)
    assert reason in one_line(run("view", good, *arguments))


@pytest.mark.parametrize("command", ["info", "verify", "view", "bench"])
def test_files_that_are_not_there(command, tmp_path):
    assert "none.tsv" in one_line(run(command, tmp_path / "none.tsv"))


def test_empty_files_and_unknown_tasks(tmp_path):
    path = tmp_path / "odd.tsv"
    path.write_bytes(b"")
    assert run("info", path).exit_code == 0
    assert "no known task" in one_line(run("verify", path))
    assert run("verify", path, "--task", "rec").stdout == "0 rows checked: all good\n"
    assert "no rows" in one_line(run("view", path, "--task", "rec"))
    assert "no rows" in one_line(run("bench", path, "--task", "rec"))


def test_debug_shows_the_traceback(tmp_path):
    result = run("--debug", "info", tmp_path / "none.tsv")
    assert isinstance(result.exception, FileNotFoundError)
    one_line(run("info", tmp_path / "none.tsv"))


def test_bench(good):
    result = run("bench", good, "--size", 64, "--seconds", 0, "--limit", 4, "-j", 1, "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert (found["images_compared"], found["images_equal"], found["size"]) == (4, 4, 64)
    assert [timing["name"] for timing in found["timings"]] == ["published path", "refpix"]
    assert all(timing["cpu_ms"] > 0 for timing in found["timings"])
    assert found["versions"]["refpix"] == refpix.__version__


def test_bench_refuses_to_praise_what_differs(monkeypatch):
    original = throughput.published_batch
    monkeypatch.setattr(throughput, "published_batch", lambda p, size: original(p, size=size) + 1)
    result = run("bench", "--size", 32, "--seconds", 0, "-j", 1)
    assert result.exit_code == 1
    assert "8 of 8 pictures DIFFER" in result.stdout


def test_demo_as_a_module_without_torch(tmp_path):
    program = (
        "import runpy, sys\n"
        "sys.modules['torch'] = None\n"  # importing it raises ImportError
        "sys.argv = ['refpix', 'demo', '-o', sys.argv[1], '--seconds', '0']\n"
        "runpy.run_module('refpix', run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "out")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("8 of 8 pictures equal, bit for bit") == 4
    assert "images/s" in done.stdout
    assert str(tmp_path / "out" / "batch.png") in done.stdout
    with Image.open(tmp_path / "out" / "batch.png") as picture:
        assert picture.width > 1200
        assert len(picture.convert("RGB").getcolors(1 << 24)) > 10_000


def test_version_and_help():
    assert run("--version").stdout == f"{refpix.__version__}\n"
    text = run("--help").stdout
    for command in ("demo", "info", "verify", "view", "bench"):
        assert command in text
