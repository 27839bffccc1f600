import os
import pickle
import random

import numpy as np
import pytest
from tests.synthesis.glt_inputs import RUNS, Inputs

from refpix import synthesis
from refpix.errors import PickleError, RecordError
from refpix.io.glt_pickle import load_pickle
from refpix.io.glt_splits_file import GltAnnotations
from refpix.synthesis import GltObjects, GltRun, glt_splits, read_objects

pytest.importorskip("msgspec")


def test_a_vector_of_another_length(tmp_path):
    inputs = Inputs(tmp_path)
    key = inputs.keys[17]
    for vector, words in (
        (np.zeros(9), "expected 10 values, one per attribute, got 9 values"),
        (np.zeros(11), "got 11 values"),
        (np.zeros((2, 5)), r"got shape \(2, 5\)"),
        ([0.5] * 10, "expected an array of numbers"),
        (np.array(["a"] * 10), "expected an array of numbers"),
    ):
        inputs.attributes["ann_vecs"][key] = vector
        with pytest.raises(RecordError, match=f"object {key}: ann_vecs: .*{words}") as error:
            inputs.read()
        assert error.value.file == str(inputs.attribute_path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_not_finite(tmp_path, value):
    inputs = Inputs(tmp_path)
    inputs.attributes["ann_vecs"][inputs.keys[5]][2] = value
    with pytest.raises(RecordError, match=f"object {inputs.keys[5]}: ann_vecs: .*finite"):
        inputs.read()


def test_an_object_without_annotation_id(tmp_path):
    inputs = Inputs(tmp_path)
    del inputs.attributes["patch_id_to_ann_id"][inputs.keys[3]]
    with pytest.raises(RecordError, match=f"object {inputs.keys[3]}: patch_id_to_ann_id: missing"):
        inputs.read()
    inputs.attributes["patch_id_to_ann_id"][inputs.keys[3]] = "7"
    with pytest.raises(RecordError, match=f"object {inputs.keys[3]}: .*expected an integer"):
        inputs.read()


def test_objects_that_coco_does_not_know(tmp_path):
    inputs = Inputs(tmp_path)
    gone = inputs.train["annotations"].pop(4)["id"]
    other = inputs.val["annotations"].pop(7)["id"]
    key_of = {ann_id: key for key, ann_id in inputs.attributes["patch_id_to_ann_id"].items()}
    reason = "is in neither file of COCO's"
    first = next(key for key in inputs.keys if key in (key_of[gone], key_of[other]))
    with pytest.raises(RecordError, match=rf"object {first}: annotation \d+ {reason} \(2 such"):
        inputs.read()
    objects = inputs.read(skip_unknown=True)
    assert {key for key, _ in objects.skipped} == {key_of[gone], key_of[other]}
    assert all(reason in why for _, why in objects.skipped)
    assert len(objects.keys) == len(inputs.keys) - 2 == len(objects.positive)
    assert key_of[gone] not in objects.keys
    summary = synthesis.generate_glt(
        *inputs.paths, tmp_path, runs=RUNS[:1], skip_unknown=True, jbl=True
    )
    assert len(summary.skipped) == 2
    assert key_of[gone] not in load_pickle(tmp_path / "bl.jbl")["ann_vecs"]


def test_a_category_that_coco_does_not_know(tmp_path):
    inputs = Inputs(tmp_path)
    inputs.train["annotations"][0]["category_id"] = 77
    ann_id = inputs.train["annotations"][0]["id"]
    with pytest.raises(RecordError, match=f"annotation {ann_id}: COCO has no category 77"):
        inputs.read()


def class_of(inputs, name):
    number = next(one["id"] for one in inputs.train["categories"] if one["name"] == name)
    annotations = inputs.train["annotations"] + inputs.val["annotations"]
    ids = {one["id"] for one in annotations if one["category_id"] == number}
    known = inputs.attributes["patch_id_to_ann_id"]
    return [key for key in inputs.keys if known[key] in ids]


def test_too_few_candidates_in_a_class(tmp_path):
    inputs = Inputs(tmp_path)
    members = class_of(inputs, "cat")
    for key in members[7:]:
        inputs.attributes["ann_vecs"][key][:] = 0
    objects = inputs.read()
    words = "class cat: 7 objects have attributes, 8 are to be picked for test_bbl"
    with pytest.raises(RecordError, match=words):
        glt_splits(objects, RUNS[0], random.Random(0))
    words = "class ant: [0-9]+ objects have attributes, 5000 are"
    with pytest.raises(RecordError, match=words):
        glt_splits(objects, GltRun("x", "bl", 5000, 1), random.Random(0))


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (
            GltRun("x", "bl", 25, 1),
            "class ant: 23 objects are left, 25 are to be drawn for test_bl",
        ),
        (GltRun("x", "bl", 8, 100), "the training split: .* 300 are to be drawn for val"),
        (GltRun("x", "exp", 20, 1), "the training split: .* 60 are to be drawn for test_lt"),
    ],
)
def test_splits_that_are_too_large(tmp_path, run, words):
    with pytest.raises(RecordError, match=words):
        glt_splits(Inputs(tmp_path).read(), run, random.Random(0))


def test_a_single_class_has_no_long_tail():
    keys = list(range(30))
    annotations = GltAnnotations([], *(np.empty(0, np.int64),) * 3, np.empty((0, 4)))
    objects = GltObjects(["a"], keys, np.ones((30, 1), bool), ["dog"] * 30, annotations)
    assert len(glt_splits(objects, RUNS[0], random.Random(0)).splits["val"].keys) == 2
    with pytest.raises(RecordError, match="at least two classes"):
        glt_splits(objects, RUNS[1], random.Random(0))


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        ("ann_vecs", None, "ann_vecs: expected dict"),
        ("ann_vecs", {}, "ann_vecs: there is no object in it"),
        ("ann_vecs", {1.5: np.zeros(10)}, "object 1.5: a key is an integer or text"),
        ("attributes", {"a": 1}, "attributes: expected list"),
        ("attributes", [{"id": "1", "name": "a"}], "attribute 0: expected a record with id"),
        ("patch_id_to_ann_id", [], "patch_id_to_ann_id: expected dict"),
    ],
)
def test_attribute_files_of_another_kind(tmp_path, part, value, words):
    inputs = Inputs(tmp_path)
    inputs.attributes[part] = value
    with pytest.raises(RecordError, match=words):
        inputs.read()


def test_attribute_files_that_are_programs(tmp_path):
    class Program:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path}/owned",)

    inputs = Inputs(tmp_path).write()
    inputs.attribute_path.write_bytes(pickle.dumps({"ann_vecs": Program()}))
    with pytest.raises(PickleError, match="system: only data is read"):
        read_objects(*inputs.paths)
    assert not (tmp_path / "owned").exists()
    inputs.attribute_path.write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(RecordError, match="ann_vecs: expected dict"):
        read_objects(*inputs.paths)


def test_missing_files(tmp_path):
    inputs = Inputs(tmp_path).write()
    with pytest.raises(FileNotFoundError):
        read_objects(tmp_path / "nothing.jbl", tmp_path)
    with pytest.raises(FileNotFoundError, match="instances_train2014"):
        read_objects(inputs.attribute_path, tmp_path)


def test_output_that_cannot_be_written(tmp_path):
    inputs = Inputs(tmp_path).write()
    (tmp_path / "file").write_text("")
    with pytest.raises(synthesis.OutputError, match="file"):
        synthesis.generate_glt(*inputs.paths, tmp_path / "file", runs=RUNS[:1])
