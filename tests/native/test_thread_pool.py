"""The thread pool, compiled by itself."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(shutil.which("c++") is None, reason="no C++ compiler")
def test_thread_pool(tmp_path):
    program = tmp_path / "thread_pool_test"
    sources = [ROOT / "tests/native/thread_pool_test.cpp", ROOT / "csrc/core/thread_pool.cpp"]
    compile_ = ["c++", "-std=c++20", "-O1", "-pthread", "-I", ROOT / "csrc", *sources]
    subprocess.run([*compile_, "-o", program], check=True)
    ran = subprocess.run([program], capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "")
