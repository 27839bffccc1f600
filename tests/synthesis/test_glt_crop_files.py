"""Crops of MSCOCO-GLT as files: against recorded ones, interrupted, on processes, spoilt."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.synthesis.drawn_inputs import sha256, tree

from refpix.errors import MissingExtraError, SampleError
from refpix.io.glt_splits_file import write_splits
from refpix.synthesis import (
    OutputError,
    coco_pictures,
    generate_crops,
    glt_crop,
    published_sets,
)
from refpix.synthesis._glt_annotation import _torch_sums


@pytest.fixture(scope="session")
def case(data):
    return data / "glt" / "crop"


@pytest.fixture
def copy(case, tmp_path):
    """Pictures that may be spoilt."""
    shutil.copytree(case / "images", tmp_path / "images")
    return tmp_path / "images"


def crops(case, out, **options):
    arguments = {"data_path": case / "images", "sets": published_sets(case), **options}
    return generate_crops(out, **arguments)


@pytest.fixture(scope="session")
def finished(case, tmp_path_factory):
    out = tmp_path_factory.mktemp("glt") / "out"
    crops(case, out)
    return out


def test_recorded_crops(case, finished):
    expected = json.loads((case / "expected.json").read_text())
    pictures = coco_pictures(f"{case}/images/")
    for folder in ("coco_glt", "coco_cbl"):
        files = {path.stem: path for path in (finished / folder / "images").iterdir()}
        assert files.keys() == expected.keys()
        for key, crop in expected.items():
            pixels = glt_crop(pictures[crop["image_id"]], crop["bbox"])
            assert list(pixels.shape[1::-1]) == crop["size_wh"]
            assert sha256(pixels) == crop["pixels_sha256"]
            with Image.open(files[key]) as image:
                assert image.mode == crop["mode"]
                assert sha256(np.asarray(image)) == crop["decoded_sha256"]


@pytest.mark.parametrize("folder", ["coco_glt", "coco_cbl"])
def test_annotation_is_the_published_one_byte_for_byte(case, finished, folder):
    wanted = (case / "expected" / folder / "annotation.json").read_text()
    got = (finished / folder / "annotation.json").read_text()
    assert got == wanted.replace("{output}", str(finished))


def test_all_of_the_recorded_run(golden_matting):
    adapter = Path(__file__).parent.parent / "golden" / "adapter_matting.py"
    check = [sys.executable, str(golden_matting / "check_glt_crop.py"), "--adapter", str(adapter)]
    done = subprocess.run(check, capture_output=True, text=True)
    assert "PASS" in done.stdout, done.stdout + done.stderr


def test_our_splits_files_give_the_same(case, tmp_path):
    for splits in published_sets(case).values():
        write_splits(tmp_path / f"{splits.name}.json", splits)
    again = published_sets(tmp_path)
    out = tmp_path / "out"
    generate_crops(f"{out}/", data_path=f"{case / 'images'}/", sets=again)
    for folder in again:
        wanted = (case / "expected" / folder / "annotation.json").read_text()
        got = (out / folder / "annotation.json").read_text()
        assert got == wanted.replace("{output}", str(out))


@pytest.mark.parametrize("size", [1, 5, 7, 8, 26, 31, 32, 100, 196, 255, 511])
def test_scores_add_up_in_torchs_order(size):
    torch = pytest.importorskip("torch")
    rows = np.random.default_rng(size).random((300, size), np.float32)
    wanted = np.array([torch.from_numpy(row).sum().item() for row in rows], np.float32)
    np.testing.assert_array_equal(_torch_sums(rows), wanted)


def test_many_attributes_are_added_up_too():
    rows = np.random.default_rng(0).random((20, 700), np.float32)
    np.testing.assert_allclose(_torch_sums(rows), rows.sum(axis=1, dtype=np.float64), rtol=1e-6)


def test_cured_crops_are_square(case, tmp_path):
    crops(case, tmp_path / "out", cures=["non-square"])
    pictures = sorted((tmp_path / "out").rglob("*.jpg"))
    assert len(pictures) == 116
    for path in pictures:
        with Image.open(path) as image:
            assert image.width == image.height


@pytest.mark.parametrize("start_method", ["spawn", "fork"])
def test_processes_give_the_same_files(case, tmp_path, start_method):
    out = tmp_path / "out"
    crops(case, out)
    out.rename(tmp_path / "kept")  # annotations hold the folder's name
    crops(case, out, workers=2, start_method=start_method)
    assert tree(out) == tree(tmp_path / "kept")


def test_two_ray_workers_give_the_same_files(case, tmp_path):
    ray = pytest.importorskip("ray")
    crops(case, tmp_path / "out")
    (tmp_path / "out").rename(tmp_path / "kept")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        crops(case, tmp_path / "out", engine="ray", workers=2)
    finally:
        ray.shutdown()
    assert tree(tmp_path / "out") == tree(tmp_path / "kept")


def test_ray_is_optional(case, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match="ray"):
        crops(case, tmp_path / "out", engine="ray")


KILLED = """
import sys
from refpix.synthesis import generate_crops, published_sets
case, out = sys.argv[1:]
print("started", flush=True)
generate_crops(out, data_path=case + "/images", sets=published_sets(case))
"""


def test_killed_at_random_moments_and_begun_again(case, tmp_path):
    out = tmp_path / "out"
    crops(case, out)
    out.rename(tmp_path / "kept")
    rng = random.Random(0)
    for _ in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(case), str(out)], stdout=subprocess.PIPE
        )
        process.stdout.readline()
        time.sleep(rng.uniform(0, 0.06))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        for path in out.rglob("*.jpg"):  # what is in place is whole
            if ".partial" not in path.parts:
                with Image.open(path) as image:
                    image.load()
    crops(case, out)
    assert tree(out) == tree(tmp_path / "kept")
    assert not (out / ".partial").exists()


@pytest.mark.parametrize("count", [0, 1, 17, 60, 118])
def test_stopped_between_renames(case, tmp_path, count, monkeypatch):
    out = tmp_path / "out"
    crops(case, out)
    out.rename(tmp_path / "kept")
    replace, done = os.replace, []

    def dying(source, target):
        done.append(target)
        if len(done) > count:
            raise KeyboardInterrupt
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", dying)
        with pytest.raises(KeyboardInterrupt):
            crops(case, out)
    crops(case, out)
    assert tree(out) == tree(tmp_path / "kept")


def test_going_on_skips_what_is_there_and_mends_what_is_not(case, tmp_path):
    out = tmp_path / "out"
    assert crops(case, out).skipped == 0
    whole = tree(out)
    damaged = sorted((out / "coco_cbl" / "images").iterdir())[0]
    damaged.write_bytes(damaged.read_bytes()[:-1])
    assert crops(case, out).skipped == 4
    assert tree(out) == whole
    summary = crops(case, out)
    assert summary == ({"coco_glt": 58, "coco_cbl": 58}, 5, 5, [])


def test_another_setting_is_refused(case, tmp_path):
    crops(case, tmp_path / "out")
    with pytest.raises(ValueError, match="other settings"):
        crops(case, tmp_path / "out", cures=["non-square"])
    with pytest.raises(ValueError, match="other settings"):
        crops(case, tmp_path / "out", sets={"coco_glt": published_sets(case)["coco_glt"]})


def spoilt(case, key, **columns):
    """Both sets with one object's annotation changed."""
    sets = published_sets(case)
    for splits in sets.values():
        row = splits.annotations.keys.index(key)
        for name, value in columns.items():
            getattr(splits.annotations, name)[row] = value
    return sets


