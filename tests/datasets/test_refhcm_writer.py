import base64
import io
import operator

import numpy as np
import pytest
from PIL import Image

from refpix.datasets import RefHCM, RefHCMWriter, write_refhcm

TASKS = ["rec", "rkpt", "rpar", "rhrc", "hoi"]


def check_equal(sample, values):
    """A sample against the values that it was written from, lossless picture."""
    assert sample.id == values["id"]
    assert sample.image_id in (None, values["image_id"])
    assert sample.text == (None if sample.task == "hoi" else values["text"])
    assert sample.box.tolist() == np.float32(values["box"]).tolist()
    assert np.array_equal(sample.image, values["image"])
    if sample.task == "rkpt":
        assert np.array_equal(sample.keypoints[:, :2], values["keypoints"])
    if sample.task == "rpar":
        assert np.array_equal(sample.codes, values["codes"])
        assert np.array_equal(sample.label_map, values["label_map"])
    if sample.task == "hoi":
        assert [tuple(a) for a in sample.actions] == values["actions"]


@pytest.mark.parametrize("task", TASKS)
def test_round_trip(make, person, task):
    path = make(task, count=5)
    dataset = RefHCM(path, strict=True)
    assert dataset.task == task
    assert len(dataset) == 5
    for i, sample in enumerate(dataset):
        check_equal(sample, person(i, task))
    assert dataset.verify() == []


@pytest.mark.parametrize("task", TASKS)
def test_samples_are_written_as_they_were_read(make, tmp_path, task):
    first = RefHCM(make(task, count=4))
    (tmp_path / "again").mkdir()
    again = tmp_path / "again" / "again.tsv"
    assert write_refhcm(again, task, first, image_format="PNG") == 4
    for one, other in zip(first, RefHCM(again, task), strict=True):
        assert one.to_dict().keys() == other.to_dict().keys()
        for name, value in one.to_dict().items():
            equal = np.array_equal if isinstance(value, np.ndarray) else operator.eq
            assert equal(value, getattr(other, name)), name


@pytest.mark.parametrize("name", ["rec", "rkpt", "hoi"])
def test_shipped_rows_keep_their_bytes(refhcm, tmp_path, name):
    """Payloads go through as they are; so do numbers that were written the shortest way."""
    dataset = RefHCM(refhcm / f"{name}.tsv")
    values, spans, _ = dataset.payloads(range(len(dataset)))
    rows = [
        {
            **sample.to_dict(),
            "box": sample.box_xyxy,
            "image": base64.b64decode(values[a:b].tobytes()),
        }
        for sample, (a, b) in zip(dataset, spans.tolist(), strict=True)
    ]
    write_refhcm(tmp_path / "out.tsv", name, rows)
    again = RefHCM(tmp_path / "out.tsv", name)
    for one, other in zip(dataset, again, strict=True):
        assert np.array_equal(one.image, other.image)
        assert one.box.tolist() == other.box.tolist()
        assert one.text == other.text


def test_pictures_of_all_kinds(tmp_path, person):
    values = person(0, "rec")
    Image.fromarray(values["image"]).save(tmp_path / "a.webp", lossless=True)
    buffer = io.BytesIO()
    Image.fromarray(values["image"][..., 0]).save(buffer, "PNG")
    pictures = [
        values["image"],
        tmp_path / "a.webp",
        str(tmp_path / "a.webp"),
        buffer.getvalue(),
        values["image"][..., 0],
    ]
    rows = [{**values, "image": picture} for picture in pictures]
    write_refhcm(tmp_path / "a.tsv", "rec", rows)
    got = [sample.image for sample in RefHCM(tmp_path / "a.tsv")]
    assert np.abs(got[0].astype(int) - values["image"]).mean() < 6  # JPEG
    assert np.array_equal(got[1], values["image"])
    assert np.array_equal(got[2], values["image"])
    assert np.array_equal(got[3], values["image"][..., [0, 0, 0]])
    with pytest.raises(OSError, match="cannot identify"):
        write_refhcm(tmp_path / "b.tsv", "rec", [{**values, "image": b"no picture"}])
    assert not (tmp_path / "b.tsv").exists()


