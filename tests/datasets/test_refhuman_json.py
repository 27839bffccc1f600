import json
import pickle

import numpy as np
import pytest
from tests.datasets.refhuman_files import FILE, KEYPOINTS, SCRIBBLE, write

from refpix.datasets.refhuman_json import read_annotations
from refpix.errors import RecordError, RowError
from refpix.io.columns_file import columns_path

REQUIRED = {
    "image": ("id", "file_name", "width", "height"),
    "annotation": (
        *("id", "image_id", "category_id", "num_keypoints", "area"),
        *("bbox", "keypoints", "segmentation"),
    ),
}


def read(path, **options):
    return read_annotations(path, **{"cache": "memory", **options})


def fault(tmp_path, edit):
    """The one fault of a file that was changed; the other record must be there."""
    known, faults = read(write(tmp_path, edit))
    assert len(faults) == 1
    assert faults[0].file.endswith("RefHuman_val.json")
    assert str(faults[0]).startswith(faults[0].file)
    return faults[0], known


def test_columns_and_back(tmp_path):
    known, faults = read(write(tmp_path))
    assert faults == []
    assert known["image_id"].tolist() == [3, 7]  # ascending
    assert known["image_size"].tolist() == [[44, 50], [40, 48]]
    assert [known.text("file_name", i) for i in range(2)] == ["a.png", "b.png"]
    assert [known.text("caption", i) for i in range(2)] == ["the other", "left of a right"]
    assert known["id"].tolist() == [30, 70]
    assert known["iscrowd"].tolist() == [False, False]
    assert known["area_is_int"].tolist() == [False, True]
    assert known["bbox"].tolist() == [[10, 10, 20, 30], [8, 9, 25.5, 25]]
    assert known["keypoints"][1].reshape(-1).tolist() == KEYPOINTS
    assert known.scribble(0) is None
    assert known.scribble(1).reshape(-1).tolist() == SCRIBBLE
    assert known.segmentation(0) == FILE["annotations"][1]["segmentation"]
    assert known.segmentation(1) == FILE["annotations"][0]["segmentation"]
    assert [known.of_image(row).tolist() for row in range(2)] == [[0], [1]]


def test_annotations_of_an_image_keep_their_order(tmp_path):
    def edit(content):
        first = content["annotations"][0]
        content["annotations"] += [{**first, "id": 5}, {**first, "id": 99}]

    known, _ = read(write(tmp_path, edit))
    assert known["id"][known.of_image(1)].tolist() == [70, 5, 99]


def test_the_side_file_holds_the_same(tmp_path):
    path = write(tmp_path)
    first, _ = read_annotations(path)
    assert columns_path(path).is_file()
    again, _ = read_annotations(path)
    for name, column in first.columns.items():
        assert np.array_equal(column, again[name])
        assert column.dtype == again[name].dtype
    other = pickle.loads(pickle.dumps(again))
    assert other.segmentation(0) == again.segmentation(0)
    columns_path(path).unlink()
    assert pickle.loads(pickle.dumps(again)).segmentation(1) == again.segmentation(1)


def test_a_changed_file_is_read_anew(tmp_path):
    read_annotations(write(tmp_path))

    def edit(content):
        content["images"][0]["caption"] = "someone else"

    known, _ = read_annotations(write(tmp_path, edit))
    assert known.text("caption", 1) == "someone else"


def test_memory_writes_nothing_and_faults_are_not_kept(tmp_path):
    read(write(tmp_path))
    _, faults = read_annotations(write(tmp_path, lambda content: content | {"images": [None]}))
    assert len(faults) == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["RefHuman_val.json", "images"]


def test_pickled_without_a_side_file(tmp_path):
    known, _ = read(write(tmp_path))
    assert pickle.loads(pickle.dumps(known)).segmentation(0) == known.segmentation(0)


def test_compressed_counts_stay_text(tmp_path):
    given = {"size": [44, 50], "counts": "R_67a2"}

    def edit(content):
        content["annotations"][1]["segmentation"] = given

    known, faults = read(write(tmp_path, edit))
    assert faults == []
    assert known.segmentation(0) == given


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "broken JSON at line 1, column 1"),
        (b'{"images": [\n{"id": 3,}]}', "broken JSON at line 2, column 10"),
        (b'{"images": [], "annotations": "\xff"}', "not UTF-8 at byte 31"),
        (b"[1, 2]", "expected an object, got [1, 2]"),
        (b'{"annotations": []}', "images: missing"),
        (b'{"images": [], "annotations": {}}', "annotations: expected a list"),
        (b"[" * 200_000, "broken JSON"),
        (b'{"images": [' + b"1" * 5000 + b"]}", "broken JSON"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, content, reason):
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    with pytest.raises(RecordError, match=r"broken\.json: ") as caught:
        read(path)
    assert reason in str(caught.value)


def test_byte_order_mark_and_missing_file(tmp_path):
    path = tmp_path / "bom.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(FILE).encode())
    assert read(path)[1] == []
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none.json")


def test_empty_file(tmp_path):
    known, faults = read(write(tmp_path, lambda content: {"images": [], "annotations": []}))
    assert faults == []
    assert len(known["image_id"]) == len(known["id"]) == 0


@pytest.mark.parametrize(
    ("kind", "field"), [(kind, field) for kind in REQUIRED for field in REQUIRED[kind]]
)
def test_missing_fields(tmp_path, kind, field):
    def edit(content):
        del content[f"{kind}s"][1][field]
        if kind == "image":  # nor its annotation, which would dangle
            content["annotations"].pop()

    error, _ = fault(tmp_path, edit)
    assert error.field == field
    assert error.reason == "missing"
    number = {"image": 3, "annotation": 30}[kind]
    assert error.record == (f"{kind} at place 1" if field == "id" else f"{kind} {number}")


