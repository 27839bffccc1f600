"""What of the source needs no DALI: order, shards, batches, faults, payloads."""

import importlib.util
import io
import pickle
import sys
from enum import Enum
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from refpix import Loader
from refpix.dali import DaliLoader, LoaderFeed, Source, refhcm_pipeline
from refpix.datasets import RefCocoM, RefHCM, RefHCMMixture, RefHuman
from refpix.errors import MissingExtraError, RowError
from refpix.io.image import decode_image
from refpix.kernels import base64_decode


class Info(NamedTuple):
    """As ``nvidia.dali.types.BatchInfo``."""

    iteration: int
    epoch_idx: int


class Policy(Enum):
    """As ``nvidia.dali.plugin.base_iterator.LastBatchPolicy``."""

    FILL = 0
    DROP = 1
    PARTIAL = 2


def batches(source, epoch_idx=0):
    found = []
    while True:
        try:
            found.append(source(Info(len(found), epoch_idx)))
        except StopIteration:
            return found


def rows(source, epoch_idx=0):
    return [row for _, rows in batches(source, epoch_idx) for row in rows.tolist()]


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("batch_size", [1, 4, 23, 50])
@pytest.mark.parametrize("shards", [1, 3, 30])
def test_rows_and_batches_are_the_loaders(make, shuffle, batch_size, shards):
    dataset = make()
    seen = []
    for shard in range(shards):
        common = {"batch_size": batch_size, "shuffle": shuffle, "seed": 5}
        source = Source(dataset, **common, shard_id=shard, num_shards=shards)
        loader = Loader(dataset, **common, rank=shard, world_size=shards)
        for epoch in (0, 1):
            given = [rows.tolist() for _, rows in batches(source, epoch)]
            order = loader.rows_of_epoch(epoch).tolist()
            assert given == [order[at : at + batch_size] for at in range(0, len(order), batch_size)]
        assert len(source) == len(loader) == len(given)
        seen += [row for batch in given for row in batch]
    assert sorted(seen) == list(range(23))


@pytest.mark.parametrize("last_batch", ["drop", "DROP", Policy.DROP])
def test_last_batch_can_be_dropped(make, last_batch):
    source = Source(make(), batch_size=5, last_batch=last_batch)
    assert [len(rows) for _, rows in batches(source)] == [5, 5, 5, 5] == [5] * len(source)


def test_filling_up_is_refused(make):
    with pytest.raises(ValueError, match="twice"):
        Source(make(3), batch_size=2, last_batch=Policy.FILL)


@pytest.mark.parametrize(
    "options",
    [{"batch_size": 0}, {"batch_size": 1, "num_threads": 0}, {"batch_size": 1, "errors": "no"}],
)
def test_impossible_options(make, options):
    with pytest.raises(ValueError, match=list(options)[-1]):
        Source(make(3), **options)


def test_a_batch_depends_on_its_number_alone(make):
    source = Source(make(), batch_size=4, shuffle=True, seed=2)
    whole = [batches(source, 0), batches(source, 1)]
    for iteration, epoch_idx in ((3, 1), (0, 0), (5, 1), (2, 0)):
        payloads, numbers = source(Info(iteration, epoch_idx))
        want_payloads, want_numbers = whole[epoch_idx][iteration]
        np.testing.assert_array_equal(numbers, want_numbers)
        for payload, want in zip(payloads, want_payloads, strict=True):
            np.testing.assert_array_equal(payload, want)
    for iteration in (6, 7, 6):  # prefetching calls beyond the end, and again
        with pytest.raises(StopIteration):
            source(Info(iteration, 0))
    assert rows(source, 0) != rows(source, 1)


def test_payloads_are_the_files(make):
    dataset = make(6)
    ((payloads, _),) = batches(Source(dataset, batch_size=6, num_threads=2))
    values, spans, _ = dataset.payloads(range(6))
    decoded, offsets = base64_decode(values, spans)
    for i, payload in enumerate(payloads):
        np.testing.assert_array_equal(payload, decoded[offsets[i] : offsets[i + 1]])
        assert payload.dtype == np.uint8


def test_begins_at_any_epoch_and_row(make):
    dataset = make()
    whole = Source(dataset, batch_size=4, shuffle=True)
    late = Source(dataset, batch_size=4, shuffle=True, epoch=2, start=9)
    assert rows(late) == rows(whole, 2)[9:]
    assert rows(late, 1) == rows(whole, 3)


def test_set_epoch_until_a_pipeline_draws(make):
    source = Source(make(), batch_size=4, shuffle=True)
    third = rows(Source(source.dataset, batch_size=4, shuffle=True), 3)
    source.set_epoch(3)
    assert rows(source) == third
    with pytest.raises(RuntimeError, match="new pipeline"):
        source.set_epoch(0)


def test_pickles(make):
    source = Source(make(), batch_size=4, shuffle=True, shard_id=1, num_shards=2, errors="skip")
    want = rows(source, 1)
    copy = pickle.loads(pickle.dumps(source))
    assert rows(copy, 1) == want


def test_wants_to_know_the_epoch(make):
    with pytest.raises(TypeError, match="batch_info"):
        Source(make(3), batch_size=1)(0)


BAD = {1: "AAAA", 6: "@bad", 7: "A" * 50, 11: b"no picture"}


