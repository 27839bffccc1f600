import importlib
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture
def bench(monkeypatch):
    """Imports a program of bench/gpu as it is run: its folder on the path, for this test only."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(BENCH / "gpu")
    yield importlib.import_module
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None)
        if file and Path(file).is_relative_to(BENCH):
            del sys.modules[name]
    sys.path[:] = [path for path in sys.path if not Path(path).is_relative_to(BENCH)]
