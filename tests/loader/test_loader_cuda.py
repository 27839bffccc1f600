"""``Loader(device="cuda")`` on a stand-in for a device: order, waits, memory, faults.

What needs a device is in tests/gpu/test_loader.py.
"""

import base64
import gc
import io
import sys
import threading
from functools import partial

import numpy as np
import pytest
from PIL import Image
from tests.loader import late_device
from tests.loader.loader_files import encoded, ids, write_rows

from refpix import Loader
from refpix.datasets import RefHCM
from refpix.errors import MissingExtraError, RowError
from refpix.loader import device as on_device

pytest.importorskip("torch")  # the loader asks for it, though the stand-in gives NumPy's arrays


@pytest.fixture
def make(tmp_path):
    def write(count=23, **payloads):
        return RefHCM(write_rows(tmp_path / "rec.tsv", count, **payloads), task="rec")

    return write


@pytest.fixture
def stream(monkeypatch):
    return late_device.install(monkeypatch)


def bits(images):
    array = images if isinstance(images, np.ndarray) else images.view(-1)
    return np.asarray(array).view(np.uint8 if array.dtype == np.uint8 else f"u{array.itemsize}")


def assert_same(on_device, on_host, *, channels_last=False):
    on_device, on_host = list(on_device), list(on_host)
    assert len(on_device) == len(on_host)
    for one, other in zip(on_device, on_host, strict=True):
        np.testing.assert_array_equal(bits(one.images), bits(other.images))
        np.testing.assert_array_equal(one.sizes, other.sizes)
        np.testing.assert_array_equal(one.rows, other.rows)
        assert ids([one]) == ids([other])
        if channels_last:
            assert one.images.transpose(0, 2, 3, 1).flags.c_contiguous
        if other.label_maps is None:
            assert one.label_maps is None
        else:
            np.testing.assert_array_equal(one.label_maps, other.label_maps)


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_batches_are_those_of_the_cpu(make, stream, dtype, channels_last):
    dataset = make()
    options = {"batch_size": 5, "size": (24, 17), "dtype": dtype, "shuffle": True, "seed": 4}
    loader = Loader(dataset, device="cuda", channels_last=channels_last, **options)
    assert loader.device == 0
    assert_same(loader, Loader(dataset, **options), channels_last=channels_last)
    assert loader.report == []


def test_label_maps(data, stream):
    dataset = RefHCM(data / "refhcm" / "rpar.tsv", task="rpar", index="memory")
    options = {"batch_size": 2, "size": 16, "label_size": (64, 48)}
    assert_same(Loader(dataset, device="cuda", **options), Loader(dataset, **options))
    assert {tensors for _, tensors in stream.handed_over} == {2}


class Raw:
    """A dataset of image files in memory."""

    def __init__(self, dataset):
        self._dataset = dataset
        values, spans, _ = dataset.payloads(range(len(dataset)), {})
        self._files = [base64.b64decode(values[a:b].tobytes()) for a, b in spans]

    def __len__(self):
        return len(self._files)

    def records(self, rows, faults):
        return self._dataset.records(rows, faults)

    def payloads(self, rows, faults):
        files = [np.frombuffer(self._files[row], np.uint8) for row in rows]
        stops = np.cumsum([len(file) for file in files])
        starts = stops - [len(file) for file in files]
        return np.concatenate(files), np.stack([starts, stops], axis=1), "raw"

    def row_error(self, row, error):
        return self._dataset.row_error(row, error)


def test_raw_files_are_used_where_they_lie(make, stream):
    dataset = Raw(make(9, row3=encoded(3, "PNG")))
    options = {"batch_size": 4, "size": 8}
    assert_same(Loader(dataset, device="cuda", **options), Loader(dataset, **options))


def cut(i):
    return base64.b64encode(base64.b64decode(encoded(i))[:-400]).decode()


def twelve_bit():
    """A JPEG that says it has 12 bits a sample, which libjpeg-turbo as built for 8 refuses."""
    file = bytearray(base64.b64decode(encoded(0)))
    file[file.index(b"\xff\xc0") + 4] = 12
    return base64.b64encode(file).decode()


