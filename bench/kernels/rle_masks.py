"""Masks as the RLE benches need them, and the rivals that are installed."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Callable
from types import ModuleType
from typing import TypeVar

import numpy as np
import shapes

from refpix.kernels import rle_to_string

T = TypeVar("T")
RIVALS = ("pycocotools", "faster_coco_eval", "hotcoco", "ultrafast_pycocotools")


def rivals() -> dict[str, ModuleType]:
    """Modules with the functions of pycocotools.mask, by package, of those that are there."""
    found = {}
    for name in RIVALS:
        module = "faster_coco_eval.core.mask" if name == "faster_coco_eval" else f"{name}.mask"
        try:
            found[name] = importlib.import_module(module)
        except ImportError:
            print(f"{name}: not installed")
    return found


def drawn(
    draw: Callable[..., np.ndarray], count: int, height: int, width: int, seed: int = 0
) -> np.ndarray:
    """uint8 (count, height, width): masks by a function of `shapes`."""
    rng = np.random.default_rng(seed)
    return np.stack([draw(rng, height, width) for _ in range(count)])


SCENES = {
    "640x480 people": lambda: drawn(shapes.person, 8, 480, 640),
    "1080p hair": lambda: drawn(shapes.hair, 2, 1080, 1920),
    "640x480 tiny objects": lambda: drawn(shapes.tiny, 8, 480, 640),
}


def rles_of(batch: tuple[np.ndarray, np.ndarray, np.ndarray]) -> list[dict]:
    """Columns as COCO's dicts."""
    counts, offsets, sizes = batch
    text, ends = rle_to_string(counts, offsets)
    return [
        {"size": size, "counts": text[a:b].tobytes()}
        for size, (a, b) in zip(sizes.tolist(), itertools.pairwise(ends), strict=True)
    ]


def cycled(items: list[T], way: Callable[[T], object]) -> Callable[[], object]:
    """Calls `way` with the next item each time, round and round."""
    endless = itertools.cycle(items)
    return lambda: way(next(endless))
