"""Photo-like pictures and a RefHCM file of them, made from a seed."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

# COCO's usual shapes, height x width, as often as RefCOCO has them (roughly).
SHAPES = ((480, 640),) * 4 + ((427, 640),) * 4 + ((640, 480),) * 2 + ((640, 427),) * 2
QUALITY = 94  # gives 4.15 bits per pixel, about 146 KB a picture


def photo(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """uint8 (height, width, 3): a 1/f spectrum as photographs have, edges, shading and grain."""
    fy = np.fft.fftfreq(height)[:, None]
    fx = np.fft.rfftfreq(width)[None, :]
    falloff = 1 / np.maximum(np.hypot(fy, fx), 1 / max(height, width)) ** 1.3

    def texture() -> np.ndarray:
        phase = rng.standard_normal((height, width // 2 + 1, 2)) @ np.array([1, 1j])
        field = np.fft.irfft2(phase * falloff, s=(height, width))
        return field / field.std()

    y, x = np.mgrid[0:height, 0:width]
    luma = 118 + 38 * texture()
    for _ in range(12):
        angle, offset = rng.uniform(0, np.pi), rng.uniform(-0.4, 0.4)
        side = np.cos(angle) * (x / width - 0.5) + np.sin(angle) * (y / height - 0.5) > offset
        near = np.hypot(x - rng.uniform(0, width), y - rng.uniform(0, height)) < rng.uniform(
            30, 200
        )
        luma += rng.normal(0, 22) * (side & near)
    luma += rng.normal(0, rng.uniform(1.0, 9.0), luma.shape)
    blue, red = 5 * texture(), 5 * texture()
    rgb = np.stack([luma + 1.4 * red, luma - 0.34 * blue - 0.71 * red, luma + 1.77 * blue], axis=2)
    return np.clip(rgb, 0, 255).astype(np.uint8)


def jpeg(rng: np.random.Generator, height: int, width: int) -> bytes:
    """A photo-like picture as a 4:2:0 JPEG file."""
    buffer = io.BytesIO()
    Image.fromarray(photo(rng, height, width)).save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def _row(rng: np.random.Generator, i: int) -> str:
    """Row i of a REC file."""
    height, width = SHAPES[i % len(SHAPES)]
    text = base64.b64encode(jpeg(rng, height, width)).decode()
    x, y = rng.uniform(0, width / 2), rng.uniform(0, height / 2)
    box = f"{x:.2f},{y:.2f},{x + width / 3:.2f},{y + height / 3:.2f}"
    return f"{i}_0\t{i}\tperson number {i}\t{box}\t{text}\n"


def _own_row(i: int) -> str:
    return _row(np.random.default_rng((0, i)), i)


def _write(path: Path, count: int, rows: Iterable[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("w", newline="\n") as file:
        for row in tqdm(rows, desc=f"making {path.name}", unit="picture", total=count):
            file.write(row)
    partial.rename(path)


def write_rec(path: Path, count: int, seed: int = 0) -> None:
    """A REC file of ``count`` rows; does nothing when it is there already."""
    if not path.exists():
        rng = np.random.default_rng(seed)
        _write(path, count, (_row(rng, i) for i in range(count)))


def write_rec_on_all_cores(path: Path, count: int) -> None:
    """The same kind of rows, each of a seed of its own, so that processes can share the work."""
    if path.exists():
        return
    # Spawned: the program that asks may hold CUDA or threads, which no fork survives.
    with get_context("spawn").Pool() as pool:
        _write(path, count, pool.imap(_own_row, range(count), 4))
