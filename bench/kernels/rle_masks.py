"""Masks as the RLE benches need them, and the rivals that are installed."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Callable
from types import ModuleType
from typing import TypeVar

import numpy as np

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


def people(count: int, height: int = 480, width: int = 640, seed: int = 0) -> np.ndarray:
    """uint8 (count, height, width): a head, a body and limbs with rough edges; some 800 runs."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    masks = np.zeros((count, height, width), np.uint8)
    for mask in masks:
        cx = rng.uniform(0.45, 0.55) * width
        parts = [(cx, 0.15 * height, 0.07 * width, 0.1 * height, 0)]
        parts.append((cx, 0.45 * height, 0.13 * width, 0.25 * height, rng.uniform(-0.2, 0.2)))
        for side in (-1, 1):
            arm = rng.uniform(0.2, 1.0)
            parts.append(
                (cx + side * 0.17 * width, 0.4 * height, 0.035 * width, 0.2 * height, -side * arm)
            )
            leg = rng.uniform(0.0, 0.3)
            parts.append(
                (cx + side * 0.08 * width, 0.8 * height, 0.04 * width, 0.2 * height, -side * leg)
            )
        ripple = 1 + 0.05 * np.sin(x / 3 + rng.uniform(0, 6)) * np.sin(y / 4)
        for px, py, rx, ry, turn in parts:
            u = (x - px) * np.cos(turn) + (y - py) * np.sin(turn)
            v = (y - py) * np.cos(turn) - (x - px) * np.sin(turn)
            mask[(u / rx) ** 2 + (v / ry) ** 2 < ripple] = 1
    return masks


def hair(count: int, height: int = 1080, width: int = 1920, seed: int = 0) -> np.ndarray:
    """uint8 (count, height, width): a head whose rim is strands; some 38,000 runs."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    masks = np.zeros((count, height, width), np.uint8)
    for mask in masks:
        u = (x - 0.5 * width) / (0.3 * width)
        v = (y - 0.5 * height) / (0.42 * height)
        radius = np.hypot(u, v)
        angle = np.arctan2(v, u)
        strands = np.sin(angle * 105 + 9 * radius + rng.uniform(0, 6)) + 0.4 * np.sin(angle * 31)
        mask[(radius < 0.62) | ((radius < 1.12) & (strands > 0.1))] = 1
    return masks


def specks(count: int, height: int = 480, width: int = 640, seed: int = 0) -> np.ndarray:
    """uint8 (count, height, width): one disc of 8 pixels radius each."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    centres = rng.uniform((20, 20), (height - 20, width - 20), (count, 2))
    return np.stack([np.hypot(y - cy, x - cx) < 8 for cy, cx in centres]).astype(np.uint8)


SCENES = {
    "640x480 people": lambda: people(8),
    "1080p hair": lambda: hair(2),
    "640x480 tiny objects": lambda: specks(8),
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
