import hashlib
import importlib.util
import json
import os
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.synthesis.glt_inputs import RUNS, Inputs

from refpix import synthesis
from refpix.errors import RecordError
from refpix.io.glt_pickle import load_pickle
from refpix.io.glt_splits_file import SPLITS, read_splits
from refpix.synthesis import GltRun, glt_splits, read_objects
from refpix.synthesis.glt_splits import _Left

pytest.importorskip("msgspec")

PLAIN = Path(__file__).parents[2] / "bench" / "pipelines" / "glt_plain.py"


@pytest.fixture(scope="module")
def plain():
    """The published steps as the bench renders them."""
    spec = importlib.util.spec_from_file_location("glt_plain", PLAIN)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check_case(folder):
    """Everything that is recorded of a case, and that our files say the same."""
    expected = json.loads((folder / "expected.json").read_text())
    stream = random.Random(25)
    for run in expected["runs"]:
        objects = read_objects(folder / "cocottributes.jbl", folder / "annotations", whole=True)
        kind = {"bl": "bl", "lt": "exp"}[run["inter_type"]]
        order = run["category_iteration_order"]
        sizes = GltRun("golden", kind, run["TEST_SIZE"], run["VAL_SIZE"])
        made = glt_splits(objects, sizes, stream, order=order)
        assert list(made.cat2id.items()) == list(run["cat2id"].items())
        assert len(made.attributes) == run["num_attributes_seen"]
        for name, split in run["splits"].items():
            got = made.splits[name]
            assert got.keys == split["keys"], name
            assert got.label.tolist() == split["label"]
            assert got.frequency.tolist() == split["frequency"]
        leftover = run["leftover_ann_vecs_keys"]
        if isinstance(leftover, dict):
            text = json.dumps(made.leftover).encode()
            assert len(made.leftover) == leftover["count"]
            assert hashlib.sha256(text).hexdigest() == leftover["sha256_of_json_list"]
        else:
            assert made.leftover == leftover
        assert made.annotations.keys[:20] == run["annotations_key_order_first20"]
        assert len(made.annotations.keys) == run["annotations_count"]
        state = hashlib.sha256(repr(stream.getstate()).encode()).hexdigest()
        assert state == run["random_state_after_sha256"]
        layout = synthesis.published_layout(objects, made)
        assert sorted(layout) == run["output_dict_keys"]
        bbl = layout["test_bbl"]["attribute"].values()
        assert all(one.dtype == np.float32 and set(one.tolist()) <= {0, 1} for one in bbl)


def test_the_committed_case(data):
    check_case(data / "glt" / "strkeys_ties")


def test_all_golden_cases(golden_matting):
    for case in ("small", "strkeys_ties"):
        check_case(golden_matting / "glt_generation" / case)


def assert_same_output(got, want):
    """Two dictionaries of the published layout, with the order of all their parts."""
    assert list(got) == list(want)
    for part in want:
        if part == "ann_vecs":
            assert list(got[part]) == list(want[part])
        elif part in SPLITS:
            for column in ("label", "frequency"):
                assert list(got[part][column].items()) == list(want[part][column].items())
            assert list(got[part]["attribute"]) == list(want[part]["attribute"])
            for key, vector in want[part]["attribute"].items():
                mine = got[part]["attribute"][key]
                assert mine.dtype == vector.dtype
                assert mine.tolist() == vector.tolist()
        else:
            assert repr(got[part]) == repr(want[part]), part


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_files_are_those_of_the_published_steps(tmp_path, plain, seed):
    inputs = Inputs(tmp_path, seed=seed).write()
    order = ["cat", "dog", "ant"]
    out = tmp_path / "out"
    summary = synthesis.generate_glt(*inputs.paths, out, seed=25, order=order, runs=RUNS, jbl=True)
    assert sorted(os.listdir(out)) == ["bl.jbl", "bl.json", "lt.jbl", "lt.json"]
    assert sorted(summary.files) == sorted(out.iterdir())
    assert summary.skipped == []
    load = lambda: load_pickle(inputs.attribute_path)  # noqa: E731
    wanted = plain.generate(load, inputs.paths[1], RUNS, random.Random(25), order)
    for run, want, made in zip(RUNS, wanted, summary.sets, strict=True):
        path = out / f"{run.name}.jbl"
        assert_same_output(load_pickle(path), want)
        from_json = read_splits(out / f"{run.name}.json")
        assert repr(from_json) == repr(made)
        assert from_json.settings["seed"] == 25
        assert from_json.settings["category_order"] == order
        from_pickle = read_splits(path)
        for name in ("attributes", "cat2id", "splits", "annotations", "leftover"):
            assert repr(getattr(from_json, name)) == repr(getattr(from_pickle, name)), name


def test_published_files_are_read_by_joblib(tmp_path):
    joblib = pytest.importorskip("joblib")
    inputs = Inputs(tmp_path).write()
    synthesis.generate_glt(*inputs.paths, tmp_path, runs=RUNS, jbl=True)
    for run in RUNS:
        path = tmp_path / f"{run.name}.jbl"
        assert_same_output(joblib.load(path), load_pickle(path))


