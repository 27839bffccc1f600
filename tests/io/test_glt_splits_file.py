import json
import os
import pickle
import zlib

import numpy as np
import pytest

from refpix.errors import PickleError, RecordError
from refpix.io.glt_splits_file import (
    SPLITS,
    GltAnnotations,
    GltSplit,
    GltSplits,
    read_splits,
    write_splits,
)


def some_splits(keys=("a", "b", "c")):
    keys = list(keys)
    positive = np.array([[True, False, True], [False, False, False], [True, True, True]])
    empty = GltSplit([], np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 3), bool))
    splits = dict.fromkeys(SPLITS, empty)
    splits["train"] = GltSplit(
        keys[:2], np.array([0, 1]), np.array([0, 0]), np.ascontiguousarray(positive[:2])
    )
    splits["test_bbl"] = GltSplit(keys[2:], np.array([1]), np.array([0]), positive[2:])
    annotations = GltAnnotations(
        keys,
        np.array([7, 8, 9]),
        np.array([70, 80, 2**40]),
        np.array([1, 1, 90]),
        np.array([[0.1, 2.0, 1e-7, 3], [0, 0, 0, 0], [1 / 3, 5e5, 4, 4]]),
    )
    return GltSplits(
        "coco_intra_lt_inter_bl",
        ["soft", "hard", "naïve"],
        {"person": 0, "dog": 1},
        splits,
        annotations,
        [5, "x"],
        {"seed": 25, "category_order": ["dog", "person"]},
    )


def published(**changes):
    """As the published program writes it: dictionaries by key."""
    half = np.array([0.5, 0.51, 1.0])
    content = {
        "attributes": [{"id": 9, "name": "c"}, {"id": 2, "name": "a"}, {"id": 5, "name": "b"}],
        "cat2id": {"person": 0, "dog": 1},
        "ann_vecs": {7: half},
        "annotations": {
            5: {"id": 50, "image_id": 500, "bbox": [1, 2.5, 3, 4], "category_id": 1, "area": 2.0}
        },
        **{name: {"label": {}, "frequency": {}, "attribute": {}} for name in SPLITS},
    }
    content["train"] = {"label": {5: 1}, "frequency": {5: 0}, "attribute": {5: half}}
    content.update(changes)
    return content


@pytest.mark.parametrize("keys", [("a", "b", "c"), (3, 1, 2), (1, "1", 2)])
def test_json_returns_what_was_written(tmp_path, keys):
    path = tmp_path / "splits.json"
    path.write_text("old")
    splits = some_splits(keys)
    write_splits(path, splits)
    assert os.listdir(tmp_path) == ["splits.json"]
    got = read_splits(path)
    assert repr(got) == repr(splits)
    assert [type(key) for key in got.annotations.keys] == [type(key) for key in keys]
    assert got.splits["train"].positive.dtype == bool


def test_json_is_the_same_without_msgspec(tmp_path, monkeypatch):
    write_splits(tmp_path / "a.json", some_splits())
    monkeypatch.setattr("refpix.io.glt_splits_file.msgspec", None)
    write_splits(tmp_path / "b.json", some_splits())
    texts = [(tmp_path / name).read_text() for name in ("a.json", "b.json")]
    assert json.loads(texts[0]) == json.loads(texts[1])
    assert texts[0].replace("1e-7", "1e-07") == texts[1]
    assert repr(read_splits(tmp_path / "b.json")) == repr(some_splits())


def test_json_is_as_documented(tmp_path):
    path = tmp_path / "splits.json"
    write_splits(path, some_splits())
    content = json.loads(path.read_text())
    assert list(content) == [
        "format",
        "version",
        "name",
        "settings",
        "attributes",
        "cat2id",
        "splits",
        "annotations",
        "leftover",
    ]
    assert list(content["splits"]) == list(SPLITS)
    assert content["splits"]["train"] == {
        "keys": ["a", "b"],
        "label": [0, 1],
        "frequency": [0, 0],
        "attribute": [[0, 2], []],
    }
    assert content["annotations"]["bbox"][0] == [0.1, 2.0, 1e-7, 3]
    assert len(path.read_text().splitlines()) == 11  # a part a line


def test_a_failed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "splits.json"
    path.write_text("old")
    splits = some_splits()
    splits.annotations.bbox[0, 0] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        write_splits(path, splits)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["splits.json"]


def test_published_files(tmp_path):
    path = tmp_path / "coco_intra_lt_inter_lt.jbl"
    path.write_bytes(zlib.compress(pickle.dumps(published())))
    got = read_splits(path)
    assert got.name == "coco_intra_lt_inter_lt"
    assert got.attributes == ["a", "b", "c"]
    assert got.cat2id == {"person": 0, "dog": 1}
    assert got.leftover == [7]
    train = got.splits["train"]
    assert train.keys == [5]
    assert train.label.tolist() == [1]
    assert train.positive.tolist() == [[False, True, True]]  # 0.5 is not above 0.5
    assert got.splits["val"].positive.shape == (0, 3)
    assert got.annotations.image_id.tolist() == [500]
    assert got.annotations.bbox.tolist() == [[1, 2.5, 3, 4]]


