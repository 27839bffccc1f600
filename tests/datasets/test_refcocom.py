import copy
import hashlib
import json
import multiprocessing
import pickle

import numpy as np
import pytest

from refpix import Loader
from refpix.datasets import RefCocoM
from refpix.errors import RowError

pa = pytest.importorskip("pyarrow")
from pyarrow import parquet  # noqa: E402


@pytest.fixture(scope="module")
def nested(data):
    return data / "refcocom" / "validation.parquet"


@pytest.fixture(scope="module")
def expected(data):
    return json.loads((data / "refcocom" / "expected.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def rows(nested):
    return parquet.read_table(nested).to_pylist()


@pytest.fixture
def write(tmp_path):
    def to(rows, name="some.parquet", schema=None, **options):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        parquet.write_table(pa.Table.from_pylist(rows, schema=schema), path, **options)
        return path

    return to


@pytest.fixture
def flat(rows, write):
    """The same pictures in the flat schema, counts as bytes, the picture a bare binary."""
    made = []
    for row in copy.deepcopy(rows):
        image_id = row.pop("image_meta")["image_id"]
        for sample in row["samples"]:
            sample |= {"image_id": image_id, "label": 7}
            sample["mask"]["counts"] = sample["mask"]["counts"].encode()
        made.append({**row, "image": row["image"]["bytes"], "image_id": image_id, "other": 1.5})
    return write(made, "flat/a.parquet", row_group_size=1)


def check_records(dataset, records, path=True):
    assert len(dataset) == len(records)
    for raw, want in zip(dataset.raw(range(len(dataset))), records, strict=True):
        assert raw["file_name"] == want["file_name"]
        assert raw["image_meta"] == want["image_meta"]
        assert raw["image"]["path"] == (want["path"] if path else None)
        assert hashlib.sha256(raw["image"]["bytes"]).hexdigest() == want["jpeg_sha256"]
        for got, sample in zip(raw["samples"], want["samples"], strict=True):
            for key in ("id", "category", "supercategory", "sentences", "bbox"):
                assert got[key] == sample[key]
    for sample, want in zip(dataset, records, strict=True):
        assert hashlib.sha256(sample.image.tobytes()).hexdigest() == want["rgb_sha256"]
        areas = sample.masks.sum(axis=(1, 2)).tolist()
        assert areas == [instance["mask_area"] for instance in want["samples"]]


def test_both_schemas_give_the_same(nested, flat, expected):
    for path, schema in ((nested, "nested"), (flat, "flat"), (flat.parent, "flat")):
        dataset = RefCocoM(path)
        assert dataset.schema == schema
        check_records(dataset, expected["records"], path=schema == "nested")
        assert dataset.verify() == []
    assert RefCocoM(flat)[0].instances[0].label == 7
    assert RefCocoM(nested)[0].instances[0].label is None


@pytest.mark.parametrize("name", ["validation.parquet", "variant_binary_counts.parquet"])
def test_golden(golden, name):
    folder = golden / "refcocom"
    expected = json.loads((folder / "expected" / "refcocom.json").read_text("utf-8"))
    dataset = RefCocoM(folder / name)
    check_records(dataset, expected["records"])
    assert [(*e.key, e.sentence) for e in dataset.examples] == [
        (e["sample_id"], e["sentence_index"], e["sentence"]) for e in expected["examples"]
    ]
    with np.load(folder / "expected" / "masks.npz") as stored:
        for sample in dataset:
            for instance in sample.instances:
                packed = np.packbits(instance.mask)
                assert np.array_equal(packed, stored[str(instance.id)])


def test_boxes_as_stored_and_as_corners(nested):
    stored, corners = RefCocoM(nested)[0], RefCocoM(nested, box_format="xyxy")[0]
    assert stored.boxes.tolist() == [[0, 0, 0, 0], [85, 27, 116, 100], [61, 8, 140, 65]]
    assert corners.boxes.tolist() == [[0, 0, 0, 0], [85, 27, 201, 127], [61, 8, 201, 73]]
    assert np.array_equal(stored.instances[1].box_xyxy, corners.instances[1].box)
    with pytest.raises(ValueError, match="box_format='cxcywh'"):
        RefCocoM(nested, box_format="cxcywh")


def test_a_sample(nested):
    sample = RefCocoM(nested)[1]
    assert (sample.row, sample.file, sample.image_id) == (1, str(nested), 580003)
    assert (sample.height, sample.width) == sample.image.shape[:2] == (64, 64)
    assert sample.sentences == [("",), ("left guy", 'man in "blue"')]
    assert sample.masks.dtype == np.uint8
    assert sample.masks.shape == (2, 64, 64)
    assert sample.image is sample.image


def test_map_style(nested):
    dataset = RefCocoM(nested)
    names = [sample.file_name for sample in dataset]
    assert [s.file_name for s in dataset.__getitems__([2, 0])] == [names[2], names[0]]
    assert dataset[-1].file_name == names[2]
    tail = dataset[1:]
    assert [s.file_name for s in tail] == names[1:]
    assert tail[1].row == 2
    assert [example.item for example in tail.examples][-1] == 1
    doubled = RefCocoM(nested, transforms=lambda sample: sample.image_id * 2)
    assert doubled[0] == 2 * 580002
    assert isinstance(dataset.examples[0].image, np.ndarray)
    for index in (3, -4):
        with pytest.raises(IndexError):
            dataset[index]
    with pytest.raises(TypeError):
        dataset[1.5]


def test_examples(nested, expected):
    dataset = RefCocoM(nested)
    examples = dataset.examples
    assert examples is dataset.examples
    assert [(*e.key, e.sentence) for e in examples] == [
        (e["sample_id"], e["sentence_index"], e["sentence"]) for e in expected["examples"]
    ]
    assert [e.index for e in examples] == list(range(len(examples)))
    assert [int(e.mask.sum()) for e in examples] == [e["area_gt"] for e in expected["examples"]]
    assert np.array_equal(examples[-1].image, dataset[2].image)
    assert examples[0].rle is examples[1].rle


def test_pictures_are_not_read_for_examples(nested, monkeypatch):
    dataset = RefCocoM(nested)
    read = []
    original = type(dataset.table)._read
    monkeypatch.setattr(type(dataset.table), "_read", lambda *a: read.append(a[3]) or original(*a))
    assert len(dataset.examples) == 13
    assert not any("image" in columns for columns in read)


def areas(dataset, index):
    return dataset[index].image.sum(), dataset.examples[index].mask.sum()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_in_other_processes(nested, method):
    dataset = RefCocoM(nested)
    want = [areas(dataset, i) for i in range(3)]
    assert len(pickle.dumps(dataset)) < 2000
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.starmap(areas, [(dataset, i) for i in range(3)]) == want


def test_in_the_loader(nested, rows, write):
    dataset = RefCocoM(nested)
    (batch,) = Loader(dataset, batch_size=3, size=64)
    assert batch.images.shape == (3, 3, 64, 64)
    assert batch.sizes.tolist() == [[133, 201], [64, 64], [131, 97]]
    assert [s.instances[0].id for s in batch.samples] == [5006, 5009, 5012]
    with pytest.raises(ValueError, match="row 0: a record has no picture"):
        _ = batch.samples[0].image
    rows = copy.deepcopy(rows)
    rows[0]["samples"][0]["bbox"] = [1.0]
    rows[1]["image"]["bytes"] = b"no picture"
    loader = Loader(RefCocoM(write(rows)), batch_size=3, size=64, errors="skip")
    assert [batch.rows.tolist() for batch in loader] == [[2]]
    assert [error.row for error in loader.report] == [0, 1]
    assert "samples[0].bbox: expected four finite numbers" in loader.report[0].reason
    assert "image: " in loader.report[1].reason


def change(rows, *keys, to):
    rows = copy.deepcopy(rows)
    place = rows
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = to
    return rows


@pytest.mark.parametrize(
    ("keys", "to", "reason"),
    [
        (("file_name",), None, "file_name: expected text, got null"),
        (("image_meta",), None, "image_meta: expected a struct, got null"),
        (("image_meta", "width"), None, "image_meta.width: expected an integer, got null"),
        (("image",), None, "image: expected a struct, got null"),
        (("image", "bytes"), None, "image.bytes: expected bytes, got null"),
        (("samples",), None, "samples: expected a list, got null"),
        (("samples", 1), None, "samples[1]: expected a struct, got null"),
        (("samples", 1, "id"), None, "samples[1].id: expected an integer, got null"),
        (("samples", 1, "sentences"), None, "samples[1].sentences: expected a list, got null"),
        (("samples", 1, "sentences", 0), None, "samples[1].sentences[0]: expected text, got null"),
        (("samples", 1, "bbox"), None, "samples[1].bbox: expected a list, got null"),
        (("samples", 1, "bbox", 2), float("nan"), "samples[1].bbox: expected four finite numbers"),
        (("samples", 1, "mask"), None, "samples[1].mask: expected a struct, got null"),
        (("samples", 1, "mask", "counts"), None, "samples[1].mask.counts: expected text, bytes or"),
        (("samples", 1, "mask", "size"), [3], "samples[1].mask.size: expected [height, width]"),
        (("samples", 1, "mask", "size"), [-1, 2], "samples[1].mask.size: expected [height, width]"),
    ],
)
def test_null_and_malformed_fields(rows, write, nested, keys, to, reason):
    schema = parquet.read_schema(nested)
    path = write(change(rows, 1, *keys, to=to), schema=schema)
    dataset = RefCocoM(path)
    assert dataset[0].row == 0
    with pytest.raises(RowError) as caught:
        dataset[1]
    error = caught.value
    assert (error.file, error.row) == (str(path), 1)
    assert error.reason.startswith(reason)
    assert str(error).startswith(f"{path}: row 1: {reason}")
    assert [e.row for e in dataset.verify()] == [1]


def test_counts_and_fields_of_another_type(rows, write):
    numbered = copy.deepcopy(rows)
    for row in numbered:
        for sample in row["samples"]:
            sample["mask"]["counts"] = 12
    with pytest.raises(RowError, match=r"samples\[0\].mask.counts: .* got int 12"):
        _ = RefCocoM(write(numbered)).examples
    listed = copy.deepcopy(rows)
    for row in listed:
        for sample in row["samples"]:
            height, width = sample["mask"]["size"]
            sample["mask"]["counts"] = [5, 3, height * width - 8]
    assert RefCocoM(write(listed))[0].masks.sum(axis=(1, 2)).tolist() == [3, 3, 3]
    without = copy.deepcopy(rows)
    for row in without:
        for sample in row["samples"]:
            del sample["mask"]
    with pytest.raises(RowError, match=r"row 0: samples\[0\].mask: expected a struct, got null"):
        RefCocoM(write(without))[0]


def test_masks_and_pictures_at_fault(rows, write):
    bad = copy.deepcopy(rows)
    bad[0]["samples"][1]["mask"]["counts"] = "\x7f"
    bad[1]["samples"][1]["mask"]["size"] = [32, 128]
    bad[2]["image"]["bytes"] = b"GIF89a but no picture"
    path = write(bad)
    dataset = RefCocoM(path)
    assert len(dataset.examples) == 13  # nothing is decoded before it is wanted
    assert dataset[0].image.shape == (133, 201, 3)
    with pytest.raises(RowError, match=r"row 0: samples\[1\].mask \(id 5007\): "):
        _ = dataset[0].masks
    with pytest.raises(RowError, match="row 1: samples: masks of different sizes"):
        _ = dataset[1].masks
    with pytest.raises(RowError, match="row 2: image: "):
        _ = dataset[2].image
    problems = dataset.verify()
    assert [problem.row for problem in problems] == [0, 1, 2]
    assert "samples[1].mask.size: 32x128, the picture is 64x64" in problems[1].reason
    huge = change(rows, 0, "samples", 1, "mask", to={"counts": "0", "size": [60000, 70000]})
    with pytest.raises(RowError, match=r"samples\[1\].mask \(id 5007\): 60000 x 70000 is more"):
        _ = RefCocoM(write(huge))[0].masks
    other = copy.deepcopy(rows)
    other[1]["image_meta"]["width"] = 65
    (problem,) = RefCocoM(write(other)).verify()
    assert "is 64x64 (height x width), its row says 64x65" in problem.reason


def test_cut_pictures(rows, write):
    cut = change(rows, 0, "image", "bytes", to=rows[0]["image"]["bytes"][:-400])
    path = write(cut)
    assert RefCocoM(path)[0].image.shape == (133, 201, 3)
    with pytest.raises(RowError, match=r"row 0: image: .*ends early"):
        _ = RefCocoM(path, allow_truncated=False)[0].image
    with pytest.raises(RowError, match="more pixels than the limit"):
        _ = RefCocoM(path, pixel_limit=100)[0].image


def test_any_kind_of_picture(rows, write, data):
    payload = (data / "images" / "odd_opt_gif").read_bytes()
    assert RefCocoM(write(change(rows, 0, "image", "bytes", to=payload)))[0].image.ndim == 3


def test_ids_are_unique(rows, write):
    twice = change(rows, 2, "samples", 0, "id", to=5006)
    with pytest.raises(RowError, match=r"row 2: samples\[0\].id: 5006 is that of another"):
        _ = RefCocoM(write(twice)).examples


def test_what_is_not_refcocom(rows, write, tmp_path):
    for name in ("file_name", "samples", "image"):
        less = [{k: v for k, v in row.items() if k != name} for row in rows]
        with pytest.raises(ValueError, match=rf"some\.parquet: no column '{name}'"):
            RefCocoM(write(less))
    less = [{k: v for k, v in row.items() if k != "image_meta"} for row in rows]
    with pytest.raises(ValueError, match=r"no column 'image_meta' \(or flat: 'image_id'\)"):
        RefCocoM(write(less))
    whole = write(rows).read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"cut\.parquet: no parquet file, or one that was cut"):
        RefCocoM(tmp_path / "cut.parquet")


def test_shards(rows, write, tmp_path, flat):
    for i, row in enumerate(rows):
        write([row], f"shards/part-{i}.parquet")
    dataset = RefCocoM(tmp_path / "shards")
    assert [(s.file.rsplit("/", 1)[1], s.row) for s in dataset] == [
        ("part-0.parquet", 0),
        ("part-1.parquet", 0),
        ("part-2.parquet", 0),
    ]
    assert len(dataset.examples) == 13
    flat.rename(tmp_path / "shards" / "z.parquet")
    with pytest.raises(ValueError, match=r"z\.parquet: has columns"):
        RefCocoM(tmp_path / "shards")


def test_damage_within_a_file(rows, write):
    path = write(rows, row_group_size=1, compression="none")
    content = bytearray(path.read_bytes())
    start = content.index(b"samples")  # the footer repeats names: this is its beginning
    content[4 : start // 2] = bytes(start // 2 - 4)
    path.write_bytes(content)
    dataset = RefCocoM(path)
    problems = dataset.verify()
    assert problems
    assert all(problem.file == str(path) for problem in problems)
    assert "row group" in problems[0].reason
