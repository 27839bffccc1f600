import json

import numpy as np
import pytest

from refpix import masks
from refpix.errors import RecordError
from refpix.metrics.coco_results import read_results

SIZES = {3: (44, 50), 7: (40, 48)}
POSE = [float(v) for v in range(51)]
RLE = {"size": [44, 50], "counts": [450, 400, 1350]}


def record(**more):
    return {"image_id": 3, "score": 0.5, "keypoints": POSE, "segmentation": RLE, **more}


def test_records():
    results = read_results([record(), record(score=1, category_id=2)], SIZES)["text"]
    assert [item.score for item in results.items] == [0.5, 1.0]
    assert [item.category_id for item in results.items] == [1, 2]
    assert results.items[0].keypoints.reshape(-1).tolist() == POSE
    assert results.has_keypoints
    assert [results.rles.runs(i).tolist() for i in range(2)] == [[450, 400, 1350]] * 2


@pytest.mark.parametrize(
    "segmentation",
    [
        RLE,
        {"size": (44, 50), "counts": RLE["counts"]},
        masks.to_coco(masks.from_coco([RLE]))[0],
        {"size": [44, 50], "counts": masks.to_coco(masks.from_coco([RLE]))[0]["counts"].decode()},
    ],
)
def test_every_form_of_run_lengths(segmentation):
    results = read_results([record(segmentation=segmentation)], SIZES)["text"]
    assert results.rles.runs(0).tolist() == RLE["counts"]


def test_polygons():
    given = record(segmentation=[[8, 9, 33, 9, 33, 34, 8, 34]])
    results = read_results([given], SIZES)["text"]
    assert results.rles.sizes.tolist() == [[44, 50]]
    assert masks.decode(results.rles)[0].sum() == 625


def test_prompts_of_records_and_files(tmp_path):
    given = [record(prompt="point"), record(), record(prompt="text")]
    found = read_results(given, SIZES, prompt="scribble")
    assert {kind: len(results.items) for kind, results in found.items()} == {
        "point": 1,
        "scribble": 1,
        "text": 1,
    }
    file = tmp_path / "all.json"
    file.write_text(json.dumps([record()]))
    assert list(read_results(file, SIZES, prompt="point")) == ["point"]
    for kind in ("text", "scribble"):
        (tmp_path / f"{kind}.json").write_text(json.dumps([record(), record()]))
    found = read_results(tmp_path, SIZES)
    assert {kind: len(results.items) for kind, results in found.items()} == {
        "text": 2,
        "scribble": 2,
    }
    (tmp_path / "text.json").write_text(json.dumps([record(prompt="point")]))
    with pytest.raises(RecordError, match=r"text\.json: prompt: holds 'point' too"):
        read_results(tmp_path, SIZES)


def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none of text\.json, point\.json"):
        read_results(tmp_path, SIZES)
    with pytest.raises(FileNotFoundError):
        read_results(tmp_path / "none.json", SIZES)
    assert read_results([], SIZES) == {}


def test_the_best_is_the_last_of_the_best_scored():
    given = [record(score=s) for s in (0.1, 0.9, 0.9, 0.3)] + [
        record(image_id=7, segmentation={"size": [40, 48], "counts": [1920]})
    ]
    assert read_results(given, SIZES)["text"].best() == {3: 2, 7: 4}


def test_only_poses_or_only_masks():
    pose, mask = record(), record()
    del pose["segmentation"], mask["keypoints"]
    poses = read_results([pose], SIZES)["text"]
    assert (poses.has_keypoints, poses.rles) == (True, None)
    shapes = read_results([mask], SIZES)["text"]
    assert (shapes.has_keypoints, len(shapes.rles.sizes)) == (False, 1)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"image_id": 4}, "image_id: there is no image 4"),
        ({"image_id": "3"}, "image_id: expected an integer, got '3'"),
        ({"score": float("nan")}, "score: not finite: nan"),
        ({"score": None}, "score: expected a number, got None"),
        ({"category_id": 1.5}, "category_id: expected an integer, got 1.5"),
        ({"keypoints": POSE[:34]}, "keypoints: expected 51 numbers, got 34 values"),
        ({"keypoints": [*POSE[:50], np.inf]}, "keypoints: not finite at place 50: inf"),
        ({"keypoints": None}, "keypoints: some predictions have them, some do not"),
        ({"segmentation": None}, "segmentation: some predictions have one, some do not"),
        ({"keypoints": None, "segmentation": None}, "neither keypoints nor segmentation"),
        ({"prompt": "box"}, "prompt: expected one of ('text', 'point', 'scribble'), got 'box'"),
        ({"segmentation": {"size": [50, 44], "counts": [2200]}}, "segmentation: size is [50, 44]"),
        ({"segmentation": {"size": 5, "counts": [2200]}}, "segmentation: size is 5"),
        ({"segmentation": {"counts": [2200]}}, "segmentation: size is None"),
        ({"segmentation": {"size": [44, 50]}}, "segmentation: counts: None"),
        ({"segmentation": {"size": [44, 50], "counts": [2199]}}, "segmentation: "),
        ({"segmentation": {"size": [44, 50], "counts": "R_67a"}}, "segmentation: "),
        ({"segmentation": {"size": [44, 50], "counts": [-1, 2201]}}, "segmentation: "),
        ({"segmentation": [[float("nan"), 1, 2, 3, 4, 5]]}, "segmentation: "),
        ({"segmentation": ["abcdef"]}, "segmentation: "),
        ({"segmentation": 5}, "segmentation: "),
    ],
)
def test_malformed_records_are_named(tmp_path, changed, reason):
    file = tmp_path / "p.json"
    file.write_text(json.dumps([record(), record(**changed)]))
    with pytest.raises(RecordError) as caught:
        read_results(file, SIZES)
    assert str(caught.value).startswith(f"{file}: prediction 1: {reason}")


@pytest.mark.parametrize("content", [b"", b"{}", b'"text"', b"[1]", b"\xff", b"[" * 10_000])
def test_files_that_hold_no_list(tmp_path, content):
    file = tmp_path / "p.json"
    file.write_bytes(content)
    with pytest.raises(RecordError, match=r"p\.json: "):
        read_results(file, SIZES)
