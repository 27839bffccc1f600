import numpy as np
import pytest
from tests.gpu.twins import assert_graph_replays, assert_is_the_cpus, on_device
from tests.kernels.image_stacks import shapes, stack, types

import refpix.cuda
from refpix.errors import KernelError
from refpix.kernels import image_flip

pytestmark = pytest.mark.gpu

FLIPS = np.array([0, 1, 2, 3, 3], np.uint8)


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@shapes
@types
def test_small(torch, shape, dtype):
    assert_is_the_cpus(torch, image_flip, stack(5, shape, dtype), FLIPS)


@pytest.mark.parametrize("shift", [0, 1, 2, 5])
@pytest.mark.parametrize("shape", [(480, 640, 3), (427, 637, 3), (301, 999), (2, 100_003, 3)])
def test_large_and_misaligned(torch, shape, shift):
    assert_is_the_cpus(torch, image_flip, stack(5, shape, np.uint8), FLIPS, shift=shift)


def test_empty(torch):
    assert_is_the_cpus(torch, image_flip, stack(0, (4, 5, 3), np.uint8), FLIPS[:0])
    assert_is_the_cpus(torch, image_flip, stack(2, (0, 5, 3), np.uint8), FLIPS[:2])


def test_a_fault(torch):
    flips = on_device(torch, np.array([1, 9, 7], np.uint8))
    image_flip(on_device(torch, stack(3, (4, 5), np.uint8)), flips)
    with pytest.raises(KernelError) as error:
        refpix.cuda.raise_faults()
    assert (error.value.fault, error.value.item) == ("augment_out_of_range", 1)


def test_a_graph(torch):
    assert_graph_replays(torch, image_flip, stack(5, (48, 53, 3), np.uint8), FLIPS)
