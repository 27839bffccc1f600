import json
import multiprocessing
import pickle
import zipfile

import numpy as np
import pytest
from PIL import Image
from tests.datasets.glt_files import CLASSES, FEW, crop, make_annotation, write

from refpix import Loader
from refpix.datasets import CocoGLT
from refpix.datasets.glt_layout import SPLITS, picture_name
from refpix.errors import RecordError, RowError


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("glt")
    for variant in ("glt", "cbl"):
        write(folder, variant, sizes=FEW)
    return folder


def edited(tmp_path, edit):
    return write(tmp_path, sizes=FEW, edit=edit, pictures=False)


def test_samples(root):
    dataset = CocoGLT(root, "test_bbl")
    whole = make_annotation("glt", sizes=FEW)["test_bbl"]
    assert len(dataset) == 9
    assert dataset.keys == list(whole["label"])
    for name, column in (
        ("label", dataset.labels),
        ("frequency", dataset.frequencies),
        ("attribute", dataset.attributes),
    ):
        assert column.dtype == np.int64
        assert column.tolist() == list(whole[name].values())
    sample = dataset[4]
    key = dataset.keys[4]
    assert (sample.index, sample.key, sample.file_name) == (4, key, f"{key}.jpg")
    assert sample.label == whole["label"][key]
    assert sample.category == CLASSES[sample.label]
    assert sample.score == pytest.approx(whole["attribute_score"][key])
    with Image.open(root / "coco_glt" / "images" / f"{key}.jpg") as image:
        np.testing.assert_array_equal(sample.image, np.asarray(image))
    assert dataset[-1].key == dataset.keys[-1]
    assert [s.key for s in dataset] == dataset.keys
    assert [s.key for s in dataset.__getitems__([3, 1, 3])] == [dataset.keys[i] for i in (3, 1, 3)]


def test_published_annotations(golden_matting):
    """The whole of the recorded annotation files, column by column."""
    for variant in ("glt", "cbl"):
        folder = golden_matting / "glt_crop" / "expected" / f"coco_{variant}"
        whole = json.loads((folder / "annotation.json").read_text())
        for split in SPLITS:
            dataset, want = CocoGLT(folder, split), whole[split]
            assert dataset.keys == list(want["label"])
            assert dataset.labels.tolist() == list(want["label"].values())
            assert dataset.frequencies.tolist() == list(want["frequency"].values())
            assert dataset.attributes.tolist() == list(want["attribute"].values())
            assert dataset.objects.paths == list(want["path"].values())
            assert dataset.objects.scores.tolist() == list(want["attribute_score"].values())
            counts = dataset.objects.attribute_counts
            if dataset.keys:
                assert counts.tolist() == list(want["attribute_dist"].values())
            else:
                assert counts.shape == (4, 0)


def test_slices_and_selections(root):
    dataset = CocoGLT(root, "train")
    part = dataset[10:20]
    assert len(part) == 10
    assert part.keys == dataset.keys[10:20]
    assert part[2].key == dataset.keys[12]
    assert part[2].index == 2
    assert part.select([5, -1]).keys == [dataset.keys[15], dataset.keys[19]]
    np.testing.assert_array_equal(part[::2].labels, dataset.labels[10:20:2])
    with pytest.raises(IndexError):
        part[10]
    with pytest.raises(TypeError):
        part[1.5]


@pytest.mark.parametrize(
    ("split", "variant", "want"),
    [
        ("train", None, ("glt", "train")),
        ("train", "cbl", ("cbl", "train")),
        ("Train-CBL", None, ("cbl", "train")),
        ("Test-GBL", "cbl", ("cbl", "test_bbl")),
        ("test-cbl", None, ("glt", "test_bl")),
        ("Test-GLT", None, ("glt", "test_lt")),
    ],
)
def test_names_of_splits(root, split, variant, want):
    dataset = CocoGLT(root, split, variant=variant)
    assert (dataset.variant, dataset.split) == want
    assert dataset.path == root / f"coco_{want[0]}" / "annotation.json"


def test_root_may_be_folder_or_file(root):
    for path in (root / "coco_cbl", root / "coco_cbl" / "annotation.json"):
        dataset = CocoGLT(path, "test_bl")
        assert dataset.variant == "cbl"
        assert dataset.name == "Test-CBL"
        assert dataset[0].image.shape == (40, 40, 3)


def test_wrong_roots_and_names(root, tmp_path):
    with pytest.raises(ValueError, match=r"split='test'.*test_bbl"):
        CocoGLT(root, "test")
    with pytest.raises(ValueError, match="Train-CBL"):
        CocoGLT(root, "Train-CBL", variant="glt")
    with pytest.raises(ValueError, match="is variant 'cbl', not 'glt'"):
        CocoGLT(root / "coco_cbl", "train", variant="glt")
    with pytest.raises(ValueError, match="variant='bl'"):
        CocoGLT(root, variant="bl")
    with pytest.raises(ValueError, match="on_error"):
        CocoGLT(root, on_error="skip")
    with pytest.raises(FileNotFoundError, match=r"no annotation.json or coco_glt/annotation.json"):
        CocoGLT(tmp_path)
    with pytest.raises(FileNotFoundError, match="no such file or folder"):
        CocoGLT(tmp_path / "none")


