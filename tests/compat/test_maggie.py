"""HIMDataset and VIMDataset against recorded items of the published classes."""

import hashlib
import json
import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from refpix.compat.maggie import Cures, HIMDataset, VIMDataset  # noqa: E402
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


def test_training_is_refused(data):
    with pytest.raises(ValueError, match="only validation"):
        HIMDataset(data / "him" / "him_train_root", "I-HIM", is_train=True)
