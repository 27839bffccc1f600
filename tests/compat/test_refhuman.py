import builtins
import hashlib
import json
import random
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from tests.datasets.refhuman_files import FILE, write

from refpix.errors import RecordError

torch = pytest.importorskip("torch")

from refpix.compat.refhuman import Cures, RefHuman, build, make_coco_transforms  # noqa: E402
from refpix.compat.refhuman import transforms as T  # noqa: E402

ORDERS = ("pillow13", "pillow12")
HASHES = {"pillow13": "u8_sha256", "pillow12": "u8_sha256_hfirst"}
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def opened(folder, split, **options):
    arguments = SimpleNamespace(coco_path=str(folder))
    return build(split, arguments, **{"cache": "memory", **options})


def seeded(dataset, index, seed):
    random.seed(seed)
    torch.manual_seed(seed)
    return dataset[index]


def loaded(path):
    with np.load(path) as file:
        return dict(file)


def recorded(data, split):
    """Rows and their arrays by key, of the committed part."""
    rows = json.loads((data / "refhuman" / "expected.json").read_text())[split]
    arrays = loaded(data / "refhuman" / "expected.npz")
    return [(row, arrays, f"{split}{i}_") for i, row in enumerate(rows)]


def same(item, row, arrays, prefix, check_pixels=True):
    image, target = item
    assert list(image.shape) == row["image_shape"]
    assert image.dtype == torch.float32
    if check_pixels:
        assert hashlib.sha256(image.numpy().tobytes()).hexdigest() == row["float_sha256"]
    assert set(target) == set(row["target"])
    for key, wanted in row["target"].items():
        if not isinstance(wanted, dict):
            assert target[key] == wanted
            continue
        value = target[key].numpy()
        assert (list(value.shape), str(value.dtype)) == (wanted["shape"], wanted["dtype"]), key
        if key in ("masks", "origin_mask"):
            assert np.array_equal(np.packbits(value.astype(bool)), arrays[f"{prefix}{key}_packed"])
        else:
            assert np.array_equal(value, arrays[prefix + key]), key


@pytest.mark.parametrize("order", ORDERS)
def test_val_items_are_the_published_ones(data, order):
    dataset = opened(data / "refhuman", "val", order=order, published_errors=True)
    good = 0
    for row, arrays, prefix in recorded(data, "val"):
        if "error" in row:
            with pytest.raises(getattr(builtins, row["error"])):
                dataset[row["index"]]
            continue
        pixels = order == "pillow13" or row["u8_sha256"] == row[HASHES[order]]
        same(dataset[row["index"]], row, arrays, prefix, pixels)
        good += 1
    assert good == 11


def test_train_items_are_the_published_ones(data):
    dataset = opened(data / "refhuman", "train", order="pillow13", published_errors=True)
    for row, arrays, prefix in recorded(data, "train"):
        same(seeded(dataset, row["index"], row["seed"]), row, arrays, prefix)


def test_all_train_items_with_the_published_random_calls(golden):
    folder = golden / "refhuman"
    dataset = opened(folder, "train", order="pillow13")
    rows = json.loads((folder / "expected" / "train.json").read_text())["rows"]
    arrays = loaded(folder / "expected" / "train_targets.npz")
    for i, row in enumerate(rows):
        same(seeded(dataset, row["index"], row["seed"]), row, arrays, f"t{i}_")
        # Not a call more, or less.
        random.seed(row["seed"])
        torch.manual_seed(row["seed"])
        for name, arguments, _ in row["random_calls"]:
            if name == "crop_params":
                (width, height), (h, w) = arguments
                if (height, width) != (h, w):
                    torch.randint(0, height - h + 1, size=(1,))
                    torch.randint(0, width - w + 1, size=(1,))
            else:
                getattr(random, name)(*arguments)
        wanted = random.random(), torch.rand(1)
        seeded(dataset, row["index"], row["seed"])
        assert (random.random(), torch.rand(1)) == wanted


