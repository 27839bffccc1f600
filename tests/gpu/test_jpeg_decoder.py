"""nvJPEG on a device. What does not need one, pixels of a stand-in included, is tested in
tests/kernels/test_torch_jpeg.py, which runs here too."""

import numpy as np
import pytest
from tests.kernels.jpeg_files import drawn, encode, pillow

from refpix.errors import BackendUnavailableError
from refpix.kernels import jpeg_decode
from refpix.kernels._nvjpeg import BOUND
from refpix.types import BytesBatch

pytestmark = pytest.mark.gpu

ENGINES = pytest.mark.parametrize("engine", ["hybrid", "hardware"])


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def decoder(engine, **options):
    from refpix.cuda import JpegDecoder

    try:
        return JpegDecoder(engine=engine, **options)
    except BackendUnavailableError as error:
        pytest.skip(str(error))


def assert_near(got, wanted):
    difference = np.abs(got.cpu().numpy().astype(int) - wanted)
    assert difference.max() <= BOUND.largest
    assert difference.mean() <= BOUND.mean
    assert np.count_nonzero(difference) / difference.size <= BOUND.share


@ENGINES
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("sampling", [0, 1, 2, "gray"])
def test_sizes_and_samplings(torch, engine, sampling, progressive):
    options = {"mode": "L"} if sampling == "gray" else {"subsampling": sampling}
    sizes = [
        (16, 16),
        (17, 31),
        (33, 16),
        (64, 48),
        (101, 203),
        (640, 480),
        (641, 479),
        (1500, 900),
    ]
    payloads = [encode(w, h, quality=60, progressive=progressive, **options) for w, h in sizes]
    with decoder(engine) as jpegs:
        images = jpegs.decode(*BytesBatch.from_items(payloads))
        assert images.pixels.device == jpegs.device
        assert not images.faults[:, 0].any()
        expected = "hybrid" if progressive else engine
        assert expected in images.engines
        for i, payload in enumerate(payloads):
            assert_near(images.image(i), pillow(payload))


@ENGINES
def test_boxes(torch, engine):
    payloads = [encode(640, 480, subsampling=2, seed=seed) for seed in range(6)]
    random = np.random.default_rng(1)
    corners = random.integers(0, [300, 200], (6, 2))
    roi = np.concatenate([corners, corners + random.integers(17, 180, (6, 2))], axis=1)
    with decoder(engine) as jpegs:
        images = jpegs.decode(*BytesBatch.from_items(payloads), roi=roi)
        for i, (x0, y0, x1, y1) in enumerate(roi):
            assert_near(images.image(i), pillow(payloads[i])[y0:y1, x0:x1])


@ENGINES
def test_work_that_is_enqueued_keeps_its_memory(torch, engine):
    """The engines would write at once to memory that earlier kernels still read."""
    batch = BytesBatch.from_items([encode(640, 480, quality=80)])
    with decoder(engine) as jpegs:
        jpegs.decode(*batch)
        wrong = 0
        for _ in range(20):
            torch.cuda.synchronize()
            block = torch.full((640 * 480 * 3,), 7, dtype=torch.uint8, device="cuda")
            torch.cuda._sleep(100_000_000)
            total = block.sum(dtype=torch.int64)
            del block  # free for the next allocation of this size, in the stream's order
            jpegs.decode(*batch)
            wrong += int(total) != 7 * 640 * 480 * 3
        assert wrong == 0


@ENGINES
def test_streams_and_many_batches(torch, engine):
    """More calls than there are flights, on streams of their own, each with other pictures."""
    payloads = [encode(200 + seed, 150, seed=seed) for seed in range(8)]
    with decoder(engine, num_threads=2) as jpegs:
        streams = [torch.cuda.Stream() for _ in range(4)]
        results = []
        for i in range(24):
            with torch.cuda.stream(streams[i % 4]):
                items = [payloads[i % 8], payloads[(i + 3) % 8]]
                results.append((items, jpegs.decode(*BytesBatch.from_items(items))))
        torch.cuda.synchronize()
        for items, images in results:
            for i, item in enumerate(items):
                assert_near(images.image(i), pillow(item))


def test_every_device(torch):
    payload = encode(64, 48)
    for index in range(torch.cuda.device_count()):
        with decoder("auto", device=index) as jpegs:
            image = jpegs.decode(*BytesBatch.from_items([payload])).image(0)
            assert image.device.index == index
            assert_near(image, pillow(payload))


def test_a_failing_file_leaves_the_others_alone(torch):
    good = encode(64, 48)
    scan = good.index(b"\xff\xda") + 14
    # Sound markers, but the codes are rubbish.
    rubbish = good[:scan] + bytes(range(1, 200)) * 8 + b"\xff\xd9"
    with decoder("auto") as jpegs:
        images = jpegs.decode(*BytesBatch.from_items([good, rubbish, good]))
        for i in (0, 2):
            assert images.faults[i, 0] == 0
            assert_near(images.image(i), pillow(good))


def test_the_cpu_engine_is_exact(torch):
    payloads = [encode(65, 43, subsampling=s) for s in (0, 1, 2)] + [encode(20, 20, "CMYK")]
    with decoder("cpu") as jpegs:
        images = jpegs.decode(*BytesBatch.from_items(payloads))
    for i, payload in enumerate(payloads):
        np.testing.assert_array_equal(images.image(i).cpu().numpy(), pillow(payload))


def test_memory_does_not_grow(torch):
    payloads = [encode(320, 240, seed=seed, progressive=seed % 3 == 0) for seed in range(16)]
    batch = BytesBatch.from_items(payloads)
    with decoder("auto") as jpegs:
        taken = []
        for count in (20, 80, 80, 80):
            for _ in range(count):
                jpegs.decode(*batch)
            torch.cuda.synchronize()
            taken.append(-torch.cuda.mem_get_info()[0])
        # Of the whole device: another process may take some in one round, a leak does in each.
        assert np.diff(taken).min() <= 4 << 20


def test_the_kernel_is_the_decoder(torch):
    payloads = [encode(64, 48), encode(40, 30, "CMYK")]
    got = jpeg_decode(*BytesBatch.from_items(payloads), backend="cuda")
    assert isinstance(got.pixels, np.ndarray)
    assert drawn(64, 48).shape == got.image(0).shape
    np.testing.assert_array_equal(got.image(1), pillow(payloads[1]))
