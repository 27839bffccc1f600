import numpy as np
import pytest

from refpix.errors import KernelError
from refpix.kernels import parsing_paste

pytestmark = pytest.mark.gpu

ODD_BOXES = [(9, 9, 2, 2), (-4, 2, 20, 0.5), (3e9, 40, -1e30, 3), (0, 0, 1, 1), (5, 5, 1e9, 1e9)]


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def batch(count, shape):
    """Boxes, of which the first are odd, and maps."""
    random = np.random.default_rng(3)
    corners = np.sort(random.uniform(-20, 560, (count, 2, 2)), axis=1).reshape(count, 4)
    boxes = corners.astype(np.float32)
    boxes[: len(ODD_BOXES)] = np.reshape(ODD_BOXES[:count], (-1, 4))
    return boxes, random.integers(1, 21, (count, *shape), np.uint8)


def on_device(torch, arrays):
    return [torch.from_numpy(array).cuda() for array in arrays]


@pytest.mark.parametrize("count", [0, 5, 40])
@pytest.mark.parametrize("shape", [(128, 96), (1, 1), (700, 600)])
@pytest.mark.parametrize("size", [(512, 512), (61, 133), (1, 1)])
def test_boxes_and_sizes(torch, size, shape, count):
    arrays = batch(count, shape)
    got = parsing_paste(*on_device(torch, arrays), size=size)
    np.testing.assert_array_equal(got.cpu().numpy(), parsing_paste(*arrays, size=size))


def test_out_is_filled_also_misaligned(torch):
    arrays = batch(8, (24, 18))
    want = parsing_paste(*arrays, size=(64, 48))
    flat = torch.full((want.size + 1,), 7, dtype=torch.uint8, device="cuda")
    for offset in (0, 1):
        out = flat[offset : offset + want.size].view(want.shape)
        assert parsing_paste(*on_device(torch, arrays), size=(64, 48), out=out) is out
        np.testing.assert_array_equal(out.cpu().numpy(), want)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_faults_are_the_cpus(torch, value):
    boxes, maps = batch(9, (24, 18))
    boxes[5, 2] = boxes[7, 0] = value
    with pytest.raises(KernelError) as want:
        parsing_paste(boxes, maps, backend="cpu")
    with pytest.raises(KernelError) as got:
        parsing_paste(boxes, maps, backend="cuda")
    assert str(got.value) == str(want.value)


def test_a_graph_replays_with_new_input(torch):
    boxes, maps = on_device(torch, batch(9, (24, 18)))
    parsing_paste(boxes, maps)  # loads the module, which a capture must not
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        got = parsing_paste(boxes, maps)
    maps.copy_(255 - maps)
    graph.replay()
    assert torch.equal(got, parsing_paste(boxes, maps))