def test_seed_and_order_decide(tmp_path):
    objects = Inputs(tmp_path).read()

    def keys(seed=1, order="sorted", run=RUNS[0]):
        made = glt_splits(objects, run, random.Random(seed), order=order)
        return {name: split.keys for name, split in made.splits.items()}

    assert keys() == keys(order=["ant", "cat", "dog"])
    assert keys(seed=2)["train"] != keys()["train"]
    assert keys(seed=2)["test_bbl"] == keys()["test_bbl"]
    first = dict.fromkeys(objects.category)
    assert keys(order="appearance") == keys(order=list(first))
    other = keys(order=["dog", "cat", "ant"])
    assert other["test_bl"] != keys()["test_bl"]
    assert set(other["test_bbl"]) == set(keys()["test_bbl"])
    # Splits share nothing and make up all objects together with what is left over.
    made = glt_splits(objects, RUNS[1], random.Random(0))
    everything = [key for split in made.splits.values() for key in split.keys] + made.leftover
    assert sorted(everything) == sorted(objects.keys)


def test_threads_change_nothing(tmp_path):
    objects = Inputs(tmp_path).read()
    one, four = (
        glt_splits(objects, RUNS[0], random.Random(0), num_threads=threads) for threads in (1, 4)
    )
    assert repr(one) == repr(four)


@pytest.mark.parametrize("order", [["ant", "cat"], ["ant", "cat", "dog", "cow"], "alphabetical"])
def test_orders_that_do_not_name_the_classes(tmp_path, order):
    with pytest.raises(ValueError, match="category order"):
        glt_splits(Inputs(tmp_path).read(), RUNS[0], random.Random(0), order=order)


def test_cure_of_vectors_that_are_gone(tmp_path):
    inputs = Inputs(tmp_path).write()
    vectors = inputs.attributes["ann_vecs"]
    for cures in ((), ("all_vectors",)):
        made = synthesis.generate_glt(
            *inputs.paths, tmp_path, runs=RUNS[:1], jbl=True, cures=cures
        ).sets[0]
        saved = load_pickle(tmp_path / "bl.jbl")["ann_vecs"]
        assert list(saved) == (list(vectors) if cures else made.leftover)
        assert len(made.leftover) < len(vectors)


def test_cure_of_attributes_that_do_not_occur(tmp_path):
    inputs = Inputs(tmp_path)
    for vector in inputs.attributes["ann_vecs"].values():
        vector[3] = 0.5
    objects = inputs.read()
    fourth = sorted(inputs.attributes["attributes"], key=lambda one: one["id"])[3]["name"]
    with pytest.raises(RecordError, match=f"attribute {fourth}: no object has it"):
        glt_splits(objects, RUNS[0], random.Random(0))
    made = glt_splits(objects, RUNS[0], random.Random(0), cures=["unseen_attributes"])
    assert made.settings["cures"] == ["unseen_attributes"]
    assert not any(split.positive[:, 3].any() for split in made.splits.values())


def test_balanced_splits_are_balanced(tmp_path):
    made = glt_splits(Inputs(tmp_path, width=10).read(), RUNS[1], random.Random(0))
    spread = synthesis.attribute_spread(made)
    assert set(spread) == {"train", "val", "test_lt", "test_bl", "test_bbl"}
    assert min(spread, key=spread.get) == "test_bbl"


def test_two_objects_with_one_annotation(tmp_path, plain):
    # As published: both are drawn, and only the later one has the annotation.
    inputs = Inputs(tmp_path)
    ids = inputs.attributes["patch_id_to_ann_id"]
    keys = list(ids)
    ids[keys[9]] = ids[keys[2]]
    objects = inputs.read()
    assert keys[2] not in objects.annotations.keys
    assert keys[9] in objects.annotations.keys
    want = plain.generate(
        lambda: load_pickle(inputs.attribute_path),
        inputs.paths[1],
        RUNS[:1],
        random.Random(3),
        sorted(set(objects.category)),
    )
    made = glt_splits(objects, RUNS[0], random.Random(3))
    want = next(iter(want))
    assert list(want["annotations"]) == made.annotations.keys
    assert list(want["train"]["label"]) == made.splits["train"].keys


def test_annotations_that_stand_in_both_files(tmp_path):
    inputs = Inputs(tmp_path)
    again = {**inputs.train["annotations"][5], "bbox": [9, 9, 9, 9]}
    inputs.val["annotations"].append(again)
    annotations = inputs.read().annotations
    assert annotations.id.tolist().count(again["id"]) == 1
    assert annotations.id[5] == again["id"]
    assert annotations.bbox[5].tolist() == [9, 9, 9, 9]


@settings(max_examples=50)
@given(st.integers(0, 1300), st.integers(0, 2**32))
def test_taking_the_kth_of_those_left(count, seed):
    stream = random.Random(seed)
    rows = list(range(count))
    want = list(rows)
    left = _Left(rows)
    while want:
        k = stream.randint(0, len(want) - 1)
        assert len(left) == len(want)
        assert left.take(k) == want.pop(k)
        if k % 64 == 0:
            assert left.rest() == want
    assert len(left) == 0
    assert left.rest() == []


@given(st.integers(1, 2**40), st.integers(0, 2**32))
def test_randrange_draws_as_randint_does(size, seed):
    assert random.Random(seed).randrange(size) == random.Random(seed).randint(0, size - 1)