def assert_left_out(case, out, keys, words, **options):
    """The run goes on without some objects, and says why; strict, it ends."""
    summary = crops(case, out, **options)
    assert {key for key, _ in summary.failures} == keys
    assert all(words in reason for _, reason in summary.failures)
    assert summary.objects == {"coco_glt": 58 - len(keys), "coco_cbl": 58 - len(keys)}
    for folder in summary.objects:
        made = {path.stem for path in (out / folder / "images").iterdir()}
        annotation = json.loads((out / folder / "annotation.json").read_text())
        listed = [set(annotation[s]["path"]) for s in annotation if s.startswith(("t", "v"))]
        assert set().union(*listed) == made
        assert not made & keys
    manifest = json.loads((out / "manifest.json").read_text())
    assert any(words in entry.get("reason", "") for entry in manifest["samples"])
    with pytest.raises(SampleError, match=words) as error:
        crops(case, out.with_name("strict"), strict=True, **options)
    assert error.value.sample in keys


@pytest.mark.parametrize(
    ("bbox", "words"),
    [
        ((10, 10, 0, 20), "no area"),
        ((10, 10, 20, -3), "no area"),
        ((320, 10, 30, 20), "outside the picture of 320 x 240"),
        ((-40, -40, 30, 20), "outside the picture"),
    ],
)
def test_malformed_boxes_are_left_out_and_reported(case, tmp_path, bbox, words):
    assert_left_out(case, tmp_path / "out", {"1028"}, words, sets=spoilt(case, 1028, bbox=bbox))


