import json
import shutil

import numpy as np
import pytest
from PIL import Image
from tests.synthesis.drawn_inputs import expected_hash, sha256

from refpix.errors import SampleError
from refpix.synthesis import him_video, published_videos
from refpix.synthesis._video_plan import Patch

orders = pytest.mark.parametrize("order", ["pillow13", "pillow12"])


def make(case, name, level, scenario="clip3", **options):
    s = case["scenarios"][scenario]
    return him_video(
        name,
        level,
        data_dir=options.pop("data_dir", case["data_dir"]),
        videos=s["valid_videos"],
        pictures=options.pop("pictures", s["bg_files"]),
        folders=s["bg_videos"],
        clip_len=options.pop("clip_len", s["clip_len"]),
        **options,
    )


def hashes(made):
    found = {}
    for t, (image, alphas) in enumerate(zip(made.frames, made.alphas, strict=True)):
        found[f"fgr/{made.name}/{t:05d}.jpg"] = sha256(image)
        for k, alpha in enumerate(alphas):
            found[f"pha/{made.name}/{t:05d}/{k:02d}.png"] = sha256(alpha)
    return found


@orders
def test_published_pixels(video_case, order):
    for sample in video_case["samples"]:
        made = make(video_case, sample["name"], sample["level"], sample["scenario"], order=order)
        assert (made is not None) == (sample["outcome"] == "kept")
        want = {name: expected_hash(entry, order) for name, entry in sample["files"].items()}
        assert (hashes(made) if made else {}) == want


def test_golden_outcomes(golden_matting):
    root = golden_matting / "video_him"
    for scenario in json.loads((root / "expected.json").read_text())["scenarios"].values():
        lists = {
            "data_dir": str(root / "input"),
            "videos": scenario["valid_videos"],
            "pictures": scenario["bg_files"],
            "folders": scenario["bg_videos"],
            "clip_len": scenario["clip_len"],
        }
        for level, outcomes in scenario.get("outcomes", {}).items():
            for outcome, names in outcomes.items():
                for name in names:
                    made = him_video(name, level, **lists)
                    assert (made is not None) == (outcome == "kept"), (level, name)


def test_frames_carry_their_mattes(video_case):
    made = make(video_case, "00026", "easy")
    assert len(made) == len(made.frames) == 3
    for frame, alphas in zip(made, made.alphas, strict=True):
        for a, b in zip(frame.alphas, alphas, strict=True):
            np.testing.assert_array_equal(a, b)
            assert a.shape == made.size


def test_exif_cure_turns_the_background(video_case):
    published = make(video_case, "00001", "easy", "exif")
    cured = make(video_case, "00001", "easy", "exif", cures=["exif"])
    assert published.frames[0].shape[:2] != published.size
    assert cured.frames[0].shape[:2] == cured.size == published.size


def test_an_orientation_in_xmp_turns_nothing(clips):
    """Published sizes are those of OpenCV, which looks at EXIF only."""
    path = clips.root / "bg/a.jpg"
    picture = path.read_bytes()
    xmp = b"http://ns.adobe.com/xap/1.0/\0" + b'<x tiff:Orientation="6"/>'
    segment = b"\xff\xe1" + (len(xmp) + 2).to_bytes(2, "big") + xmp
    path.write_bytes(picture[:2] + segment + picture[2:])
    with Image.open(path) as image:
        assert image.getexif()[0x0112] == 6  # Pillow does look
    assert clips.make().size == (60, 100)


def test_rejection_decodes_no_colour(video_case, tmp_path):
    """The colours of a rejected clip may be rubbish."""
    copy = tmp_path / "data"
    shutil.copytree(video_case["data_dir"], copy)
    for path in copy.rglob("fgr/*/*.jpg"):
        path.write_bytes(b"rubbish")
    assert make(video_case, "00001", "medium", data_dir=str(copy)) is None
    made = make(video_case, "00026", "hard", data_dir=str(copy))
    with pytest.raises(SampleError, match="00026"):
        list(made)


