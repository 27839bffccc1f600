"""``Loader(device="cuda")`` with torch's tensors and our decoder, both in host memory.

The order of work and waits is test_loader_cuda.py's; here it is what the parts hand one another.
Under ``make emulate`` the engine ``auto`` is nvJPEG's stand-in, whose pixels are Pillow's.
"""

from contextlib import contextmanager, nullcontext
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from tests.loader import late_device
from tests.loader.loader_files import encoded, ids, write_rows

from refpix import Loader
from refpix.datasets import RefHCM
from refpix.kernels import image_resize_normalize, label_zoom
from refpix.loader import device as on_device

torch = pytest.importorskip("torch")

from refpix.cuda import JpegDecoder  # noqa: E402
from refpix.loader import torch_side_stream  # noqa: E402


class HostStream:
    """Stands for `SideStream`: everything happens at once, in host memory."""

    def active(self):
        return nullcontext()

    def empty(self, shape, dtype):
        return torch.empty(shape, dtype=getattr(torch, dtype))

    def upload(self, pinned):
        return torch.from_numpy(pinned).clone()

    def pinned(self, count):
        return np.empty(count, np.uint8)

    def record(self):
        return SimpleNamespace()

    def wait(self, event): ...

    def hand_over(self, event, *tensors): ...


def on_tensors(kernel):
    def array(value):
        if not isinstance(value, torch.Tensor):
            return value
        return value.view(torch.uint16).numpy() if value.dtype == torch.bfloat16 else value.numpy()

    def call(*args, out, **options):
        kernel(*map(array, args), out=array(out), **options)

    return call


@pytest.fixture
def stream(monkeypatch):
    decoder = partial(host_decoder, JpegDecoder)
    stream = late_device.install(monkeypatch, stream=HostStream(), decoder=decoder)
    fill = on_tensors(image_resize_normalize)
    monkeypatch.setattr(on_device, "image_resize_normalize", fill)
    monkeypatch.setattr(on_device, "label_zoom", on_tensors(label_zoom))
    return stream


def host_decoder(decoder, device, **options):
    return decoder("cpu", **options)


def assert_same(loader, plain):
    batches, expected = list(loader), list(plain)
    assert len(batches) == len(expected)
    for one, other in zip(batches, expected, strict=True):
        assert one.images.dtype == other.images.dtype
        assert torch.equal(one.images, other.images)
        assert one.images.stride() == other.images.stride()
        np.testing.assert_array_equal(one.sizes, other.sizes)
        assert ids([one]) == ids([other])
        assert one.ready is not None
        if other.label_maps is not None:
            assert torch.equal(one.label_maps, other.label_maps)
    assert [str(error) for error in loader.report] == [str(error) for error in plain.report]


engines = pytest.mark.parametrize("engine", ["cpu", "auto"])


@engines
@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_batches_are_those_of_the_cpu(tmp_path, stream, dtype, channels_last, engine):
    dataset = RefHCM(write_rows(tmp_path / "rec.tsv", 11), task="rec")
    options = {
        "batch_size": 4,
        "size": (24, 17),
        "dtype": dtype,
        "shuffle": True,
        "channels_last": channels_last,
    }
    plain = Loader(dataset, tensors="torch", **options)
    assert_same(Loader(dataset, device="cuda", engine=engine, **options), plain)


@engines
@pytest.mark.parametrize("allow_truncated", [True, False])
def test_bad_rows_are_those_of_the_cpu(tmp_path, stream, allow_truncated, engine):
    bad = {
        "row0": "A" * 50,
        "row2": encoded(2, "PNG"),
        "row3": "AAAA",
        "row5": encoded(5)[:-200],
        "row6": encoded(6, "WEBP"),
        "row8": encoded(8)[:12],
    }
    dataset = RefHCM(write_rows(tmp_path / "rec.tsv", 11, **bad), task="rec")
    for batch_size in (1, 4, 11):
        options = {
            "batch_size": batch_size,
            "size": 9,
            "errors": "skip",
            "allow_truncated": allow_truncated,
        }
        plain = Loader(dataset, tensors="torch", **options)
        assert_same(Loader(dataset, device="cuda", engine=engine, **options), plain)
        assert len(plain.report) >= 2


def test_a_batch_without_one_good_record(tmp_path, stream):
    path = write_rows(tmp_path / "rec.tsv", 4)
    lines = path.read_text().split("\n")
    lines[2:4] = ["2_0\t2\tno box", "3_0\t3\tno box"]
    path.write_text("\n".join(lines))
    options = {"batch_size": 2, "size": 8, "errors": "skip"}
    dataset = RefHCM(path, task="rec")
    plain = Loader(dataset, tensors="torch", **options)
    assert_same(Loader(dataset, device="cuda", engine="cpu", **options), plain)
    assert [error.row for error in plain.report] == [2, 3]


def test_label_maps(data, stream):
    dataset = RefHCM(data / "refhcm" / "rpar.tsv", task="rpar", index="memory")
    options = {"batch_size": 2, "size": 16, "label_size": (64, 48)}
    plain = Loader(dataset, tensors="torch", **options)
    assert_same(Loader(dataset, device="cuda", engine="cpu", **options), plain)


def test_the_side_stream_asks_torch_for_what_it_means(monkeypatch):
    """Which stream waits for what; whether CUDA then does so, tests/gpu shows."""
    said = []

    class Stream:
        def __init__(self, name):
            self.name = name

        def wait_event(self, event):
            said.append(f"{self.name} waits")

    class Event:
        def __init__(self, **options):
            assert options == {"blocking": True}

        def record(self, stream):
            said.append(f"recorded on {stream.name}")

        def synchronize(self):
            said.append("host waits")

    @contextmanager
    def stream(which):
        said.append(f"on {which.name}")
        yield
        said.append("as before")

    consumer = Stream("consumer")
    device = torch.device("cuda", 1)
    monkeypatch.setattr(torch.cuda, "Stream", lambda where: Stream(f"side of {where}"))
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "stream", stream)
    monkeypatch.setattr(
        torch.cuda, "current_stream", {device: consumer}.__getitem__
    )  # and no other device's
    side = torch_side_stream.SideStream(1)
    with side.active():
        event = side.record()
    tensor = SimpleNamespace(record_stream=lambda stream: said.append(f"kept for {stream.name}"))
    side.hand_over(event, tensor, None)
    side.wait(event)
    assert said == [
        "on side of cuda:1",
        "recorded on side of cuda:1",
        "as before",
        "consumer waits",
        "kept for consumer",
        "host waits",
    ]
