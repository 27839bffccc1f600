import pytest
from tests.synthesis.drawn_inputs import Drawn

pytestmark = pytest.mark.gpu

torch = pytest.importorskip("torch")

from refpix.synthesis.torch_on_the_fly import HimComposer  # noqa: E402

IDS = [3, 11, 4, 250, 7, 12, 90, 13]


@pytest.fixture
def drawn(tmp_path):
    return Drawn(tmp_path / "drawn")


@pytest.mark.parametrize("keep", ["device", "host"])
@pytest.mark.parametrize("cache_bytes", [0, 30_000, 1 << 30])
@pytest.mark.parametrize("size", [(84, 131), (90, 150)])
def test_samples_are_the_cpus(drawn, size, keep, cache_bytes):
    wanted = HimComposer(drawn.foregrounds, drawn.backgrounds, size=size)(IDS)
    composer = HimComposer(drawn.foregrounds, drawn.backgrounds, size=size, device="cuda",
                           keep=keep, cache_bytes=cache_bytes, num_threads=2)  # fmt: skip
    for _ in range(2):  # from files, and from what is kept
        got = composer(IDS)
        assert got.images.is_cuda
        assert got.plans == wanted.plans
        assert torch.equal(got.images.cpu(), wanted.images)
        assert torch.equal(got.alphas.cpu(), wanted.alphas)


def test_on_a_stream_of_ones_own(drawn):
    composer = HimComposer(drawn.foregrounds, drawn.backgrounds, size=(84, 131), device="cuda")
    wanted = HimComposer(drawn.foregrounds, drawn.backgrounds, size=(84, 131))(IDS)
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        got = composer(IDS)
    stream.synchronize()
    assert torch.equal(got.images.cpu(), wanted.images)


def test_backgrounds_that_lie_on_the_device(drawn):
    generator = torch.Generator().manual_seed(0)
    under = torch.randint(0, 256, (100, 160, 3), dtype=torch.uint8, generator=generator)
    on_cpu = HimComposer(drawn.foregrounds, [under], size=(84, 131))
    on_cuda = HimComposer(drawn.foregrounds, [under.cuda()], size=(84, 131), device="cuda")
    assert torch.equal(on_cuda(IDS).images.cpu(), on_cpu(IDS).images)
