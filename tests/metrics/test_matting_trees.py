import numpy as np
import pytest
from PIL import Image
from tests.kernels.drawn_mattes import smooth

from refpix import metrics
from refpix.errors import RecordError
from refpix.metrics.matting_trees import find_clips, read_frame, score_clip


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def grey(seed, height=20, width=24):
    return (smooth(np.random.default_rng(seed), 1, height, width)[0] * 255).round().astype(np.uint8)


@pytest.fixture
def images(tmp_path):
    """Two pictures, of two instances and of one."""
    for root, shift in (("gt", 0), ("pred", 100)):
        save(tmp_path / root / "a" / "00.png", grey(1 + shift))
        save(tmp_path / root / "a" / "01.png", grey(2 + shift))
    save(tmp_path / "gt" / "b" / "00.png", grey(3, 9, 70))
    save(tmp_path / "pred" / "b.png", grey(103, 9, 70))
    return tmp_path


@pytest.fixture
def video(tmp_path):
    """One clip of six frames with two instances."""
    for root, shift in (("gt", 0), ("pred", 100)):
        for frame in range(6):
            for i in range(2):
                save(tmp_path / root / "v" / f"{frame:05}" / f"{i:02}.png", grey(frame + i + shift))
    return tmp_path


def unit(pixels):
    return pixels.astype(np.float32) / np.float32(255)


def scored(root, layout="auto", **options):
    clips = find_clips(root / "pred", root / "gt", layout=layout)
    scores = metrics.MattingScores(["SAD", "Grad", "dtSSD"], **options)
    for clip in clips:
        score_clip(scores, clip)
    return scores


def test_images(images):
    clips = find_clips(images / "pred", images / "gt")
    assert [clip.name for clip in clips] == ["a", "b"]
    assert [len(clip.frames[0].gt) for clip in clips] == [2, 1]
    pred, gt, trimap = read_frame(clips[1].frames[0])
    np.testing.assert_array_equal(gt[0], unit(grey(3, 9, 70)))
    np.testing.assert_array_equal(pred[0], unit(grey(103, 9, 70)))
    np.testing.assert_array_equal(trimap, metrics.trimap(gt))
    sad = scored(images).metrics["SAD"]["whole"]
    assert sad.count == 3
    want = [(1, 20, 24), (2, 20, 24), (3, 9, 70)]
    total = sum(
        np.abs(unit(grey(s, *size)).astype(float) - unit(grey(s + 100, *size))).sum()
        for s, *size in want
    )
    assert sad.score == pytest.approx(total / 1000, rel=1e-6)


def test_trimaps(images):
    rng = np.random.default_rng(0)
    shared = rng.choice(np.array([0, 128, 255], np.uint8), (20, 24))
    save(images / "tri" / "a.png", shared)
    save(images / "tri" / "b" / "00.png", np.full((9, 70), 2, np.uint8))
    clips = find_clips(images / "pred", images / "gt", trimap=images / "tri")
    trimap = read_frame(clips[0].frames[0])[2]
    np.testing.assert_array_equal(trimap, np.stack([shared // 127] * 2))
    assert (read_frame(clips[1].frames[0])[2] == 2).all()
    save(images / "tri" / "b" / "00.png", np.full((9, 70), 64, np.uint8))
    with pytest.raises(RecordError, match=r"b.00\.png: a trimap holds .* found 64"):
        read_frame(clips[1].frames[0])
    (images / "tri" / "a.png").unlink()
    with pytest.raises(RecordError, match=r"tri: 2 trimaps missing: a.00\.png"):
        find_clips(images / "pred", images / "gt", trimap=images / "tri")


def test_video_as_published(video):
    pred, gt = (
        np.array([[unit(grey(t + i + shift)) for i in range(2)] for t in range(6)])
        for shift in (100, 0)
    )
    got = scored(video, protocol="paper").metrics
    grad, change = metrics.Grad(), metrics.dtSSD()
    for part in (slice(0, 1), slice(1, 2), slice(2, 3), slice(3, 6)):
        grad.update(pred[part], gt[part])
    for part in (slice(0, 2), slice(1, 3), slice(2, 6)):
        change.update(pred[part], gt[part])
    for name, want in (("Grad", grad), ("dtSSD", change)):
        assert got[name]["whole"].score == pytest.approx(want.score)
        assert got[name]["whole"].count == want.count
    standard = scored(video, protocol="standard").metrics["dtSSD"]["whole"]
    assert standard.average() == pytest.approx(metrics.dtssd(pred, gt, protocol="standard"))


def test_layouts(video, images):
    with pytest.raises(ValueError, match=r"a lies in no folder of a video"):
        find_clips(images / "pred", images / "gt", layout="video")
    for root in ("gt", "pred"):
        for name in ("a", "b"):
            for path in [*(video / root / name).glob("*.png"), video / root / f"{name}.png"]:
                path.unlink(missing_ok=True)
            if (video / root / name).is_dir():
                (video / root / name).rmdir()
    assert len(find_clips(video / "pred", video / "gt")) == 1
    clips = find_clips(video / "pred", video / "gt", layout="image")
    assert [clip.name for clip in clips] == [f"v/{i:05}" for i in range(6)]


def test_missing_files_are_named(images, tmp_path):
    (images / "pred" / "a" / "01.png").unlink()
    (images / "pred" / "b.png").unlink()
    with pytest.raises(RecordError, match=r"pred: 2 predictions missing: a.01\.png, b.00\.png$"):
        find_clips(images / "pred", images / "gt")
    with pytest.raises(RecordError, match=r"nowhere: no such folder"):
        find_clips(images / "pred", tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecordError, match=r"empty: no PNG"):
        find_clips(images / "pred", tmp_path / "empty")
    save(tmp_path / "flat" / "x.png", grey(1))
    with pytest.raises(RecordError, match=r"folder per picture"):
        find_clips(images / "pred", tmp_path / "flat")


def test_odd_sizes_are_named(images):
    frame = find_clips(images / "pred", images / "gt")[0].frames[0]
    save(images / "pred" / "a" / "01.png", grey(9, 20, 25))
    with pytest.raises(RecordError, match=r"pred.a.01\.png: is 25 x 20, the true .* 24 x 20"):
        read_frame(frame)
    save(images / "gt" / "a" / "01.png", grey(9, 19, 24))
    with pytest.raises(RecordError, match=r"gt.a.01\.png: is 24 x 19"):
        read_frame(frame)


def test_frames_of_a_clip_have_one_size(video):
    for root in ("gt", "pred"):
        for i in range(2):
            save(video / root / "v" / "00003" / f"{i:02}.png", grey(1, 21, 24))
    with pytest.raises(RecordError, match=r"v.00003: .*\(2, 21, 24\).*\(2, 20, 24\)"):
        scored(video)


@pytest.mark.parametrize("damage", [b"", b"no picture", None])
def test_damaged_files_are_named(images, damage):
    path = images / "pred" / "b.png"
    path.write_bytes(path.read_bytes()[:150] if damage is None else damage)
    with pytest.raises(RecordError, match=r"b\.png: "):
        read_frame(find_clips(images / "pred", images / "gt")[1].frames[0])
