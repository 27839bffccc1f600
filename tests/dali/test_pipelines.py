"""The source, the ready pipeline and the feed in DALI itself, on the CPU."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from refpix import Loader
from refpix.dali import OUTPUT_NAMES, DaliLoader, LoaderFeed, Source, refhcm_pipeline
from refpix.datasets import RefHCM
from refpix.errors import RowError
from refpix.io.image import decode_image
from refpix.kernels import base64_decode

dali = pytest.importorskip("nvidia.dali")
# DALI leaves its worker processes' sockets to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed <socket.socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:.*<socket.socket:pytest.PytestUnraisableExceptionWarning"),
]
fn, types = dali.fn, dali.types

WORKERS = {"parallel": True, "py_num_workers": 2}


def pipeline(batch_size, **options):
    return dali.Pipeline(batch_size=batch_size, num_threads=2, device_id=None, **options)


def epoch_of(pipe):
    """All outputs of an epoch, batch by batch, as lists of arrays; resets the pipeline."""
    found = []
    while True:
        try:
            outputs = pipe.run()
        except StopIteration:
            pipe.reset()
            return found
        found.append([[np.array(item) for item in output] for output in outputs])


def drawing(source, *, parallel=False, **options):
    """A pipeline whose outputs are what the source gives."""
    workers = {"py_num_workers": 2, "py_start_method": "spawn"} if parallel else {}
    pipe = pipeline(source.batch_size, **workers, **options)
    with pipe:
        pipe.set_outputs(*source.nodes(parallel=parallel))
    return pipe


def numbers(epoch):
    return [[int(row) for row in rows] for _, rows in epoch]


@pytest.mark.parametrize(
    ("batch_size", "shards", "last_batch", "parallel"),
    [
        (1, 1, "partial", False),
        (4, 1, "partial", False),
        (4, 3, "partial", False),
        (4, 3, "drop", False),
        (30, 2, "partial", False),
        (4, 1, "partial", True),
        (5, 2, "drop", True),
    ],
)
def test_every_row_once_an_epoch(make, batch_size, shards, last_batch, parallel):
    dataset = make()
    seen = [[], [], []]
    for shard in range(shards):
        source = Source(
            dataset,
            batch_size=batch_size,
            shuffle=True,
            seed=1,
            shard_id=shard,
            num_shards=shards,
            last_batch=last_batch,
        )
        loader = Loader(
            dataset,
            batch_size=batch_size,
            size=4,
            shuffle=True,
            seed=1,
            rank=shard,
            world_size=shards,
            drop_last=last_batch == "drop",
        )
        pipe = drawing(source, parallel=parallel)
        for rows in seen:
            got = numbers(epoch_of(pipe))
            assert got == [batch.rows.tolist() for batch in loader]
            rows += [row for batch in got for row in batch]
    for rows in seen:
        assert len(set(rows)) == len(rows)
        assert last_batch == "drop" or sorted(rows) == list(range(23))
    assert seen[0] != seen[1] != seen[2]


def test_workers_give_the_same_bytes(make):
    dataset = make(9)
    here, there = (
        epoch_of(drawing(Source(dataset, batch_size=4, shuffle=True), parallel=parallel))
        for parallel in (False, True)
    )
    for batch, other in zip(here, there, strict=True):
        for output, same in zip(batch, other, strict=True):
            for item, again in zip(output, same, strict=True):
                np.testing.assert_array_equal(item, again)


def decoded_by_dali(payloads):
    """What DALI itself makes of some files, fed by hand; and resized, normalised."""
    pipe = pipeline(len(payloads), prefetch_queue_depth=1)
    with pipe:
        encoded = fn.external_source(name="files", batch=True, dtype=types.UINT8, ndim=1)
        pictures = fn.decoders.image(encoded, output_type=types.RGB)
        resized = fn.resize(pictures, size=(16, 24), interp_type=types.INTERP_CUBIC)
        images = fn.crop_mirror_normalize(
            resized, output_layout="CHW", mean=[127.5] * 3, std=[127.5] * 3
        )
        pipe.set_outputs(pictures, images)
    pictures, images = pipe.run(files=payloads)
    return [np.array(picture) for picture in pictures], images.as_array()


@pytest.mark.parametrize("workers", [{}, WORKERS])
def test_the_pixels_are_dalis_of_the_same_bytes(make, workers):
    dataset = make(11)
    values, spans, _ = dataset.payloads(range(11))
    decoded, offsets = base64_decode(values, spans)
    _, want = decoded_by_dali([decoded[offsets[i] : offsets[i + 1]] for i in range(11)])
    loader = DaliLoader(dataset, batch_size=4, size=(16, 24), shuffle=True, **workers)
    held = list(loader)
    for batch in held:  # after all have been handed out: none is overwritten
        np.testing.assert_array_equal(batch.images, want[batch.rows])
        assert batch.images.dtype == np.float32


def test_pictures_are_decoded_as_published(make, cut, gif, cmyk):
    payloads = {3: cut, 4: gif, 5: cmyk}
    dataset = make(8, payloads)
    source = Source(dataset, batch_size=8)
    pipe = pipeline(8)
    with pipe:
        encoded, rows = source.nodes()
        pipe.set_outputs(fn.decoders.image(encoded, output_type=types.RGB), rows)
    ((pictures, _),) = epoch_of(pipe)
    for picture, sample in zip(pictures, dataset, strict=True):
        np.testing.assert_array_equal(picture, sample.image)


@pytest.mark.parametrize("name", ["images", "refhcm/imgs_rhrc"])
def test_odd_pictures_are_decoded_as_published(data, name):
    """Each file of the test data, through what the source makes of it, gives Pillow's pixels."""
    from refpix.dali._payloads import Presenter
    from refpix.errors import KernelError

    presenter = Presenter(allow_truncated=True, pixel_limit=None)
    files, wanted, refused = [], [], []
    for path in sorted(path for path in (data / name).iterdir() if path.is_file()):
        payload = path.read_bytes()
        try:
            files.append(presenter.present(np.frombuffer(payload, np.uint8)))
            wanted.append(decode_image(payload, allow_truncated=True))
        except KernelError:
            refused.append(path.name)
    assert len(files) > 2 * len(refused)
    pictures, _ = decoded_by_dali_without_orientation(files)
    for picture, want in zip(pictures, wanted, strict=True):
        np.testing.assert_array_equal(picture, want)