@pytest.mark.parametrize(
    ("name", "variant", "test"),
    [("CLT", "glt", "Test-CBL"), ("alt", "cbl", "Test-GBL"), ("GLT", "glt", "Test-GBL")],
)
def test_protocols(root, name, variant, test):
    protocol = CocoGLT.protocol(
        name, root, transforms=lambda s: s.key, test_transforms=lambda s: s.label
    )
    assert protocol.name == name.upper()
    assert [part.variant for part in protocol[1:]] == [variant] * 3
    assert (protocol.train.split, protocol.val.split) == ("train", "val")
    assert protocol.test.name == test
    assert not set(protocol.train.keys) & set(protocol.test.keys)
    assert protocol.train[0] == protocol.train.keys[0]
    assert protocol.test[0] == protocol.test.labels[0]
    with pytest.raises(ValueError, match="CLT, ALT, GLT"):
        CocoGLT.protocol("LT", root)


def test_paths_are_relocatable(root, tmp_path):
    dataset = CocoGLT(root, "val")
    assert dataset.objects.paths[0].startswith("/data4/out/coco_glt/images/")
    assert picture_name("C:\\out\\coco_glt\\images/12.jpg") == "12.jpg"
    assert picture_name("/images/a/images/b/12.jpg") == "b/12.jpg"
    assert picture_name("12.jpg") == "12.jpg"
    with zipfile.ZipFile(tmp_path / "crops.zip", "w") as archive:
        for path in sorted((root / "coco_glt" / "images").iterdir()):
            archive.write(path, f"images/{path.name}")
    zipped = CocoGLT(root, "val", images=tmp_path / "crops.zip")
    np.testing.assert_array_equal(zipped[3].image, dataset[3].image)
    elsewhere = CocoGLT(root, "val", images=root / "coco_cbl" / "images")
    assert elsewhere.source.locate(0).startswith(str(root / "coco_cbl"))


def test_transforms_and_pickle(root):
    dataset = pickle.loads(pickle.dumps(CocoGLT(root, "val", transforms=_shape)[5:9]))
    assert dataset[0] == (40, 40, 3)
    assert len(dataset) == 4


def _shape(sample):
    return sample.image.shape


def test_spawned_worker(root):
    dataset = CocoGLT(root, "val", transforms=_shape)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(dataset.__getitem__, [1]) == [(40, 40, 3)]


def test_loader(root):
    dataset = CocoGLT(root, "test_bl")
    batches = list(Loader(dataset, batch_size=4, size=16))
    assert [batch.images.shape for batch in batches] == [(4, 3, 16, 16), (2, 3, 16, 16)]
    assert [s.key for batch in batches for s in batch.samples] == dataset.keys
    assert batches[0].samples[0].image is None


def test_bad_pictures(tmp_path):
    folder = write(tmp_path, sizes=FEW)
    dataset = CocoGLT(tmp_path, "test_bl")
    keys = dataset.keys
    (folder / "images" / f"{keys[1]}.jpg").unlink()
    whole = (folder / "images" / f"{keys[3]}.jpg").read_bytes()
    (folder / "images" / f"{keys[3]}.jpg").write_bytes(whole[:-60])
    (folder / "images" / f"{keys[4]}.jpg").write_bytes(b"text")
    bad = dataset.verify()
    assert [error.row for error in bad] == [1, 3, 4]
    assert str(bad[0]) == (
        f"{folder / 'annotation.json'}: test_bl: object {keys[1]}: path: "
        f"{folder / 'images'}/{keys[1]}.jpg: no such file"
    )
    for index, words in ((1, "no such file"), (3, "ends early"), (4, "unrecognised|format")):
        with pytest.raises(RowError, match=words):
            dataset[index]
    with pytest.raises(RecordError, match=keys[1]):
        dataset.__getitems__([0, 3, 1][::-1])
    assert dataset.verify(range(3, 6))[0].row == 3
    loader = Loader(dataset, batch_size=6, size=16, errors="skip", allow_truncated=False)
    assert [batch.images.shape[0] for batch in loader] == [3]
    assert [error.row for error in loader.report] == [1, 3, 4]
    with pytest.raises(RecordError, match="no such file"):
        dataset.payloads([0, 1])
    assert CocoGLT(tmp_path, "test_bl", allow_truncated=True)[3].image.shape == (40, 40, 3)
    with pytest.raises(RowError, match="pixel"):
        CocoGLT(tmp_path, "test_bl", pixel_limit=100)[0]


def first(whole):
    return next(iter(whole["test_bl"]["label"]))


def spoil(field, value):
    def edit(whole):
        whole["test_bl"][field][first(whole)] = value

    return edit


