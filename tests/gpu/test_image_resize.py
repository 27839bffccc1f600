import numpy as np
import pytest

from refpix.errors import KernelError
from refpix.kernels import image_resize

pytestmark = pytest.mark.gpu

SIZES = [(1, 1), (5, 3), (33, 35), (480, 640), (427, 640), (910, 9), (9, 1200), (512, 512)]


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def batch(sizes, channels=3):
    """Pixels, offsets and sizes of random pictures with many extremes."""
    random = np.random.default_rng(4)
    lengths = [height * width * channels for height, width in sizes]
    pixels = random.choice(np.array([0, 255, 17, 99, 200], np.uint8), sum(lengths))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return pixels, offsets, np.array(sizes, np.int64).reshape(-1, 2)


def on_device(torch, arrays):
    return [torch.from_numpy(array).cuda() for array in arrays]


@pytest.mark.parametrize("order", ["pillow12", "pillow13"])
@pytest.mark.parametrize("filter", ["box", "bilinear", "bicubic"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("out_size", [(512, 512), (1, 1), (37, 50), (7, 700)])
def test_sizes_and_filters(torch, order, filter, channels, out_size):
    arrays = batch(SIZES, channels)
    options = {"out_size": out_size, "channels": channels, "filter": filter, "order": order}
    got = image_resize(*on_device(torch, arrays), **options)
    np.testing.assert_array_equal(got.cpu().numpy(), image_resize(*arrays, **options))


def test_no_pictures(torch):
    got = image_resize(*on_device(torch, batch([])), out_size=(4, 5))
    assert got.shape == (0, 4, 5, 3)


def test_out_is_filled(torch):
    arrays = on_device(torch, batch(SIZES))
    out = torch.zeros((len(SIZES), 64, 48, 3), dtype=torch.uint8, device="cuda")
    assert image_resize(*arrays, out_size=(64, 48), out=out) is out
    assert torch.equal(out, image_resize(*arrays, out_size=(64, 48)))


@pytest.mark.parametrize(("item", "size"), [(2, (0, 3)), (0, (1, 2)), (3, (480, 639))])
def test_faults_are_the_cpus(torch, item, size):
    pixels, offsets, sizes = batch(SIZES)
    sizes[item] = size
    with pytest.raises(KernelError) as expected:
        image_resize(pixels, offsets, sizes, out_size=(8, 8))
    with pytest.raises(KernelError) as got:
        image_resize(pixels, offsets, sizes, out_size=(8, 8), backend="cuda")
    assert str(got.value) == str(expected.value)


def test_lanczos_is_refused(torch):
    with pytest.raises(ValueError, match="lanczos"):
        image_resize(*on_device(torch, batch(SIZES)), out_size=(8, 8), filter="lanczos")


def test_a_graph_replays_with_new_input(torch):
    pixels, offsets, sizes = on_device(torch, batch(SIZES))
    image_resize(pixels, offsets, sizes, out_size=(64, 48))  # loads the module
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        got = image_resize(pixels, offsets, sizes, out_size=(64, 48))
    pixels.copy_(255 - pixels)
    graph.replay()
    assert torch.equal(got, image_resize(pixels, offsets, sizes, out_size=(64, 48)))
