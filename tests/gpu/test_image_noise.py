import numpy as np
import pytest
from tests.gpu.twins import assert_graph_replays, assert_is_the_cpus, on_device
from tests.kernels.image_stacks import stack

import refpix.cuda
from refpix.errors import KernelError
from refpix.kernels import image_noise

pytestmark = pytest.mark.gpu

KEYS = np.array([[1, 0], [1, 1], [-1, 2**63 - 1], [2**40 + 5, -(2**63)]], np.int64)
SIGMAS = np.array([25, 0.3, 1e6, 0])


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (33, 35), (480, 640, 3), (427, 637, 3), (1, 9999)])
def test_sizes(torch, shape, dtype):
    images = stack(4, shape, np.uint8)
    assert_is_the_cpus(torch, image_noise, images, SIGMAS.astype(dtype), KEYS)


def test_misaligned_images(torch):
    images = stack(4, (99, 101, 3), np.uint8)
    wanted = image_noise(images, SIGMAS, KEYS)
    for shift in (1, 4, 7):
        pixels = on_device(torch, images, shift)
        got = image_noise(pixels, on_device(torch, SIGMAS), on_device(torch, KEYS))
        np.testing.assert_array_equal(got.cpu().numpy(), wanted)


def test_empty(torch):
    assert_is_the_cpus(torch, image_noise, stack(0, (4, 5), np.uint8), SIGMAS[:0], KEYS[:0])


def test_a_fault(torch):
    sigmas = on_device(torch, np.array([1, -1, np.nan, 1]))
    image_noise(on_device(torch, stack(4, (4, 5), np.uint8)), sigmas, on_device(torch, KEYS))
    with pytest.raises(KernelError) as error:
        refpix.cuda.raise_faults()
    assert (error.value.fault, error.value.item) == ("augment_out_of_range", 1)


def test_a_graph(torch):
    assert_graph_replays(torch, image_noise, stack(4, (48, 53, 3), np.uint8), SIGMAS, KEYS)