def test_objects_without_picture(case, copy, tmp_path):
    expected = json.loads((case / "expected.json").read_text())
    keys = {key for key, crop in expected.items() if crop["image_id"] == 198138}
    (copy / "train2014" / "COCO_train2014_000000198138.jpg").unlink()
    words = "picture 198138 is not there"
    assert_left_out(case, tmp_path / "out", keys, words, data_path=copy)
    shutil.copytree(case / "images", copy, dirs_exist_ok=True)
    assert crops(case, tmp_path / "out", data_path=copy).failures == []  # tried again
    assert len(tree(tmp_path / "out")) == 116 + 3


def test_objects_without_annotation(case, tmp_path):
    sets = spoilt(case, 1028)
    for splits in sets.values():
        splits.annotations.keys[splits.annotations.keys.index(1028)] = 77
    assert_left_out(case, tmp_path / "out", {"1028"}, "not among COCO's annotations", sets=sets)


@pytest.mark.parametrize("kind", ["cut", "empty", "text"])
def test_damaged_pictures(case, copy, tmp_path, kind):
    expected = json.loads((case / "expected.json").read_text())
    keys = {key for key, crop in expected.items() if crop["image_id"] == 7912}
    path = copy / "train2014" / "COCO_train2014_000000007912.jpg"
    payload = path.read_bytes()
    path.write_bytes({"cut": payload[:-900], "empty": b"", "text": b"no picture"}[kind])
    assert_left_out(case, tmp_path / "out", keys, path.name, data_path=copy)


def test_keys_cannot_leave_the_folder(case, tmp_path):
    for key in ("../x", "a/b", "", "..", "a\0b"):
        sets = published_sets(case)
        sets["coco_glt"].splits["train"].keys[0] = key
        with pytest.raises(ValueError, match="cannot be the name of a file"):
            crops(case, tmp_path / "out", sets=sets)
    assert not (tmp_path / "out").exists()


def test_missing_folders(case, tmp_path):
    with pytest.raises(FileNotFoundError, match="neither val2014 nor train2014"):
        crops(case, tmp_path / "out", data_path=tmp_path)
    with pytest.raises(FileNotFoundError, match=r"neither \.json nor \.jbl"):
        published_sets(tmp_path)
    (tmp_path / "out").write_text("")
    with pytest.raises(OutputError):
        crops(case, tmp_path / "out")


def test_pictures_are_found_by_number(tmp_path):
    for name in ("val2014/COCO_val2014_000000000007.jpg", "train2014/x_7.jpg", "train2014/8.jpg",
                 "train2014/9.png", "train2014/a_b.jpg", "train2014/5.tmp.jpg"):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = {k: os.path.relpath(v, tmp_path) for k, v in coco_pictures(f"{tmp_path}/").items()}
    assert found == {7: "train2014/x_7.jpg", 8: "train2014/8.jpg", 5: "train2014/5.tmp.jpg"}