BAD = {
    "row1": "AAAA",
    "row2": encoded(2, "PNG"),
    "row3": encoded(3, "WEBP"),
    "row4": "@bad",
    "row5": "A" * 50,
    "row6": cut(6),
    "row7": base64.b64encode(b"not an image").decode(),
    "row8": twelve_bit(),
    "row11": encoded(11, "PNG"),
}


@pytest.mark.parametrize("batch_size", [1, 3, 4, 30])
@pytest.mark.parametrize("allow_truncated", [True, False])
def test_bad_rows_are_skipped_as_on_the_cpu(make, stream, batch_size, allow_truncated):
    dataset = make(14, **BAD)
    options = {
        "batch_size": batch_size,
        "size": (9, 11),
        "errors": "skip",
        "allow_truncated": allow_truncated,
        "pixel_limit": 24 * 30,
    }
    loader, plain = Loader(dataset, device="cuda", **options), Loader(dataset, **options)
    assert_same(loader, plain)
    assert len(plain.report) >= 4
    assert [str(error) for error in loader.report] == [str(error) for error in plain.report]
    assert [type(error.__cause__) for error in loader.report] == [
        type(error.__cause__) for error in plain.report
    ]


def test_bad_records_too(make, stream):
    dataset = make(6, row1=encoded(1, "PNG"))
    lines = dataset.path.read_text().split("\n")
    lines[3] = "3_0\t3\tno box"
    dataset.path.write_text("\n".join(lines))
    dataset = RefHCM(dataset.path, task="rec")
    options = {"batch_size": 4, "size": 8, "errors": "skip"}
    loader = Loader(dataset, device="cuda", **options)
    assert_same(loader, Loader(dataset, **options))
    assert [error.row for error in loader.report] == [3]


def test_a_file_without_one_good_row(make, stream):
    dataset = make(5, **{f"row{i}": "AAAA" for i in range(5)})
    loader = Loader(dataset, batch_size=2, size=8, errors="skip", device="cuda")
    assert list(loader) == []
    assert len(loader.report) == 5


@pytest.mark.parametrize("device", [None, "cuda"])
def test_a_batch_without_one_good_record(make, stream, device):
    dataset = make(6)
    lines = dataset.path.read_text().split("\n")
    lines[2:4] = ["2_0\t2\tno box", "3_0\t3\tno box"]
    dataset.path.write_text("\n".join(lines))
    dataset = RefHCM(dataset.path, task="rec")
    loader = Loader(dataset, batch_size=2, size=8, errors="skip", device=device)
    assert [batch.rows.tolist() for batch in loader] == [[0, 1], [4, 5]]
    assert [error.row for error in loader.report] == [2, 3]


def test_pictures_that_are_all_pillows(make, stream):
    dataset = make(5, **{f"row{i}": encoded(i, "PNG") for i in range(5)})
    options = {"batch_size": 2, "size": 8}
    assert_same(Loader(dataset, device="cuda", **options), Loader(dataset, **options))


@pytest.mark.parametrize("bad", [{"row5": "A" * 50}, {"row5": "AAAA", "row4": encoded(4, "PNG")}])
def test_a_bad_row_raises_after_the_batches_before_it(make, stream, bad):
    dataset = make(9, **bad)
    seen = []
    with pytest.raises(RowError) as error:
        seen.extend(Loader(dataset, batch_size=2, size=4, device="cuda"))
    with pytest.raises(RowError) as expected:
        list(Loader(dataset, batch_size=2, size=4))
    assert str(error.value) == str(expected.value)
    assert [batch.rows.tolist() for batch in seen] == [[0, 1], [2, 3]]
    assert stream.idle, "the failed batch's memory is still to be read"


def prepared(loader, rows):
    return loader._batches.make(loader._batches.gather(rows))[0]


