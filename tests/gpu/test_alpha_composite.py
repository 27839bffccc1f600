import numpy as np
import pytest

from refpix.kernels import alpha_composite

pytestmark = pytest.mark.gpu

MODES = ["paste", "rgba", "linear", "float"]


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def drawn(torch, mode, size, over, channels, seed=0):
    """Backgrounds, foregrounds and mattes on the host; mattes have runs of nothing and of all."""
    generator = torch.Generator().manual_seed(seed)

    def values(*shape):
        bytes_ = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
        return bytes_.float() / 255 if mode == "float" else bytes_

    mattes = values(*size[:1], *over)
    mattes[..., : over[1] // 3] = 0
    mattes[..., over[1] - over[1] // 3 :] = 1 if mode == "float" else 255
    return values(*size, channels), values(*size[:1], *over, channels), mattes


def composite(torch, arrays, positions, mode, out=None):
    """On whatever device the arrays are."""
    backgrounds, foregrounds, mattes = arrays
    where = torch.tensor(positions, dtype=torch.int64).reshape(-1, 2)
    if not backgrounds.is_cuda:
        return alpha_composite(
            backgrounds.numpy(), foregrounds.numpy(), None if mode == "rgba" else mattes.numpy(),
            positions=where.numpy(), mode=mode,
        )  # fmt: skip
    return alpha_composite(
        backgrounds, foregrounds, None if mode == "rgba" else mattes,
        positions=where.cuda(), mode=mode, out=out,
    )  # fmt: skip


def on_device(arrays):
    return [array.cuda() for array in arrays]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize(
    ("size", "over", "position"),
    [
        ((1, 1, 1), (1, 1), (0, 0)),
        ((3, 41, 53), (60, 30), (7, -9)),
        ((2, 40, 1000), (40, 1000), (0, 0)),
        ((2, 300, 1920), (200, 1901), (11, 3)),
        ((1, 5, 5), (3, 3), (2**62, 0)),
        ((0, 4, 4), (4, 4), (0, 0)),
    ],
)
def test_sizes_and_modes(torch, mode, channels, size, over, position):
    if mode == "rgba" and channels != 4:
        pytest.skip("rgba has four channels")
    arrays = drawn(torch, mode, size, over, channels)
    positions = [position] * size[0]
    got = composite(torch, on_device(arrays), positions, mode)
    np.testing.assert_array_equal(got.cpu().numpy(), composite(torch, arrays, positions, mode))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("offset", [0, 1, 4, 8])
def test_in_place_also_misaligned(torch, mode, offset):
    arrays = drawn(torch, mode, (2, 33, 47), (20, 60), 4)
    wanted = composite(torch, arrays, [(-8, 5), (3, 20)], mode)
    backgrounds, *others = on_device(arrays)
    flat = torch.zeros(backgrounds.numel() + offset, dtype=backgrounds.dtype, device="cuda")
    out = flat[offset:].view(backgrounds.shape)
    out.copy_(backgrounds)
    assert composite(torch, (out, *others), [(-8, 5), (3, 20)], mode, out=out) is out
    np.testing.assert_array_equal(out.cpu().numpy(), wanted)
    assert not flat[:offset].any()


def test_wrong_arrays_are_refused(torch):
    backgrounds, foregrounds, mattes = on_device(drawn(torch, "paste", (1, 8, 8), (4, 4), 3))
    with pytest.raises(ValueError, match="contiguous"):
        composite(torch, (backgrounds, foregrounds[:, :, ::2], mattes[:, :, :2]), [(0, 0)], "paste")
    with pytest.raises(ValueError, match="mattes: expected shape"):
        composite(torch, (backgrounds, foregrounds, mattes[:, :1]), [(0, 0)], "paste")
    with pytest.raises(TypeError, match="foregrounds"):
        composite(torch, (backgrounds, foregrounds.float(), mattes), [(0, 0)], "paste")


@pytest.mark.parametrize("mode", MODES)
def test_a_graph_replays_with_new_input(torch, mode):
    arrays = on_device(drawn(torch, mode, (2, 40, 50), (30, 30), 4))
    positions = torch.tensor([[3, 4], [-5, 20]], device="cuda")
    mattes = None if mode == "rgba" else arrays[2]

    def run():
        return alpha_composite(arrays[0], arrays[1], mattes, positions=positions, mode=mode)

    run()  # loads the module, which a capture must not
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        got = run()
    arrays[0].copy_(arrays[0].flip(1))
    positions.copy_(positions.flip(0))
    graph.replay()
    assert torch.equal(got, run())
