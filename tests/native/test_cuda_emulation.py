"""The CUDA kernels run on the CPU, watched by the sanitizers; the shared table against NumPy."""

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent
CSRC = HERE.parent.parent / "csrc"
CORE = sorted(CSRC.glob("core/*.cpp"))
GXX = shutil.which("g++")

pytestmark = pytest.mark.skipif(GXX is None, reason="no g++")

RESIZER = [f"image_resize/cpu{part}.cpp" for part in ("_resizer", "_scalar", "_taps")]
# Of each kernel what it is compared with; all of csrc/core comes along.
SOURCES = {
    "alpha_composite": ["alpha_composite/cpu.cpp", "alpha_composite/cpu_scalar.cpp"],
    "alpha_occlude": ["alpha_occlude/cpu.cpp"],
    "confusion_matrix": ["confusion_matrix/cpu.cpp"],
    "image_color_jitter": ["image_color_jitter/cpu.cpp", "image_color_jitter/cpu_scalar.cpp"],
    "image_flip": ["image_flip/cpu.cpp"],
    "image_noise": ["image_noise/cpu.cpp", "image_noise/cpu_scalar.cpp"],
    "image_normalize": [],
    "image_resize": [*RESIZER, "image_resize/cpu.cpp"],
    "image_resize_normalize": [
        *RESIZER,
        "image_resize_normalize/cpu.cpp",
        "image_normalize/cpu_rows.cpp",
    ],
    "label_zoom": ["label_zoom/cpu.cpp"],
    "parsing_paste": ["parsing_paste/cpu.cpp"],
    "parsing_unpack": ["parsing_unpack/cpu.cpp"],
    "rle_decode": ["rle_decode/cpu.cpp"],
    "rle_encode": ["rle_encode/cpu.cpp", "rle_encode/cpu_scalar.cpp"],
    "rle_iou": ["rle_iou/cpu.cpp"],
}
FLAGS = [
    *("-std=c++20", "-O0", "-g1", "-ffp-contract=off", "-fno-strict-aliasing", "-pthread"),
    *(f"-I{CSRC}", f"-I{HERE / 'cuda_emulation'}", "-Wno-unknown-pragmas", "-x", "c++"),
]


def compile_(arguments):
    result = subprocess.run([GXX, *FLAGS, *arguments], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


@pytest.fixture(scope="session", params=["address,undefined", "thread"])
def sanitized(request, tmp_path_factory):
    """Flags of a sanitizer, and csrc/core compiled with them."""
    flags = [f"-fsanitize={request.param}", "-fno-sanitize-recover=all"]
    folder = tmp_path_factory.mktemp("core")
    probe = folder / "probe.cpp"
    probe.write_text("int main() {}")
    if subprocess.run([GXX, *flags, probe, "-o", folder / "probe"], capture_output=True).returncode:
        pytest.skip(f"g++ has no -fsanitize={request.param}")
    objects = [folder / f"{source.stem}.o" for source in CORE]
    for source, compiled in zip(CORE, objects, strict=True):
        compile_([*flags, "-c", source, "-o", compiled])
    return flags, objects


@pytest.mark.slow
@pytest.mark.parametrize("kernel", SOURCES)
def test_emulated_kernel(kernel, sanitized, tmp_path):
    flags, core = sanitized
    program = tmp_path / kernel
    sources = [CSRC / "kernels" / source for source in SOURCES[kernel]]
    compile_([*flags, HERE / f"emulate_{kernel}.cpp", *sources, "-x", "none", *core, "-o", program])
    brief = ["brief"] if "-fsanitize=thread" in flags else []
    run = subprocess.run([program, *brief], capture_output=True, text=True, timeout=240)
    if "FATAL: ThreadSanitizer" in run.stderr:  # memory layout that this TSan cannot map
        pytest.skip(run.stderr.strip().splitlines()[0])
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    library = tmp_path_factory.mktemp("table") / "table.so"
    compile_(["-shared", "-fPIC", HERE / "table_api.cpp", "-o", library])
    return ctypes.CDLL(library)


def pointer(array):
    return array.ctypes.data_as(ctypes.c_void_p)


def filled(table, kind, mean, std):
    mean, std = (np.array(x, np.float32) for x in (mean, std))
    out = np.empty((3, 256), np.float32 if kind == "float32" else np.uint16)
    getattr(table, f"fill_{kind}")(pointer(mean), pointer(std), pointer(out))
    with np.errstate(over="ignore"):
        wanted = (np.arange(256, dtype=np.float32) / np.float32(255) - mean[:, None]) / std[:, None]
    return out, wanted


def parameters():
    random = np.random.default_rng(5)
    yield (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
    yield (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    yield (0, 0, 0), (1e-5, 1e5, 1e9)  # beyond float16's largest, subnormal, below the smallest
    yield (0, 0, 0), (1e-40, 1e38, -1e-3)
    for _ in range(200):
        yield random.normal(0.5, 0.3, 3), np.exp(random.uniform(-14, 14, 3))


@pytest.mark.parametrize("kind", ["float32", "float16", "bfloat16"])
def test_table_is_numpys_to_the_bit(table, kind):
    torch = pytest.importorskip("torch") if kind == "bfloat16" else None
    for mean, std in parameters():
        got, wanted = filled(table, kind, mean, std)
        with np.errstate(over="ignore"):
            if kind == "float16":
                wanted = wanted.astype(np.float16)
            elif torch is not None:
                wanted = torch.from_numpy(wanted).to(torch.bfloat16).view(torch.uint16).numpy()
        np.testing.assert_array_equal(got.view(np.uint8), wanted.view(np.uint8))


def every_kind_of_float():
    # All exponents and signs, with the mantissas at which rounding changes, and random ones.
    high = np.arange(1 << 16, dtype=np.uint32) << 16
    low = np.array(
        [0, 1, 0x0FFF, 0x1000, 0x1001, 0x2000, 0x7FFF, 0x8000, 0x8001, 0xFFFF], np.uint32
    )
    edges = (high[:, None] | np.array(low, np.uint32)).ravel()
    random = np.random.default_rng(6).integers(0, 1 << 32, 500_000, dtype=np.uint32)
    return np.concatenate([edges, random]).view(np.float32)


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_conversions_round_to_nearest_even(table, kind):
    values = every_kind_of_float()
    got = np.empty(values.shape, np.uint16)
    convert = getattr(table, f"convert_{kind}")
    convert(pointer(values), ctypes.c_int64(values.size), pointer(got))
    if kind == "float16":
        with np.errstate(over="ignore", invalid="ignore"):
            wanted = values.astype(np.float16).view(np.uint16)
        got_nan = (got & 0x7FFF) > 0x7C00
    else:
        torch = pytest.importorskip("torch")
        wanted = torch.from_numpy(values).to(torch.bfloat16).view(torch.uint16).numpy()
        got_nan = (got & 0x7FFF) > 0x7F80
    np.testing.assert_array_equal(got_nan, np.isnan(values))
    np.testing.assert_array_equal(got[~got_nan], wanted[~got_nan])
