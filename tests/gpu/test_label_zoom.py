import numpy as np
import pytest

from refpix.errors import KernelError
from refpix.kernels import label_zoom

pytestmark = pytest.mark.gpu

SIZES = [(480, 640), (1, 1), (120, 120), (3, 1400), (333, 200)]


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def batch(sizes, dtype):
    """Labels end to end, offsets, sizes."""
    lengths = [height * width for height, width in sizes]
    labels = np.random.default_rng(2).integers(0, 100, sum(lengths)).astype(dtype)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return labels, offsets, np.array(sizes, np.int64).reshape(-1, 2)


def on_device(torch, arrays):
    return [torch.from_numpy(array).cuda() for array in arrays]


@pytest.mark.parametrize("rule", ["scipy", "torch"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.int64])
@pytest.mark.parametrize("out_size", [(512, 512), (98, 98), (1, 1), (37, 131)])
def test_sizes_types_and_rules(torch, out_size, dtype, rule):
    arrays = batch(SIZES, dtype)
    got = label_zoom(*on_device(torch, arrays), out_size=out_size, rule=rule)
    assert got.dtype == torch.int32
    np.testing.assert_array_equal(
        got.cpu().numpy(), label_zoom(*arrays, out_size=out_size, rule=rule)
    )


def test_no_maps(torch):
    got = label_zoom(*on_device(torch, batch([], np.uint8)), out_size=(4, 5))
    assert got.shape == (0, 4, 5)


def test_out_is_filled_also_misaligned(torch):
    arrays = batch(SIZES, np.int16)
    want = label_zoom(*arrays, out_size=(60, 64))
    flat = torch.zeros(want.size + 1, dtype=torch.int32, device="cuda")
    for offset in (0, 1):
        out = flat[offset : offset + want.size].view(want.shape)
        assert label_zoom(*on_device(torch, arrays), out_size=(60, 64), out=out) is out
        np.testing.assert_array_equal(out.cpu().numpy(), want)


def test_faults_are_the_cpus(torch):
    large = batch(SIZES, np.int64)
    large[0][[480 * 640 + 5, 480 * 640 + 300]] = 2**40
    mismatch = batch(SIZES, np.uint8)
    mismatch[2][3] = (3, 1399)
    outside = batch(SIZES, np.uint8)
    outside[1][-1] += 1
    for arrays in (large, mismatch, outside):
        with pytest.raises(KernelError) as want:
            label_zoom(*arrays, out_size=(600, 700), backend="cpu")
        with pytest.raises(KernelError) as got:
            label_zoom(*arrays, out_size=(600, 700), backend="cuda")
        assert str(got.value) == str(want.value)


def test_a_graph_replays_with_new_input(torch):
    values, offsets, sizes = on_device(torch, batch(SIZES, np.uint8))
    label_zoom(values, offsets, sizes)  # loads the module, which a capture must not
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        got = label_zoom(values, offsets, sizes)
    values.copy_(255 - values)
    graph.replay()
    assert torch.equal(got, label_zoom(values, offsets, sizes))
