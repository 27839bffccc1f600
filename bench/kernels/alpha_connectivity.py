"""alpha_connectivity against the published steps in scikit-image (or SciPy) and NumPy."""

import itertools
from functools import partial

import numpy as np
from mattes import mattes
from timing import compare

from refpix.kernels import alpha_connectivity, isas, use_isa

try:
    from skimage.measure import label as skimage_label
except ImportError:
    from scipy import ndimage

    LABELS_BY = "scipy"
    label = ndimage.label
else:
    LABELS_BY = "scikit-image"
    label = partial(skimage_label, connectivity=1, return_num=True)


def published(pred, gt):
    """One map: ten labelings, the level of every pixel, both connectivities."""
    level = np.full(gt.shape, -1, np.float32)
    for below, step in itertools.pairwise(np.arange(0, 1.1, 0.1)):
        parts, count = label((gt >= step) & (pred >= step))
        largest = np.zeros(gt.shape, bool)
        if count > 0:
            largest = parts == np.argmax(np.bincount(parts.reshape(-1))[1:]) + 1
        level[(level == -1) & ~largest] = below
    level[level == -1] = 1

    def phi(alpha):
        difference = alpha - level
        return 1 - difference * (difference >= np.float32(0.15))

    return np.abs(phi(pred) - phi(gt)).sum(dtype=np.float64)


def main():
    for height, width in ((512, 512), (1080, 1920)):
        pred, gt = mattes(height, width)
        want = published(pred[0], gt[0])
        np.testing.assert_allclose(alpha_connectivity(pred, gt)[0, 0], want, rtol=1e-9)
        ways = {f"published steps, {LABELS_BY}": lambda p=pred, g=gt: published(p[0], g[0])}
        for isa in isas():

            def native(isa=isa, p=pred, g=gt):
                with use_isa(isa):
                    alpha_connectivity(p, g)

            ways[f"alpha_connectivity, {isa}"] = native
        compare(f"{height}x{width}", ways, rounds=7)


if __name__ == "__main__":
    main()
