"""Drawn inputs of the HIM generators, to be spoilt on purpose, and ways to compare results."""

import hashlib

import numpy as np
from PIL import Image


def sha256(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def expected_hash(entry, order):
    return entry.get("pillow12", entry["pixels_sha256"]) if order == "pillow12" else (
        entry["pixels_sha256"]
    )  # fmt: skip


class Drawn:
    """Folders of drawn people and backgrounds, for runs that are spoilt on purpose."""

    def __init__(self, root):
        self.root = root
        rng = np.random.default_rng(0)
        for folder in ("fg/images", "fg/alphas", "bg"):
            (root / folder).mkdir(parents=True)
        for i in range(6):
            height, width = 60 + 5 * i, 30 + 3 * i
            y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
            matte = np.clip((0.9 - np.hypot(x, y)) * 9, 0, 1) * 255
            colour = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
            Image.fromarray(colour).save(root / f"fg/images/p{i}.jpg")
            Image.fromarray(matte.astype(np.uint8)).save(root / f"fg/alphas/p{i}.png")
        for i in range(3):
            pixels = rng.integers(0, 256, (90, 150, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / f"bg/b{i}.jpg")

    @property
    def foregrounds(self):
        return sorted(str(path) for path in (self.root / "fg/images").iterdir())

    @property
    def backgrounds(self):
        return sorted(str(path) for path in (self.root / "bg").iterdir())

    def matte(self, i):
        return self.root / f"fg/alphas/p{i}.png"


def tree(root):
    """Every file below a folder and its bytes."""
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in files}
