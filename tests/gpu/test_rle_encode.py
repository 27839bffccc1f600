import numpy as np
import pytest
from tests.kernels.test_rle_encode import noisy

import refpix.cuda
from refpix.errors import RleError
from refpix.kernels import rle_decode, rle_encode

pytestmark = pytest.mark.gpu

rules = pytest.mark.parametrize("rule", ["nonzero", "change"])

SHAPES = [(0, 3, 4), (3, 0, 4), (2, 4, 0), (1, 1, 1), (2, 1, 300), (2, 300, 1), (5, 480, 640)]
SHAPES += [(2, 427, 333), (1, 3, 9000), (1, 9000, 3), (300, 28, 28), (1, 1080, 1920)]


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def check(tensor, masks, rule):
    wanted = rle_encode(masks, rule=rule)
    got = rle_encode(tensor, rule=rule)
    refpix.cuda.raise_faults()
    for one, other in zip(got, wanted, strict=True):
        np.testing.assert_array_equal(one.cpu().numpy(), other)


@rules
@pytest.mark.parametrize("chance", [0, 0.01, 0.5, 1])
@pytest.mark.parametrize("shape", SHAPES)
def test_shapes(torch, shape, chance, rule):
    masks = noisy(np.random.default_rng(0), shape, chance, (1, 2, 255))
    check(torch.from_numpy(masks).cuda(), masks, rule)


@rules
def test_strides(torch, rule):
    masks = noisy(np.random.default_rng(1), (3, 130, 95), 0.05, (1, 7))
    tensor = torch.from_numpy(masks).cuda()
    for order in ((0, 1, 2), (0, 2, 1), (2, 1, 0), (1, 2, 0), (2, 0, 1), (1, 0, 2)):
        inverse = np.argsort(order).tolist()
        check(tensor.permute(order).contiguous().permute(inverse), masks, rule)
    check(tensor[::2, 3:-1:3, 1::2], masks[::2, 3:-1:3, 1::2], rule)
    check(tensor[:, :1, :1].expand(3, 70, 80), np.broadcast_to(masks[:, :1, :1], (3, 70, 80)), rule)


def test_bool(torch):
    masks = noisy(np.random.default_rng(2), (4, 60, 70), 0.1) != 0
    check(torch.from_numpy(masks).cuda(), masks, "nonzero")


def test_a_run_beyond_32_bits(torch):
    one = torch.ones(1, dtype=torch.uint8, device="cuda")
    counts, _, _ = rle_encode(one.expand(1, 2**12, 2**20 - 1))
    refpix.cuda.raise_faults()
    assert counts.tolist() == [0, 2**32 - 2**12]
    rle_encode((one - 1).expand(1, 2**16, 2**16))
    with pytest.raises(RleError) as error:
        refpix.cuda.raise_faults()
    assert (error.value.fault, error.value.item) == ("rle_run_overflow", 0)


def test_round_trip_on_the_device(torch):
    masks = torch.from_numpy(noisy(np.random.default_rng(3), (20, 480, 427), 0.02)).cuda()
    pixels, _ = rle_decode(*rle_encode(masks))
    refpix.cuda.raise_faults()
    assert torch.equal(pixels.view(masks.shape), masks)
