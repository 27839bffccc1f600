import json
import shutil

import pytest
from typer.testing import CliRunner

from refpix.cli import app
from refpix.cli.kinds import kind_of
from refpix.datasets import sample_path

pytest.importorskip("pyarrow")


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def one_line(result):
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("refpix: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


@pytest.fixture
def folder(data):
    return data / "refcocom"


def test_scores_on_the_terminal_and_in_a_file(folder, tmp_path):
    written = tmp_path / "scores.json"
    arguments = (folder, folder / "predictions.json", "--json", written)
    result = run("eval", "refcoco-m", *arguments)
    assert result.exit_code == 0, result.stderr
    scores = json.loads(written.read_text("utf-8"))
    assert scores["data"] == str(folder)
    assert (scores["examples"], scores["empty_unions"], scores["empty_union"]) == (13, 1, 0.0)
    table = {line.split("  ")[0]: line for line in result.stdout.splitlines()}
    assert f"{100 * scores['miou']:.2f} %" in table["mIoU"]
    assert f"{100 * scores['ciou']:.2f} %" in table["cIoU (oIoU)"]
    assert f"{100 * scores['precision']['0.6']:.2f} %" in table["P@0.6"]
    for text in (
        "13 examples",
        "1 with both masks empty",
        f"skip: {100 * scores['miou_by_rule']['skip']:.2f} %",
        f"P@0.6 {100 * scores['precision_at_least']['0.6']:.2f} %",
    ):
        assert text in result.stdout


def test_options(folder, tmp_path):
    written = tmp_path / "scores.json"
    entries = json.loads((folder / "predictions.json").read_text("utf-8"))[1:]
    short = tmp_path / "short.json"
    short.write_text(json.dumps(entries))
    assert "short.json: no prediction for sample 5006, sentence 0" in one_line(
        run("eval", "refcoco-m", folder, short)
    )
    result = run(
        *("eval", "refcoco-m", folder, short, "--missing-as-empty", "--empty-union", "1"),
        *("-j", 2, "--json", written),
    )
    assert result.exit_code == 0, result.stderr
    assert "1 of them without prediction" in result.stdout
    scores = json.loads(written.read_text("utf-8"))
    assert (scores["missing"], scores["empty_union"]) == (1, 1.0)
    assert scores["miou"] == scores["miou_by_rule"]["1"]


def test_what_cannot_be_scored(folder, tmp_path):
    predictions = folder / "predictions.json"
    assert "expected 0, 1 or skip" in one_line(
        run("eval", "refcoco-m", folder, predictions, "--empty-union", "2")
    )
    assert "none" in one_line(run("eval", "refcoco-m", tmp_path / "none", predictions))
    assert "no parquet file" in one_line(run("eval", "refcoco-m", predictions, predictions))
    assert "none.json" in one_line(run("eval", "refcoco-m", folder, tmp_path / "none.json"))


def test_info_verify_and_view_of_parquet(folder, tmp_path):
    file = folder / "validation.parquet"
    for path in (file, folder):
        result = run("info", path)
        assert result.exit_code == 0, result.stderr
        for words in ("RefCOCO-M, nested", "pictures     3", "instances    7", "expressions  13"):
            assert words in result.stdout
    found = json.loads(run("info", file, "--json").stdout)
    assert found["categories"] == {"person": 4, "zebra": 3}
    assert found["bytes"] == file.stat().st_size
    assert run("verify", file).stdout == "3 rows checked: all good\n"
    assert run("verify", file, "--limit", 1).stdout == "1 rows checked: all good\n"
    sheet = tmp_path / "sheet.png"
    result = run("view", file, "--rows", "0,2", "-o", sheet, "--side", 200)
    assert result.exit_code == 0, result.stderr
    assert sheet.stat().st_size > 10_000


def test_verify_lists_bad_rows(folder, tmp_path):
    import pyarrow as pa
    from pyarrow import parquet

    rows = parquet.read_table(folder / "validation.parquet").to_pylist()
    rows[1]["image"]["bytes"] = b"no picture"
    file = tmp_path / "bad.parquet"
    parquet.write_table(pa.Table.from_pylist(rows), file)
    result = run("verify", file)
    assert result.exit_code == 1
    assert result.stdout.startswith(f"{file}: row 1: image: ")
    (bad,) = json.loads(run("verify", file, "--json").stdout)["bad"]
    assert (bad["file"], bad["row"], bad["offset"]) == (str(file), 1, None)
    assert run("view", file, "-o", tmp_path / "sheet.png", "--side", 100).exit_code == 0


def test_kinds_are_told_by_content(folder, tmp_path):
    other = tmp_path / "no_suffix"
    shutil.copy(folder / "validation.parquet", other)
    assert kind_of(other) == "refcoco-m"
    assert kind_of(folder) == "refcoco-m"
    assert kind_of(tmp_path / "none.parquet") == "refcoco-m"
    assert kind_of(sample_path("rec")) == "refhcm"
    assert kind_of(tmp_path / "none") == "refhcm"
    assert kind_of(tmp_path) == "refhcm"
