import json
import multiprocessing
import pickle
import zipfile

import numpy as np
import pytest
from PIL import Image
from tests.datasets.refhuman_files import FILE, KEYPOINTS, SCRIBBLE, write

from refpix import Loader
from refpix.datasets import RefHuman
from refpix.errors import RecordError, RowError
from refpix.io.columns_file import columns_path


@pytest.fixture
def folder(tmp_path):
    write(tmp_path)
    return tmp_path


def opened(folder, edit=None, **options):
    write(folder, edit)
    return RefHuman(folder, **{"cache": "memory", **options})


def test_samples(folder):
    dataset = RefHuman(folder)
    assert len(dataset) == 2
    assert dataset.image_ids.tolist() == [3, 7]
    first, second = dataset
    assert (first.image_id, first.file_name, first.caption) == (3, "a.png", "the other")
    assert first.size == (44, 50)
    assert first.image.shape == (44, 50, 3)
    assert np.array_equal(first.image, np.array(Image.open(folder / "images" / "a.png")))
    assert first.boxes.tolist() == [[10, 10, 30, 40]]
    assert second.boxes.tolist() == [[8, 9, 33.5, 34]]
    assert second.keypoints.reshape(-1).tolist() == KEYPOINTS
    assert second.num_keypoints.tolist() == [17]
    assert second.areas.tolist() == [625]
    assert second.annotation_ids.tolist() == [70]
    assert second.category_ids.tolist() == [1]
    assert second.scribbles[0].reshape(-1).tolist() == SCRIBBLE
    assert first.scribbles == (None,)
    assert second.segmentations == (FILE["annotations"][0]["segmentation"],)


def test_masks(folder):
    first, second = RefHuman(folder)
    masks = first.masks()
    assert (masks.shape, masks.dtype) == ((1, 44, 50), np.uint8)
    wanted = np.zeros(2200, np.uint8)
    wanted[450:850] = 1
    assert np.array_equal(masks[0], wanted.reshape(50, 44).T)
    box = np.zeros((40, 48), np.uint8)
    box[9:34, 8:33] = 1
    assert np.array_equal(second.masks()[0], box)
    assert second.rles()[0]["size"] == [40, 48]


def test_box_format(folder):
    stored = opened(folder, box_format="xywh")[1]
    assert stored.boxes.tolist() == [[8, 9, 25.5, 25]]
    assert stored.boxes_xyxy.tolist() == RefHuman(folder)[1].boxes_xyxy.tolist()
    with pytest.raises(ValueError, match="box_format='cxcywh'"):
        RefHuman(folder, box_format="cxcywh")


def test_what_the_published_program_leaves_out_is_reported(folder):
    def edit(content):
        person = content["annotations"][0]
        content["annotations"] += [
            {**person, "id": 71, "iscrowd": 1},
            {**person, "id": 72, "num_keypoints": 0},
            {**person, "id": 73, "bbox": [-20, 3, 20, 5]},
            {**person, "id": 74, "bbox": [-20, 3, 20.5, 5]},
        ]
        content["images"].append({"id": 9, "file_name": "a.png", "width": 50, "height": 44})

    dataset = opened(folder, edit)
    assert dataset[1].annotation_ids.tolist() == [70, 74]
    assert dataset[2].annotation_ids.tolist() == []
    assert dataset[2].masks().shape == (0, 44, 50)
    assert dataset[2].caption is None
    reasons = ("crowd", "no labelled keypoint", "empty box")
    assert [tuple(one) for one in dataset.left_out()] == [
        (f"annotation {71 + i}", 7, reason) for i, reason in enumerate(reasons)
    ]
    whole = opened(folder, edit, filtered=False)
    assert whole[1].annotation_ids.tolist() == [70, 71, 72, 73, 74]
    assert whole[1].iscrowd.tolist() == [False, True, False, False, False]
    assert whole.left_out() == []
    assert dataset.unfiltered()[1].annotation_ids.tolist() == [70, 71, 72, 73, 74]
    assert dataset[1].annotation_ids.tolist() == [70, 74]


def test_training_split(tmp_path):
    def edit(content):
        content["annotations"][1]["num_keypoints"] = 0
        content["images"].append({"id": 9, "file_name": "a.png", "width": 50, "height": 44})

    write(tmp_path, edit, split="train")
    dataset = RefHuman(tmp_path, "train")
    assert dataset.image_ids.tolist() == [7]
    assert [(one.record, one.reason) for one in dataset.left_out()] == [
        ("annotation 30", "no labelled keypoint"),
        ("image 3", "no labelled keypoint"),
        ("image 9", "no annotation"),
    ]


def test_prompts_are_the_published_ones(folder):
    person = RefHuman(folder)[1]
    scribbles = np.array(SCRIBBLE).reshape(5, 12, 2)
    assert person.prompt("text").text == "left of a right"
    assert np.array_equal(person.prompt("scribble").points, scribbles[0])
    assert person.prompt("point").points.tolist() == [scribbles[0, 5].tolist()]


