"""HimTraining: what items hold, that they depend on seed, epoch and index alone, bad input."""

import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from refpix.datasets import HimImages, HimTraining, HimVideo
from refpix.errors import EmptySampleError, RecordError

SMALL = HimTraining(crop=(64, 96), short_size=100, max_inst=4)
ALL = {name: 1 for name in vars(SMALL) if name.endswith("_p") and name != "padding_crop_p"}
NONE = dict.fromkeys([*ALL, "padding_crop_p"], 0)


@pytest.fixture(scope="session")
def him(data) -> Path:
    return data / "him"


@pytest.fixture
def tree(him, tmp_path):
    """A copy of the training pictures, to be damaged."""
    return Path(shutil.copytree(him / "him_train_root", tmp_path / "root"))


def pictures(him, transform=SMALL, **options):
    return HimImages(him / "him_train_root", "I-HIM", transforms=transform, **options)


def clips(him, transform=SMALL, **options):
    args = {"clip_length": 3, "overlap": 2, "whole_clips": True, "max_step_size": 2, **options}
    return HimVideo(him / "vim_root", "comp_easy", transforms=transform, **args)


def same(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[k], other[k]) for k in one)


def check_pictures(item, transform):
    (h, w), n = transform.crop, transform.max_inst
    low = (h, w) if transform.downscale_mask_p == 0 else (h // 8, w // 8)
    shapes = {"image": (1, 3, h, w), "alpha": (1, n, h, w), "transition": (1, n, h, w)}
    shapes |= {"mask": (1, n, *low), "fg": (1, n, 3, h, w), "bg": (1, n, 3, h, w)}
    check(item, shapes)


def check(item, shapes):
    assert {k: (v.shape, v.dtype) for k, v in item.items()} == {
        key: (shape, np.float32) for key, shape in shapes.items()
    }
    for key in item:
        assert np.isfinite(item[key]).all()
        if key != "image":
            assert item[key].min() >= 0
            assert item[key].max() <= 1
    assert np.isin(item["mask"], (0, 1)).all()
    assert np.isin(item["transition"], (0, 1)).all()
    levels = item["alpha"] * 255
    assert np.array_equal(np.rint(levels) / np.float32(255), item["alpha"])
    assert not ((levels > 0) & (levels < 4.5)).any()


@pytest.mark.parametrize("options", [{}, ALL, NONE, {"padding_crop_p": 1}, {"max_inst": 2}])
def test_items_of_pictures(him, options):
    transform = replace(SMALL, **options)
    dataset = pictures(him, transform, max_inst=transform.max_inst)
    for epoch in range(4):
        dataset.set_epoch(epoch)
        for item in dataset:
            check_pictures(item, transform)
            used = item["alpha"].any(axis=(0, 2, 3))
            assert used.any()
            for key in ("mask", "transition", "fg", "bg"):
                assert not item[key][:, ~used].any()


@pytest.mark.parametrize("options", [{}, ALL, NONE, {"padding_crop_p": 1}, {"colours": True}])
def test_items_of_clips(him, options):
    transform = replace(SMALL, **options)
    dataset = clips(him, transform)
    (h, w), n = transform.crop, transform.max_inst
    shapes = {"image": (3, 3, h, w), **dict.fromkeys(("alpha", "mask"), (3, n, h, w))}
    shapes |= {"transition": (3, n, h, w)}
    if transform.colours:
        shapes |= {"fg": (3, n, 3, h, w), "bg": (3, n, 3, h, w)}
    for item in dataset:
        check(item, shapes)
        assert item["transition"][0].all()
        assert (item["transition"] == item["transition"][:, :1]).all()
        assert item["mask"].any(axis=(1, 2, 3)).all()


def test_without_augmentation_a_window_of_the_picture_is_left(him):
    dataset = pictures(him, replace(SMALL, **NONE, short_size=90, crop=(64, 64)))
    frame = pictures(him, None)[1].image  # 90 x 90: neither resized nor, but by zeros, padded
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    for epoch in range(3):
        dataset.set_epoch(epoch)
        image = dataset[1]["image"][0].transpose(1, 2, 0).astype(np.float64)
        levels = np.rint((image * std + mean) * 255).astype(np.uint8)
        padded = np.pad(frame, ((0, 38), (0, 38), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (64, 64), axis=(0, 1))
        assert (windows == levels.transpose(2, 0, 1)).all(axis=(2, 3, 4)).any()


def test_all_frames_of_a_clip_are_treated_alike(him, tmp_path):
    """A video of one picture stays one, whatever is drawn."""
    for part in ("fgr", "pha"):
        shutil.copytree(him / "vim_root" / "comp_easy" / part, tmp_path / "same" / part)
    for folder in (tmp_path / "same" / "fgr").iterdir():
        first = (folder / "00000.jpg").read_bytes()
        for frame in folder.iterdir():
            frame.write_bytes(first)
    for folder in (tmp_path / "same" / "pha").iterdir():
        for frame in folder.iterdir():
            if frame.name != "00000":
                shutil.rmtree(frame)
                shutil.copytree(folder / "00000", frame)
    dataset = HimVideo(tmp_path, "same", clip_length=3, transforms=replace(SMALL, **ALL))
    for epoch in range(4):
        dataset.set_epoch(epoch)
        item = dataset[0]
        for key in ("image", "alpha"):
            assert (item[key] == item[key][:1]).all()
        assert not item["transition"][1:].any()


def test_items_depend_on_seed_epoch_and_index_alone(him):
    for make in (pictures, clips):
        dataset = make(him)
        items = list(dataset)
        copied = pickle.loads(pickle.dumps(dataset))
        for i in reversed(range(len(dataset))):
            assert same(items[i], copied[i])
            assert same(items[i], dataset.select([i])[0])
        dataset.set_epoch(1)
        assert not any(same(dataset[i], item) for i, item in enumerate(items))
        dataset.set_epoch(0)
        assert same(dataset[0], items[0])
        assert not same(make(him, seed=7)[0], items[0])


def test_global_state_is_neither_read_nor_changed(him):
    np.random.seed(1)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first = pictures(him)[0]
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    np.random.seed(2)  # noqa: NPY002
    assert same(pictures(him)[0], first)


def collated(items):
    return items


@pytest.mark.parametrize("workers", [0, 1, 2])
@pytest.mark.parametrize("make", [pictures, clips])
def test_items_do_not_depend_on_the_number_of_workers(him, make, workers):
    data = pytest.importorskip("torch").utils.data
    dataset = make(him)
    loader = data.DataLoader(dataset, batch_size=2, num_workers=workers, collate_fn=collated)
    for epoch in range(2):
        dataset.set_epoch(epoch)
        got = [item for batch in loader for item in batch]
        assert len(got) == len(dataset)
        assert all(same(item, dataset[i]) for i, item in enumerate(got))


def test_default_collation_makes_tensors(him):
    data = pytest.importorskip("torch").utils.data
    (batch,) = data.DataLoader(pictures(him), batch_size=2)
    assert batch["image"].shape == (2, 1, 3, 64, 96)
    assert batch["alpha"].shape == (2, 1, 4, 64, 96)


def test_frames_of_training_clips(him):
    orders = set()
    for max_step in (1, 3):
        dataset = clips(him, None, max_step_size=max_step)
        for epoch in range(10):
            dataset.set_epoch(epoch)
            sample = dataset[0]
            numbers = [int(Path(path).stem) for path in sample.images]
            orders.add(tuple(numbers))
            assert len(set(numbers)) == 3
            assert numbers in (sorted(numbers), sorted(numbers, reverse=True))
            assert max(numbers) < min(3 * max_step, 5)
            assert [Path(f[0]).parent.name for f in sample.alpha_files] == [
                f"{n:05d}" for n in numbers
            ]
    assert {(0, 1, 2), (2, 1, 0)} < orders
    with pytest.raises(ValueError, match="max_step_size=0"):
        clips(him, max_step_size=0)


def test_random_choice_of_instances(him):
    dataset = pictures(him, None, max_inst=1, choice="random")
    chosen = set()
    for epoch in range(12):
        dataset.set_epoch(epoch)
        assert dataset[0].alpha_names == dataset[0].alpha_names
        chosen |= set(dataset[0].alpha_names)
    assert chosen == {"00.png", "01.png"}
    with pytest.raises(ValueError, match="choice='other'"):
        pictures(him, choice="other")


def test_another_sample_takes_the_place_of_an_empty_one(tree):
    alphas = tree / "I-HIM" / "alphas"
    for path in (alphas / "0").iterdir():
        with Image.open(path) as matte:
            Image.new("L", matte.size).save(path)
    dataset = HimImages(tree, "I-HIM", transforms=SMALL)
    item = dataset[0]
    check_pictures(item, SMALL)
    assert item["alpha"].any()
    assert same(item, dataset[0])
    assert not same(item, dataset[1])


def test_mattes_that_are_empty_everywhere_are_an_error(tree):
    for path in (tree / "I-HIM" / "alphas").rglob("*.png"):
        with Image.open(path) as matte:
            Image.new("L", matte.size).save(path)
    dataset = HimImages(tree, "I-HIM", transforms=SMALL)
    with pytest.raises(EmptySampleError, match=r"1\.jpg: no matte is left.* 19 other") as error:
        dataset[1]
    assert error.value.row == 1
    assert isinstance(pickle.loads(pickle.dumps(error.value)), EmptySampleError)


def test_a_clip_whose_mattes_are_empty(him, tmp_path):
    root = Path(shutil.copytree(him / "vim_root", tmp_path / "root"))
    for path in (root / "comp_easy" / "pha").rglob("*.png"):
        with Image.open(path) as matte:
            Image.new("L", matte.size).save(path)
    dataset = HimVideo(root, "comp_easy", clip_length=3, transforms=SMALL)
    with pytest.raises(EmptySampleError, match=r"vidA.00000\.jpg: a frame has no mask left"):
        dataset[0]


def test_bad_input_is_named(tree):
    alphas = tree / "I-HIM" / "alphas"
    large = HimImages(tree, "I-HIM", transforms=replace(SMALL, crop=(512, 512)))
    with pytest.raises(RecordError, match=r"0\.jpg: resized .* 100 .* 128x128 .* 512x512"):
        large[0]
    Image.new("L", (90, 70)).save(alphas / "1" / "00.png")
    dataset = HimImages(tree, "I-HIM", transforms=SMALL)
    with pytest.raises(RecordError, match=r"1.00\.png: matte is 70x90 .* 90x90"):
        dataset[1]
    Image.new("L", (90, 70)).save(alphas / "1" / "01.png")
    stretched = HimImages(tree, "I-HIM", transforms=SMALL, check_size=False)
    check_pictures(stretched[1], SMALL)
    unscaled = HimImages(
        tree, "I-HIM", transforms=replace(SMALL, short_size=90, crop=(64, 64)), check_size=False
    )
    with pytest.raises(RecordError, match=r"1.00\.png: matte and picture differ in size"):
        unscaled[1]
    with pytest.raises(ValueError, match=r"0\.jpg has 2 mattes"):
        HimImages(tree, "I-HIM", transforms=replace(SMALL, max_inst=1))[0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"crop": (512, 500)},
        {"crop": (24, 64)},
        {"crop": (64,)},
        {"short_size": 0},
        {"max_inst": 0},
        {"binarized_kernel": 1},
        {"flip_p": 1.5},
        {"jpeg_p": -0.1},
        {"affine_p": float("nan")},
    ],
)
def test_wrong_parameters(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        HimTraining(**wrong)


def test_wrong_seeds(him):
    with pytest.raises(ValueError, match="seed=-1"):
        pictures(him, seed=-1)
    with pytest.raises(ValueError, match="epoch=-1"):
        pictures(him).set_epoch(-1)
