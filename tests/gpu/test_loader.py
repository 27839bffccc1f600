"""``Loader(device="cuda")`` on a device; order, waits and faults are in tests/loader."""

import gc

import numpy as np
import pytest
from tests.loader.loader_files import encoded, ids, write_rows

from refpix import Loader
from refpix.datasets import RefHCM, sample_path
from refpix.errors import BackendUnavailableError, RowError
from refpix.kernels._nvjpeg import BOUND

pytestmark = pytest.mark.gpu

torch = pytest.importorskip("torch")


@pytest.fixture
def make(tmp_path):
    def write(count=23, **payloads):
        return RefHCM(write_rows(tmp_path / "rec.tsv", count, **payloads), task="rec")

    return write


def pairs(dataset, **options):
    """Batches of the device, decoded by libjpeg-turbo, beside those of the CPU."""
    loader = Loader(dataset, device="cuda", engine="cpu", **options)
    plain = Loader(dataset, tensors="torch", **options)
    for one, other in zip(loader, plain, strict=True):
        assert one.images.is_cuda
        assert ids([one]) == ids([other])
        np.testing.assert_array_equal(one.sizes, other.sizes)
        yield one, other
    assert [str(error) for error in loader.report] == [str(error) for error in plain.report]


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_exact_where_the_cpu_decodes(make, dtype, channels_last):
    options = {"batch_size": 5, "size": (64, 49), "dtype": dtype, "channels_last": channels_last}
    for one, other in pairs(make(), shuffle=True, **options):
        assert torch.equal(one.images.cpu(), other.images)
        assert one.images.stride() == other.images.stride()


def test_label_maps():
    dataset = RefHCM(sample_path("rpar"), task="rpar", index="memory")
    for one, other in pairs(dataset, batch_size=3, size=32, label_size=(512, 300)):
        assert torch.equal(one.label_maps.cpu(), other.label_maps)
        assert torch.equal(one.images.cpu(), other.images)


BAD = {
    "row1": "AAAA",
    "row2": encoded(2, "PNG"),
    "row5": "A" * 50,
    "row6": encoded(6)[:-400],
    "row11": encoded(11, "WEBP"),
}


@pytest.mark.parametrize("batch_size", [1, 4, 30])
def test_bad_rows_are_skipped(make, batch_size):
    for one, other in pairs(make(14, **BAD), batch_size=batch_size, size=16, errors="skip"):
        assert torch.equal(one.images.cpu(), other.images)


def test_a_bad_row_raises_after_the_batches_before_it(make):
    seen = []
    with pytest.raises(RowError, match="row 5"):
        seen.extend(Loader(make(9, row5="AAAA"), batch_size=2, size=8, device="cuda"))
    assert [batch.rows.tolist() for batch in seen] == [[0, 1], [2, 3]]


@pytest.mark.parametrize("engine", ["auto", "hybrid"])
def test_nvjpegs_pixels_are_near(engine):
    """No further off than the decoder's pixels: a resize to fewer pixels averages."""
    dataset = RefHCM(sample_path("rec"), task="rec", index="memory")
    options = {"batch_size": 4, "size": 128}
    try:
        loader = Loader(dataset, device="cuda", engine=engine, **options)
    except BackendUnavailableError as error:
        pytest.skip(str(error))
    for one, other in zip(loader, Loader(dataset, tensors="torch", **options), strict=True):
        assert ids([one]) == ids([other])
        np.testing.assert_array_equal(one.sizes, other.sizes)
        difference = (one.images.cpu() - other.images).abs() * 127.5  # grey levels
        assert difference.mean() <= BOUND.mean + 0.5  # both were rounded after the resize
        assert difference.max() <= 2 * BOUND.largest + 1  # bicubic weights amplify


def test_the_current_stream_waits_and_the_host_does_not(make):
    dataset = make()
    plain = list(Loader(dataset, batch_size=2, size=512, tensors="torch"))
    loader = Loader(dataset, batch_size=2, size=512, device="cuda", engine="cpu")
    list(loader)  # everything loaded, all memory there
    stream = torch.cuda.Stream()
    sums = []
    with torch.cuda.stream(stream):
        for batch in loader:
            assert batch.ready is not None
            sums.append(batch.images.double().sum())
            del batch
            # Its memory is free for the loader now, in order behind what reads it.
            torch.cuda._sleep(2_000_000)
    stream.synchronize()
    expected = torch.stack([batch.images.double().sum() for batch in plain])
    torch.testing.assert_close(torch.stack(sums).cpu(), expected)


def test_a_slow_consumer_reads_what_it_was_given(make):
    """The consumer's stream lags behind, and drops its batches meanwhile."""
    dataset = make()
    plain = list(Loader(dataset, batch_size=1, size=256, tensors="torch"))
    loader = Loader(dataset, batch_size=1, size=256, device="cuda", engine="cpu", prefetch=4)
    for _ in range(2):
        kept = []
        for batch in loader:
            torch.cuda._sleep(20_000_000)
            kept.append(batch.images + 0)
            del batch
        for copy, other in zip(kept, plain, strict=True):
            assert torch.equal(copy.cpu(), other.images)


def test_other_streams_wait_for_ready(make):
    dataset = make()
    plain = list(Loader(dataset, batch_size=4, size=64, tensors="torch"))
    other = torch.cuda.Stream()
    for batch, expected in zip(
        Loader(dataset, batch_size=4, size=64, device="cuda", engine="cpu"), plain, strict=True
    ):
        other.wait_event(batch.ready)
        with torch.cuda.stream(other):
            copy = batch.images.cpu()
        assert torch.equal(copy, expected.images)


def test_memory_stays_bounded(make):
    loader = Loader(make(), batch_size=2, size=512, device="cuda")
    list_all(loader)
    before = torch.cuda.memory_allocated()
    for _ in range(5):
        list_all(loader)
    torch.cuda.synchronize()
    assert torch.cuda.memory_allocated() <= before + (64 << 20)


def list_all(loader):
    for batch in loader:
        del batch
    gc.collect()


def test_resumes_and_breaks_off(make):
    dataset = make()
    options = {"batch_size": 4, "size": 16, "shuffle": True, "seed": 9}
    expected = ids(Loader(dataset, **options))
    loader = Loader(dataset, device="cuda", **options)
    seen = ids([next(iter(loader))])
    resumed = Loader(dataset, device="auto", **options)
    assert resumed.device is not None
    resumed.load_state_dict(loader.state_dict())
    assert seen + ids(resumed) == expected


def test_each_device_by_number(make):
    dataset = make(4)
    for number in range(torch.cuda.device_count()):
        (batch,) = Loader(dataset, batch_size=4, size=16, device=f"cuda:{number}", engine="cpu")
        assert batch.images.device.index == number
        (plain,) = Loader(dataset, batch_size=4, size=16, tensors="torch")
        assert torch.equal(batch.images.cpu(), plain.images)
