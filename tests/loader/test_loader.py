import base64
import gc
import pickle
import threading

import numpy as np
import pytest
from tests.loader.loader_files import encoded, ids, published, row, write_rows

from refpix import Collate, Loader
from refpix.datasets import RefHCM, RefHuman
from refpix.errors import IndexStaleError, RowError
from refpix.metrics import zoom_labels


@pytest.fixture
def make(tmp_path):
    def write(count=23, name="rec.tsv", **payloads):
        return write_rows(tmp_path / name, count, **payloads)

    return write


def test_an_epoch_is_the_file(make):
    path = make()
    loader = Loader(RefHCM(path, task="rec"), batch_size=5, size=(24, 16), num_threads=2)
    batches = list(loader)
    assert [len(b) for b in batches] == [5, 5, 5, 5, 3]
    assert len(loader) == 5
    assert ids(batches) == [f"{i}_0" for i in range(23)]
    for batch in batches:
        assert batch.images.shape == (len(batch), 3, 24, 16)
        assert batch.images.dtype == np.float32
        for image, number, sample, size in zip(
            batch.images, batch.rows, batch.samples, batch.sizes, strict=True
        ):
            np.testing.assert_array_equal(image, published(path, number, (24, 16)))
            assert sample.text == f"person {number}"
            assert sample.image is None
            assert size.tolist() == [20 + number % 7, 30 - number % 5]
    assert loader.report == []


def test_tells_what_decodes(make):
    loader = Loader(RefHCM(make(), task="rec"), batch_size=5)
    assert loader.engines == ("cpu",)
    assert repr(loader) == "<Loader of 23 rows, 5 a batch, in host memory; engines: cpu>"


def test_order_depends_on_seed_and_epoch_alone(make):
    path = make()

    def order(**options):
        loader = Loader(RefHCM(path, task="rec"), size=8, shuffle=True, **options)
        return [ids(loader), ids(loader)]

    first = order(seed=3, batch_size=4, num_threads=1)
    assert first == order(seed=3, batch_size=4, num_threads=3, prefetch=5)
    assert first == order(seed=3, batch_size=7)
    assert first != order(seed=4, batch_size=4)
    assert first[0] != first[1]
    assert sorted(first[0]) == sorted(first[1]) == sorted(f"{i}_0" for i in range(23))