@pytest.mark.parametrize(
    ("case", "keys"),
    [
        ("scribble outside mask", {"boxes"}),
        ("compressed RLE counts string", {"scribble"}),
        ("4-number polygon read as box", {"boxes"}),
        ("CMYK jpeg", {"scribble"}),
        ("RGBA png", {"scribble"}),
        ("no scribble", {"boxes"}),
        ("no annotations", set()),
        ("all annotations dropped", set()),
    ],
)
def test_what_crashed_gives_sane_items(data, case, keys):
    dataset = opened(data / "refhuman", "val")
    (row,) = [row for row, _, _ in recorded(data, "val") if row["case"] == case]
    image, target = dataset[row["index"]]
    assert image.shape[0] == 3
    assert ("scribble" in target) == ("scribble" in keys)
    assert ("origin_scribble" in target) == ("scribble" in keys)
    people = 1 if keys else 0
    for key, shape, dtype in (
        ("boxes", (people, 4), torch.float32),
        ("labels", (people,), torch.int64),
        ("keypoints", (people, 51), torch.float32),
        ("area", (people,), torch.float32),
        ("iscrowd", (people,), torch.int64),
        ("origin_keypoints", (people, 17, 3), torch.float32),
    ):
        assert (tuple(target[key].shape), target[key].dtype) == (shape, dtype)
    assert len(target["masks"]) == people
    if case != "4-number polygon read as box":  # two points enclose nothing
        assert bool(target["masks"].any()) == bool(people)


def test_cmyk_and_rgba_are_shown_as_pillow_converts_them(data):
    folder = data / "refhuman"
    dataset = RefHuman(folder, "val", None, cache="memory")
    for name in ("val_cmyk.jpg", "val_rgba.png"):
        if not (folder / "images" / name).exists():
            continue
        index = [dataset.annotations.text("file_name", row) for row in range(len(dataset))].index(
            name
        )
        image, _ = dataset[index]
        assert np.array_equal(image, np.array(Image.open(folder / "images" / name).convert("RGB")))


def test_palettes(data):
    folder = data / "refhuman"
    stored = Image.open(folder / "images" / "val_p.png")
    for cures, wanted in (
        (None, np.repeat(np.array(stored)[..., None], 3, axis=2)),
        (Cures(palette_colours=True), np.array(stored.convert("RGB"))),
    ):
        dataset = RefHuman(folder, "val", None, cures=cures, cache="memory")
        image, target = dataset[dataset.all_imgIds.index(867)]
        assert np.array_equal(image, wanted)
        assert target["masks"].dtype == torch.uint8


def test_scribbles_that_leave_their_mask(tmp_path, caplog):
    def edit(content):
        content["annotations"][0]["scribble"] = [0] * 120

    write(tmp_path, edit)
    dataset = RefHuman(tmp_path, "val", None, cache="memory")
    assert "scribble" not in dataset[1][1]
    assert "scribble" not in dataset[1][1]
    # Once, not in every epoch.
    assert caplog.text.count("annotation 70: scribble: points outside the mask (image 7)") == 1
    kept = RefHuman(tmp_path, "val", None, cache="memory", bad_scribbles="keep")[1][1]
    assert kept["scribble"].shape == (1, 12, 2)
    with pytest.raises(RecordError, match="annotation 70: scribble"):
        RefHuman(tmp_path, "val", None, cache="memory", bad_scribbles="raise")[1]
    with pytest.raises(ValueError, match="bad_scribbles='drop'"):
        RefHuman(tmp_path, "val", None, bad_scribbles="drop")


@pytest.mark.parametrize("published_errors", [False, True])
def test_the_scribble_of_somebody_without_a_box_stays(tmp_path, caplog, published_errors):
    """As published: no mask is left that it could be compared with."""

    def edit(content):
        content["annotations"][0] |= {"scribble": [0] * 120, "bbox": [-9, -9, 5, 5]}

    write(tmp_path, edit)
    dataset = RefHuman(tmp_path, "val", None, cache="memory", published_errors=published_errors)
    target = dataset[1][1]
    assert target["masks"].shape == (0, 40, 48)
    assert target["scribble"].tolist() == [[[0, 0]] * 12]
    assert not caplog.text


def test_scribbles_far_outside_the_picture(tmp_path):
    def edit(content):
        content["annotations"][0]["scribble"] = [-(2**31) + 1, 2**31 - 1] * 60

    write(tmp_path, edit)
    assert "scribble" not in RefHuman(tmp_path, "val", None, cache="memory")[1][1]


def test_somebody_without_scribble(tmp_path):
    def edit(content):
        second = {**content["annotations"][0], "id": 71}
        del second["scribble"]
        content["annotations"].append(second)

    write(tmp_path, edit)
    assert "scribble" not in RefHuman(tmp_path, "val", None, cache="memory")[1][1]
    with pytest.raises(KeyError, match="scribble"):
        RefHuman(tmp_path, "val", None, cache="memory", published_errors=True)[1]


