import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "train_refhcm_cuda.py"


def run(*options):
    small = ["--batch-size", "3", "--size", "32", "--width", "4", "--device", "cpu"]
    ran = subprocess.run(
        [sys.executable, EXAMPLE, *small, *options], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_some_steps_of_two_epochs(tmp_path):
    trace = tmp_path / "trace.json"
    said = run("--steps", "5", "--trace", str(trace))
    assert "8 rows, batches of 3 made on cpu, used on cpu" in said
    assert sum(line.startswith("step ") for line in said.splitlines()) == 5
    assert "mean loss 0." in said
    assert "waited for data: host" in said
    names = {event["name"] for event in json.loads(trace.read_text())["traceEvents"]}
    assert "aten::conv2d" in names


def test_a_picture_of_the_steps(tmp_path):
    pytest.importorskip("matplotlib")
    run("--steps", "2", "--picture", str(tmp_path / "steps.png"))
    assert (tmp_path / "steps.png").read_bytes().startswith(b"\x89PNG")
