import numpy as np
import pytest
from tests.gpu.twins import assert_graph_replays, assert_is_the_cpus, on_device
from tests.kernels.image_stacks import stack

from refpix.kernels import image_gamma, image_lookup

pytestmark = pytest.mark.gpu

TABLES = np.random.default_rng(2).integers(0, 256, (4, 3, 256), np.uint8)


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.mark.parametrize("shift", [0, 1, 5])
@pytest.mark.parametrize("shape", [(1, 1, 3), (33, 35, 3), (480, 640, 3), (427, 637, 3)])
def test_sizes_and_alignment(torch, shape, shift):
    images = stack(4, shape, np.uint8)
    assert_is_the_cpus(torch, image_lookup, images, TABLES, shift=shift)
    assert_is_the_cpus(torch, image_lookup, images, TABLES[:, 0].copy(), shift=shift)


def test_masks_and_empty(torch):
    assert_is_the_cpus(torch, image_lookup, stack(4, (70, 91), np.uint8), TABLES[:, :1].copy())
    assert_is_the_cpus(torch, image_lookup, stack(0, (7, 9), np.uint8), TABLES[:0, 0].copy())


def test_gamma(torch):
    images, gammas = stack(3, (33, 35, 3), np.uint8), np.array([0.5, 1, 2.2])
    got = image_gamma(on_device(torch, images), gammas)
    np.testing.assert_array_equal(got.cpu().numpy(), image_gamma(images, gammas))


def test_a_graph(torch):
    assert_graph_replays(torch, image_lookup, stack(4, (48, 53, 3), np.uint8), TABLES)