class Videos:
    """Drawn clips that can be spoilt."""

    def __init__(self, root, frames=4):
        self.root = root
        rng = np.random.default_rng(0)
        (root / "bg").mkdir(parents=True)
        Image.fromarray(rng.integers(0, 256, (60, 100, 3), dtype=np.uint8)).save(root / "bg/a.jpg")
        self.names = [f"VM/fgr/v{i}" for i in range(4)]
        for name in self.names:
            colour, alpha = root / name, root / name.replace("/fgr/", "/pha/")
            colour.mkdir(parents=True)
            alpha.mkdir(parents=True)
            for t in range(frames):
                pixels = rng.integers(0, 256, (50, 40, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(colour / f"{t}.png")
                plane = np.zeros((50, 40), np.uint8)
                plane[5:45, 8 + t : 30 + t] = 255
                Image.fromarray(plane).save(alpha / f"{t}.png")

    def make(self, name="00000", level="easy", **options):
        arguments = {"pictures": ["bg/a.jpg"], "folders": ["bg"], "videos": self.names}
        return him_video(name, level, data_dir=str(self.root), **{**arguments, **options})

    def every(self, kind):
        return [path for path in self.root.rglob("*.png") if f"/{kind}/" in str(path)]


@pytest.fixture
def clips(tmp_path):
    return Videos(tmp_path / "videos")


def test_empty_mattes_are_named(clips):
    for path in clips.every("pha"):
        Image.new("L", (40, 50)).save(path)
    with pytest.raises(SampleError, match="are empty"):
        clips.make()


def test_an_empty_frame_pulls_the_box_to_the_origin_unless_cured(clips):
    full = clips.make().max_occluded
    for name in clips.names:
        Image.new("L", (40, 50)).save(clips.root / name.replace("/fgr/", "/pha/") / "3.png")
    boxes = [
        [clip.box for clip in clips.make(cures=cures)._plan.clips]
        for cures in ([], ["empty-frame"])
    ]
    assert all(box[:2] == (0, 0) for box in boxes[0])
    assert all(box[:2] == (8, 5) for box in boxes[1])
    assert full < 1e-6


def test_fewer_mattes_than_frames(clips):
    for path in clips.every("pha"):
        if path.name == "3.png":
            path.unlink()
    with pytest.raises(SampleError, match="3 mattes for clips of 4"):
        clips.make()


def test_more_mattes_than_frames(clips):
    for path in clips.every("fgr"):
        if path.name in ("2.png", "3.png"):
            path.unlink()
    for path in clips.every("pha"):
        if path.name == "0.png":
            shutil.copy(path, path.with_name("9.png"))
    outcomes = []
    for i in range(20):
        try:
            outcomes.append(clips.make(i) is not None)
        except SampleError as error:
            assert "more mattes than colour frames" in str(error)  # noqa: PT017
            outcomes.append("error")
    assert "error" in outcomes


def test_a_frame_that_comes_out_empty_does_not_fail_a_rejected_sample(clips):
    """Published: nothing is resized before its turn, and a frame before may end the sample."""
    for name in clips.names:
        thin = np.zeros((50, 40), np.uint8)
        thin[:, 3] = 255
        if name.endswith(("2", "3")):
            for path in (clips.root / name.replace("/fgr/", "/pha/")).iterdir():
                Image.fromarray(thin).save(path)
    with pytest.raises(SampleError, match="resized to 0x4"):
        clips.make(3, "medium")
    assert clips.make(31, "medium") is None


def test_sizes_that_differ(clips):
    for path in clips.every("fgr"):
        Image.new("RGB", (41, 50)).save(path)
    with pytest.raises(SampleError, match="41x50 pixels, its matte has 40x50"):
        list(clips.make())


def test_frames_without_mattes(clips):
    shutil.rmtree(clips.root / "VM/pha")
    with pytest.raises(SampleError, match="no alpha"):
        clips.make()


def test_cut_matte(clips):
    for path in clips.every("pha"):
        path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(SampleError, match="pha"):
        clips.make()


def test_too_few_inputs(clips):
    with pytest.raises(SampleError, match="drawn out of 1"):
        clips.make(videos=clips.names[:1])
    with pytest.raises(SampleError, match="no background"):
        [clips.make(i, pictures=[], folders=[]) for i in range(9)]
    with pytest.raises(ValueError, match="level"):
        clips.make(level="harder")


def test_only_portrait_backgrounds_end(clips):
    Image.new("RGB", (60, 100)).save(clips.root / "bg/a.jpg")
    with pytest.raises(SampleError, match="wider than high"):
        [clips.make(i) for i in range(20)]


def test_last_start_can_be_drawn_when_cured(clips):
    assert clips.make(clip_len=3) is not None  # 4 mattes, 3 used: the first start is always 0
    starts = {
        cures: {
            clip.colours[0][-5]
            for i in range(12)
            for clip in clips.make(i, clip_len=3, cures=list(cures))._plan.clips
        }
        for cures in ((), ("last-start",))
    }
    assert starts == {(): {"0"}, ("last-start",): {"0", "1"}}


def test_patches_crop_beyond_their_edges():
    patch = Patch(3, 2, np.full((2, 2), 7, np.uint8))
    got = patch.crop((2, 3, 3, 4))
    assert got.tolist() == [[0, 7, 7], [0, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert not patch.crop((50, 50, 2, 2)).any()


def test_published_names():
    train = published_videos("train")
    assert len(train) == len({job.name for job in train}) == 9500
    assert [train[i].level for i in (0, 500, 1500, 3500)] == ["easy", "medium", "hard", "medium"]
    test = {job.name: job.level for job in published_videos("test")}
    assert len(test) == 222
    # The last level that has a name decides about it.
    assert (test["00001"], test["00002"], test["00080"], test["00081"]) == (
        "easy", "hard", "hard", "medium",
    )  # fmt: skip
    assert len(published_videos("test", per_level=True)) == 51 + 193 + 79
