"""Pictures to score, for the benches of the matting kernels."""

import numpy as np


def mattes(height, width, count=1, seed=0):
    """Prediction and truth float32 (count, height, width): people-like blobs with soft edges."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    gt = np.zeros((count, height, width))
    for matte in gt:
        cx, cy = rng.uniform(0.3, 0.7, 2)
        for _ in range(6):
            px, py = cx + rng.normal(0, 0.06), cy + rng.normal(0, 0.2)
            rx, ry = rng.uniform(0.05, 0.12), rng.uniform(0.1, 0.25)
            distance = np.sqrt(((x - px) / rx) ** 2 + ((y - py) / ry) ** 2)
            matte[:] = np.maximum(matte, np.clip((1.1 - distance) * 10, 0, 1))
        strands = rng.random((height, width)) < 0.02  # hair
        matte[strands & (matte > 0.02)] *= 0.6
    gt = (gt * 255).astype(np.uint8).astype(np.float32) / np.float32(255)
    edge = (gt > 0) & (gt < 1)
    pred = gt + edge * rng.normal(0, 0.05, gt.shape).astype(np.float32)
    return pred.clip(0, 1).astype(np.float32), gt