def test_prompts_of_training_depend_on_the_seed_alone(folder):
    person = RefHuman(folder)[1]
    scribbles = np.array(SCRIBBLE).reshape(5, 12, 2)
    drawn = [person.prompt("scribble", seed=seed).points for seed in range(60)]
    found = [[np.array_equal(one, s) for s in scribbles].index(True) for one in drawn]
    assert set(found) == set(range(5))
    points = [tuple(person.prompt("point", seed=s).points[0].tolist()) for s in range(60)]
    assert set(points) <= {tuple(p) for p in scribbles[:, 4:8].reshape(-1, 2).tolist()}
    assert points == [tuple(person.prompt("point", seed=s).points[0].tolist()) for s in range(60)]


def test_prompts_without_scribbles(folder):
    person = RefHuman(folder)[0]
    assert person.prompt("scribble") is None
    for seed in (None, *range(20)):
        ((x, y),) = person.prompt("point", seed=seed).points.tolist()
        assert person.masks()[0, y, x] == 1
    with pytest.raises(ValueError, match="prompt 'box'"):
        person.prompt("box")


def test_no_prompt_where_there_is_nothing(folder):
    def edit(content):
        del content["images"][1]["caption"]
        content["annotations"][1]["segmentation"] = {"size": [44, 50], "counts": [2200]}

    person = opened(folder, edit)[0]
    assert person.prompt("text") is None
    assert person.prompt("point") is None


@pytest.mark.parametrize("kind", ["point", "scribble"])
def test_no_prompt_for_nobody(folder, kind):
    def edit(content):
        del content["annotations"][1]

    nobody, person = opened(folder, edit)
    assert (len(nobody), len(person)) == (0, 1)
    assert nobody.prompt("text").text == "the other"
    assert nobody.prompt(kind) is None
    with pytest.raises(IndexError):
        person.prompt(kind, 1)


def test_slices_batches_and_transforms(folder):
    dataset = opened(folder, transforms=lambda sample: sample.image_id)
    assert list(dataset) == [3, 7]
    assert dataset.__getitems__([1, 0, -1]) == [7, 3, 7]
    assert list(dataset[::-1]) == [7, 3]
    assert dataset.select([1])[0] == 7
    with pytest.raises(IndexError):
        dataset[2]
    with pytest.raises(TypeError, match="indices are integers"):
        dataset.__getitems__([0.5])


def test_a_file_named_twice_is_decoded_once_and_not_shared(folder, monkeypatch):
    def edit(content):
        content["images"][0].update(file_name="a.png", width=50, height=44)
        content["annotations"][0]["segmentation"] = [[8, 9, 33, 9, 33, 34]]

    dataset = opened(folder, edit)
    counted = []
    decode = type(dataset.decoder).decode

    def counting(self, values, spans, encoding):
        counted.append(len(spans))
        return decode(self, values, spans, encoding)

    monkeypatch.setattr(type(dataset.decoder), "decode", counting)
    first, second = dataset.__getitems__([0, 1])
    assert counted == [1]
    assert np.array_equal(first.image, second.image)
    first.image[...] = 0
    assert second.image.any()


def test_zip_of_pictures(folder):
    with zipfile.ZipFile(folder / "images.zip", "w") as archive:
        for name in ("a.png", "b.png"):
            archive.write(folder / "images" / name, f"images/{name}")
            (folder / "images" / name).unlink()
    (folder / "images").rmdir()
    dataset = RefHuman(folder, cache="memory")
    assert dataset[0].image.shape == (44, 50, 3)
    assert pickle.loads(pickle.dumps(dataset))[1].image.shape == (40, 48, 3)


def test_a_json_file_tells_its_split_and_pictures_may_lie_elsewhere(folder):
    assert RefHuman(folder / "RefHuman_val.json").split == "val"
    moved = folder / "moved.json"
    (folder / "RefHuman_val.json").rename(moved)
    assert RefHuman(moved, "train").split == "train"
    (folder / "images").rename(folder / "pictures")
    with pytest.raises(RecordError, match="no such file"):
        RefHuman(moved)[0]
    assert RefHuman(moved, images=folder / "pictures")[0].image is not None
    with pytest.raises(FileNotFoundError, match="no such folder or archive"):
        RefHuman(moved, images=folder / "none")


def test_what_is_not_there(folder):
    with pytest.raises(FileNotFoundError, match=r"RefHuman_test\.json.*RefHuman_val\.json"):
        RefHuman(folder, "test")
    with pytest.raises(FileNotFoundError, match="no such file or folder"):
        RefHuman(folder / "none")


def test_malformed_records_raise_or_are_reported(folder):
    def edit(content):
        content["annotations"][0]["bbox"][2] = float("nan")
        del content["annotations"][1]["area"]

    with pytest.raises(RecordError, match=r"annotation 70: bbox: not finite.*\(and 1 more\)"):
        opened(folder, edit)
    dataset = opened(folder, edit, on_error="report")
    assert [(f.record, f.field) for f in dataset.faults] == [
        ("annotation 70", "bbox"),
        ("annotation 30", "area"),
    ]
    assert [len(sample) for sample in dataset] == [0, 0]
    with pytest.raises(ValueError, match="on_error='skip'"):
        opened(folder, on_error="skip")


