"""alpha_errors and alpha_temporal against NumPy, over four regions."""

import numpy as np
from mattes import mattes
from timing import compare

from refpix.kernels import alpha_errors, alpha_temporal, isas, trimap_from_alpha, use_isa


def errors(pred, gt, trimap):
    """Four regions, one pass each, as separate metric objects make them."""
    found = []
    for mask in (np.ones_like(gt), *((trimap == i).astype(np.float32) for i in range(3))):
        difference = pred - gt
        absolute = (np.abs(difference) * mask).sum(axis=(1, 2))
        squared = (difference**2 * mask).sum(axis=(1, 2))
        found.append((mask.sum(axis=(1, 2)), absolute, squared))
    return found


def temporal(pred, gt):
    change = np.diff(pred, axis=0) - np.diff(gt, axis=0)
    return (change**2).sum(axis=(2, 3))


def in_turns(title, plain, kernel):
    ways = {"NumPy": plain}
    for isa in isas()[:2]:

        def native(isa=isa):
            with use_isa(isa):
                kernel()

        ways[f"native, {isa}"] = native
    compare(title, ways)


def main():
    pred, gt = mattes(1080, 1920, 2)
    trimap = trimap_from_alpha(gt)
    want = errors(pred, gt, trimap)
    got = alpha_errors(pred, gt, trimap=trimap)
    for region in range(3):
        for numbers, plain in zip(got, want[region + 1], strict=True):
            np.testing.assert_allclose(numbers[:, region], plain, rtol=1e-4)
    in_turns(
        "alpha_errors, 2 maps of 1080x1920, four regions",
        lambda: errors(pred, gt, trimap),
        lambda: alpha_errors(pred, gt, trimap=trimap),
    )
    in_turns(
        "alpha_errors without trimap",
        lambda: (np.abs(pred - gt).sum(), ((pred - gt) ** 2).sum()),
        lambda: alpha_errors(pred, gt),
    )
    clip = pred[:, None], gt[:, None]
    np.testing.assert_allclose(alpha_temporal(*clip)[1][..., 0], temporal(*clip), rtol=1e-4)
    in_turns("alpha_temporal", lambda: temporal(*clip), lambda: alpha_temporal(*clip))


if __name__ == "__main__":
    main()
