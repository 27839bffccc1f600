"""bench/gpu/refhcm.py on the CPU, with whatever rivals are installed: all of it but a device."""

import json

import pytest

pytest.importorskip("torch")


@pytest.fixture
def report(bench, data, tmp_path, capsys):
    path = tmp_path / "gpu.json"
    rows = data / "refhcm" / "rec.tsv"
    args = ["--tsv", rows, "--pictures", "4", "--repeat", "2", "--batch-size", "3"]
    args += ["--size", "48", "--rounds", "2", "--json", path]
    assert bench("refhcm").main(list(map(str, args)), "cpu") == 0
    return json.loads(path.read_text())["refhcm"]


def test_ours_is_compared_and_timed(report):
    assert report["off_by_of_255"]["refpix"]["max"] == 0
    assert report["off_by_of_255"]["CPU: image_batch, then copied"]["max"] == 0
    assert sum(report["engines"].values()) == 4
    for times in report["ms_per_picture"].values():
        assert times["wall"] > 0
    assert "refpix.Loader from TSV / refpix" in report["ratios"]
    assert report["machine"]["python"]


def test_every_rival_is_measured_or_named(report):
    for rival in ("DALI, mixed", "torchvision"):
        assert (rival in report["left_out"]) != (rival in report["ms_per_picture"])
