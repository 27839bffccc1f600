"""Which machine, GPU, driver, versions and commit a run was made with. As a program: as JSON."""

from __future__ import annotations

import datetime
import json
import os
import platform
import re
import subprocess
from importlib import metadata
from pathlib import Path

import refpix.cuda
from refpix.kernels import active_isa

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = re.compile(r"(refpix|numpy|pillow|torch|torchvision|nvidia-(dali|nvjpeg|nvimgcodec).*)$")


def _output(*command: str) -> str:
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def commit() -> str:
    """What refpix was built of: REFPIX_COMMIT, the file COMMIT of a carried folder, or git's HEAD.

    With ``-dirty`` where files differ from it; empty if nobody knows.
    """
    if os.environ.get("REFPIX_COMMIT"):
        return os.environ["REFPIX_COMMIT"]
    if (ROOT / "COMMIT").is_file():
        return (ROOT / "COMMIT").read_text().strip()
    if _output("git", "rev-parse", "--show-toplevel") != str(ROOT):
        return ""
    changed = _output("git", "status", "--porcelain", "--untracked-files=no")
    return _output("git", "rev-parse", "--short=12", "HEAD") + ("-dirty" if changed else "")


def nvjpeg() -> dict[str, object] | None:
    """nvJPEG's library and engines as the decoder found them, or why it found none."""
    decoder_class = getattr(refpix.cuda, "JpegDecoder", None)
    if decoder_class is None or not refpix.cuda.is_available():
        return None
    with decoder_class() as decoder:
        return {
            "library": decoder.library,
            "engines": list(decoder.engines),
            "unavailable": decoder.unavailable,
        }


def _cpu() -> str:
    found = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    return found[1] if found else platform.machine()


def machine() -> dict[str, object]:
    """All of it, for a report."""
    info = refpix.cuda.build_info()
    versions = {
        name: one.version
        for one in metadata.distributions()
        if PACKAGES.match(name := (one.metadata["Name"] or "").lower())
    }
    driver = _output("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader")
    found: dict[str, object] = {
        "gpu": refpix.cuda.device_name() if refpix.cuda.is_available() else None,
        "driver": driver.splitlines()[0] if driver else None,
        "cuda_runtime": info.cuda_version,
        "architectures": list(info.architectures),
        "unavailable": info.unavailable,
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "isa": active_isa(),
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
        "versions": dict(sorted(versions.items())),
        "commit": commit(),
        "date": datetime.date.today().isoformat(),
    }
    try:
        found["nvjpeg"] = nvjpeg()
    except Exception as error:  # whatever a foreign library does: the rest is still worth knowing
        found["nvjpeg"] = {"unavailable": f"{type(error).__name__}: {error}"}
    try:
        import torch
    except ImportError:
        return found
    found["torch_cuda"] = torch.version.cuda
    return found


def describe(where: dict) -> str:
    return (
        f"{where['gpu'] or 'no GPU'}, driver {where['driver'] or 'unknown'}, CUDA "
        f"{where['cuda_runtime']}; {where['cpu']}, {where['cores']} cores; "
        f"refpix {where['commit'] or 'of an unknown commit'}"
    )


def add_section(path: Path, name: str, section: dict) -> None:
    """Puts a report beside those of the other benches; each names its own machine and commit."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sections = json.loads(path.read_text()) if path.exists() else {}
    sections[name] = section
    path.write_text(json.dumps(sections, indent=1) + "\n")
    print(f"\nwritten: {os.path.relpath(path)} ({name})")


if __name__ == "__main__":
    print(json.dumps(machine(), indent=1))
