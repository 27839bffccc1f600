"""The rooms of the house: who may import whom, and what a kernel's folder must come with."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import refpix.kernels
from refpix.kernels import Kernel

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "python" / "refpix"
CSRC = ROOT / "csrc"

VOCABULARY = {"errors", "types"}  # and everyone may import them
BELOW_READERS = {"_pillow", "_order"}
READERS = BELOW_READERS | {"io", "kernels"}
MASKS = READERS | {"masks"}
WORKERS = {"masks", "metrics", "synthesis", "loader", "cuda"}
MAY_IMPORT = {
    "errors": set(),
    "types": set(),
    "_pillow": set(),
    "_order": set(),
    "io": BELOW_READERS,
    "kernels": BELOW_READERS,
    "cuda": READERS,
    "masks": READERS,
    "metrics": MASKS,
    "synthesis": MASKS,
    "loader": READERS | {"cuda"},
    "torch_ops": READERS,
    "datasets": READERS | WORKERS,
    "compat": READERS | WORKERS | {"datasets"},
    "throughput": READERS | WORKERS | {"datasets"},
    "viz": READERS | WORKERS | {"datasets"},
    "dali": READERS | WORKERS | {"datasets"},
    "cli": READERS | WORKERS | {"datasets", "compat", "viz", "throughput"},
    "__main__": {"cli"},
    "__init__": READERS | WORKERS | {"datasets"},
}
# Rooms of several files that lie in the package itself.
PARTS = {
    "torch_custom_op": "torch_ops",
    "torch_tv_tensors": "torch_ops",
}
EXTENSIONS = {"_cpu", "_cuda"}
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:work|root)/")


def python_modules() -> dict[str, Path]:
    """Dotted name (without `refpix.`) of every module of the package, and its file."""
    modules = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        name = ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)
        modules[name] = path
    return modules


MODULES = python_modules()


def imports(path: Path) -> set[str]:
    """Dotted names that a file imports, within functions and under TYPE_CHECKING too."""
    package = ("refpix", *path.relative_to(SOURCE).parts[:-1])
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else ()
            module = ".".join((*base, *filter(None, [node.module])))
            if module == "refpix":
                found.update(f"refpix.{alias.name}" for alias in node.names)
            else:
                found.add(module)
    return found


def room(module: str) -> str:
    first = module.split(".")[0]
    return PARTS.get(first, first)


def kernel_folders() -> list[str]:
    return sorted(path.name for path in (CSRC / "kernels").iterdir() if path.is_dir())


def exported_kernels() -> list[str]:
    exported = (getattr(refpix.kernels, name) for name in refpix.kernels.__all__)
    return sorted(value.name for value in exported if isinstance(value, Kernel))


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    names = listed.stdout.decode().split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def test_every_room_has_a_rule():
    assert {room(module) for module in MODULES} <= set(MAY_IMPORT)


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_one_way(module):
    own = room(module)
    allowed = {own, *MAY_IMPORT[own], *(VOCABULARY if own not in VOCABULARY else ())}
    if module in {"kernels._registry", "cuda"}:
        allowed |= EXTENSIONS
    ours = {
        room(name.removeprefix("refpix."))
        for name in imports(MODULES[module])
        if name.startswith("refpix.")
    }
    wrong = ours - allowed
    if own == "cli":
        # The package's version; everything else comes from a room.
        wrong -= {"__version__"}
    assert not wrong, f"refpix.{module} must not import {sorted(wrong)}"


@pytest.mark.parametrize("module", MODULES)
def test_torch_stays_in_its_rooms(module):
    may = room(module) == "compat" or module.split(".")[-1].startswith("torch_")
    uses = {name for name in imports(MODULES[module]) if name.split(".")[0] == "torch"}
    assert may or not uses


@pytest.mark.parametrize("module", MODULES)
def test_dali_stays_in_its_room(module):
    uses = {name for name in imports(MODULES[module]) if name.startswith("nvidia.dali")}
    assert module == "dali._extra" or not uses


def test_everything_but_the_torch_modules_imports_without_torch_and_dali():
    names = [
        "refpix" if module == "__init__" else f"refpix.{module}"
        for module in MODULES
        if room(module) != "compat" and not module.split(".")[-1].startswith(("torch_", "__main__"))
    ]
    program = (
        "import importlib, sys\n"
        "sys.modules['torch'] = sys.modules['nvidia'] = None\n"  # importing raises ImportError
        f"for name in {names!r}: importlib.import_module(name)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_import_refpix_leaves_torch_alone():
    program = "import refpix, sys; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def included(path: Path) -> set[str]:
    return set(re.findall(r'^\s*#\s*include\s+"([^"]+)"', path.read_text("utf-8"), re.MULTILINE))


# Kernels that call the inner functions that others declare in their headers.
FUSED = {"image_batch", "image_resize_normalize"}


def native_files(folder: str) -> list[Path]:
    suffixes = {".h", ".cuh", ".cpp", ".cu"}
    return sorted(path for path in (CSRC / folder).rglob("*") if path.suffix in suffixes)


@pytest.mark.parametrize("path", native_files("core"), ids=lambda path: path.name)
def test_core_includes_core_only(path):
    assert {name for name in included(path) if not name.startswith("core/")} == set()


@pytest.mark.parametrize(
    "path", native_files("kernels"), ids=lambda path: str(path.relative_to(CSRC / "kernels"))
)
def test_kernels_include_core_and_themselves(path):
    own = path.relative_to(CSRC / "kernels").parts[0]
    fused = own in FUSED
    for name in included(path):
        assert name.startswith(("core/", "kernels/")), name
        if name.startswith("kernels/"):
            parts = name.split("/")
            shared = len(parts) == 2  # lies beside the folders
            assert shared or parts[1] == own or (fused and name.endswith(".h")), name


@pytest.mark.parametrize("path", native_files(""), ids=lambda path: str(path.relative_to(CSRC)))
def test_only_bindings_know_python(path):
    text = path.read_text("utf-8")
    if "bindings" not in path.parts:
        assert "pybind11" not in text
        assert "Python.h" not in text


def included_in_all(path: Path) -> set[Path]:
    """What a file includes of csrc, and what those include."""
    found, todo = set(), [path]
    while todo:
        news = {CSRC / name for name in included(todo.pop()) if (CSRC / name).is_file()} - found
        found |= news
        todo += news
    return found


@pytest.mark.parametrize("path", native_files("bindings/cuda"), ids=lambda path: path.name)
def test_host_compilers_see_no_device_code(path):
    """The emulation would not tell: there the same compiler takes both."""
    if path.suffix == ".cpp":
        device_code = {
            header.name
            for header in included_in_all(path)
            if re.search(r"__global__|<<<|threadIdx", header.read_text("utf-8"))
        }
        assert not device_code


@pytest.mark.parametrize("name", kernel_folders())
def test_a_kernel_is_whole(name):
    wanted = [
        CSRC / "kernels" / name / f"{name}.h",
        CSRC / "kernels" / name / "cpu.cpp",
        CSRC / "bindings" / f"{name}.cpp",
        SOURCE / "kernels" / f"_{name}.py",
        ROOT / "tests" / "kernels" / f"test_{name}.py",
        ROOT / "docs" / "kernels" / f"{name}.md",
    ]
    missing = [str(path.relative_to(ROOT)) for path in wanted if not path.is_file()]
    assert not missing
    assert name in exported_kernels()


def test_every_exported_kernel_has_a_folder():
    assert set(exported_kernels()) <= set(kernel_folders())


def test_the_index_of_pages_names_every_kernel():
    index = (ROOT / "docs" / "kernels" / "README.md").read_text("utf-8")
    named = set(re.findall(r"\]\((\w+)\.md\)", index))
    assert named == set(kernel_folders())


def test_exported_names_are_sorted():
    assert sorted(refpix.kernels.__all__) == list(refpix.kernels.__all__)


def native_parameters(function: object) -> tuple[list[str], list[str]]:
    """Positional and keyword-only names, from the signature that pybind11 writes."""
    signature = (function.__doc__ or "").splitlines()[0]
    definition = ast.parse(f"def {signature}: ...").body[0]
    assert isinstance(definition, ast.FunctionDef)
    assert not definition.args.defaults
    assert not any(definition.args.kw_defaults)
    return (
        [argument.arg for argument in definition.args.args],
        [argument.arg for argument in definition.args.kwonlyargs],
    )


@pytest.mark.parametrize("module", ["_cpu", "_cuda"])
@pytest.mark.parametrize("name", exported_kernels())
def test_native_takes_what_the_reference_takes(name, module):
    try:
        native = getattr(importlib.import_module(f"refpix.{module}"), name, None)
    except ImportError:
        pytest.skip(f"{module} was not built")
    if native is None:
        assert module == "_cuda", "every kernel has a CPU implementation"
        pytest.skip("no CUDA side")
    parameters = inspect.signature(getattr(refpix.kernels, name)).parameters.values()
    reference = (
        [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD],
        {p.name for p in parameters if p.kind is p.KEYWORD_ONLY} - {"backend"},
    )
    positional, keywords = native_parameters(native)
    assert (positional, set(keywords)) == reference
    assert len(keywords) == len(set(keywords))


@pytest.mark.parametrize("name", exported_kernels())
def test_a_kernel_documents_itself(name):
    doc = inspect.getdoc(getattr(refpix.kernels, name)) or ""
    for section in ("Args:", "Returns:", "Source:"):
        assert section in doc, f"{name}: no {section} in the docstring"


def test_files_are_small():
    large = {p.name: p.stat().st_size for p in tracked_files() if p.stat().st_size > 1 << 20}
    assert large == {}


def test_data_is_small():
    data = [path for path in tracked_files() if (ROOT / "tests" / "data") in path.parents]
    assert sum(path.stat().st_size for path in data) < 4 << 20


def test_no_machine_paths():
    found = []
    for path in tracked_files():
        content = path.read_bytes()
        if b"\0" not in content and MACHINE_PATHS.search(content.decode("utf-8", "replace")):
            found.append(str(path.relative_to(ROOT)))
    assert found == []
