"""HimImages, HimVideo and the validation path, against recorded items of the published loaders."""

import hashlib
import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from refpix import Loader
from refpix.datasets import HimImages, HimValidation, HimVideo, _opencv
from refpix.datasets.him_layout import find_images, index_images
from refpix.errors import RecordError

MEAN = np.array([0.485, 0.456, 0.406], np.float32).reshape(1, 3, 1, 1)
STD = np.array([0.229, 0.224, 0.225], np.float32).reshape(1, 3, 1, 1)


@pytest.fixture(scope="session")
def him(data) -> Path:
    return data / "him"


@pytest.fixture(scope="session")
def recorded(him):
    return json.loads((him / "expected.json").read_text("utf-8"))


@pytest.fixture
def tree(him, tmp_path):
    """A copy of the validation pictures, to be damaged."""
    return Path(shutil.copytree(him / "him_val_root", tmp_path / "root"))


def sha(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def agree(item, want, keys=("image", "mask", "alpha", "fg", "bg", "trimap")):
    for key in keys:
        assert list(item[key].shape) == want["shapes"][key], key
        assert item[key].dtype == np.float32
    pixels = np.rint((item["image"] * STD + MEAN) * 255).astype(np.uint8)
    assert np.array_equal(item["image"], (pixels / np.float32(255) - MEAN) / STD)
    found = {"image_u8": sha(pixels), "trimap": sha(item["trimap"].astype(np.uint8))}
    for key in ("mask", "alpha"):
        scaled = np.rint(item[key] * 255).astype(np.uint8)
        assert np.array_equal(item[key], scaled / np.float32(255))
        found[f"{key}_u8"] = sha(scaled)
    assert found == want["sha256"]
    info = [
        {k: list(v) if isinstance(v, tuple) else v for k, v in t.items()}
        for t in item["transform_info"]
    ]
    assert info == want["transform_info"]
    for key, mean in want.get("means", {}).items():
        assert item[key].mean(dtype=np.float64) == pytest.approx(mean, abs=1e-7)


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("backwards", [False, True])
def test_pictures_as_published_in_any_order(him, recorded, number, backwards):
    run = recorded["him"][number]
    args = run["args"]
    transform = HimValidation(args["short_size"], downscale_mask=args.get("downscale_mask_p") != 0)
    dataset = HimImages(
        him / "him_val_root",
        args["split"],
        mask_dir_name=args["mask_dir_name"],
        transforms=transform,
    )
    assert len(dataset) == len(run["items"])
    for want in run["items"][:: -1 if backwards else 1]:
        item = dataset[want["index"]]
        assert item["alpha_names"] == want["alpha_names"]
        agree(item, want)


@pytest.mark.parametrize("number", range(2))
def test_clips_as_published(him, recorded, number):
    run = recorded["vim"][number]
    args = run["args"]
    dataset = HimVideo(
        him / "vim_root",
        args["split"],
        clip_length=args["clip_length"],
        overlap=args["overlap"],
        mask_dir_name=args["mask_dir_name"],
        transforms=HimValidation(args["short_size"]),
    )
    assert [list(clip) for clip in dataset.clips] == run["frame_ids"]
    for want in run["items"]:
        item = dataset[want["index"]]
        flags = ("skip", "is_first", "is_last")
        assert [item[key] for key in flags] == [want[key] for key in flags]
        agree(item, want, ("image", "mask", "alpha", "trimap"))
        assert "fg" not in item


def test_layouts_are_found_by_looking(him, recorded):
    for name, split in (("him_val_root", "comp"), ("him_train_root", "I-HIM")):
        folders = find_images(him / name, split)
        assert folders.layout == ("val" if "val" in name else "train")
        entries, _ = index_images(folders)
        key = f"is_train={folders.layout == 'train'} root={name} split={split}"
        found = [
            [str(Path(e.image).relative_to(him)), [str(Path(a).relative_to(him)) for a in e.alphas]]
            for e in entries
        ]
        assert found == recorded["him_layouts"][key]


def test_what_is_missing_is_named(him, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere: no such folder"):
        HimImages(tmp_path / "nowhere", "comp")
    with pytest.raises(FileNotFoundError, match=r"neither .*natural.images nor .*images.natural"):
        HimImages(him / "him_val_root", "natural")
    with pytest.raises(FileNotFoundError, match=r"pha.comp: no such folder"):
        HimImages(him / "him_val_root", "comp", alpha_dir_name="pha")
    with pytest.raises(FileNotFoundError, match=r"no_masks.comp: no such folder"):
        HimImages(him / "him_val_root", "comp", mask_dir_name="no_masks")
    with pytest.raises(FileNotFoundError, match=r"comp_easy.alphas: no such folder"):
        HimVideo(him / "vim_root", "comp_easy", alpha_dir_name="alphas")
    (tmp_path / "images" / "empty").mkdir(parents=True)
    (tmp_path / "alphas" / "empty").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=r"images.empty: there is no \*\.jpg"):
        HimImages(tmp_path, "empty")


def test_both_layouts_want_a_word(tree):
    shutil.copytree(tree / "images" / "comp", tree / "comp" / "images")
    shutil.copytree(tree / "alphas" / "comp", tree / "comp" / "alphas")
    with pytest.raises(ValueError, match="both there"):
        HimImages(tree, "comp")
    assert HimImages(tree, "comp", layout="val").folders.images == tree / "images" / "comp"
    assert HimImages(tree, "comp", layout="train").folders.images == tree / "comp" / "images"


def test_what_is_left_out_is_listed(tree):
    for name in ("alphas", "masks_matched"):
        (tree / name / "comp" / "im2" / "00.png").unlink()
    dataset = HimImages(tree, "comp")
    reasons = {Path(file).name: reason for file, reason in dataset.left_out}
    assert set(reasons) == {"noalpha.jpg", "im2.jpg"}
    assert "there is no folder" in reasons["noalpha.jpg"]
    assert reasons["im2.jpg"].startswith("there is no *.png in")
    masked = HimImages(tree, "comp", mask_dir_name="masks_matched", max_inst=None)
    assert "there is no mask" in dict(masked.left_out)[str(tree / "alphas/comp/im1/01.png")]


def test_files_of_other_kinds_are_listed(tree, him, tmp_path):
    whole = HimImages(tree, "comp", mask_dir_name="masks_matched")
    others = [
        tree / "alphas/comp/im0/02.jpg",
        tree / "images/comp/big.JPG",
        tree / "masks_matched/comp/im0/note.txt",
    ]
    for path in [*others, tree / "images/comp/.hidden"]:
        path.write_bytes(b"")
    dataset = HimImages(tree, "comp", mask_dir_name="masks_matched")
    assert dataset.entries == whole.entries
    assert sorted(set(dataset.left_out) - set(whole.left_out)) == [
        (str(others[0]), "is no *.png"),
        (str(others[1]), "is no *.jpg"),
        (str(others[2]), "is no *.png"),
    ]
    videos = Path(shutil.copytree(him / "vim_root", tmp_path / "videos"))
    frame = videos / "comp_easy/fgr/vidA/00099.png"
    frame.write_bytes(b"")
    assert HimVideo(videos, "comp_easy").left_out == ((str(frame), "is no *.jpg"),)


def test_a_doubled_suffix_is_cut_twice_as_published(tree):
    picture = tree / "images/comp/im0.jpg"
    picture.rename(picture.with_name("im0.jpg.jpg"))
    entry = HimImages(tree, "comp").entries[0]
    assert entry.image.endswith("im0.jpg.jpg")
    assert all(Path(path).parent.name == "im0" for path in entry.alphas)


def test_a_mask_without_matte_is_an_error(tree):
    (tree / "alphas" / "comp" / "im1" / "02.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"im1.02\.png: no such matte"):
        HimImages(tree, "comp", mask_dir_name="masks_matched")


def test_bad_files_are_named_with_the_reason(tree):
    alphas = tree / "alphas" / "comp"
    whole = (alphas / "im0" / "01.png").read_bytes()
    (alphas / "im0" / "01.png").write_bytes(whole[: len(whole) // 2])
    Image.new("L", (9, 7)).save(alphas / "im1" / "02.png")
    (tree / "images" / "comp" / "im2.jpg").write_bytes(b"no picture")
    dataset = HimImages(tree, "comp")
    (alphas / "im3" / "00.png").unlink()  # after the index was made
    problems = {Path(e.file).name + str(e.row): e for e in dataset.verify()}
    assert set(problems) == {"01.png0", "02.png1", "im2.jpg2", "00.png3"}
    assert "truncated" in problems["01.png0"].reason
    assert problems["02.png1"].reason.startswith("matte is 7x9 (height x width), its picture")
    assert problems["im2.jpg2"].reason == "payload is no image of a known format"
    assert problems["00.png3"].reason == "No such file or directory"
    with pytest.raises(RecordError, match=r"im0.01\.png: .*truncated"):
        dataset[0].alphas  # noqa: B018
    with pytest.raises(RecordError, match=r"im1.00\.png 150x90"):
        HimImages(tree, "comp", check_size=False)[1].alphas  # noqa: B018


def test_an_empty_matte_is_a_matte(tree):
    with Image.open(tree / "alphas" / "comp" / "im2" / "00.png") as matte:
        Image.new("L", matte.size).save(tree / "alphas" / "comp" / "im2" / "00.png")
    item = HimImages(tree, "comp", transforms=HimValidation(64))[2]
    assert not item["alpha"].any()
    assert not item["mask"].any()
    assert not item["fg"].any()
    assert np.isfinite(item["bg"]).all()


def test_frames_of_unequally_many_mattes(him, tmp_path):
    root = Path(shutil.copytree(him / "vim_root", tmp_path / "root"))
    (root / "comp_easy" / "pha" / "vidA" / "00001" / "01.png").unlink()
    with pytest.raises(RecordError, match=r"00001\.jpg: has 1 mattes, the first .* 2"):
        HimVideo(root, "comp_easy", clip_length=3, overlap=1)[0].alphas  # noqa: B018
    shutil.rmtree(root / "comp_easy" / "pha" / "vidA" / "00001")
    with pytest.raises(FileNotFoundError, match=r"00001\.jpg: there is no folder"):
        HimVideo(root, "comp_easy", clip_length=3)


def test_short_videos_are_listed(him):
    dataset = HimVideo(him / "vim_root", "comp_easy", clip_length=5, overlap=4)
    assert {clip.video for clip in dataset.clips} == {"vidA"}
    assert [reason for _, reason in dataset.left_out] == ["too short for a clip: 4 frames"]
    with pytest.raises(ValueError, match="overlap=3"):
        HimVideo(him / "vim_root", "comp_easy", clip_length=3, overlap=3)


def test_it_is_a_dataset(him):
    dataset = HimImages(him / "him_val_root", "comp", choice="first", max_inst=2)
    assert [Path(s.images[0]).name for s in dataset] == [f"im{i}.jpg" for i in range(4)]
    assert dataset[3].alpha_names == ["00.png", "01.png"]
    part = pickle.loads(pickle.dumps(dataset[1:3]))
    assert [s.row for s in part] == [1, 2]
    assert [s.row for s in dataset.__getitems__([-1, 0])] == [3, 0]
    assert np.array_equal(pickle.loads(pickle.dumps(dataset[0])).image, dataset[0].image)
    with pytest.raises(IndexError):
        dataset[4]
    with pytest.raises(TypeError):
        dataset.sample(1.0)


def test_the_loader_takes_it(him):
    dataset = HimImages(him / "him_val_root", "comp")
    batches = list(Loader(dataset, batch_size=2, shuffle=False, size=(32, 32)))
    assert [batch.images.shape for batch in batches] == [(2, 3, 32, 32)] * 2
    assert [s.row for batch in batches for s in batch.samples] == [0, 1, 2, 3]


def test_all_of_the_recorded_items(golden_matting):
    adapter = Path(__file__).parent.parent / "golden" / "adapter_matting.py"
    for order in ("pillow13", "pillow12"):
        check = [sys.executable, str(golden_matting / "check_datasets.py")]
        done = subprocess.run(
            [*check, "--adapter", str(adapter), "--resize", order], capture_output=True, text=True
        )
        assert "PASS" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("channels", [(), (3,)])
def test_resizes_are_those_of_opencv(channels):
    cv2 = pytest.importorskip("cv2")
    rng = np.random.default_rng(7)
    for _ in range(200):
        height, width, h, w = (int(n) for n in rng.integers(1, 90, 4))
        if rng.random() < 0.2:
            height, width = 2 * h, 2 * w  # which OpenCV averages
        image = rng.integers(0, 256, (height, width, *channels), dtype=np.uint8)
        for ours, flag in (
            (_opencv.resize_linear, cv2.INTER_LINEAR),
            (_opencv.resize_nearest, cv2.INTER_NEAREST),
        ):
            assert np.array_equal(
                ours(image, (h, w)), cv2.resize(image, (w, h), interpolation=flag)
            )
