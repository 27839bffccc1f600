import numpy as np
import pytest

from refpix.errors import KernelError
from refpix.kernels import image_resize_normalize

pytestmark = pytest.mark.gpu

SIZES = [(1, 1), (5, 3), (33, 35), (480, 640), (640, 427), (910, 9), (9, 1200), (512, 512)]


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def batch(sizes):
    """Pixels, offsets and sizes of random pictures."""
    random = np.random.default_rng(4)
    lengths = [height * width * 3 for height, width in sizes]
    pixels = random.integers(0, 256, sum(lengths), np.uint8)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return pixels, offsets, np.array(sizes, np.int64).reshape(-1, 2)


def on_device(torch, arrays):
    return [torch.from_numpy(array).cuda() for array in arrays]


def assert_is_the_cpus(torch, got, arrays, options):
    want = image_resize_normalize(*arrays, **options)
    bits = got.view(torch.int16) if got.dtype == torch.bfloat16 else got
    np.testing.assert_array_equal(bits.cpu().numpy().view(np.uint8), want.view(np.uint8))


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("out_size", [(512, 512), (1, 1), (37, 50), (7, 700)])
def test_sizes_types_and_layouts(torch, out_size, dtype, channels_last):
    arrays = batch(SIZES)
    options = {"out_size": out_size, "dtype": dtype, "channels_last": channels_last}
    got = image_resize_normalize(*on_device(torch, arrays), **options)
    assert got.dtype == getattr(torch, dtype)
    assert_is_the_cpus(torch, got, arrays, options)


@pytest.mark.parametrize("order", ["pillow12", "pillow13"])
@pytest.mark.parametrize("filter", ["box", "bilinear", "bicubic"])
def test_filters_and_orders(torch, order, filter):
    arrays = batch(SIZES)
    options = {"out_size": (61, 68), "filter": filter, "order": order, "std": (0.229, 0.3, 2)}
    got = image_resize_normalize(*on_device(torch, arrays), **options)
    assert_is_the_cpus(torch, got, arrays, options)


def test_no_pictures(torch):
    got = image_resize_normalize(*on_device(torch, batch([])), out_size=(4, 5))
    assert got.shape == (0, 3, 4, 5)


def test_out_is_filled_also_misaligned(torch):
    arrays = batch(SIZES)
    flat = torch.zeros(len(SIZES) * 3 * 64 * 48 + 1, device="cuda")
    for offset in (0, 1):
        out = flat[offset : offset + len(flat) - 1].view(len(SIZES), 3, 64, 48)
        options = {"out_size": (64, 48)}
        assert image_resize_normalize(*on_device(torch, arrays), **options, out=out) is out
        assert_is_the_cpus(torch, out, arrays, options)


@pytest.mark.parametrize(("item", "size"), [(2, (0, 3)), (0, (1, 2)), (3, (480, 639))])
def test_faults_are_the_cpus(torch, item, size):
    pixels, offsets, sizes = batch(SIZES)
    sizes[item] = size
    with pytest.raises(KernelError) as expected:
        image_resize_normalize(pixels, offsets, sizes, out_size=(8, 8), backend="cpu")
    with pytest.raises(KernelError) as got:
        image_resize_normalize(pixels, offsets, sizes, out_size=(8, 8), backend="cuda")
    assert str(got.value) == str(expected.value)


def test_lanczos_is_refused(torch):
    arrays = on_device(torch, batch(SIZES))
    with pytest.raises(ValueError, match="lanczos"):
        image_resize_normalize(*arrays, out_size=(8, 8), filter="lanczos")


def test_a_graph_replays_with_new_input(torch):
    pixels, offsets, sizes = on_device(torch, batch(SIZES))
    image_resize_normalize(pixels, offsets, sizes, out_size=(64, 48))  # loads the module
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        got = image_resize_normalize(pixels, offsets, sizes, out_size=(64, 48))
    pixels.copy_(255 - pixels)
    graph.replay()
    assert torch.equal(got, image_resize_normalize(pixels, offsets, sizes, out_size=(64, 48)))
