"""alpha_gradient against the published steps in scipy, and in torch as published."""

from functools import partial

import numpy as np
from mattes import mattes
from scipy import ndimage
from timing import compare

from refpix.kernels import alpha_gradient, isas, use_isa

try:
    import torch
except ImportError:
    torch = None


def published_filter():
    x = np.arange(-4, 5)
    smooth = np.exp(-(x**2) / (2 * 1.4**2)) / (1.4 * np.sqrt(2 * np.pi))
    both = np.outer(smooth, -x * smooth / 1.4**2)
    return (both / np.sqrt((both**2).sum())).astype(np.float32)


FILTER = published_filter()


def stretched(alpha):
    low = alpha.min()
    return (alpha - low) / (alpha.max() - low + 1e-6)


def by_scipy(pred, gt):
    def magnitude(alpha):
        x = ndimage.correlate(alpha, FILTER, mode="constant")
        y = ndimage.correlate(alpha, FILTER.T, mode="constant")
        return np.sqrt(x**2 + y**2)

    return ((magnitude(stretched(gt[0])) - magnitude(stretched(pred[0]))) ** 2).sum()


def by_torch(pred, gt):
    filters = torch.from_numpy(np.stack([FILTER, FILTER.T]))[:, None]

    def magnitude(alpha):
        both = torch.nn.functional.conv2d(alpha[:, None], filters, padding=4)
        return torch.sqrt(both[:, 0] ** 2 + both[:, 1] ** 2)

    p, g = (magnitude(stretched(torch.from_numpy(a))) for a in (pred, gt))
    return ((g - p) ** 2).sum().item()


WAYS = {"published steps, scipy": by_scipy}
if torch is not None:
    torch.set_num_threads(1)
    WAYS["published steps, torch"] = by_torch


def ours(pred, gt):
    return alpha_gradient(pred, gt, normalize="batch", padding="zero")


def main():
    for height, width in ((512, 512), (1080, 1920)):
        pred, gt = mattes(height, width)
        for way in WAYS.values():
            np.testing.assert_allclose(ours(pred, gt)[0, 0], way(pred, gt), rtol=1e-4)
        ways = {name: partial(way, pred, gt) for name, way in WAYS.items()}
        for isa in isas():

            def native(isa=isa, p=pred, g=gt):
                with use_isa(isa):
                    ours(p, g)

            ways[f"alpha_gradient, {isa}"] = native
        compare(f"{height}x{width}", ways, rounds=7)


if __name__ == "__main__":
    main()