def decoded_by_dali_without_orientation(payloads):
    pipe = pipeline(len(payloads), prefetch_queue_depth=1)
    with pipe:
        encoded = fn.external_source(name="files", batch=True, dtype=types.UINT8, ndim=1)
        pipe.set_outputs(
            fn.decoders.image(encoded, output_type=types.RGB, adjust_orientation=False), encoded
        )
    return [[np.array(item) for item in output] for output in pipe.run(files=payloads)]


@pytest.mark.parametrize("workers", [{}, WORKERS])
def test_a_loader_as_ours(make, workers, cut, gif):
    dataset = make(23, {3: cut, 9: gif, 5: "AAAA", 8: b"no picture", 12: "@", 13: "@"})
    common = {"batch_size": 2, "size": (20, 30), "shuffle": False, "errors": "skip"}
    theirs = DaliLoader(dataset, **common, **workers)
    ours = Loader(dataset, **common)
    assert len(theirs) == len(ours)
    for _ in range(2):
        for batch, want in zip(theirs, ours, strict=True):
            assert batch.rows.tolist() == want.rows.tolist()
            assert batch.sizes.tolist() == want.sizes.tolist()
            assert [s.id for s in batch.samples] == [s.id for s in want.samples]
            same_size = (batch.sizes == (20, 30)).all(axis=1)
            np.testing.assert_allclose(
                batch.images[same_size], want.images[same_size], rtol=0, atol=1e-6
            )
            assert np.abs(batch.images - want.images).mean() < 0.03
        assert theirs.epoch == ours.epoch
    assert [str(e) for e in theirs.report] == [str(e) for e in ours.report]
    assert {e.row for e in theirs.report} == {5, 8, 12, 13}


@pytest.mark.parametrize("workers", [{}, WORKERS])
def test_a_bad_row_raises_when_its_batch_is_due(make, workers):
    loader = DaliLoader(make(12, {7: "AAAA", 8: "AAAA"}), batch_size=2, size=8, **workers)
    seen = []

    def drain():
        for batch in loader:
            seen.extend(batch.rows.tolist())

    with pytest.raises(RowError) as error:
        drain()
    assert seen == [0, 1, 2, 3, 4, 5]
    assert error.value.row == 7


@pytest.mark.parametrize("parallel", [False, True])
def test_a_bad_row_in_ones_own_pipeline(make, parallel):
    source = Source(make(12, {7: "AAAA"}), batch_size=2)
    with pytest.raises(Exception, match=r"rec\.tsv: row 7 \(byte \d+\): image: ") as error:
        epoch_of(drawing(source, parallel=parallel))
    assert parallel or error.type is RowError


def test_a_picture_that_dali_refuses_is_named(make):
    import zlib

    from .conftest import picture

    whole = picture(4, "PNG")
    at = whole.index(b"IDAT") + 4
    size = int.from_bytes(whole[at - 8 : at - 4], "big")
    broken = zlib.compress(b"\x09" * 50)  # no such filter, and too few rows
    chunk = b"IDAT" + broken + b"\0" * 4
    payload = whole[: at - 8] + len(broken).to_bytes(4, "big") + chunk + whole[at + size + 4 :]
    loader = DaliLoader(make(6, {4: payload}), batch_size=2, size=8)
    with pytest.raises(RowError) as error:
        list(loader)
    assert error.value.row == 4
    with pytest.raises(RowError):  # a new pipeline, the same row
        list(loader)