NAN, HUGE = float("nan"), 10**400
BAD_FIELDS = [
    ("bbox", [1, 2, 3], "expected 4 numbers, got 3 values"),
    ("bbox", [1, 2, NAN, 4], "not finite at place 2: nan"),
    ("bbox", [1, 2, 3, float("-inf")], "not finite at place 3: -inf"),
    ("bbox", [HUGE, 2, 3, 4], "not finite at place 0"),
    ("bbox", [1, "2", 3, 4], "expected a number at place 1, got '2'"),
    ("bbox", [1, True, 3, 4], "expected a number at place 1, got True"),
    ("bbox", None, "expected 4 numbers, got None"),
    ("keypoints", KEYPOINTS[:-1], "expected 51 numbers, got 50 values"),
    ("keypoints", [*KEYPOINTS[:-1], None], "expected a number at place 50, got None"),
    ("num_keypoints", "5", "expected an integer, got '5'"),
    ("num_keypoints", 1.5, "expected an integer, got 1.5"),
    ("category_id", 2**63, "expected an integer, got 9223372036854775808"),
    ("iscrowd", 2, "expected 0 or 1, got 2"),
    ("area", NAN, "not finite: nan"),
    ("area", [3], "expected a number, got [3]"),
    ("image_id", 4, "there is no image 4"),
    ("id", 70, "an earlier annotation has it"),
    ("scribble", SCRIBBLE[:-1], "expected 120 numbers, got 119"),
    ("scribble", [*SCRIBBLE[:-1], 0.5], "points must be whole pixels"),
    ("scribble", [*SCRIBBLE[:-1], 2**40], "points must be whole pixels"),
    ("scribble", None, "expected lists of numbers, got None"),
    ("scribble", [[[[[[1]]]]]], "expected lists of numbers, got [[1]]"),
    ("segmentation", [], "expected polygons or one RLE, got []"),
    ("segmentation", "RLE", "expected polygons or one RLE, got 'RLE'"),
    ("segmentation", [[1, 2, 3, 4, 5]], "polygon 0: expected pairs of x and y, got 5 numbers"),
    ("segmentation", [[1, 2]], "polygon 0: expected pairs of x and y, got 2 numbers"),
    ("segmentation", [[1, 2, 3, 4, 5, 6], 7], "polygon 1: expected pairs of x and y, got 7"),
    ("segmentation", [[1, 2, 3, 4, 5, NAN]], "polygon 0: not finite at place 5: nan"),
    ("segmentation", {}, "RLE of size None, the picture's is [44, 50]"),
    (
        "segmentation",
        {"size": [50, 44], "counts": [2200]},
        "RLE of size [50, 44], the picture's is [44, 50]",
    ),
    (
        "segmentation",
        {"size": [44, 50], "counts": [2199]},
        "RLE counts: runs cover 2199 pixels, the picture has 2200",
    ),
    (
        "segmentation",
        {"size": [44, 50], "counts": [-1, 2201]},
        "RLE counts: expected text or run lengths, got [-1, 2201]",
    ),
    (
        "segmentation",
        {"size": [44, 50], "counts": "é"},
        "RLE counts: characters outside ASCII",
    ),
    ("segmentation", {"size": [44, 50]}, "RLE counts: expected text or run lengths, got None"),
]


@pytest.mark.parametrize(("field", "value", "reason"), BAD_FIELDS)
def test_bad_fields_of_annotations(tmp_path, field, value, reason):
    def edit(content):
        content["annotations"][1][field] = value

    error, known = fault(tmp_path, edit)
    assert error.record == ("annotation 70" if field == "id" else "annotation 30")
    assert error.field == field
    assert error.reason.startswith(reason)
    assert known["id"].tolist() == [70]
    assert len(known["keypoints"]) == 1


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("id", 7, "an earlier image has it"),
        ("id", "3", "expected an integer, got '3'"),
        ("file_name", 5, "expected text, got 5"),
        ("file_name", "../a.png", "file name leaves its folder: '../a.png'"),
        ("file_name", "", "empty file name"),
        ("width", 0, "no size of a picture: 0 x 44"),
        ("height", 2**32, "no size of a picture: 50 x 4294967296"),
        ("caption", ["x"], "expected text, got ['x']"),
    ],
)
def test_bad_fields_of_images(tmp_path, field, value, reason):
    def edit(content):
        content["images"][1][field] = value
        content["annotations"].pop()

    error, known = fault(tmp_path, edit)
    assert error.reason == reason
    assert known["image_id"].tolist() == [7]


def test_records_that_are_no_objects(tmp_path):
    def edit(content):
        content["images"].append(None)
        content["annotations"].append([1])

    _, faults = read(write(tmp_path, edit))
    assert [(f.record, f.reason) for f in faults] == [
        ("image at place 2", "expected an object, got None"),
        ("annotation at place 2", "expected an object, got [1]"),
    ]


def test_record_errors_are_row_errors_and_pickle():
    error = RecordError("x.json", "annotation 5", "bbox", "missing", 3)
    assert isinstance(error, RowError)
    assert str(error) == "x.json: annotation 5: bbox: missing"
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.record, again.field, again.row) == (
        str(error),
        "annotation 5",
        "bbox",
        3,
    )
    assert str(RecordError("x.json", "", "images", "missing")) == "x.json: images: missing"


def test_lone_surrogates_survive(tmp_path):
    path = tmp_path / "s.json"
    content = json.dumps(FILE).replace("the other", "\\ud800")
    path.write_text(content)
    known, _ = read(path)
    assert known.text("caption", 0) == "\ud800"
