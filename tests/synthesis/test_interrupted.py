"""Runs that end early: killed, out of space, on bad input. Pictures: test_generate.py."""

import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image
from tests.full_disk import full_disk
from tests.killed import kill_at_random_moments
from tests.synthesis.drawn_inputs import tree

from refpix.errors import SampleError
from refpix.synthesis import OutputError, VideoJob, generate_videos
from refpix.synthesis.masks import Instances, detect_masks
from refpix.synthesis.matched_masks import generate_matched_masks

JOBS = [VideoJob("easy", f"{i:05d}", "") for i in (14, 26, 27, 37)]


def videos(case, out, **options):
    scenario = case["scenarios"]["clip3"]
    return generate_videos(
        out,
        **{
            "data_dir": case["data_dir"],
            "videos": scenario["valid_videos"],
            "pictures": scenario["bg_files"],
            "folders": scenario["bg_videos"],
            "clip_len": 3,
            "jobs": JOBS,
            **options,
        },
    )


KILLED_VIDEOS = """
import json, sys
from pathlib import Path
from refpix.synthesis import VideoJob, generate_videos
data, out, names = sys.argv[1:]
lists = json.loads((Path(data) / "expected.json").read_text())["scenarios"]["clip3"]
print("started", flush=True)
generate_videos(
    out, data_dir=f"{data}/input", videos=lists["valid_videos"], pictures=lists["bg_files"],
    folders=lists["bg_videos"], clip_len=3,
    jobs=[VideoJob("easy", name, "") for name in names.split()],
)
"""


def test_videos_killed_at_random_moments_and_begun_again(video_case, data, tmp_path):
    videos(video_case, tmp_path / "whole")
    out = tmp_path / "killed"
    names = " ".join(job.name for job in JOBS)
    kills = kill_at_random_moments(
        KILLED_VIDEOS, data / "video_him", out, names, times=4, within=0.15
    )
    for _ in kills:
        for path in (*out.glob("fgr/*/*.jpg"), *out.glob("pha/*/*/*.png")):
            with Image.open(path) as image:
                image.load()
    assert sum(videos(video_case, out).counts.values()) == len(JOBS)
    assert tree(out) == tree(tmp_path / "whole")
    assert not (out / ".partial").exists()


@pytest.mark.parametrize("count", [0, 1, 4, 9])
def test_videos_stopped_between_renames(video_case, tmp_path, count, monkeypatch):
    replace, done = os.replace, []

    def dying(source, target):
        done.append(target)
        if len(done) > count:
            raise KeyboardInterrupt
        replace(source, target)

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr("refpix.synthesis._files.os.replace", dying)
        with pytest.raises(KeyboardInterrupt):
            videos(video_case, out, jobs=JOBS[:2])
    videos(video_case, out, jobs=JOBS[:2])
    videos(video_case, tmp_path / "whole", jobs=JOBS[:2])
    assert tree(out) == tree(tmp_path / "whole")


def test_a_full_disk_names_the_frame_and_leaves_none_half_written(video_case, tmp_path):
    out = tmp_path / "out"
    with full_disk(1500), pytest.raises(OutputError, match="too large") as error:
        videos(video_case, out)
    assert error.value.file.startswith(str(out / "fgr"))
    assert [p.name for p in out.rglob("*") if p.is_file()] == [".journal.jsonl"]


def test_bad_clips_are_reported_and_the_run_goes_on(video_case, tmp_path):
    videos(video_case, tmp_path / "whole")
    inputs, out = tmp_path / "input", tmp_path / "out"
    shutil.copytree(video_case["data_dir"], inputs)
    damaged = sorted((inputs / "VM/train/pha/v3").iterdir())
    for path in damaged:
        path.write_bytes(path.read_bytes()[:40])
    summary = videos(video_case, out, data_dir=inputs)
    assert [name for name, _ in summary.failures] == ["00014", "00026"]
    assert all("pha/v3" in reason for _, reason in summary.failures)
    for name, _ in summary.failures:
        assert not (out / "fgr" / name).exists()
    with pytest.raises(SampleError, match="pha/v3"):
        videos(video_case, tmp_path / "strict", data_dir=inputs, strict=True)
    for path in damaged:
        shutil.copy(video_case["data_dir"] + str(path)[len(str(inputs)) :], path)
    assert videos(video_case, out, data_dir=inputs).failures == []  # tried again
    assert tree(out) == tree(tmp_path / "whole")