@pytest.mark.parametrize(("stop_after", "workers"), [(1, {}), (3, {}), (3, WORKERS)])
def test_goes_on_where_a_state_was_taken(make, stop_after, workers):
    dataset = make(13)
    common = {"batch_size": 3, "size": 8, "shuffle": True, "seed": 4}

    def rows(batches):
        return [row for batch in batches for row in batch.rows.tolist()]

    whole = Loader(dataset, **common)
    want = rows(whole) + rows(whole)
    loader = DaliLoader(dataset, **common, **workers)
    seen = []
    for count, batch in enumerate(loader, 1):
        seen += batch.rows.tolist()
        if count == stop_after:
            break
    for resumed in (DaliLoader(dataset, **common), Loader(dataset, **common)):
        resumed.load_state_dict(loader.state_dict())
        assert seen + rows(resumed) + rows(resumed) == want
    assert rows(loader) == want[:13]  # broken off: the epoch begins anew
    loader.set_epoch(0)
    assert rows(loader) == want[:13]
    with pytest.raises(ValueError, match="seed"):
        DaliLoader(dataset).load_state_dict(loader.state_dict())


@pytest.mark.parametrize("parallel", [False, True])
def test_dalis_own_checkpoint(make, parallel):
    dataset = make(13)

    def new(**options):
        source = Source(dataset, batch_size=3, shuffle=True)
        return drawing(source, parallel=parallel, enable_checkpointing=True, **options)

    pipe = new()
    first = numbers(epoch_of(pipe))
    pipe.run()
    state = pipe.checkpoint()
    rest = numbers(epoch_of(pipe))
    resumed = new(checkpoint=state)
    assert numbers(epoch_of(resumed)) == rest
    assert len(rest) == len(first) - 1
    assert numbers(epoch_of(resumed)) == numbers(epoch_of(pipe))


def test_under_dalis_iterator_for_torch(make):
    torch = pytest.importorskip("torch")
    from nvidia.dali.plugin.pytorch import DALIGenericIterator

    dataset = make(10)
    pipe = refhcm_pipeline(Source(dataset, batch_size=4), size=(12, 10), num_threads=1)
    iterator = DALIGenericIterator(pipe, list(OUTPUT_NAMES), auto_reset=True)
    for _ in range(2):
        batches = [batch[0] for batch in iterator]
        assert torch.cat([batch["rows"] for batch in batches]).flatten().tolist() == list(range(10))
        for batch in batches:
            assert batch["images"].shape == (len(batch["rows"]), 3, 12, 10)
            assert batch["sizes"].tolist() == [
                list(dataset[int(row)].image.shape[:2]) for row in batch["rows"]
            ]


@pytest.mark.parametrize("options", [{}, {"exec_dynamic": False}])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_tensors_stay_ours(make, dtype, options):
    torch = pytest.importorskip("torch")
    dataset = make(9)
    common = {"batch_size": 4, "size": 8, "dtype": dtype, **options}
    held = [list(DaliLoader(dataset, **common, tensors=kind)) for kind in ("torch", "numpy")]
    want = [batch.images.copy() for batch in DaliLoader(dataset, **common)]
    for batch, same, images in zip(*held, want, strict=True):
        assert batch.images.dtype == getattr(torch, dtype)
        np.testing.assert_array_equal(batch.images.numpy(), images)
        np.testing.assert_array_equal(same.images, images)


@pytest.mark.parametrize("tensors", ["numpy", "torch"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_our_batches_in_a_pipeline(make, tensors, dtype):
    if tensors == "torch":
        pytest.importorskip("torch")
    dataset = make(23)
    common = {"batch_size": 4, "size": (6, 10), "shuffle": True, "dtype": dtype}
    pipe = pipeline(4)
    with pipe:
        images, rows = LoaderFeed(Loader(dataset, **common, tensors=tensors)).nodes()
        pipe.set_outputs(fn.cast(images, dtype=types.FLOAT), rows)
    want = Loader(dataset, **common)
    for _ in range(2):
        for (images, rows), batch in zip(epoch_of(pipe), want, strict=True):
            assert [int(row) for row in rows] == batch.rows.tolist()
            np.testing.assert_array_equal(np.stack(images), batch.images.astype(np.float32))


def test_label_maps_in_a_pipeline(data):
    dataset = RefHCM(data / "refhcm" / "rpar.tsv", task="rpar", index="memory")
    loader = Loader(dataset, batch_size=2, size=16, label_size=(64, 48))
    pipe = pipeline(2)
    with pipe:
        pipe.set_outputs(*LoaderFeed(loader).nodes())
    found = epoch_of(pipe)
    again = Loader(dataset, batch_size=2, size=16, label_size=(64, 48))
    for (images, _, maps), batch in zip(found, again, strict=True):
        np.testing.assert_array_equal(np.stack(images), batch.images)
        np.testing.assert_array_equal(np.stack(maps), batch.label_maps)


@pytest.mark.parametrize("options", [[], ["--parallel"]])
def test_the_example(make, options):
    dataset = make(5)
    example = Path(__file__).resolve().parents[2] / "examples" / "dali_refhcm.py"
    ran = subprocess.run(
        [sys.executable, example, dataset.path, "--task", "rec", "--size", "32", *options],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )
    assert ran.returncode == 0, ran.stderr
    for epoch in (0, 1):
        said = [line for line in ran.stdout.splitlines() if f"epoch {epoch}," in line]
        assert sorted(int(line.split("row ")[1].split(":")[0]) for line in said) == list(range(5))