@pytest.mark.parametrize("world_size", [1, 2, 3, 5, 30])
@pytest.mark.parametrize("shuffle", [False, True])
def test_shards_are_disjoint_and_complete(make, world_size, shuffle):
    dataset = RefHCM(make(), task="rec")
    shards = [
        Loader(dataset, batch_size=4, size=4, shuffle=shuffle, rank=rank, world_size=world_size)
        for rank in range(world_size)
    ]
    seen = [ids(shard) for shard in shards]
    assert sorted(i for shard in seen for i in shard) == sorted(f"{i}_0" for i in range(23))
    assert max(map(len, seen)) - min(map(len, seen)) <= 1
    assert [-(-len(s) // 4) for s in seen] == [len(shard) for shard in shards]


@pytest.mark.parametrize("stop_after", [1, 3, 5])
def test_resumes_at_the_very_next_row(make, stop_after):
    path = make()

    def new():
        return Loader(RefHCM(path, task="rec"), batch_size=4, size=4, shuffle=True, seed=9)

    whole = new()
    expected = ids(whole) + ids(whole)
    loader = new()
    seen = []
    for count, batch in enumerate(loader, 1):
        seen += ids([batch])
        if count == stop_after:
            state = pickle.loads(pickle.dumps(loader.state_dict()))
            break
    resumed = new()
    resumed.load_state_dict(state)
    seen += ids(resumed)  # the rest of the epoch
    seen += ids(resumed)
    assert seen == expected


def test_state_of_another_order_is_refused(make):
    path = make()
    state = Loader(RefHCM(path, task="rec"), seed=1).state_dict()
    for options in ({"seed": 2}, {"seed": 1, "shuffle": True}, {"seed": 1, "world_size": 2}):
        with pytest.raises(ValueError, match="another loader"):
            Loader(RefHCM(path, task="rec"), **options).load_state_dict(state)


def test_breaking_off_starts_the_epoch_anew(make):
    loader = Loader(RefHCM(make(), task="rec"), batch_size=2, size=4, shuffle=True)
    iterator = iter(loader)
    first = ids([next(iterator)])
    del iterator
    assert ids(loader)[:2] == first
    assert loader.epoch == 1
    assert not [t for t in threading.enumerate() if t.name == "refpix-loader"]


def test_a_bad_row_raises_with_its_place(make):
    path = make(8, row5=base64.b64encode(b"not an image").decode())
    offset = path.read_bytes().split(b"5_0\t")[0]
    with pytest.raises(RowError) as error:
        list(Loader(RefHCM(path, task="rec"), batch_size=3, size=4))
    assert (error.value.file, error.value.row) == (str(path), 5)
    assert error.value.offset > len(offset)
    assert "no image" in error.value.reason


def test_bad_rows_are_skipped_and_reported(make):
    path = make(12, row1="AAAA", row6="@bad", row7="A" * 50)
    lines = path.read_text().split("\n")
    lines[9] = "9_0\t9\tno box"
    path.write_text("\n".join(lines))
    loader = Loader(RefHCM(path, task="rec"), batch_size=4, size=8, errors="skip")
    batches = list(loader)
    good = [i for i in range(12) if i not in (1, 6, 7, 9)]
    assert ids(batches) == [f"{i}_0" for i in good]
    assert [error.row for error in loader.report] == [1, 6, 7, 9]
    assert all(error.file == str(path) and error.offset > 0 for error in loader.report)
    for batch in batches:
        for image, number in zip(batch.images, batch.rows, strict=True):
            np.testing.assert_array_equal(image, published(path, number, (8, 8)))


def test_resuming_behind_skipped_rows(make):
    path = make(12, row1="AAAA", row2="AAAA", row3="AAAA", row0="AAAA", row8="AAAA")

    def new():
        return Loader(RefHCM(path, task="rec"), batch_size=4, size=4, errors="skip")

    loader = new()
    batch = next(iter(loader))
    assert batch.rows.tolist() == [4, 5, 6, 7]
    resumed = new()
    resumed.load_state_dict(loader.state_dict())
    assert ids(resumed) == ["9_0", "10_0", "11_0"]
    assert [error.row for error in resumed.report] == [8]


def test_other_formats_are_decoded_too(make):
    path = make(4, row2=encoded(2, "PNG"))
    (batch,) = Loader(RefHCM(path, task="rec"), batch_size=4, size=(9, 11))
    np.testing.assert_array_equal(batch.images[2], published(path, 2, (9, 11)))
    assert batch.sizes[2].tolist() == [22, 28]


def test_file_changed_after_indexing(make):
    path = make()
    dataset = RefHCM(path, task="rec")
    path.write_text(path.read_text() + row(99))
    with pytest.raises(IndexStaleError):
        list(Loader(dataset, size=4))


def test_buffers_come_back_only_when_nobody_holds_them(make):
    loader = Loader(RefHCM(make(), task="rec"), batch_size=2, size=8)
    held = [batch.images[:1] for batch in loader]
    kept = [view.copy() for view in held]
    list(loader)
    for view, copy in zip(held, kept, strict=True):
        np.testing.assert_array_equal(view, copy)
    del held, view
    gc.collect()
    addresses = set()
    for batch in loader:
        addresses.add(batch.images.ctypes.data)
        del batch
    assert len(addresses) <= loader.prefetch + 3


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_torch_tensors(make, dtype):
    torch = pytest.importorskip("torch")
    path = make(4)
    loader = Loader(RefHCM(path, task="rec"), batch_size=4, size=8, dtype=dtype, tensors="torch")
    (batch,) = loader
    assert batch.images.dtype == getattr(torch, dtype)
    want = torch.from_numpy(np.stack([published(path, i, (8, 8)) for i in range(4)]))
    assert torch.equal(batch.images, want.to(batch.images.dtype))


@pytest.mark.parametrize(("workers", "method"), [(0, None), (2, "fork"), (2, "spawn")])
def test_under_torchs_dataloader(make, workers, method):
    torch = pytest.importorskip("torch")
    path = make(10)
    loader = torch.utils.data.DataLoader(
        RefHCM(path, task="rec"),
        batch_size=4,
        num_workers=workers,
        multiprocessing_context=method,
        collate_fn=Collate(size=(12, 10)),
    )
    batches = list(loader)
    assert ids(batches) == [f"{i}_0" for i in range(10)]
    for batch in batches:
        for image, number in zip(batch.images, batch.rows, strict=True):
            np.testing.assert_array_equal(image.numpy(), published(path, number, (12, 10)))


def test_samples_without_a_row_collate_too(data):
    dataset = RefHuman(data / "refhuman", "val", cache="memory")
    batch = Collate(size=16, tensors="numpy")(dataset[4:6])
    assert batch.rows.tolist() == [sample.index for sample in dataset[4:6]]


def test_what_is_printed_fits_a_line(data):
    dataset = RefHCM(data / "refhcm" / "rpar.tsv", task="rpar", index="memory")
    batch = next(iter(Loader(dataset, batch_size=2, size=16)))
    assert repr(batch) == "Batch(images=(2, 3, 16, 16) float32, rows=[0, 1])"
    assert "image=" not in repr(dataset[0])


@pytest.mark.parametrize(
    ("dataset", "options", "missing"),
    [
        (["a", "b"], {}, "list has no records, payloads, row_error:"),
        ("refhuman", {"label_size": 16}, "RefHuman has no label_maps:"),
    ],
)
def test_other_than_datasets_are_refused(data, dataset, options, missing):
    if dataset == "refhuman":
        dataset = RefHuman(data / "refhuman", "val", cache="memory")
    with pytest.raises(TypeError, match=missing):
        Loader(dataset, **options)


@pytest.mark.parametrize("tensors", ["numpy", "torch"])
def test_label_maps_and_boxes(data, tensors):
    if tensors == "torch":
        pytest.importorskip("torch")
    dataset = RefHCM(data / "refhcm" / "rpar.tsv", task="rpar", index="memory")
    (batch,) = Loader(dataset, batch_size=99, size=16, label_size=(64, 48), tensors=tensors)
    assert batch.label_maps.shape == (len(dataset), 64, 48)
    for sample, labels, box in zip(dataset, batch.label_maps, batch.boxes, strict=True):
        np.testing.assert_array_equal(labels, zoom_labels(sample.label_map, (64, 48)))
        np.testing.assert_array_equal(box, sample.box_xyxy)
    assert np.asarray(batch.label_maps).max() > 0


def test_drop_last(make):
    loader = Loader(RefHCM(make(), task="rec"), batch_size=5, size=4, drop_last=True)
    assert [len(batch) for batch in loader] == [5, 5, 5, 5]
    assert len(loader) == 4


@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 0},
        {"prefetch": 0},
        {"errors": "ignore"},
        {"tensors": "jax"},
        {"dtype": "float64"},
        {"size": 0},
        {"size": "512"},
        {"size": None},
        {"size": (512,)},
        {"num_threads": 0},
        {"label_size": 0},
        {"engine": "steam"},
        {"device": "tpu"},
        {"tensors": "numpy", "channels_last": True},
        {"rank": 2, "world_size": 2},
    ],
)
def test_impossible_options(make, options):
    with pytest.raises(ValueError, match=next(iter(options)).removeprefix("label_")):
        Loader(RefHCM(make(), task="rec"), **options)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_channels_last_on_the_cpu(make, dtype):
    torch = pytest.importorskip("torch")
    path = make(7, row5="AAAA")

    def batches(**options):
        return list(
            Loader(
                RefHCM(path, task="rec"),
                batch_size=3,
                size=(8, 6),
                dtype=dtype,
                errors="skip",
                tensors="torch",
                **options,
            )
        )

    for batch, plain in zip(batches(channels_last=True), batches(), strict=True):
        assert torch.equal(batch.images, plain.images)
        assert batch.images.is_contiguous(memory_format=torch.channels_last)


def test_the_cpu_by_name_gives_tensors(make):
    torch = pytest.importorskip("torch")
    loader = Loader(RefHCM(make(2), task="rec"), batch_size=2, size=8, device="cpu")
    (batch,) = loader
    assert isinstance(batch.images, torch.Tensor)
    assert loader.device is None
    assert batch.ready is None
