"""tools/gpu_report.py: what it counts, what it refuses, and that the page's table is its own."""

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

JUNIT = """<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite name="pytest">
<testcase classname="tests.gpu.test_image_resize" name="test_sizes[a]" time="0.1"/>
<testcase classname="tests.gpu.test_image_resize" name="test_sizes[b]" time="0.1">
  <failure message="wrong">...</failure></testcase>
<testcase classname="tests.kernels.test_image_resize_errors.TestOut" name="test_it"/>
<testcase classname="tests.kernels.test_image_resize_opencv" name="test_it"/>
<testcase classname="tests.gpu.test_loader" name="test_order"><skipped/></testcase>
<testcase classname="" name="tests.gpu.test_torch_ops"><error message="import"/></testcase>
</testsuite></testsuites>"""
MACHINE = {"gpu": "NVIDIA H200", "driver": "580.1", "commit": "abc123", "date": "2026-01-02"}
CLEAN = "compute-sanitizer\n20 cases run, 1 left out, 0 wrong\n===== ERROR SUMMARY: 0 errors\n"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("gpu_report", ROOT / "tools" / "gpu_report.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "gpu-tests.xml").write_text(JUNIT)
    (tmp_path / "machine.json").write_text(json.dumps(MACHINE))
    (tmp_path / "sanitizer-memcheck.log").write_text(CLEAN)
    (tmp_path / "sanitizer-racecheck.log").write_text(
        "20 cases run, 0 left out, 0 wrong\nRACECHECK SUMMARY: 3 hazards displayed (3 errors)\n"
    )
    return tmp_path


def test_a_run_is_collected(tool, folder):
    report = tool.collect(folder)
    assert report["machine"] == MACHINE
    resize = report["files"]["tests/gpu/test_image_resize.py"]
    assert resize == {"passed": 1, "failed": 1, "skipped": 0, "failures": ["test_sizes[b]"]}
    assert report["files"]["tests/kernels/test_image_resize_errors.py"]["passed"] == 1
    assert report["files"]["tests/gpu/test_torch_ops.py"]["failed"] == 1
    assert report["sanitizers"] == {
        "memcheck": "clean",
        "racecheck": "3 hazards",
        "initcheck": "not run",
    }
    assert "| tests/gpu/test_loader.py | 0 | 0 | 1 |" in tool.summary(report)


@pytest.mark.parametrize(
    ("log", "result"),
    [
        ("", "did not finish"),
        ("ERROR SUMMARY: 0 errors\n", "the cases failed"),
        ("0 cases run, 20 left out, 0 wrong\nERROR SUMMARY: 0 errors\n", "the cases failed"),
        ("9 cases run, 0 left out, 1 wrong\nERROR SUMMARY: 0 errors\n", "the cases failed"),
        ("9 cases run, 0 left out, 0 wrong\nERROR SUMMARY: 7 errors\n", "7 errors"),
    ],
)
def test_a_sanitizer_is_clean_only_if_the_cases_ran(tool, tmp_path, log, result):
    path = tmp_path / "log"
    path.write_text(log)
    assert tool.read_sanitizer(path) == result


def test_a_run_becomes_rows(tool, folder):
    rows = tool.record(tool.collect(folder), {"loader": {"gpu": "of before"}})
    assert rows["image_resize"]["passed"] == 2
    assert rows["image_resize"]["failed"] == 1
    assert rows["loader"] == {"gpu": "of before"}  # skipped tests are no run
    assert "image_resize_opencv" not in rows
    cell = tool.outcome(rows["image_resize"])
    assert "**1 tests failed**" in cell
    assert "racecheck: 3 hazards" in cell
    assert cell.endswith("NVIDIA H200, abc123, 2026-01-02")


@pytest.mark.parametrize("missing", ["gpu", "commit", "date"])
def test_nameless_runs_are_refused(tool, folder, missing):
    (folder / "machine.json").write_text(json.dumps(MACHINE | {missing: None}))
    with pytest.raises(ValueError, match="no evidence"):
        tool.record(tool.collect(folder), {})
    if missing != "date":
        with pytest.raises(ValueError, match="name its GPU"):
            tool.outcome({"passed": 1, "failed": 0, "skipped": 0, **MACHINE, missing: ""})


def test_emulated_runs_are_refused(tool, folder):
    machine = MACHINE | {"gpu": "emulated on the CPU", "architectures": ["emulated"]}
    (folder / "machine.json").write_text(json.dumps(machine))
    with pytest.raises(ValueError, match="emulated"):
        tool.record(tool.collect(folder), {})


def test_the_page_has_every_kernel_and_claims_what_was_recorded(tool):
    stored = json.loads(tool.RECORD.read_text())
    page = tool.PAGE.read_text()
    for name in tool.cuda_kernels():
        assert f"[`{name}`](../csrc/kernels/{name}/cuda.cu)" in page
    assert set(stored) <= {*tool.cuda_kernels(), *tool.other_parts()}
    assert page == tool.with_table(page, stored), "run: python tools/gpu_report.py table"
