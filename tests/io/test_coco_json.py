import json
import sys

import numpy as np
import pytest

from refpix.errors import MissingExtraError, RecordError
from refpix.io.coco_json import read_instances

pytest.importorskip("msgspec")


def instances(**changes):
    annotations = [
        {
            "segmentation": [[0.5, 1, 2.25, 3]],
            "area": 7.5,
            "iscrowd": 0,
            "image_id": 10 + n,
            "bbox": [n, 0.1, 3, 4.5],
            "category_id": 1 + n % 2,
            "id": 100 - n,
        }
        for n in range(4)
    ]
    annotations[3]["segmentation"] = {"counts": [1, 2, 3], "size": [2, 3]}
    content = {
        "info": {"year": 2014, "contributor": "naïve"},
        "images": [{"id": 10, "file_name": "x.jpg", "coco_url": "http://x"}],
        "licenses": [],
        "annotations": annotations,
        "categories": [{"supercategory": "a", "id": 1, "name": "person"}, {"id": 2, "name": "dog"}],
    }
    content.update(changes)
    return content


def written(folder, content):
    path = folder / "instances.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
    return path


def changed(field, value, row=2):
    content = instances()
    if value is None:
        del content["annotations"][row][field]
    else:
        content["annotations"][row][field] = value
    return content


def test_columns(tmp_path):
    got = read_instances(written(tmp_path, instances()))
    assert got.id.tolist() == [100, 99, 98, 97]
    assert got.image_id.tolist() == [10, 11, 12, 13]
    assert got.category_id.tolist() == [1, 2, 1, 2]
    assert got.id.dtype == got.image_id.dtype == got.category_id.dtype == np.int64
    assert got.bbox.tolist() == [[n, 0.1, 3, 4.5] for n in range(4)]
    assert got.categories == {1: "person", 2: "dog"}
    assert got.records == []


def test_only_what_is_asked_for(tmp_path):
    path = written(tmp_path, instances())
    got = read_instances(path, ids={97, 99, 5}, records=True)
    assert got.id.tolist() == [99, 97]
    assert got.bbox.shape == (2, 4)
    want = [instances()["annotations"][row] for row in (1, 3)]
    assert got.records == want
    assert [list(record) for record in got.records] == [list(record) for record in want]
    assert repr(got.records) == repr(want)  # 1 is not 1.0
    assert read_instances(path, ids=set()).bbox.shape == (0, 4)


def test_the_committed_annotations_are_those_of_the_json_module(data):
    path = data / "glt" / "strkeys_ties" / "annotations" / "instances_train2014.json"
    want = json.loads(path.read_text())
    got = read_instances(path, records=True)
    assert got.records == want["annotations"]
    assert got.bbox.tolist() == [one["bbox"] for one in want["annotations"]]
    assert got.categories == {one["id"]: one["name"] for one in want["categories"]}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "not COCO's instances"),
        ('{"annotations": [', "not COCO's instances.*truncated"),
        ("[1, 2]", "not COCO's instances: Expected `object`, got `array`"),
        ({"annotations": []}, "missing required field `categories`"),
        ({"categories": []}, "missing required field `annotations`"),
        (changed("id", None), r"missing required field `id` - at `\$\.annotations\[2\]`"),
        (
            changed("image_id", "7"),
            r"Expected `int`, got `str` - at `\$\.annotations\[2\]\.image_id",
        ),
        (changed("category_id", 1.5), r"annotations\[2\]\.category_id"),
        (changed("bbox", None), r"missing required field `bbox` - at `\$\.annotations\[2\]`"),
        (changed("bbox", [1, 2, 3]), "annotation 98: bbox: expected 4 numbers"),
        (changed("bbox", [1, 2, "3", 4]), "annotation 98: bbox: expected a number at place 2"),
        (changed("bbox", "box"), "annotation 98: bbox: expected 4 numbers"),
        (changed("bbox", [1, 2, 3, 10**400]), "annotation 98: bbox: not finite at place 3"),
        (changed("id", 2**63), "does not fit in 64 bits|out of range"),
        (instances(categories=[{"id": 1}]), "missing required field `name`"),
        (instances(annotations=7), r"Expected `array`, got `int`"),
        ('{"annotations": ' + "[" * 100_000, "not COCO's instances"),
    ],
)
def test_malformed_files_name_the_annotation(tmp_path, content, words):
    path = written(tmp_path, content)
    with pytest.raises(RecordError, match=words) as error:
        read_instances(path)
    assert error.value.file == str(path)


def test_boxes_of_annotations_that_are_not_wanted_do_not_matter(tmp_path):
    path = written(tmp_path, changed("bbox", "box"))
    assert read_instances(path, ids={97, 100}).id.tolist() == [100, 97]


def test_without_msgspec(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "msgspec", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'refpix\[glt\]'"):
        read_instances(written(tmp_path, instances()))
