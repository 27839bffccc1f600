import json
import os
import sys

import numpy as np
import pytest
from PIL import Image
from tests.full_disk import full_disk
from tests.killed import kill_at_random_moments
from tests.synthesis.drawn_inputs import tree

from refpix.datasets.him_sample import read_gray as read_him_gray
from refpix.errors import MissingExtraError, SampleError
from refpix.synthesis import (
    OutputError,
    VideoJob,
    generate_images,
    generate_videos,
    him_image,
    him_video,
    image_lists,
)
from refpix.synthesis._png import gray_pixels, png_bytes, read_gray

IDS = range(8)


def images(drawn, out, **options):
    arguments = {
        "foregrounds": drawn.foregrounds,
        "backgrounds": drawn.backgrounds,
        "samples": IDS,
        **options,
    }
    return generate_images(out, **arguments)


@pytest.fixture
def finished(drawn, tmp_path):
    out = tmp_path / "finished"
    images(drawn, out)
    return tree(out)


def test_what_is_written_is_what_the_call_gives(drawn, tmp_path):
    out = tmp_path / "out"
    summary = images(drawn, out)
    assert summary.failures == []
    assert sum(summary.counts.values()) == len(IDS)
    found = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    wanted = {"manifest.json"}
    for i in IDS:
        made = him_image(i, drawn.foregrounds, drawn.backgrounds)
        if made is None:
            continue
        wanted |= {f"images/{i}.jpg", f"bg/{i}.jpg"}
        for folder, image in (("images", made.image), ("bg", made.background)):
            got = np.asarray(Image.open(out / folder / f"{i}.jpg")).astype(int)
            assert got.shape == image.shape
        for k, (alpha, colour) in enumerate(zip(made.alphas, made.foregrounds, strict=True)):
            wanted |= {f"alphas/{i}/{k}.png", f"fg/{i}/{k}.jpg"}
            np.testing.assert_array_equal(
                np.asarray(Image.open(out / f"alphas/{i}/{k}.png")), alpha
            )
            assert np.asarray(Image.open(out / f"fg/{i}/{k}.jpg")).shape == colour.shape
    assert found == wanted
    manifest = json.loads((out / "manifest.json").read_text())
    assert [entry["id"] for entry in manifest["samples"]] == list(IDS)
    assert manifest["settings"]["order"] in ("pillow13", "pillow12")
    assert {"refpix", "numpy", "pillow"} <= manifest["versions"].keys()


@pytest.mark.parametrize("start_method", ["spawn", "fork"])
def test_processes_give_the_same_files(drawn, tmp_path, finished, start_method):
    out = tmp_path / start_method
    images(drawn, out, workers=2, start_method=start_method)
    assert tree(out) == finished


def test_ray_is_optional(drawn, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match="ray"):
        images(drawn, tmp_path / "out", engine="ray")
    with pytest.raises(ValueError, match="engine"):
        images(drawn, tmp_path / "out", engine="slurm")


def test_going_on_skips_what_is_there_and_mends_what_is_not(drawn, tmp_path, finished):
    out = tmp_path / "out"
    images(drawn, out, samples=range(5))
    pictures = sorted((out / "images").iterdir())
    damaged, kept = out / "alphas" / pictures[0].stem / "0.png", pictures[1]
    damaged.write_bytes(damaged.read_bytes()[:-1])
    before = kept.stat().st_mtime_ns
    assert images(drawn, out).skipped == 4
    assert kept.stat().st_mtime_ns == before
    assert tree(out) == finished
    assert images(drawn, out).skipped == len(IDS)


def test_another_setting_is_refused(drawn, tmp_path):
    out = tmp_path / "out"
    images(drawn, out, samples=[0])
    with pytest.raises(ValueError, match="other settings"):
        images(drawn, out, cures=["exact-fit"])
    with pytest.raises(ValueError, match="other settings"):
        images(drawn, out, foregrounds=drawn.foregrounds[::-1])
    (out / "manifest.json").write_text("[]")
    with pytest.raises(ValueError, match="manifest"):
        images(drawn, out)


KILLED = """
import sys
from refpix.synthesis import generate_images, image_lists
root, out = sys.argv[1:]
foregrounds, backgrounds = image_lists(f"{root}/fg/images", f"{root}/bg")
print("started", flush=True)
generate_images(out, foregrounds=foregrounds, backgrounds=backgrounds, samples=range(8))
"""


def test_killed_at_random_moments_and_begun_again(drawn, tmp_path, finished):
    out = tmp_path / "killed"
    for _ in kill_at_random_moments(KILLED, drawn.root, out, times=4, within=0.12):
        for path in out.rglob("*.jpg"):  # what is in place is whole
            if ".partial" not in path.parts:
                with Image.open(path) as image:
                    image.load()
    images(drawn, out)
    assert tree(out) == finished
    assert not (out / ".partial").exists()


def stopped_after(count):
    """Renaming that dies in the middle of a sample, as a kill would."""
    replace = os.replace
    done = []

    def dying(source, target):
        done.append(target)
        if len(done) > count:
            raise KeyboardInterrupt
        replace(source, target)

    return dying


@pytest.mark.parametrize("count", [0, 1, 2, 5, 9])
def test_stopped_between_renames(drawn, tmp_path, finished, count, monkeypatch):
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr("refpix.synthesis._files.os.replace", stopped_after(count))
        with pytest.raises(KeyboardInterrupt):
            images(drawn, out)
    with (out / ".journal.jsonl").open("a") as journal:
        journal.write('{"id": 3, "stat')  # a line that was cut
    images(drawn, out)
    assert tree(out) == finished


