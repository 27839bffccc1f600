"""The VBMI path of base64_decode on machines that lack VBMI: same source, emulated intrinsics."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_vbmi_source_agrees_with_the_tables(tmp_path):
    compiler = shutil.which(os.environ.get("CXX", "c++")) or shutil.which("g++")
    if compiler is None:
        pytest.skip("no C++ compiler")
    program = tmp_path / "base64_vbmi"
    subprocess.run(
        [
            compiler, "-std=c++20", "-O1", "-Wall", "-Wextra", "-Werror",
            "-I", ROOT / "tests/native/vbmi", "-I", ROOT / "csrc",
            ROOT / "csrc/kernels/base64_decode/cpu_avx512_vbmi.cpp",
            ROOT / "tests/native/base64_vbmi.cpp",
            "-o", program,
        ],
        check=True,
    )  # fmt: skip
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "agreed\n"), done.stderr