def test_nothing_waits_but_for_memory_to_be_read(make, stream):
    loader = Loader(make(), batch_size=2, size=4, device="cuda")
    batches = [prepared(loader, np.arange(i, i + 2)) for i in range(0, 8, 2)]
    assert stream.host_waits == 0
    assert not stream.idle
    loader._batches.gather(np.arange(8, 10))  # its memory is the first batch's
    assert stream.host_waits == 1
    for batch in batches:
        loader._batches.hand_over(batch)
    assert_same(batches, list(Loader(make(), batch_size=2, size=4))[:4])


def test_page_locked_memory_is_reused(make, stream):
    dataset = make()
    loader = Loader(dataset, batch_size=2, size=4, device="cuda")
    assert_same(loader, Loader(dataset, batch_size=2, size=4))
    first = stream.pinned_blocks
    assert first < len(loader)
    list(loader)
    assert stream.pinned_blocks == first


def test_batches_are_handed_over_on_the_consumers_thread(make, stream):
    loader = Loader(make(), batch_size=5, size=4, device="cuda")
    assert len(list(loader)) == len(stream.handed_over) == 5
    assert {thread for thread, _ in stream.handed_over} == {threading.get_ident()}


@pytest.mark.parametrize("sabotage", ["hand_over", "wait", "record"])
def test_the_stand_in_notices_a_forgotten_wait(make, monkeypatch, sabotage):
    class Careless(late_device.LateStream):
        def hand_over(self, event, *tensors):
            if sabotage != "hand_over":
                super().hand_over(event, *tensors)

        def wait(self, event):
            if sabotage != "wait":
                super().wait(event)

        def record(self):
            event = super().record()
            if sabotage == "record":  # before the batch's work
                return late_device.Event(max(0, event.position - 2))
            return event

    late_device.install(monkeypatch, stream=Careless())
    dataset = make(8)
    loader = Loader(dataset, batch_size=1, size=4, device="cuda", prefetch=8)
    plain = list(Loader(dataset, batch_size=1, size=4))

    def consume():
        made = [prepared(loader, np.array([i])) for i in range(8)]
        for batch, expected in zip(made, plain, strict=True):
            loader._batches.hand_over(batch)
            assert_same([batch], [expected])

    with pytest.raises((AssertionError, ValueError)):  # wrong pixels, or files overwritten
        consume()


@pytest.mark.parametrize("prefetch", [1, 2, 4])
def test_so_many_batches_ahead(make, stream, monkeypatch, prefetch):
    loader = Loader(make(), batch_size=1, size=4, device="cuda", prefetch=prefetch)
    make_batch, made, enough = loader._batches.make, [], threading.Event()

    def counted(gathered):
        made.append(gathered)
        if len(made) == prefetch + 2:  # those that wait, one with the caller, one in the making
            enough.set()
        return make_batch(gathered)

    monkeypatch.setattr(loader._batches, "make", counted)
    iterator = iter(loader)
    next(iterator)
    assert enough.wait(30)
    assert not stream.idle, "work that nobody waits for"
    iterator.close()
    assert prefetch + 2 <= len(made) <= prefetch + 3


@pytest.mark.parametrize("where", ["decode", "fill"])
def test_an_error_on_the_thread_arrives(make, stream, monkeypatch, where):
    class Broken(late_device.LateDecoder):
        def decode(self, values, spans):
            decoded = super().decode(values, spans)
            if self.calls == 3 and where == "decode":
                raise RuntimeError("no such luck")
            return decoded

    late_device.install(monkeypatch, stream=stream, decoder=partial(Broken, stream))
    calls = []
    fill = on_device.image_resize_normalize

    def failing(*args, **options):
        calls.append(args)
        if len(calls) == 3 and where == "fill":
            raise RuntimeError("no such luck")
        fill(*args, **options)

    monkeypatch.setattr(on_device, "image_resize_normalize", failing)
    dataset = make(8)
    loader = Loader(dataset, batch_size=2, size=4, device="cuda")
    seen = []
    with pytest.raises(RuntimeError, match="no such luck"):
        seen.extend(loader)
    plain = list(Loader(dataset, batch_size=2, size=4))
    assert_same(seen, plain[:2])
    assert stream.idle
    assert not [t for t in threading.enumerate() if t.name == "refpix-loader"]
    assert_same(loader, plain)  # the epoch anew


