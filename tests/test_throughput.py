import numpy as np
import pytest

from refpix import throughput
from refpix.datasets import RefHCM, sample_path
from refpix.throughput import compare, compare_outputs


@pytest.fixture
def dataset():
    return RefHCM(sample_path("rec"), "rec", index="memory")


@pytest.fixture
def with_a_bad_row(tmp_path):
    lines = sample_path("rec").read_bytes().splitlines(keepends=True)[:3]
    lines.insert(1, b"0_0\t0\ttext\t1,2,3,4\tAAAA\n")
    path = tmp_path / "rec.tsv"
    path.write_bytes(b"".join(lines))
    return RefHCM(path, "rec", index="memory")


def test_outputs_agree(dataset):
    found = compare_outputs(dataset, [5, 0, 5], size=96, batch_size=2, num_threads=2)
    assert found.identical
    assert (found.images, found.equal, found.largest_difference) == (3, 3, 0.0)
    assert found.rows.tolist() == [5, 0, 5]
    assert found.unequal_rows == found.skipped == ()


def test_differences_are_found(dataset, monkeypatch):
    original = throughput.published_batch

    def wrong(payloads, *, size):
        batch = original(payloads, size=size)
        if payloads.spans[0, 0] == dataset.payloads([3]).spans[0, 0]:
            batch[0, 1, 2, 3] += np.float32(0.25)
        return batch

    monkeypatch.setattr(throughput, "published_batch", wrong)
    found = compare_outputs(dataset, size=64)
    assert not found.identical
    assert (found.images, found.equal, found.unequal_rows) == (8, 7, (3,))
    assert found.largest_difference == pytest.approx(0.25)


def test_what_pillow_refuses_counts_as_different(dataset, monkeypatch):
    def refuse(payloads, *, size):
        raise OSError("broken")

    monkeypatch.setattr(throughput, "published_batch", refuse)
    found = compare_outputs(dataset, [2], size=64)
    assert found.unequal_rows == (2,)
    assert np.isnan(found.largest_difference)


def test_bad_rows_are_skipped_and_reported(with_a_bad_row):
    found = compare_outputs(with_a_bad_row, size=64)
    assert found.rows.tolist() == [0, 2, 3]
    assert [error.row for error in found.skipped] == [1]
    assert found.identical


def test_comparison(with_a_bad_row):
    found = compare(with_a_bad_row, size=64, num_threads=2, seconds=0)
    assert [(t.name, t.threads) for t in found.timings] == [
        ("published path", 1),
        ("refpix", 1),
        ("refpix", 2),
    ]
    for timing in found.timings:
        assert timing.wall_ms > 0
        assert timing.images_per_second == pytest.approx(1000 / timing.wall_ms)
    assert found.speedup(found.timings[0]) == 1
    assert (found.mean_height, found.mean_width, found.rounds) == (180, 240, 2)
    assert found.agreement.images == 3
    assert 2000 < found.mean_payload_bytes < 50_000


def test_nothing_to_compare(tmp_path, with_a_bad_row):
    with pytest.raises(ValueError, match="none of 1 rows"):
        compare(with_a_bad_row[1:2])
    with pytest.raises(ValueError, match="no rows"):
        compare(with_a_bad_row[:0])
