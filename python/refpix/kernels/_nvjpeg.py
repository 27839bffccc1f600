"""Where nvJPEG's shared library may lie. It is opened at run time, never linked."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Final, NamedTuple

#: Newest first: a library of a newer CUDA than the driver's is skipped when it does not start.
_NAMES = ("libnvjpeg.so.13", "libnvjpeg.so.12", "libnvjpeg.so")
#: Environment variable that names the one library to use.
VARIABLE = "REFPIX_NVJPEG"


class Bound(NamedTuple):
    """How far nvJPEG's pixels may be from libjpeg-turbo's, in steps of 8-bit values.

    Attributes:
        largest: greatest difference of a value.
        mean: mean difference of a picture's values.
        share: greatest share of values that differ at all.
    """

    largest: int
    mean: float
    share: float


#: NOT MEASURED: no GPU has run this code yet. These are guesses for the tests on a GPU to start
#: with; ``bench/gpu/jpeg_bound.py`` prints what is true of a machine, and what to write here.
BOUND: Final = Bound(largest=32, mean=1.0, share=0.75)


def _packages(name: str) -> list[Path]:
    """Folders of an installed package, without importing it."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return []
    return [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec else []


def _in_wheels() -> list[Path]:
    """The wheels ``nvidia-nvjpeg`` (CUDA 13) and ``nvidia-nvjpeg-cu12``."""
    folders = _packages("nvidia")
    inside = ("cu13/lib", "nvjpeg/lib")
    return [path for folder in folders for part in inside for path in _libraries(folder / part)]


def _in_torchvision() -> list[Path]:
    """What auditwheel put beside torchvision."""
    return [
        path
        for folder in _packages("torchvision")
        for path in _libraries(folder.parent / "torchvision.libs")
    ]


def _in_toolkits() -> list[Path]:
    homes = [os.environ.get(name) for name in ("CUDA_HOME", "CUDA_PATH")]
    folders = [Path(home) for home in [*homes, "/usr/local/cuda"] if home]
    return [path for folder in folders for path in _libraries(folder / "lib64")]


def _libraries(folder: Path) -> list[Path]:
    return sorted(folder.glob("libnvjpeg[.-]*so*"), reverse=True)


def candidates(path: str | None = None) -> list[str]:
    """Libraries to try, in order: paths, then names for the system's search.

    Args:
        path: use this one and no other; None: the one that ``REFPIX_NVJPEG`` names, or else the
            wheel ``nvidia-nvjpeg``, torchvision's copy, the system's, the CUDA toolkit's.
    """
    forced = path or os.environ.get(VARIABLE)
    if forced:
        return [forced]
    found = [*_in_wheels(), *_in_torchvision()]
    ordered = [*map(str, found), *_NAMES, *map(str, _in_toolkits())]
    return list(dict.fromkeys(ordered))