def test_bad_samples_are_reported_and_the_run_goes_on(drawn, tmp_path, finished):
    matte = drawn.matte(0)
    payload = matte.read_bytes()
    matte.unlink()
    out = tmp_path / "out"
    summary = images(drawn, out)
    failed = {name for name, _ in summary.failures}
    assert failed
    assert summary.counts["failed"] == len(failed) < len(IDS)
    assert all(str(matte) in reason for _, reason in summary.failures)
    assert not any((out / "images" / f"{name}.jpg").exists() for name in failed)
    with pytest.raises(SampleError, match=r"p0\.png"):
        images(drawn, tmp_path / "strict", strict=True)
    matte.write_bytes(payload)
    assert images(drawn, out).failures == []  # tried again
    assert tree(out) == finished


def test_a_full_disk_names_the_file_and_leaves_none_half_written(drawn, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    with full_disk(6000), pytest.raises(OutputError, match="too large") as error:
        images(drawn, out)  # the pictures are larger
    assert error.value.file.startswith(str(out))
    assert [p for p in out.rglob("*") if p.is_file() and p.name != ".journal.jsonl"] == []


def test_a_folder_that_is_a_file(drawn, tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(OutputError, match="out"):
        images(drawn, tmp_path / "out")


def test_lists_are_sorted_and_invalid_names_left_out(drawn, tmp_path):
    (tmp_path / "invalid.txt").write_text("p3.jpg \nnot_there.jpg\n")
    foregrounds, backgrounds = image_lists(
        drawn.root / "fg/images", drawn.root / "bg", tmp_path / "invalid.txt"
    )
    assert foregrounds == [p for p in drawn.foregrounds if "p3" not in p]
    assert backgrounds == drawn.backgrounds


def videos(case, out, jobs, **options):
    scenario = case["scenarios"]["clip3"]
    return generate_videos(
        out,
        data_dir=case["data_dir"],
        videos=scenario["valid_videos"],
        pictures=scenario["bg_files"],
        folders=scenario["bg_videos"],
        clip_len=3,
        jobs=jobs,
        **options,
    )


def test_videos_replace_stale_frames_and_rejected_ones_leave_nothing(video_case, tmp_path):
    jobs = [VideoJob("easy", "00026", ""), VideoJob("medium", "00001", "")]
    out = tmp_path / "out"
    for stale in ("fgr/00026/00099.jpg", "pha/00026/00000/09.png"):
        (out / stale).parent.mkdir(parents=True, exist_ok=True)
        (out / stale).write_bytes(b"stale")
    summary = videos(video_case, out, jobs)
    assert summary.counts == {"written": 1, "rejected": 1}
    scenario = video_case["scenarios"]["clip3"]
    made = him_video("00026", "easy", data_dir=video_case["data_dir"], clip_len=3,
                     videos=scenario["valid_videos"], pictures=scenario["bg_files"],
                     folders=scenario["bg_videos"])  # fmt: skip
    wanted = {"manifest.json"}
    for t, alphas in enumerate(made.alphas):
        wanted.add(f"fgr/00026/{t:05d}.jpg")
        for k, alpha in enumerate(alphas):
            name = f"pha/00026/{t:05d}/{k:02d}.png"
            wanted.add(name)
            np.testing.assert_array_equal(np.asarray(Image.open(out / name)), alpha)
    assert set(tree(out)) == wanted
    assert videos(video_case, out, jobs).skipped == 2


def test_videos_per_level(video_case, tmp_path):
    jobs = [VideoJob("easy", "00026", "comp_easy"), VideoJob("hard", "00026", "comp_hard")]
    summary = videos(video_case, tmp_path / "out", jobs, workers=2)
    assert summary.counts == {"written": 2}
    assert (tmp_path / "out/comp_easy/fgr/00026/00000.jpg").exists()
    assert (tmp_path / "out/comp_hard/pha/00026/00002").is_dir()


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (120, 90)])
def test_png_files_open_everywhere(tmp_path, size):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, size, dtype=np.uint8)
    path = tmp_path / "a.png"
    path.write_bytes(png_bytes(pixels))
    with Image.open(path) as image:
        assert image.mode == "L"
        np.testing.assert_array_equal(np.asarray(image), pixels)
    np.testing.assert_array_equal(read_gray(path), pixels)
    cv2 = pytest.importorskip("cv2")
    np.testing.assert_array_equal(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), pixels)


def test_reading_leaves_other_files_to_pillow(tmp_path):
    path = tmp_path / "a.png"
    for mode in ("RGB", "LA", "P", "1", "I;16"):
        Image.new(mode, (9, 9)).save(path)
        assert read_gray(path) is None
    Image.new("L", (9, 9), 77).save(path)
    payload = path.read_bytes()
    assert (read_gray(path) == 77).all()
    for at in range(0, len(payload), 3):  # cut, and one bit wrong: never other pixels
        path.write_bytes(payload[:at])
        assert read_gray(path) is None
        path.write_bytes(payload[:at] + bytes([payload[at] ^ 4]) + payload[at + 1 :])
        got = read_gray(path)
        assert got is None or (got == 77).all()


def test_reading_stops_at_the_pixels_of_the_header():
    pixels = np.full((9, 9), 77, np.uint8)
    payload = png_bytes(pixels)
    assert gray_pixels(payload, 80) is None
    np.testing.assert_array_equal(gray_pixels(payload, 81), pixels)
    taller = png_bytes(np.zeros((4000, 9), np.uint8))
    body = payload[: payload.index(b"IDAT") - 4] + taller[taller.index(b"IDAT") - 4 :]
    assert gray_pixels(body) is None  # and Pillow takes what the header announces
    assert read_him_gray(body).shape == (9, 9)
