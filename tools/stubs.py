"""Type stubs of the extension modules, from the modules as built.

Usage: stubs.py [--check]. Writes python/refpix/_cpu.pyi (and _cuda.pyi where _cuda was built), or
with --check compares and fails with a diff. Run with the Python that refpix is installed in.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "python" / "refpix"


def normalise(stub: str) -> str:
    """Evens out what depends on the version of pybind11 rather than on our bindings."""
    stub = re.sub(r"typing\.SupportsInt( \| typing\.SupportsIndex)?", "int", stub)
    stub = re.sub(r"typing\.SupportsFloat( \| typing\.SupportsIndex)?", "float", stub)
    return re.sub(r"^def (\w+)\(([\w, ]*)\):\s+\.\.\.$", _typed, stub, flags=re.MULTILINE)


def _typed(untyped: re.Match[str]) -> str:
    """For functions that go round pybind11 (csrc/bindings/fast_call.h): positional, of any type."""
    arguments = "".join(f"{name}: typing.Any, " for name in untyped[2].split(", "))
    return f"def {untyped[1]}({arguments}/) -> typing.Any: ..."


def generate(module: str) -> str:
    """The stub of one built module, formatted."""
    importlib.import_module(f"refpix.{module}")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pybind11_stubgen", f"refpix.{module}"]
        subprocess.run([*command, "--exit-code", "-o", folder], check=True, stdout=sys.stderr)
        path = Path(folder, "refpix", f"{module}.pyi")
        text = (
            "# Written by tools/stubs.py (make stubs) from the built module.\n" + path.read_text()
        )
        path.write_text(normalise(text))
        ruff = [sys.executable, "-m", "ruff", "format", "-q", "--isolated", "--line-length", "100"]
        subprocess.run([*ruff, str(path)], check=True)
        return path.read_text()


def main() -> int:
    """Writes or compares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with what is committed")
    check = parser.parse_args().check
    stale = False
    for module in ("_cpu", "_cuda"):
        if importlib.util.find_spec(f"refpix.{module}") is None:
            if module == "_cpu":
                parser.error("refpix is not installed for this Python")
            print(f"{module}: not built here, its stub is left alone")
            continue
        path = PACKAGE / f"{module}.pyi"
        built = generate(module)
        committed = path.read_text() if path.exists() else ""
        if not check:
            path.write_text(built)
        elif built != committed:
            stale = True
            lines = (committed.splitlines(), built.splitlines())
            print(*difflib.unified_diff(*lines, str(path), "built", lineterm=""), sep="\n")
    if stale:
        print("stubs are stale: make stubs")
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
