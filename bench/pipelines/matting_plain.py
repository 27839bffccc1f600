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


def _frames(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def _video_box(paths: list[Path]) -> tuple[int, int, int, int]:
    """x, y, width, height around the mattes of all frames; an empty one counts as the origin."""
    boxes = [_box(np.array(Image.open(path).convert("L"))) or (0, 0, 0, 0) for path in paths]
    x0, y0 = min(b[0] for b in boxes), min(b[1] for b in boxes)
    return x0, y0, max(b[2] for b in boxes) - x0, max(b[3] for b in boxes) - y0


def video(name: int, level: str, root: Path, lists: dict[str, list[str]], clip: int, out: Path):
    """One clip written to ``out``; the number of frames, 0 where it is rejected."""
    rs = np.random.RandomState(name)
    count = min(rs.randint(2, 5), 3) if level == "easy" else rs.randint(2, 5)
    names = rs.choice(lists["videos"], count, replace=False)
    if rs.rand() < 0.5:
        while True:
            backgrounds = [root / rs.choice(lists["pictures"])]
            width, height = Image.open(backgrounds[0]).size
            if width > height:
                break
    else:
        backgrounds = _frames(root / rs.choice(lists["folders"]))
        width, height = Image.fromarray(np.array(Image.open(backgrounds[0]))).size
    frames = min(clip, *(len(_frames(root / n)) for n in names))
    starts, boxes = [], []
    for n in names:
        mattes = _frames(root / n.replace("/fgr/", "/pha/"))
        start = 0 if len(mattes) == frames else rs.randint(0, len(mattes) - frames)
        starts.append(start)
        boxes.append(_video_box(mattes[start : start + frames]))
    aspects = [w / h for _, _, w, h in boxes]
    ratios = []
    for (_, _, w, h), aspect in zip(boxes, aspects, strict=True):
        ratio = width * (aspect / sum(aspects)) / w
        if level != "easy":
            ratio *= rs.uniform(1, 1.5 if level == "medium" else 2)
        if ratio * h > height:
            ratio = height / h * rs.uniform(0.8, 1)
        ratios.append(ratio)
    places, x = [], 0
    for (_, _, w, h), ratio in zip(boxes, ratios, strict=True):
        size = int(w * ratio), int(h * ratio)
        left = x if level == "easy" else x + rs.randint(0, width // 2) * rs.choice([-1, 1])
        left = max(min(left, width - size[0]), 0)
        places.append((left, height - size[1], size))
        x = left + size[0]
    first = rs.randint(0, len(backgrounds) - 1) if len(backgrounds) > 1 else 0
    most, hidden = {"medium": 0.3, "hard": 0.85}.get(level, 2), 0.0
    for t in range(frames):
        path = backgrounds[min(first + t, len(backgrounds) - 1)]
        picture = Image.open(path).convert("RGB")
        stack = []
        for n, start, (bx, by, bw, bh), (px, py, size) in zip(
            names, starts, boxes, places, strict=True
        ):
            matte = Image.open(_frames(root / n.replace("/fgr/", "/pha/"))[start + t]).convert("L")
            colour = Image.open(_frames(root / n)[start + t]).convert("RGB")
            crop = (bx, by, bx + bw, by + bh)
            matte = matte.crop(crop).resize(size, Image.Resampling.BILINEAR)
            colour = colour.crop(crop).resize(size, Image.Resampling.BILINEAR)
            picture.paste(colour, (px, py), matte)
            plane = Image.new("L", (width, height), 0)
            plane.paste(matte, (px, py))
            stack.append(np.array(plane) / 255.0)
            for j in range(len(stack) - 1):
                left = stack[j] * (1 - stack[-1])
                if stack[j].sum() > 0:
                    share = 1 - left.sum() / (stack[j].sum() + 1e-7)
                    if share > most:
                        return 0
                    hidden = max(hidden, share)
                stack[j] = left
        (out / "fgr" / f"{name:05d}").mkdir(parents=True, exist_ok=True)
        (out / "pha" / f"{name:05d}" / f"{t:05d}").mkdir(parents=True, exist_ok=True)
        picture.save(out / "fgr" / f"{name:05d}" / f"{t:05d}.jpg")
        for k, plane in enumerate(stack):
            matte = Image.fromarray((plane * 255).astype(np.uint8))
            matte.save(out / "pha" / f"{name:05d}" / f"{t:05d}" / f"{k:02d}.png")
    return 0 if hidden < {"medium": 0.05, "hard": 0.5}.get(level, -1) else frames