def test_pictures_at_fault(tmp_path):
    write(tmp_path)
    dataset = RefHuman(tmp_path, "val", None, cache="memory")
    (tmp_path / "images" / "a.png").unlink()
    with pytest.raises(RecordError, match=r"image 3: file_name: .*a\.png: no such file"):
        dataset[0]
    (tmp_path / "images" / "a.png").write_bytes(b"GIF89a nonsense")
    with pytest.raises(RecordError, match=r"image 3: file_name: .*a\.png: "):
        dataset[0]
    whole = (tmp_path / "images" / "b.png").read_bytes()
    (tmp_path / "images" / "b.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RecordError, match="image data"):
        dataset[1]
    assert RefHuman(tmp_path, "val", None, cache="memory", allow_truncated=True)[1] is not None


def test_malformed_records(tmp_path):
    write(tmp_path, lambda content: content["annotations"][0].pop("bbox") and None)
    with pytest.raises(RecordError, match="annotation 70: bbox: missing"):
        RefHuman(tmp_path, "val", None)
    dataset = RefHuman(tmp_path, "val", None, on_error="report")
    assert [fault.record for fault in dataset.faults] == ["annotation 70"]
    assert len(dataset[1][1]["boxes"]) == 0


def test_indices_splits_and_counts(tmp_path):
    def edit(content):
        content["images"].append({**content["images"][1], "id": 99})

    write(tmp_path, edit)
    dataset = opened(tmp_path, "test")
    assert (dataset.mode, dataset.all_imgIds) == ("val", [3, 7, 99])
    assert dataset[0][1]["img_obj_num"] == dataset[2][1]["img_obj_num"] == 2
    assert dataset[-1][1]["image_id"].tolist() == [99]
    assert dataset[2][1]["caption"] == "the other"
    with pytest.raises(IndexError, match="no item 3 among 3"):
        dataset[3]
    with pytest.raises(ValueError, match="unknown image_set 'dev'"):
        make_coco_transforms("dev")


def test_empty_boxes_and_their_scribbles(tmp_path):
    def edit(content):
        second = {**content["annotations"][0], "id": 71, "bbox": [5, 5, 0, 5]}
        content["annotations"].append(second)

    write(tmp_path, edit)
    for cures, scribbles in ((Cures(), 2), (Cures(filter_together=True), 1)):
        _, item = RefHuman(tmp_path, "val", None, cures=cures, cache="memory")[1]
        assert [len(item[key]) for key in ("boxes", "masks", "scribble")] == [1, 1, scribbles]


def test_captions_that_are_not_there(tmp_path):
    write(tmp_path, lambda content: content["images"][1].pop("caption") and None)
    assert opened(tmp_path, "val")[0][1]["caption"] == "ssssss"
    assert opened(tmp_path, "val", cures=Cures(empty_caption=True))[0][1]["caption"] == ""


def test_training_with_all_cures(data):
    dataset = opened(data / "refhuman", "train", cures=Cures.all())
    for seed in range(12):
        image, item = seeded(dataset, seed % len(dataset), seed)
        count = len(item["boxes"])
        assert count > 0
        assert [len(item[k]) for k in ("masks", "keypoints", "area")] == [count] * 3
        assert item["masks"].shape[1:] == image.shape[1:]


def test_it_pickles_and_torch_loads_it(tmp_path):
    write(tmp_path)
    dataset = opened(tmp_path, "val")
    loader = torch.utils.data.DataLoader(dataset, num_workers=1, collate_fn=lambda batch: batch)
    items = [item for (item,) in loader]
    assert [item[1]["image_id"].tolist() for item in items] == [[3], [7]]
    assert FILE["images"][0]["id"] == 7


class Own:
    """A transform of the user's: it must be given tensors."""

    def __call__(self, image, target):
        assert isinstance(target["masks"], torch.Tensor)
        assert target["masks"].dtype == torch.uint8
        return image, target


def test_masks_as_runs_and_as_pixels_are_the_same(data):
    folder = data / "refhuman"
    ours = make_coco_transforms("train", order="pillow13")
    mixed = T.Compose([Own(), *ours.transforms])
    assert (ours.takes_runs, mixed.takes_runs) == (True, False)
    plain = T.Compose([T.ToTensor(), T.Normalize(MEAN, STD)])
    assert not plain.takes_runs  # pixels as they are stored are uint8
    for cures in (Cures(), Cures.all()):
        first = opened(folder, "train", cures=cures, order="pillow13")
        second = opened(folder, "train", cures=cures)
        second._transforms = T.Compose([Own(), *first._transforms.transforms])
        second._takes_runs = second._transforms.takes_runs
        for seed in range(14):
            a, b = (seeded(d, seed % len(d), seed)[1] for d in (first, second))
            assert a["masks"].dtype == b["masks"].dtype == torch.bool
            assert torch.equal(a["masks"], b["masks"])
            assert torch.equal(a["area"], b["area"])
