import numpy as np
import pytest
from tests.gpu.twins import assert_graph_replays, assert_is_the_cpus, on_device
from tests.kernels.image_stacks import shapes, stack, types

import refpix.cuda
from refpix.errors import ImageError
from refpix.kernels import image_crop

pytestmark = pytest.mark.gpu

CORNERS = np.array([[0, 0], [1, 2], [-3, 7], [300, 500], [-900, 20]])


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@shapes
@types
def test_small(torch, shape, dtype):
    assert_is_the_cpus(torch, image_crop, stack(5, shape, dtype), CORNERS, size=(4, 37), pad=9)


@pytest.mark.parametrize("shift", [0, 1, 2, 5])
@pytest.mark.parametrize("shape", [(480, 640, 3), (427, 637, 3), (401, 999)])
def test_large_and_misaligned(torch, shape, shift):
    images = stack(2, shape, np.uint8)
    for size in ((224, 224), (99, 611)):
        assert_is_the_cpus(torch, image_crop, images, CORNERS[:2], size=size, shift=shift)
        assert_is_the_cpus(torch, image_crop, images, CORNERS[2:4], size=size, pad=128, shift=shift)


def test_empty(torch):
    assert_is_the_cpus(torch, image_crop, stack(0, (4, 5), np.uint8), CORNERS[:0], size=(2, 2))


def test_a_fault(torch):
    image_crop(
        on_device(torch, stack(3, (4, 5), np.uint8)),
        on_device(torch, np.array([[0, 0], [1, 1], [-1, 0]])),
        size=(4, 4),
    )
    with pytest.raises(ImageError) as error:
        refpix.cuda.raise_faults()
    assert (error.value.fault, error.value.item) == ("image_bad_roi", 1)


def test_a_graph(torch):
    images = stack(5, (48, 53, 3), np.uint8)
    assert_graph_replays(torch, image_crop, images, CORNERS, size=(32, 32), pad=0)