def test_a_bad_row_raises_with_its_place(make):
    source = Source(make(12, BAD), batch_size=3)
    source(Info(1, 0))
    for iteration, row in ((0, 1), (2, 6), (3, 11)):
        with pytest.raises(RowError) as error:
            source(Info(iteration, 0))
        assert (error.value.file, error.value.row) == (str(source.dataset.path), row)
        assert error.value.offset > 0
    with pytest.raises(StopIteration):
        source(Info(4, 0))


def test_bad_rows_are_what_the_loader_reports(make):
    dataset = make(12, BAD)
    lines = dataset.path.read_text().split("\n")
    lines[9] = "9_0\t9\tno box"
    dataset.path.write_text("\n".join(lines))
    dataset = type(dataset)(dataset.path, task="rec", index="memory")
    loader = Loader(dataset, batch_size=4, size=8, errors="skip")
    want = [batch.rows.tolist() for batch in loader]
    source = Source(dataset, batch_size=4, errors="skip")
    assert [given.tolist() for _, given in batches(source)] == want
    assert [str(e) for e in source.report] == [str(e) for e in loader.report]
    assert [e.row for e in source.faults(np.arange(12))] == [1, 6, 7, 9, 11]
    assert source.faults(np.array([0, 2])) == []


def test_a_batch_without_rows_is_one_pixel(make):
    source = Source(make(5, {2: "AAAA", 3: "AAAA"}), batch_size=2, errors="skip")
    assert [given.tolist() for _, given in batches(source)] == [[0, 1], [-1], [4]]
    (payload,), _ = source(Info(1, 0))
    assert Image.open(io.BytesIO(payload.tobytes())).size == (1, 1)


def test_what_dali_would_refuse_or_misread_comes_as_pixels(make, cut, gif, cmyk):
    payloads = {3: cut, 4: gif, 5: cmyk}
    source = Source(make(7, payloads), batch_size=7)
    ((given, _),) = batches(source)
    for row, payload in payloads.items():
        assert given[row][:2].tobytes() == b"BM"
        np.testing.assert_array_equal(
            decode_image(given[row].tobytes()), decode_image(payload, allow_truncated=True)
        )
    assert all(given[row][:2].tobytes() == b"\xff\xd8" for row in (0, 1, 2, 6))


def test_cut_pictures_and_bombs_are_refused_if_asked(make, cut):
    dataset = make(5, {3: cut})
    source = Source(dataset, batch_size=5, allow_truncated=False, errors="skip")
    assert rows(source) == [0, 1, 2, 4]
    source = Source(dataset, batch_size=5, pixel_limit=22 * 28)
    faults = source.faults(np.arange(5))
    assert [e.row for e in faults] == [3, 4]
    assert all("pixel" in e.reason for e in faults)


def refhcm_with_files(data):
    return RefHCM(data / "refhcm" / "rpar.tsv", task="rpar", index="memory")


def refhcm_mixture(data):
    folder = data / "refhcm"
    tasks = ("rec", "rhrc", "rkpt")
    return RefHCMMixture(
        {task: RefHCM(folder / f"{task}.tsv", task=task) for task in tasks}
    ).flatten()


def refhuman(data):
    return RefHuman(data / "refhuman", cache="memory")


def refcocom(data):
    pytest.importorskip("pyarrow")
    return RefCocoM(data / "refcocom" / "validation.parquet")


@pytest.mark.parametrize("which", [refhcm_with_files, refhcm_mixture, refhuman, refcocom])
def test_any_dataset_will_do(data, which):
    dataset = which(data)
    count = min(len(dataset), 20)
    given = batches(Source(dataset, batch_size=7))
    payloads = [payload for batch, _ in given for payload in batch]
    assert [row for _, rows in given for row in rows] == list(range(len(dataset)))
    for i in range(count):
        np.testing.assert_array_equal(decode_image(payloads[i].tobytes()), dataset[i].image)


def test_without_dali(make, monkeypatch):
    monkeypatch.setitem(sys.modules, "nvidia", None)
    monkeypatch.setitem(sys.modules, "nvidia.dali", None)
    source = Source(make(3), batch_size=1)
    assert rows(source) == [0, 1, 2]
    feed = LoaderFeed(Loader(source.dataset, size=4))
    for use in (source.nodes, feed.nodes, lambda: refhcm_pipeline(source),
                lambda: DaliLoader(source.dataset)):  # fmt: skip
        with pytest.raises(MissingExtraError, match=r"refpix\[dali\]"):
            use()


def test_a_feed_gives_the_loaders_batches(make):
    dataset = make(9)
    feed = LoaderFeed(Loader(dataset, batch_size=4, size=8, shuffle=True))
    for epoch in (0, 1):
        want = Loader(dataset, batch_size=4, size=8, shuffle=True)
        want.set_epoch(epoch)
        for (images, numbers), batch in zip(feed, want, strict=True):
            np.testing.assert_array_equal(images, batch.images)
            np.testing.assert_array_equal(numbers, batch.rows)
    with pytest.raises(ValueError, match="bfloat16"):
        LoaderFeed(Loader(dataset, dtype="bfloat16"))
    if importlib.util.find_spec("torch"):
        with pytest.raises(ValueError, match="channels_last"):
            LoaderFeed(Loader(dataset, device="cpu", channels_last=True))
