"""Mattes to test with."""

import numpy as np

SHAPES = [(1, 1), (1, 9), (7, 1), (5, 8), (13, 63), (9, 64), (11, 65), (40, 130)]


def smooth(rng, count, height, width):
    """float32 (count, height, width): soft blobs over 0, with grey levels of 255 and flat parts."""
    y, x = np.mgrid[:height, :width]
    mattes = np.zeros((count, height, width))
    for matte in mattes:
        for _ in range(3):
            cy, cx = rng.uniform(0, height), rng.uniform(0, width)
            r = rng.uniform(1, 1 + max(height, width) / 3)
            matte[:] = np.maximum(matte, 1.6 - np.hypot(y - cy, x - cx) / r)
    return (mattes.clip(0, 1) * 255).round().astype(np.float32) / np.float32(255)


def noise(rng, count, height, width):
    """The same without any order, with many equal values and values on the thresholds."""
    values = rng.choice(np.linspace(0, 1, 11), (count, height, width))
    return np.where(rng.random(values.shape) < 0.5, rng.random(values.shape), values).astype(
        np.float32
    )


def pair(seed, count, height, width):
    """Prediction, truth and trimap."""
    rng = np.random.default_rng(seed)
    draw = smooth if seed % 2 else noise
    gt = draw(rng, count, height, width)
    pred = (gt + rng.normal(0, 0.1, gt.shape)).clip(0, 1).astype(np.float32)
    trimap = rng.integers(0, 3, gt.shape, dtype=np.uint8)
    return pred, gt, trimap
