"""Inputs for the synthesis bench, made from a seed: people-like mattes, photo-like pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from photos import photo
from PIL import Image
from tqdm import tqdm

BACKGROUND = (1080, 1920)  # height, width
FOREGROUND = (1600, 1000)
VIDEO = (720, 1280)
FRAMES = 12


def matte(rng: np.random.Generator, height: int, width: int, shift: float = 0.0) -> np.ndarray:
    """uint8 (height, width): a body of soft-edged ellipses, with frayed hair."""
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(0, 1, width, dtype=np.float32)[None, :] - np.float32(shift)
    parts = [  # centre x, y, radius x, y, softness of the edge
        (0.5, 0.20, 0.13, 0.11, 0.10),  # head
        (0.5, 0.50, 0.24, 0.24, 0.02),  # trunk
        (0.28, 0.48, 0.07, 0.26, 0.03),  # arms
        (0.72, 0.48, 0.07, 0.26, 0.03),
        (0.42, 0.80, 0.09, 0.19, 0.02),  # legs
        (0.58, 0.80, 0.09, 0.19, 0.02),
    ]
    alpha = np.zeros((height, width), np.float32)
    for cx, cy, rx, ry, soft in parts:
        cx, cy = cx + rng.normal(0, 0.01), cy + rng.normal(0, 0.01)
        distance = np.hypot((x - cx) / rx, (y - cy) / ry)
        alpha = np.maximum(alpha, np.clip((1 - distance) / soft + 0.5, 0, 1))
    edge = (alpha > 0) & (alpha < 1)
    alpha[edge] = np.clip(alpha[edge] + rng.normal(0, 0.08, np.count_nonzero(edge)), 0, 1)
    return (alpha * 255 + 0.5).astype(np.uint8)


def write_images(root: Path, foregrounds: int = 10, backgrounds: int = 5, seed: int = 0) -> Path:
    """``fg/images``, ``fg/alphas``, ``bg``, ``invalid.txt``; does nothing when they are there."""
    if (root / "invalid.txt").exists():
        return root
    rng = np.random.default_rng(seed)
    for folder in ("fg/images", "fg/alphas", "bg"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for i in tqdm(range(foregrounds), desc="making foregrounds", unit="picture"):
        height, width = (int(side * rng.uniform(0.9, 1.1)) for side in FOREGROUND)
        pixels = Image.fromarray(photo(rng, height, width))
        pixels.save(root / "fg/images" / f"p{i:03d}.jpg", quality=90)
        Image.fromarray(matte(rng, height, width)).save(root / "fg/alphas" / f"p{i:03d}.png")
    for i in tqdm(range(backgrounds), desc="making backgrounds", unit="picture"):
        Image.fromarray(photo(rng, *BACKGROUND)).save(root / "bg" / f"b{i:03d}.jpg", quality=90)
    (root / "invalid.txt").write_text("")
    return root


def write_videos(root: Path, videos: int = 5, seed: int = 1) -> Path:
    """A video tree with ``fg_train.txt`` and ``bg_train.txt``: FRAMES + 4 frames per video."""
    if (root / "bg_train.txt").exists():
        return root
    rng = np.random.default_rng(seed)
    names = []
    for i in tqdm(range(videos), desc="making videos", unit="video"):
        name = f"VM/train/fgr/v{i}"
        colour, alpha = root / name, root / name.replace("/fgr/", "/pha/")
        colour.mkdir(parents=True, exist_ok=True)
        alpha.mkdir(parents=True, exist_ok=True)
        texture = photo(rng, *VIDEO)
        for frame in range(FRAMES + 4):
            plane = np.zeros(VIDEO, np.uint8)
            plane[20:, 320:960] = matte(rng, VIDEO[0] - 20, 640, 0.01 * np.sin(frame))
            Image.fromarray(plane).save(alpha / f"{frame:04d}.png")
            # In front of a plain screen, as the sources of V-HIM are filmed.
            picture = Image.new("RGB", VIDEO[::-1], (20, 150, 60))
            person = Image.fromarray(np.roll(texture, 3 * frame, axis=1))
            picture.paste(person, (0, 0), Image.fromarray(plane))
            picture.save(colour / f"{frame:04d}.jpg", quality=90)
        names.append(name)
    backgrounds = root / "bgv/b0"
    backgrounds.mkdir(parents=True, exist_ok=True)
    texture = photo(rng, *VIDEO)
    for frame in range(FRAMES + 4):
        picture = Image.fromarray(np.roll(texture, frame, axis=1))
        picture.save(backgrounds / f"{frame:04d}.jpg", quality=90)
    (root / "bg").mkdir(exist_ok=True)
    Image.fromarray(photo(rng, *VIDEO)).save(root / "bg/im0.jpg", quality=90)
    (root / "fg_train.txt").write_text("".join(f"{name}\n" for name in names))
    (root / "bg_train.txt").write_text("bg/im0.jpg\nbgv/b0\n")
    return root
