"""What surrounds nvJPEG, without a GPU: its interface, opening it, and batches with a stand-in."""

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import refpix.cuda
from refpix.kernels import _nvjpeg

HERE = Path(__file__).parent
CSRC = HERE.parent.parent / "csrc"
GXX = shutil.which("g++")
JPEG = CSRC / "kernels" / "jpeg_decode"

pytestmark = pytest.mark.skipif(GXX is None, reason="no g++")

FLAGS = ["-std=c++20", "-O0", "-g1", "-Wall", "-Wextra", "-pthread", f"-I{CSRC}"]
EMULATION = [f"-I{HERE / 'cuda_emulation'}", "-Wno-unknown-pragmas", "-fno-strict-aliasing"]


def compile_(*arguments):
    return subprocess.run([GXX, *FLAGS, *map(str, arguments)], capture_output=True, text=True)


def built(*arguments):
    result = compile_(*arguments)
    assert result.returncode == 0, result.stderr
    return Path(arguments[-1])


def stand_in(folder, *flags):
    name = "stand_in" + "".join(flags).replace("=", "_").replace(",", "_") + ".so"
    source = HERE / "nvjpeg_stand_in.cpp"
    return built("-fPIC", "-shared", *flags, source, "-ljpeg", "-o", folder / name)


def include_folders():
    """Where nvJPEG's header is, and CUDA's, which it includes."""
    spec = importlib.util.find_spec("nvidia")
    wheels = [Path(folder) for folder in spec.submodule_search_locations] if spec else []
    homes = [Path(os.environ[name]) for name in ("CUDA_HOME", "CUDA_PATH") if name in os.environ]
    folders = [
        *(folder / part / "include" for folder in wheels for part in ("cu13", "nvjpeg")),
        *(home / "include" for home in [*homes, Path("/usr/local/cuda")]),
    ]
    nvjpeg = [folder for folder in folders if (folder / "nvjpeg.h").is_file()]
    cuda = [folder for folder in folders if (folder / "cuda_runtime_api.h").is_file()]
    if not nvjpeg or not cuda:
        pytest.skip("nvJPEG's header or CUDA's is not installed")
    return [f"-I{nvjpeg[0]}", f"-I{cuda[0]}"]


def test_our_declarations_are_nvjpegs(tmp_path):
    folders = include_folders()
    check = [*folders, "-fsyntax-only", HERE / "nvjpeg_api_check.cpp"]
    result = compile_(*check)
    assert result.returncode == 0, result.stderr
    # And the check sees what is wrong: a parameter less, another size, another number.
    ours = (JPEG / "nvjpeg_api.h").read_text()
    for right, wrong in [
        ("X(JpegStreamDestroy, (Stream))", "X(JpegStreamDestroy, (Stream, int))"),
        ("int x, int y, int width, int height", "int x, int y, int width, long height"),
        ("hardware = 3", "hardware = 4"),
        ("unsigned char* channel[4]", "unsigned char* channel[3]"),
    ]:
        assert ours.count(right) == 1, right
        folder = tmp_path / "kernels" / "jpeg_decode"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "nvjpeg_api.h").write_text(ours.replace(right, wrong))
        assert compile_(f"-I{tmp_path}", "-iquote", tmp_path, *check).returncode != 0, wrong


@pytest.fixture(scope="module")
def opener(tmp_path_factory):
    program = tmp_path_factory.mktemp("open") / "open"
    built(HERE / "nvjpeg_open.cpp", JPEG / "nvjpeg_library.cpp", "-ldl", "-o", program)

    def call(*paths):
        run = subprocess.run([program, *map(str, paths)], capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        return run.stdout.splitlines()

    return call


def test_libraries_open_or_say_why_not(opener, tmp_path):
    whole, old = stand_in(tmp_path), stand_in(tmp_path, "-DSTAND_IN_OLD")
    lacking = stand_in(tmp_path, "-DSTAND_IN_INCOMPLETE")
    no_library = tmp_path / "text.so"
    no_library.write_text("nothing")
    said = opener(whole, old, lacking, no_library, tmp_path / "absent.so")
    assert said[:3] == [
        "13.0 success",
        "12.1 success",
        f"{lacking}: has no nvjpegDecodeJpegHost",
    ]
    assert "text.so" in said[3]
    assert "absent.so" in said[4]


def test_the_real_library_opens(opener, monkeypatch):
    monkeypatch.delenv(_nvjpeg.VARIABLE, raising=False)
    installed = [path for path in _nvjpeg.candidates() if Path(path).is_file()]
    if not installed:
        pytest.skip("nvJPEG is not installed")
    for line in opener(*installed):
        version, status = line.split(" ", 1)
        assert float(version) >= 11
        if not refpix.cuda.is_available():
            assert status.startswith("CUDA failed; no driver")


def test_candidates_are_paths_then_names(monkeypatch, tmp_path):
    monkeypatch.delenv(_nvjpeg.VARIABLE, raising=False)
    found = _nvjpeg.candidates()
    assert {"libnvjpeg.so.13", "libnvjpeg.so.12", "libnvjpeg.so"} <= set(found)
    assert len(found) == len(set(found))
    monkeypatch.setenv(_nvjpeg.VARIABLE, "mine.so")
    assert _nvjpeg.candidates() == ["mine.so"]
    assert _nvjpeg.candidates("other.so") == ["other.so"]
    monkeypatch.delenv(_nvjpeg.VARIABLE)
    home = tmp_path / "lib64"
    home.mkdir()
    (home / "libnvjpeg.so.13.0").touch()
    monkeypatch.setenv("CUDA_HOME", str(tmp_path))
    assert str(home / "libnvjpeg.so.13.0") in _nvjpeg.candidates()


@pytest.mark.slow
@pytest.mark.parametrize("sanitizer", ["address,undefined", "thread"])
def test_batches_with_a_stand_in(sanitizer, tmp_path):
    flags = [f"-fsanitize={sanitizer}", "-fno-sanitize-recover=all"]
    probe = tmp_path / "probe.cpp"
    probe.write_text("int main() {}")
    if compile_(*flags, probe, "-o", tmp_path / "probe").returncode:
        pytest.skip(f"g++ has no -fsanitize={sanitizer}")
    sources = [
        HERE / "emulate_nvjpeg.cpp",
        *JPEG.glob("nvjpeg_*.cpp"),
        *JPEG.glob("cpu*.cpp"),
        *(CSRC / "core" / f"{name}.cpp" for name in ("thread_pool", "status")),
    ]
    libraries = ["-ljpeg", "-ldl", "-o", tmp_path / "program"]
    program = built(*EMULATION, *flags, *sources, *libraries)
    libraries = [stand_in(tmp_path, *flags), stand_in(tmp_path, *flags, "-DSTAND_IN_OLD")]
    brief = ["brief"] if sanitizer == "thread" else []
    run = subprocess.run([program, *libraries, *brief], capture_output=True, text=True, timeout=240)
    if "FATAL: ThreadSanitizer" in run.stderr:  # memory layout that this TSan cannot map
        pytest.skip(run.stderr.strip().splitlines()[0])
    assert run.returncode == 0, run.stdout + run.stderr