def test_published_files_of_the_golden_crops(golden_matting, tmp_path):
    for name in ("lt", "bl"):
        got = read_splits(golden_matting / "glt_crop" / f"coco_intra_lt_inter_{name}.jbl")
        assert len(got.annotations.keys) == 58
        assert len(got.attributes) == 26
        write_splits(tmp_path / "again.json", got)
        assert repr(read_splits(tmp_path / "again.json")) == repr(got)


def without(content, *path):
    content = json.loads(json.dumps(content))
    part = content
    for step in path[:-1]:
        part = part[step]
    del part[path[-1]]
    return content


def replaced(content, value, *path):
    content = json.loads(json.dumps(content))
    part = content
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    return content


@pytest.mark.parametrize(
    ("value", "path", "words"),
    [
        (None, ("format",), "format: missing"),
        ("refcoco", ("format",), "format: expected 'refpix-glt-splits', got 'refcoco'"),
        (2, ("version",), "version: expected 1, got 2"),
        (None, ("splits", "val"), "splits/val/keys: missing"),
        ([], ("splits",), "splits/train/keys: missing"),
        ([1.5, 2], ("splits", "train", "keys"), "a key is an integer or text, got 1.5"),
        (["a", "a"], ("splits", "train", "keys"), "a key occurs twice"),
        ([0], ("splits", "train", "label"), r"splits/train/label: expected shape \(2,\), got \(1,"),
        ([0, "1"], ("splits", "train", "label"), "splits/train/label: expected finite numbers"),
        ([[0], [3]], ("splits", "train", "attribute"), r"an attribute outside 0\.\.2"),
        ([[0], [-1]], ("splits", "train", "attribute"), r"an attribute outside 0\.\.2"),
        ([[0], 1], ("splits", "train", "attribute"), "expected a list of lists"),
        ([[0]], ("splits", "train", "attribute"), "expected 2 rows, got 1"),
        ([[1, 2, 3, 4]] * 2, ("annotations", "bbox"), r"expected shape \(3, 4\)"),
        ([[1, 2, 3]] * 3, ("annotations", "bbox"), r"expected shape \(3, 4\)"),
        ([[1, 2, 3, 4], [1], [2]], ("annotations", "bbox"), "not numbers"),
        ({"dog": "x"}, ("cat2id",), "dog: expected an integer, got 'x'"),
        ("x", ("leftover",), "leftover: expected list, got 'x'"),
    ],
)
def test_malformed_json_names_the_part(tmp_path, value, path, words):
    file = tmp_path / "splits.json"
    write_splits(file, some_splits())
    content = json.loads(file.read_text())
    content = without(content, *path) if value is None else replaced(content, value, *path)
    file.write_text(json.dumps(content))
    with pytest.raises(RecordError, match=words) as error:
        read_splits(file)
    assert error.value.file == str(file)


def test_cut_json(tmp_path):
    file = tmp_path / "splits.json"
    write_splits(file, some_splits())
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(RecordError, match=r"splits\.json: not JSON"):
        read_splits(file)
    file.write_text('{"a":' + "[" * 100_000)
    with pytest.raises(RecordError, match="not JSON"):
        read_splits(file)
    file.write_bytes(b"")
    with pytest.raises(PickleError, match="early"):
        read_splits(file)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cat2id": None}, "cat2id: expected dict, got None"),
        ({"attributes": [{"id": 1}]}, "attributes: expected records with id and name"),
        ({"train": {"label": {5: 1}, "frequency": {}, "attribute": {}}}, "object 5 is missing"),
        ({"attributes": [{"id": 1, "name": "a"}]}, r"object 5: expected 1 numbers, got \(3,\)"),
        ({"annotations": {5: {"id": 1}}}, "object 5: image_id: missing"),
        (
            {"annotations": {5: {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1]}}},
            "object 5: bbox: expected 4 numbers, got 1 values",
        ),
        ({"annotations": {5: 3}}, "object 5: no record"),
    ],
)
def test_malformed_published_files_name_the_object(tmp_path, changes, words):
    file = tmp_path / "splits.jbl"
    file.write_bytes(zlib.compress(pickle.dumps(published(**changes))))
    with pytest.raises(RecordError, match=words):
        read_splits(file)
    file.write_bytes(zlib.compress(pickle.dumps([1])))
    with pytest.raises(RecordError, match="attributes: missing"):
        read_splits(file)
