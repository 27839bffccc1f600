import itertools

import numpy as np
import pytest
from scipy import ndimage
from tests.kernels import alpha_pair_cases as cases
from tests.kernels.drawn_mattes import SHAPES, pair

from refpix.kernels import alpha_connectivity, isas, use_isa

backends = pytest.mark.parametrize("backend", alpha_connectivity.backends())


def by_scipy(pred, gt, trimap):
    """The published steps."""
    levels = np.full(gt.shape, -1, np.float32)
    steps = np.arange(0, 1.1, 0.1)
    for p, g, level in zip(pred, gt, levels, strict=True):
        for below, step in itertools.pairwise(steps):
            parts, _ = ndimage.label((g >= step) & (p >= step))
            sizes = np.bincount(parts.reshape(-1))[1:]
            outside = parts != (np.argmax(sizes) + 1 if sizes.size else -1)
            level[(level == -1) & outside] = below
    levels[levels == -1] = 1

    def phi(alpha):
        difference = alpha - levels
        return 1 - difference * (difference >= np.float32(0.15))

    error = np.abs(phi(pred) - phi(gt)).astype(np.float64)
    return np.stack([(error * (trimap == i)).sum(axis=(1, 2)) for i in range(3)], axis=1)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_every_isa_is_the_reference_to_the_bit(shape, seed):
    pred, gt, trimap = pair(seed, 2, *shape)
    for labels in (None, trimap):
        want = alpha_connectivity(pred, gt, trimap=labels, backend="reference")
        for isa in isas():
            with use_isa(isa):
                got = alpha_connectivity(pred, gt, trimap=labels, num_threads=2)
            np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("seed", range(6))
def test_published_steps(seed):
    pred, gt, trimap = pair(seed, 2, 90, 131)
    got = alpha_connectivity(pred, gt, trimap=trimap)
    np.testing.assert_allclose(got, by_scipy(pred, gt, trimap), rtol=1e-9)


@backends
def test_of_equal_parts_the_first_counts(backend):
    gt = np.zeros((1, 5, 9), np.float32)
    gt[0, 1:3, 1:3] = gt[0, 2:4, 5:7] = 1
    pred = gt.copy()
    pred[0, 1:3, 1:3] = 0.75
    pred[0, 2:4, 5:7] = 0.9
    trimap = np.zeros(gt.shape, np.uint8)
    trimap[0, 1:3, 1:3], trimap[0, 2:4, 5:7] = 1, 2
    got = alpha_connectivity(pred, gt, trimap=trimap, backend=backend)
    # The first has level 0.7 (0.3 of gt lost, 0.05 of pred does not count), the second level 0.
    np.testing.assert_allclose(got, [[0, 4 * 0.3, 4 * 0.1]], rtol=1e-6)


@backends
def test_diagonals_do_not_connect(backend):
    gt = np.zeros((1, 4, 4), np.float32)
    gt[0, :2, :2] = gt[0, 2, 2] = 1
    trimap = (gt * 2).astype(np.uint8)
    trimap[0, 2, 2] = 1
    got = alpha_connectivity(np.zeros_like(gt), gt, trimap=trimap, backend=backend)
    np.testing.assert_allclose(got, [[0, 1, 4]])
    got = alpha_connectivity(gt * np.float32(0.5), gt, trimap=trimap, backend=backend)
    np.testing.assert_allclose(got, [[0, 0.5, 2]])


@backends
def test_a_larger_part_elsewhere_ends_a_chain(backend):
    # The largest part of what reaches 0.2 lies outside the largest of what reaches 0.1.
    gt = np.full((1, 3, 12), np.float32(0.15))
    gt[0, :, 7] = 0
    gt[0, 0, 0] = 0.55
    gt[0, :, 8:] = 0.55
    pred = np.minimum(gt, np.float32(0.5))
    trimap = np.zeros(gt.shape, np.uint8)
    got = alpha_connectivity(pred, gt, trimap=trimap, backend=backend)
    np.testing.assert_allclose(got, by_scipy(pred, gt, trimap), rtol=1e-9)


@backends
def test_empty_batch(backend):
    empty = np.zeros((0, 4, 5), np.float32)
    assert alpha_connectivity(empty, empty, backend=backend).shape == (0, 3)


@backends
def test_bad_values_are_named(backend):
    for isa in isas():
        with use_isa(isa):
            cases.check_bad_values(alpha_connectivity, backend)
    cases.check_slack(alpha_connectivity, backend)


def test_wrong_arrays_are_refused():
    cases.check_wrong_arrays(alpha_connectivity)
