"""HIMDataset and VIMDataset against recorded items of the published classes."""

import hashlib
import json
import random
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from refpix.compat.maggie import Cures, HIMDataset, VIMDataset, build_dataset  # noqa: E402
from refpix.errors import RecordError  # noqa: E402


@pytest.fixture(scope="module")
def recorded(data):
    return json.loads((data / "him" / "expected.json").read_text("utf-8"))


def agree(item, want):
    for key in ("mask", "alpha"):
        scaled = np.rint(item[key].numpy() * 255).astype(np.uint8)
        assert hashlib.sha256(scaled.tobytes()).hexdigest() == want["sha256"][f"{key}_u8"]
    for key in ("image", "mask", "alpha", "trimap"):
        assert item[key].dtype == torch.float32
        assert list(item[key].shape) == want["shapes"][key]


@pytest.mark.parametrize("number", range(3))
def test_pictures(data, recorded, number):
    run = recorded["him"][number]
    dataset = HIMDataset(data / "him" / "him_val_root", **run["args"])
    for want in run["items"]:
        item = dataset[want["index"]]
        assert item["alpha_names"] == want["alpha_names"]
        agree(item, want)


@pytest.mark.parametrize("number", range(2))
def test_clips(data, recorded, number):
    run = recorded["vim"][number]
    dataset = VIMDataset(data / "him" / "vim_root", **run["args"])
    assert [list(clip) for clip in dataset.frame_ids] == run["frame_ids"]
    for want in run["items"]:
        agree(dataset[want["index"]], want)


def test_the_choice_depends_on_the_order_unless_cured(data, recorded):
    run = recorded["him"][0]
    names = run["items"][3]["alpha_names"]
    root = data / "him" / "him_val_root"
    assert HIMDataset(root, **run["args"])[3]["alpha_names"] != names
    assert (
        HIMDataset(root, **run["args"], cures=Cures(fixed_choice=True))[3]["alpha_names"] == names
    )


def test_the_mask_folder_is_replaced_in_parents_too_unless_cured(data, tmp_path):
    root = tmp_path / "alphas_of_mine"
    shutil.copytree(data / "him" / "him_val_root", root)
    args = {"split": "comp", "mask_dir_name": "masks_matched", "short_size": 64}
    with pytest.raises(RecordError, match="masks_matched_of_mine"):
        HIMDataset(root, **args)[0]
    assert HIMDataset(root, **args, cures=Cures(mask_folder_only=True))[0]["mask"].any()


@pytest.mark.parametrize("number", range(5))
def test_training_items_are_those_of_the_published_classes(data, number):
    """All but the steps that imgaug and albumentations draw for, which are off here."""
    run = json.loads((data / "him" / "expected_train.json").read_text("utf-8"))[number]
    cls, root = {
        "him": (HIMDataset, "him_train_root"),
        "vim": (VIMDataset, "vim_root"),
    }[run["kind"]]
    random.seed(run["args"]["random_seed"])
    np.random.seed(run["args"]["random_seed"])  # noqa: NPY002
    dataset = cls(data / "him" / root, **run["args"])
    assert len(dataset) == run["length"]
    for i, want in enumerate(run["items"]):
        item = dataset[i % len(dataset)]
        got = {}
        for key, value in item.items():
            assert value.dtype == torch.float32
            digest = hashlib.sha256(value.numpy().tobytes()).hexdigest()[:16]
            got[key] = {"shape": list(value.shape), "sha256": digest}
        assert got == want


def training(data, cls=HIMDataset, **options):
    args = {"is_train": True, "short_size": 100, "crop": (64, 64), "max_inst": 3, **options}
    if cls is HIMDataset:
        return cls(data / "him" / "him_train_root", "I-HIM", **args)
    return cls(data / "him" / "vim_root", "comp_easy", 3, **args)