def test_rpar_shares_a_picture(tmp_path, person):
    one, two = person(0, "rpar"), {**person(0, "rpar"), "id": "0000000_1", "text": None}
    write_refhcm(tmp_path / "p.tsv", "rpar", [one, two], folder="val")
    assert [p.name for p in (tmp_path / "annos/imgs/val").iterdir()] == ["0000000.jpg"]
    assert len(list((tmp_path / "annos/gts/val").iterdir())) == 2
    dataset = RefHCM(tmp_path / "p.tsv")
    assert dataset[1].text == "None"
    assert "<bin_" in dataset.targets(dataset[1]).source_text
    other = {**person(1, "rpar"), "image_id": "0000000"}
    with pytest.raises(ValueError, match="different contents"):
        write_refhcm(tmp_path / "q.tsv", "rpar", [one, other], folder="test")
    assert not list((tmp_path / "annos/imgs/test").iterdir())


@pytest.mark.parametrize(
    ("task", "change", "reason"),
    [
        ("rec", {"text": "a\tb"}, "tab or an end of line"),
        ("rec", {"text": "a\nb"}, "tab or an end of line"),
        ("rec", {"id": "a\rb"}, "tab or an end of line"),
        ("rec", {"text": None}, "expected text"),
        ("rec", {"text": "\ud800"}, "surrogates"),
        ("rec", {"box": (1, 2, 3)}, "4 finite numbers"),
        ("rec", {"box": (1, 2, 3, float("nan"))}, "4 finite numbers"),
        ("rkpt", {"keypoints": np.zeros((16, 2))}, "keypoints"),
        ("rkpt", {"keypoints": np.ones((17, 3)) * [0, 0, 1]}, "visible point"),
        ("rpar", {"codes": [1, 2, 3]}, "48"),
        ("rpar", {"codes": [32] * 48}, "48"),
        ("rpar", {"label_map": np.zeros((2, 2))}, "expected integers"),
        ("rpar", {"image_id": "../x"}, "leaves its folder"),
    ],
)
def test_what_the_format_cannot_hold_is_refused(tmp_path, person, task, change, reason):
    with pytest.raises(ValueError, match=reason):
        write_refhcm(tmp_path / "x.tsv", task, [person(0, task), {**person(1, task), **change}])
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_missing_value(tmp_path, person):
    values = person(0, "rkpt")
    del values["keypoints"]
    with pytest.raises(KeyError, match="keypoints"):
        write_refhcm(tmp_path / "x.tsv", "rkpt", [values])


def test_file_appears_at_the_end(tmp_path, person):
    path = tmp_path / "x.tsv"
    path.write_text("old")
    with RefHCMWriter(path, "rec") as writer:
        writer.write(person(0, "rec"))
        assert path.read_text() == "old"
    assert writer.rows == 1
    assert len(RefHCM(path)) == 1
    with pytest.raises(RuntimeError), RefHCMWriter(path, "rec") as writer:
        raise RuntimeError
    assert len(RefHCM(path)) == 1
    assert sorted(p.name for p in tmp_path.iterdir() if "index" not in p.name) == ["x.tsv"]


def test_keypoints_with_visibility(tmp_path, person):
    points = np.ones((17, 3), np.float32) * [3.25, 4.5, 1]
    points[5, 2] = 0
    write_refhcm(tmp_path / "x.tsv", "rkpt", [{**person(0, "rkpt"), "keypoints": points}])
    got = RefHCM(tmp_path / "x.tsv")[0].keypoints
    assert got[4].tolist() == [3.25, 4.5, 1]
    assert got[5].tolist() == [0, 0, 0]