def broken_pictures(folder):
    """Seven samples, of which 1 to 5 are at fault."""

    def edit(content):
        image = content["images"][0]
        names = ("missing.png", "text.png", "cut.png", "a.png")
        content["images"] += [
            {**image, "id": 100 + i, "file_name": name} for i, name in enumerate(names)
        ]
        person = content["annotations"][0]
        broken = {"size": [40, 48], "counts": "R_67a"}
        content["annotations"].append({**person, "id": 700, "segmentation": broken})

    dataset = opened(folder, edit, allow_truncated=False)
    whole = (folder / "images" / "b.png").read_bytes()
    (folder / "images" / "text.png").write_text("no picture")
    (folder / "images" / "cut.png").write_bytes(whole[: len(whole) // 2])
    return dataset


def test_pictures_at_fault(folder):
    dataset = broken_pictures(folder)
    path = str(folder / "RefHuman_val.json")
    for index, name, reason in (
        (2, "missing.png", "no such file"),
        (3, "text.png", "payload is no image of a known format"),
        (4, "cut.png", "image data"),
        (5, "a.png", "is 50 x 44, the record says 48 x 40"),
    ):
        with pytest.raises(RecordError) as caught:
            dataset[index]
        assert caught.value.file == path
        assert caught.value.record == f"image {98 + index}"
        assert caught.value.row == index
        assert name in caught.value.reason
        assert reason in caught.value.reason
    assert opened(folder, check_size=False)[1] is not None
    assert dataset[1].masks is not None
    with pytest.raises(RecordError, match="annotation 700: segmentation: "):
        dataset[1].masks()


def test_verify_lists_all(folder):
    dataset = broken_pictures(folder)
    bad = dataset.verify(batch_size=2)
    assert [error.row for error in bad] == [1, 2, 3, 4, 5]
    assert all(error.__traceback__ is None for error in bad)
    assert dataset.verify([0]) == []


def test_boxes_of_any_numbers(folder):
    def edit(content):
        content["annotations"][0]["bbox"] = [1e308, -1e308, 1e308, 5]
        content["annotations"][1]["bbox"] = [-1e300, -1e300, 2e300, 2e300]

    dataset = opened(folder, edit)
    assert [len(sample) for sample in dataset] == [0, 0]  # in float32 they have no ends
    assert [one.reason for one in dataset.left_out()] == ["empty box"] * 2
    assert opened(folder, edit, filtered=False)[1].boxes[0, 2] == np.inf


def test_pixel_limit(folder):
    with pytest.raises(RecordError, match="more pixels than the limit"):
        opened(folder, pixel_limit=2000)[0]


def test_one_bad_sample_of_a_batch(folder):
    dataset = broken_pictures(folder)
    faults = {}
    payloads = dataset.payloads([0, 2, 5], faults)
    assert list(faults) == [1]
    assert isinstance(faults[1], RowError)
    assert (np.diff(payloads.spans)[:, 0] > 0).tolist() == [True, False, True]
    with pytest.raises(RecordError, match=r"missing\.png"):
        dataset.payloads([0, 2])


def length(dataset):
    return dataset[1].image.shape, dataset[1].masks().sum()


@pytest.mark.parametrize("cache", ["auto", "memory"])
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_other_processes(folder, cache, method):
    dataset = RefHuman(folder, cache=cache)
    assert columns_path(folder / "RefHuman_val.json").exists() == (cache == "auto")
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.apply(length, (dataset,)) == length(dataset)


def test_the_loader_takes_it(folder):
    dataset = broken_pictures(folder)
    good = dataset.select([0, 1])
    (batch,) = Loader(good, batch_size=2, size=32, num_threads=1)
    assert np.asarray(batch.images).shape == (2, 3, 32, 32)
    assert [sample.image_id for sample in batch.samples] == [3, 7]
    with pytest.raises(RowError, match=r"missing\.png"):
        list(Loader(dataset, batch_size=3, size=32, num_threads=1))


def test_golden_data(golden):
    folder = golden / "refhuman"
    prepared = json.loads((folder / "expected" / "val_prepared.json").read_text())
    with np.load(folder / "expected" / "val_prepared.npz") as file:
        arrays = dict(file)
    dataset = RefHuman(folder, "val", cache="memory")
    assert dataset.image_ids.tolist() == [row["image_id"] for row in prepared]
    assert dataset.verify() == []
    for i, row in enumerate(prepared):
        if "target" not in row:
            continue
        sample = dataset[i]
        assert np.array_equal(np.packbits(sample.masks()), arrays[f"p{i}_masks_packed"])
        wanted = row["target"]
        assert list(sample.masks().shape) == wanted["masks"]["shape"]
        assert int(sample.masks().sum()) == wanted["masks"]["sum"]
        assert list(sample.size) == wanted["masks"]["shape"][1:]
        assert len(sample) == wanted["labels"]["shape"][0]