def test_breaking_off_leaves_nothing_to_be_read(make, stream):
    loader = Loader(make(), batch_size=2, size=4, shuffle=True, device="cuda")
    iterator = iter(loader)
    first = ids([next(iterator)])
    del iterator
    gc.collect()
    assert stream.idle
    assert not [t for t in threading.enumerate() if t.name == "refpix-loader"]
    assert ids(loader)[:2] == first


def test_two_iterators_at_a_time(make, stream):
    dataset = make()
    loader = Loader(dataset, batch_size=3, size=4, device="cuda")
    plain = list(Loader(dataset, batch_size=3, size=4))
    pairs = list(zip(loader, loader, strict=True))
    for batches in zip(*pairs, strict=True):
        assert_same(batches, plain)


@pytest.mark.parametrize("devices", [("cuda", "cuda"), ("cuda", None), (None, "cuda")])
def test_resumes_on_either_side(make, stream, devices):
    dataset = make(23, row4=encoded(4, "PNG"), row9="AAAA")

    def new(device):
        return Loader(
            dataset, batch_size=4, size=4, shuffle=True, seed=9, errors="skip", device=device
        )

    expected = ids(new(None))
    loader = new(devices[0])
    seen = []
    for count, batch in enumerate(loader, 1):
        seen += ids([batch])
        if count == 2:
            break
    resumed = new(devices[1])
    resumed.load_state_dict(loader.state_dict())
    assert seen + ids(resumed) == expected


def test_shards(make, stream):
    dataset = make()
    for rank in range(2):
        options = {"batch_size": 4, "size": 4, "rank": rank, "world_size": 2, "drop_last": True}
        assert_same(Loader(dataset, device="cuda", **options), Loader(dataset, **options))


def test_options_that_a_device_has_not(make, stream):
    with pytest.raises(ValueError, match="lanczos"):
        Loader(make(), device="cuda", filter="lanczos")
    with pytest.raises(ValueError, match="numpy"):
        Loader(make(), device="cuda", tensors="numpy")


@pytest.mark.parametrize(
    "options", [{"device": "cpu"}, {"device": "auto"}, {"tensors": "torch"}, {"pin_memory": True}]
)
def test_without_torch_it_says_what_to_install(make, monkeypatch, options):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"refpix\[torch\]"):
        Loader(make(), **options)


def test_options_reach_the_decoder(make, monkeypatch):
    given = []

    class Noted(late_device.LateDecoder):
        def __init__(self, *args, **options):
            given.append((args, options))
            super().__init__(late_device.LateStream(), *args, **options)

    late_device.install(monkeypatch, decoder=Noted)
    Loader(
        make(),
        device=1,
        engine="hybrid",
        num_threads=3,
        allow_truncated=False,
        pixel_limit=None,
    )
    options = {
        "engine": "hybrid",
        "allow_truncated": False,
        "pixel_limit": 2**63 - 1,
        "num_threads": 3,
    }
    assert given == [((0,), options)]


@pytest.mark.parametrize(("engine", "engines"), [("cpu", ("cpu",)), ("auto", ("cpu", "hybrid"))])
def test_tells_what_decodes(make, stream, engine, engines):
    loader = Loader(make(3), device="cuda", engine=engine)
    assert loader.engines == engines
    assert repr(loader).endswith(f"on cuda:{loader.device}; engines: {', '.join(engines)}>")


def test_a_picture_of_the_batch_is_large(make, stream):
    """Page-locked memory grows, and what the device is still to read of the old stays."""
    big = io.BytesIO()
    pixels = np.random.default_rng(5).integers(0, 256, (300, 200, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(big, "JPEG")
    dataset = make(12, row9=base64.b64encode(big.getvalue()).decode())
    options = {"batch_size": 1, "size": 8}
    assert_same(Loader(dataset, device="cuda", **options), Loader(dataset, **options))