@pytest.mark.parametrize("cls", [HIMDataset, VIMDataset])
def test_seeded_training_items_depend_on_epoch_and_index_alone(data, cls):
    dataset = training(data, cls, cures=Cures(seeded=True))
    for workers in (0, 2):
        loader = torch.utils.data.DataLoader(dataset, batch_size=None, num_workers=workers)
        for i, item in enumerate(loader):
            assert all(torch.equal(value, dataset[i][key]) for key, value in item.items())
    first = dataset[0]["image"]
    dataset.set_epoch(1)
    assert not torch.equal(dataset[0]["image"], first)


def test_published_draws_depend_on_the_order_of_access(data):
    one, other = training(data), training(data)
    assert torch.equal(one[0]["image"], other[0]["image"])
    assert not torch.equal(one[0]["image"], one[0]["image"])


def test_pixel_steps_leave_the_other_draws_alone(data):
    plain = training(data, gamma_p=0, add_noise_p=0, jpeg_p=0)
    changed = training(data, gamma_p=1, add_noise_p=1, jpeg_p=1)
    for i in range(2):
        one, other = plain[i], changed[i]
        assert not torch.equal(one["image"], other["image"])
        for key in ("alpha", "mask", "transition"):
            assert torch.equal(one[key], other[key])


def test_places_of_long_clips(data):
    assert training(data, VIMDataset)[0]["alpha"].shape[1] == 2
    cured = training(data, VIMDataset, cures=Cures(fill_places=True))
    assert cured[0]["alpha"].shape == (3, 3, 64, 64)


def test_masks_that_move_with_mattes(data):
    options = {"affine_p": 1, "downscale_mask_p": 0, "binarized_kernel": 2}
    for cures in (Cures(), Cures(affine_masks=True)):
        state = training(data, cures=cures, **options)
        assert state[0]["mask"].any()
    images = [training(data, cures=c, **options)[0] for c in (Cures(), Cures(affine_masks=True))]
    assert torch.equal(images[0]["alpha"], images[1]["alpha"])
    assert not torch.equal(images[0]["mask"], images[1]["mask"])


def test_training_on_empty_mattes_ends(data, tmp_path):
    root = shutil.copytree(data / "him" / "him_train_root", tmp_path / "root")
    for path in root.rglob("*.png"):
        with Image.open(path) as matte:
            Image.new("L", matte.size).save(path)
    dataset = HIMDataset(root, "I-HIM", 10, 100, True, crop=(64, 64), gamma_p=0, add_noise_p=0)
    with pytest.raises(RecordError, match="no matte is left"):
        dataset[0]


def config(**options):
    return SimpleNamespace(
        **{"short_size": 100, "alpha_dir_name": "alphas", "mask_dir_name": "", "max_inst": 3},
        **{"crop": [64, 64], "padding_crop_p": 0.1, "flip_p": 0.5, "gamma_p": 0.5},
        **{"add_noise_p": 0.3, "jpeg_p": 0.1, "affine_p": 0.1, "binarized_kernel": 30},
        **{"downscale_mask_p": 0.5, "motion_p": 0.3, "clip_length": 3, "max_step_size": 2},
        **options,
    )


def test_datasets_of_configurations(data):
    him = data / "him"
    cfg = config(name="HIM", root_dir=him / "him_train_root", split="I-HIM")
    built = build_dataset(cfg, random_seed=5)
    by_hand = training(data, gamma_p=0.5, random_seed=5)
    assert torch.equal(built[1]["image"], by_hand[1]["image"])
    cfg = config(name="VIM", root_dir=him / "vim_root", split="comp_easy")
    cfg.alpha_dir_name = "pha"
    assert build_dataset(cfg)[0]["image"].shape == (3, 3, 64, 64)
    cfg.clip_overlap = 1
    assert build_dataset(cfg, is_train=False).frame_ids[1] == ("vidA", 2)
    cfg = config(name="HIM", root_dir=him / "him_val_root", split="comp", downscale_mask=True)
    item = build_dataset(cfg, is_train=False)[0]
    assert item["mask"].shape[2:] == item["image"].shape[2:]  # published: the flag is inverted
    with pytest.raises(NotImplementedError, match="COCO"):
        build_dataset(config(name="COCO"))
