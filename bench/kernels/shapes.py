"""Masks to bench with: people, hair, tiny objects; drawn from a seed."""

from __future__ import annotations

import numpy as np


def _smooth(rng: np.random.Generator, height: int, width: int, cell: int) -> np.ndarray:
    """Noise of about unit size that varies over `cell` pixels."""
    coarse = rng.standard_normal((height // cell + 2, width // cell + 2)).astype(np.float32)
    y, x = np.arange(height) / cell, np.arange(width) / cell
    iy, ix = y.astype(int), x.astype(int)
    fy, fx = (y - iy)[:, None].astype(np.float32), (x - ix)[None].astype(np.float32)
    top = coarse[iy][:, ix] * (1 - fx) + coarse[iy][:, ix + 1] * fx
    bottom = coarse[iy + 1][:, ix] * (1 - fx) + coarse[iy + 1][:, ix + 1] * fx
    return top * (1 - fy) + bottom * fy


def person(rng: np.random.Generator, height: int = 480, width: int = 640) -> np.ndarray:
    """uint8 (height, width): head, trunk, arms and legs with a ragged outline, about 800 runs."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    scale = height / 480 * rng.uniform(0.85, 1.0)
    cx, top = rng.uniform(0.4, 0.6) * width, 0.04 * height
    distance = np.full((height, width), np.inf, np.float32)
    parts = [(0, 45, 34, 44), (0, 165, 78, 95), (-70, 190, 24, 95), (70, 190, 24, 95)]
    parts += [(-34, 335, 34, 120), (36, 335, 34, 120), (-110, 140, 62, 20), (105, 150, 58, 22)]
    for dx, dy, rx, ry in parts:
        dx, dy = dx + rng.normal(0, 6), dy + rng.normal(0, 6)
        part = ((x - cx - dx * scale) / (rx * scale)) ** 2
        part += ((y - top - dy * scale) / (ry * scale)) ** 2
        distance = np.minimum(distance, part)
    rough = _smooth(rng, height, width, 6) * 0.08 + _smooth(rng, height, width, 2) * 0.02
    return (distance + rough < 1).astype(np.uint8)


def hair(rng: np.random.Generator, height: int = 1080, width: int = 1920) -> np.ndarray:
    """uint8 (height, width): a head with loose strands, about 38,000 runs."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    distance = ((x - width / 2) / (width * 0.34)) ** 2 + ((y - height / 2) / (height * 0.46)) ** 2
    strands = np.sin(x * 0.5 + y * 0.17 + 4 * _smooth(rng, height, width, 24))
    fringe = np.clip((distance - 0.35) / 0.65, 0, 1)
    return (strands * 0.5 + 0.5 > fringe * 1.02).astype(np.uint8)


def tiny(rng: np.random.Generator, height: int = 480, width: int = 640) -> np.ndarray:
    """uint8 (height, width): one object of 5 to 15 pixels a side, 10 to 30 runs."""
    mask = np.zeros((height, width), np.uint8)
    side_y, side_x = rng.integers(5, 16, 2)
    top, left = rng.integers(0, height - side_y), rng.integers(0, width - side_x)
    y, x = np.mgrid[-1 : 1 : side_y * 1j, -1 : 1 : side_x * 1j]
    mask[top : top + side_y, left : left + side_x] = y * y + x * x < 1
    return mask


def polygon(rng: np.random.Generator, height: int = 480, width: int = 640) -> list[float]:
    """x, y, x, y, ...: a person's outline as annotators draw it, 60 points."""
    angle = np.sort(rng.uniform(0, 2 * np.pi, 60))
    radius = 1 + 0.3 * np.sin(3 * angle) + rng.normal(0, 0.04, 60)
    x = width / 2 + 0.18 * width * radius * np.cos(angle)
    y = height / 2 + 0.34 * height * radius * np.sin(angle)
    return [float(v) for v in np.round(np.stack([x, y], 1).reshape(-1), 2)]