def test_a_colour_frame_that_cannot_be_read_leaves_nothing(video_case, tmp_path):
    inputs, out = tmp_path / "input", tmp_path / "out"
    shutil.copytree(video_case["data_dir"], inputs)
    last = inputs / "VM/train/fgr/v1/0005.jpg"  # of clip 00037: two frames are written before it
    last.write_bytes(last.read_bytes()[:400])
    summary = videos(video_case, out, data_dir=inputs)
    ((name, reason),) = summary.failures
    assert name == "00037"
    assert str(last) in reason
    assert sorted(p.name for p in out.glob("fgr/*")) == ["00014", "00026", "00027"]
    assert not (out / "pha/00037").exists()
    assert not list(out.glob(".partial/*"))


def drawn_masks(root):
    """Pictures, and mattes with the masks of a detector."""
    rng = np.random.default_rng(0)
    for i in range(12):
        plane = np.zeros((90, 120), np.uint8)
        plane[10:60, 5 + i : 60 + i] = rng.integers(1, 256, (50, 55))
        for folder, pixels in (("alphas", plane), ("found", (plane > 0) * np.uint8(255))):
            (root / folder / f"{i:02d}").mkdir(parents=True)
            Image.fromarray(pixels).save(root / folder / f"{i:02d}/00.png")
        (root / "images").mkdir(exist_ok=True)
        Image.fromarray(np.repeat(plane[..., None], 3, 2)).save(root / f"images/{i:02d}.png")


def bright(rgb):
    """A detector of what is not black."""
    return Instances((rgb[None, ..., 0] > 0), np.ones(1), np.ones(1))


KILLED_MASKS = """
import sys
from pathlib import Path
from refpix.synthesis.masks import Instances, detect_masks
from refpix.synthesis.matched_masks import generate_matched_masks
from tests.synthesis.test_interrupted import bright
root, out = map(Path, sys.argv[1:])
print("started", flush=True)
detect_masks(bright, sorted((root / "images").iterdir()), out / "masks")
generate_matched_masks(root / "found", root / "alphas", out / "matched")
"""


def test_masks_killed_at_random_moments_and_begun_again(tmp_path, monkeypatch):
    drawn_masks(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([".", os.environ.get("PYTHONPATH", "")]))
    whole, out = tmp_path / "whole", tmp_path / "killed"
    pictures = sorted((tmp_path / "images").iterdir())
    for target in (whole, out):
        if target is out:
            for _ in kill_at_random_moments(KILLED_MASKS, tmp_path, out, times=4, within=0.1):
                for path in out.glob("*/*/*.png"):
                    with Image.open(path) as image:
                        image.load()
        detect_masks(bright, pictures, target / "masks")
        generate_matched_masks(tmp_path / "found", tmp_path / "alphas", target / "matched")
    assert tree(out) == tree(whole)
    manifest = json.loads((out / "matched/manifest.json").read_text())
    assert len(manifest["samples"]) == 12


def test_a_full_disk_stops_matching_with_the_file(tmp_path):
    drawn_masks(tmp_path)
    out = tmp_path / "out"
    with full_disk(100), pytest.raises(OutputError, match="too large") as error:
        generate_matched_masks(tmp_path / "found", tmp_path / "alphas", out)
    assert error.value.file.startswith(str(out))
    assert not list(out.glob("*/*.png"))
