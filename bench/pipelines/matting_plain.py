"""The published synthesis steps in plain Pillow and NumPy: what ours is measured against.

Written from the description of the steps (docs/synthesis.md), one after the other, without care for
speed but for what Pillow and NumPy give by themselves.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

ATTEMPTS = 3


def _box(plane: np.ndarray) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 of what is not zero."""
    return Image.fromarray(((plane > 0) * 1).astype(np.uint8)).getbbox()


def _place(rs, stack, i, matte, canvas_size):
    """Trial positions of one foreground: the new stack and the position, or None."""
    width, height = canvas_size
    for _ in range(ATTEMPTS):
        try:
            x = rs.randint(0, width - matte.width)
            y = rs.randint(0, height - matte.height)
        except ValueError:
            return None
        trial = stack.copy()
        trial[i, y : y + matte.height, x : x + matte.width] = np.array(matte) / 255.0
        for j in range(i):
            trial[j] *= 1 - trial[i]
        new, old = trial.sum((1, 2)), stack.sum((1, 2))
        if not np.any((old > 0) & (new / (old + 1e-7) < 0.7)):
            return trial, x, y
    return None


def image(sample: int, foregrounds: list[str], backgrounds: list[str], out: Path, slow_sum: bool):
    """One sample written to ``out``; ``slow_sum`` adds planes up in the interpreter."""
    rs = np.random.RandomState(sample)
    count = rs.randint(2, 5)
    paths = rs.choice(foregrounds, size=(count,), replace=False)
    colours = [Image.open(path).convert("RGB") for path in paths]
    mattes = [
        Image.open(path.replace("images", "alphas").replace(".jpg", ".png")).convert("L")
        for path in paths
    ]
    for i in range(count):
        box = _box(np.array(mattes[i]))
        colours[i], mattes[i] = colours[i].crop(box), mattes[i].crop(box)
    composite = Image.open(rs.choice(backgrounds))
    background = composite.copy()
    width, height = composite.size
    for i in range(count):
        scale = rs.uniform(0.5, 0.9) * height / colours[i].height
        size = int(colours[i].width * scale), int(colours[i].height * scale)
        colours[i], mattes[i] = colours[i].resize(size), mattes[i].resize(size)
    stack = np.zeros((count, height, width), np.float32)
    canvases = []
    for i in range(count):
        placed = _place(rs, stack, i, mattes[i], (width, height))
        if placed is None:
            canvases.append(None)
            continue
        stack, x, y = placed
        composite.paste(colours[i], (x, y), mattes[i])
        canvas = Image.new("RGB", (width, height), (0, 0, 0))
        canvas.paste(colours[i], (x, y))
        canvases.append(canvas)
    if stack.sum() == 0:
        return
    for folder, picture in (("images", composite), ("bg", background)):
        (out / folder).mkdir(parents=True, exist_ok=True)
        picture.save(out / folder / f"{sample}.jpg")
    for folder in ("alphas", "fg"):
        (out / folder / str(sample)).mkdir(parents=True, exist_ok=True)
    k = 0
    for plane, canvas in zip(stack, canvases, strict=True):
        if (sum(plane.flatten()) if slow_sum else plane.sum()) == 0:
            continue
        matte = Image.fromarray((plane * 255).astype(np.uint8))
        matte.save(out / "alphas" / str(sample) / f"{k}.png")
        canvas.save(out / "fg" / str(sample) / f"{k}.jpg")
        k += 1
