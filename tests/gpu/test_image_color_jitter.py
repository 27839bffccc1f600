import numpy as np
import pytest
from tests.gpu.twins import assert_graph_replays, assert_is_the_cpus, on_device
from tests.kernels.image_stacks import stack

import refpix.cuda
from refpix.errors import KernelError
from refpix.kernels import image_color_jitter

pytestmark = pytest.mark.gpu

FACTORS = np.array([[0.8, 1.3, 0.5, -0.2], [1.1, 0.4, 2, 0.1], [1, 1, 1, 0], [0, 9, 0.3, 0.5]])
ORDERS = np.array([[3, 1, 0, 2], [4, 2, 1, 4], [0, 1, 2, 3], [1, 0, 3, 2]], np.uint8)


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (33, 35), (480, 640), (427, 637), (1, 9999)])
def test_sizes(torch, shape, dtype):
    images = stack(4, (*shape, 3), np.uint8)
    assert_is_the_cpus(torch, image_color_jitter, images, FACTORS.astype(dtype))


@pytest.mark.parametrize("shift", [1, 2, 5])
def test_orders_and_alignment(torch, shift):
    images = stack(4, (99, 101, 3), np.uint8)
    pixels, factors = on_device(torch, images, shift), on_device(torch, FACTORS)
    got = image_color_jitter(pixels, factors, orders=on_device(torch, ORDERS))
    refpix.cuda.raise_faults()
    wanted = image_color_jitter(images, FACTORS, orders=ORDERS)
    np.testing.assert_array_equal(got.cpu().numpy(), wanted)


def test_hue_of_many_colours(torch):
    values = np.unique([*range(0, 256, 3), 255]).astype(np.uint8)
    grid = np.stack(np.meshgrid(values, values, values, indexing="ij"), -1)
    images = np.ascontiguousarray(grid.reshape(1, len(values), -1, 3))
    assert_is_the_cpus(torch, image_color_jitter, images, np.array([[1, 1, 1, 0.123]]))


def test_empty(torch):
    assert_is_the_cpus(torch, image_color_jitter, stack(0, (4, 5, 3), np.uint8), FACTORS[:0])
    assert_is_the_cpus(torch, image_color_jitter, stack(4, (0, 5, 3), np.uint8), FACTORS)


def test_a_fault(torch):
    factors = np.array([[1, 1, 1, 0], [1, 1, np.nan, 0], [-1, 1, 1, 1]])
    image_color_jitter(on_device(torch, stack(3, (4, 5, 3), np.uint8)), on_device(torch, factors))
    with pytest.raises(KernelError) as error:
        refpix.cuda.raise_faults()
    assert (error.value.fault, error.value.item) == ("augment_not_finite", 1)
    assert error.value.position == 16


def test_a_graph(torch):
    assert_graph_replays(torch, image_color_jitter, stack(4, (48, 53, 3), np.uint8), FACTORS)
