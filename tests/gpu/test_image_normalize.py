import numpy as np
import pytest

import refpix.cuda
from refpix.kernels import _device, image_normalize

pytestmark = pytest.mark.gpu

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def normalize(images, dtype="float32", out=None):
    return image_normalize(images, mean=MEAN, std=STD, dtype=dtype, out=out)


def expected(torch, images, dtype):
    """NumPy's float32, rounded by torch on the CPU, as bits."""
    host = images.cpu().numpy().astype(np.float32) / np.float32(255)
    planes = (host - np.array(MEAN, np.float32)) / np.array(STD, np.float32)
    wanted = torch.from_numpy(np.ascontiguousarray(planes.transpose(0, 3, 1, 2)))
    return wanted.to(getattr(torch, dtype))


def pictures(torch, *shape):
    generator = torch.Generator().manual_seed(3)
    return torch.randint(0, 256, (*shape, 3), dtype=torch.uint8, generator=generator).cuda()


def assert_same_bits(torch, got, wanted):
    assert got.dtype == wanted.dtype
    bits = torch.int32 if got.dtype == torch.float32 else torch.int16
    assert torch.equal(got.cpu().view(bits), wanted.view(bits))


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize(
    "shape", [(0, 4, 4), (2, 0, 4), (1, 1, 1), (3, 7, 5), (2, 33, 35), (4, 512, 512), (1, 1, 4099)]
)
def test_sizes_and_types(torch, shape, dtype):
    images = pictures(torch, *shape)
    assert_same_bits(torch, normalize(images, dtype), expected(torch, images, dtype))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_channels_last(torch, dtype):
    images = pictures(torch, 5, 70, 90)
    for view in (images, images[:, 3:67, 5:69], images[::2, :, 1:], images[:1, :1, :1]):
        got = image_normalize(view, mean=MEAN, std=STD, dtype=dtype, channels_last=True)
        wanted = expected(torch, view, dtype).permute(0, 2, 3, 1).contiguous()
        assert_same_bits(torch, got, wanted)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_strides_and_misaligned_views(torch, dtype):
    images = pictures(torch, 5, 70, 90)
    for view in (images[:, 3:67, 5:69], images[::2], images[:, ::3], images[:, :, 1:]):
        assert_same_bits(torch, normalize(view, dtype), expected(torch, view, dtype))
    with pytest.raises(ValueError, match="contiguous"):
        normalize(images[:, :, ::2])


def test_out_is_filled_also_misaligned(torch):
    images = pictures(torch, 2, 16, 16)
    flat = torch.zeros(images.numel() + 1, device="cuda")
    for offset in (0, 1):
        out = flat[offset : offset + images.numel()].view(2, 3, 16, 16)
        assert normalize(images, out=out) is out
        assert_same_bits(torch, out, expected(torch, images, "float32"))


def test_torchs_current_stream_is_used(torch):
    images = pictures(torch, 8, 256, 256)
    wanted = expected(torch, images, "float32")
    zeros = torch.zeros_like(images)
    stream = torch.cuda.Stream()
    normalize(zeros + images)  # loads code, which may wait for the device
    torch.cuda.synchronize()
    with torch.cuda.stream(stream):
        torch.cuda._sleep(200_000_000)
        late = zeros + images  # not there before the sleep is over
        got = normalize(late)
        assert not stream.query()  # the call did not wait
    stream.synchronize()
    assert_same_bits(torch, got, wanted)


def test_a_stream_given_by_handle(torch):
    images = pictures(torch, 2, 64, 64)
    stream = torch.cuda.Stream()
    torch.cuda.synchronize()
    with refpix.cuda.use_stream(stream.cuda_stream):
        assert _device.current_stream(0) == stream.cuda_stream
        got = normalize(images)
    stream.synchronize()
    assert_same_bits(torch, got, expected(torch, images, "float32"))


def test_a_producers_stream_is_waited_for(torch):
    class Produced:
        def __init__(self, tensor, stream):
            fields = tensor.__cuda_array_interface__
            self.__cuda_array_interface__ = {
                **fields,
                "version": 3,
                "stream": stream.cuda_stream,
            }

    images = pictures(torch, 2, 64, 64)
    late = torch.zeros_like(images)
    stream = torch.cuda.Stream()
    torch.cuda.synchronize()
    with torch.cuda.stream(stream):
        torch.cuda._sleep(50_000_000)
        late.copy_(images)
    got = normalize(Produced(late, stream))
    assert_same_bits(torch, got, expected(torch, images, "float32"))


def test_a_graph_replays_with_new_input(torch):
    images = pictures(torch, 2, 64, 64)
    normalize(images)  # loads the module, which a capture must not
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        got = normalize(images)
    images.copy_(255 - images)
    graph.replay()
    assert_same_bits(torch, got, expected(torch, images, "float32"))