@pytest.mark.parametrize(
    ("edit", "field", "words"),
    [
        (spoil("label", 29), "label", "expected an integer from 0 to 28, got 29"),
        (spoil("label", True), "label", "got True"),
        (spoil("label", "3"), "label", "got '3'"),
        (spoil("frequency", 3), "frequency", "from 0 to 2, got 3"),
        (spoil("attribute", -1), "attribute", "from 0 to 2, got -1"),
        (spoil("path", None), "path", "expected text, got None"),
        (spoil("path", "/a/images/../b.jpg"), "path", "leaves its folder"),
        (spoil("path", ""), "path", "empty file name"),
        (spoil("attribute_score", float("nan")), "attribute_score", "expected a number, got nan"),
        (lambda w: w["test_bl"]["path"].pop(first(w)), "path", "missing"),
        (lambda w: w["test_bl"]["frequency"].pop(first(w)), "frequency", "missing"),
    ],
)
def test_malformed_objects(tmp_path, edit, field, words):
    folder = edited(tmp_path, edit)
    with pytest.raises(RecordError, match=words) as caught:
        CocoGLT(folder, "test_bl")
    key = next(iter(make_annotation("glt", sizes=FEW)["test_bl"]["label"]))
    assert caught.value.file == str(folder / "annotation.json")
    assert caught.value.record == f"test_bl: object {key}"
    assert caught.value.field == field
    reported = CocoGLT(folder, "test_bl", on_error="report")
    assert len(reported) == FEW["test_bl"] - 1
    assert [fault.field for fault in reported.faults] == [field]
    assert key not in reported.keys
    assert len(reported.objects.names) == len(reported.labels) == len(reported)
    assert reported.verify()[0] is reported.faults[0]
    assert len(CocoGLT(folder, "train")) == FEW["train"]  # other splits are as they were


def test_crop_of_two_objects(tmp_path):
    def edit(whole):
        paths = whole["test_bl"]["path"]
        keys = list(paths)
        paths[keys[2]] = paths[keys[0]].replace("/data4/out", "/elsewhere")

    folder = edited(tmp_path, edit)
    with pytest.raises(RecordError, match=r"object \d+: path: \d+.jpg is the crop of object \d+"):
        CocoGLT(folder, "test_bl")


def swap(whole):
    whole["id2cat"]["0"], whole["id2cat"]["1"] = whole["id2cat"]["1"], whole["id2cat"]["0"]


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda w: w.pop("test_bl"), "test_bl: missing"),
        (lambda w: w.update(test_bl=[]), r"test_bl: expected an object, got \[\]"),
        (lambda w: w["test_bl"].pop("label"), "test_bl: label: missing"),
        (lambda w: w["test_bl"]["path"].update({"5": "5.jpg"}), r"path: holds objects.*'5'"),
        (lambda w: w.pop("cat2id"), "cat2id: missing"),
        (lambda w: w["cat2id"].update(bear=0), "cat2id: expected the numbers from 0 on"),
        (swap, "id2cat: does not agree with cat2id"),
        (lambda w: w["test_bl"]["attribute_dist"].pop("3"), "attribute_dist: expected classes"),
        (lambda w: w["test_bl"]["attribute_dist"]["3"].pop(), "3: has 59 attributes, class 0"),
        (lambda w: w["test_bl"]["attribute_dist"].update({"3": ["a"]}), "3: expected counts"),
    ],
)
def test_malformed_files(tmp_path, edit, words):
    folder = edited(tmp_path, edit)
    with pytest.raises(RecordError, match=words) as caught:
        CocoGLT(folder, "test_bl", on_error="report")
    assert caught.value.file == str(folder / "annotation.json")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "no JSON"),
        ('{"cat2id": ', "no JSON"),
        ("[1]", r"expected an object, got \[1\]"),
        ('{"cat2id": {"a": 0, "a": 0}}', "'a' stands twice"),
        ("[" * 100000, "no JSON"),
    ],
)
def test_no_annotation(tmp_path, content, words):
    (tmp_path / "annotation.json").write_text(content)
    with pytest.raises(RecordError, match=words):
        CocoGLT(tmp_path)


def test_empty_split(root):
    dataset = CocoGLT(root, "test_lt", variant="cbl")
    assert len(dataset) == 0
    assert list(dataset) == dataset.verify() == dataset.keys == []
    assert dataset.__getitems__([]) == []


def test_crops_of_other_formats(tmp_path):
    folder = write(tmp_path, sizes=FEW)
    dataset = CocoGLT(folder, "test_bl")
    gray = crop("x", 3).convert("L")
    path = folder / "images" / f"{dataset.keys[0]}.jpg"
    gray.save(path)
    assert (dataset[0].image == dataset[0].image[..., :1]).all()
    gray.save(path, format="PNG")  # content decides, not the name
    np.testing.assert_array_equal(dataset[0].image[..., 1], np.asarray(gray))
