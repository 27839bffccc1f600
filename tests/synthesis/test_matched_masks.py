import json
import random

import numpy as np
import pytest
from PIL import Image
from tests.synthesis.drawn_inputs import tree

from refpix.errors import SampleError
from refpix.synthesis.matched_masks import (
    drawn_mask,
    generate_matched_masks,
    match_masks,
    without_overlaps,
)


def rectangles(*boxes, size=(40, 50)):
    planes = np.zeros((len(boxes), *size), np.uint8)
    for plane, (x, y, w, h) in zip(planes, boxes, strict=True):
        plane[y : y + h, x : x + w] = 255
    return planes


def published_iou(found, matte):
    """As the repository's history has it: the matte cut above 0, the mask as a share."""
    share, cut = found / 255.0, matte > 0
    return np.sum(np.minimum(share, cut)) / (np.sum(np.maximum(share, cut)) + 1e-6)


def test_the_mask_that_overlaps_most():
    mattes = rectangles((0, 0, 20, 20), (25, 0, 20, 20), (0, 25, 10, 10), (40, 30, 5, 5))
    mattes[mattes == 255] -= 200  # soft, but there
    found = rectangles((25, 0, 20, 18), (0, 0, 20, 15), (0, 0, 20, 20), (0, 25, 10, 6))
    assert match_masks(found, mattes).tolist() == [2, 0, -1, -1]
    assert match_masks(found, mattes, min_iou=0.5).tolist() == [2, 0, 3, -1]
    assert match_masks(found[:0], mattes).tolist() == [-1] * 4
    assert match_masks(found, mattes[:0]).tolist() == []
    assert match_masks(np.zeros_like(found), np.zeros_like(mattes)).tolist() == [-1] * 4


def test_the_threshold_is_to_be_exceeded():
    matte = rectangles((0, 0, 10, 10))
    assert match_masks(rectangles((0, 0, 10, 7)), matte).tolist() == [-1]
    assert match_masks(rectangles((0, 0, 10, 8)), matte).tolist() == [0]


def test_matches_are_the_published_ones():
    rng = np.random.default_rng(0)
    for _ in range(20):
        boxes = [
            [(*rng.integers(0, 15, 2), *rng.integers(5, 30, 2)) for _ in range(4)] for _ in range(2)
        ]
        found, mattes = rectangles(*boxes[0]), rectangles(*boxes[1])
        mattes[mattes > 0] = rng.integers(1, 256, int(np.count_nonzero(mattes)))
        want = []
        for matte in mattes:
            ious = [published_iou(mask, matte) for mask in found]
            want.append(int(np.argmax(ious)) if max(ious) > 0.4 else -1)
        assert match_masks(found, mattes, min_iou=0.4).tolist() == want


def test_drawn_masks_are_what_opencv_makes_of_the_draws():
    cv2 = pytest.importorskip("cv2")
    rng = np.random.default_rng(1)
    steps = set()
    for i in range(40):
        matte = (np.clip(np.hypot(*np.mgrid[-1:1:33j, -1:1:47j]), 0, 1) * 255).astype(np.uint8)
        matte = np.roll(255 - matte, tuple(rng.integers(-20, 20, 2)), (0, 1))
        draws = random.Random(f"seed {i}")
        level, widen, thin = draws.uniform(0.01, 0.99), draws.randint(1, 30), draws.randint(1, 30)
        order = draws.choice(["dilate erode", "erode dilate", "dilate", "erode"])
        steps.add(order)
        want = (matte / 255.0 > level).astype(np.uint8)
        for step in order.split():
            side = widen if step == "dilate" else thin
            want = getattr(cv2, step)(want, np.ones((side, side), np.uint8))
        np.testing.assert_array_equal(drawn_mask(matte, f"seed {i}"), want * 255)
    assert len(steps) == 4


def test_shared_pixels_go_to_the_strongest_matte():
    found = np.array([[[255, 255, 255, 255]], [[0, 255, 255, 255]], [[0, 0, 0, 0]]], np.uint8)
    mattes = np.array([[[9, 200, 100, 5]], [[9, 55, 150, 5]], [[255, 0, 0, 255]]], np.uint8)
    want = [[[255, 255, 0, 0]], [[0, 0, 255, 0]], [[0, 0, 0, 0]]]
    assert without_overlaps(found, mattes).tolist() == want
    assert without_overlaps(found[:1], mattes[:1]).tolist() == found[:1].tolist()


def save(folder, planes, names=None):
    folder.mkdir(parents=True)
    for k, plane in enumerate(planes):
        Image.fromarray(plane).save(folder / (names[k] if names else f"{k:02d}.png"))


@pytest.fixture
def folders(tmp_path):
    """Picture a has both its masks, in the wrong order; b one of two, c no folder at all."""
    mattes = rectangles((0, 0, 20, 20), (25, 0, 20, 20))
    save(tmp_path / "alphas/a", mattes, ["01.png", "05.png"])
    save(tmp_path / "masks/a", rectangles((25, 0, 20, 19), (0, 0, 20, 19)))
    save(tmp_path / "alphas/b", mattes)
    save(tmp_path / "masks/b", rectangles((0, 0, 25, 20)))
    save(tmp_path / "alphas/c", mattes[:1])
    return tmp_path / "masks", tmp_path / "alphas"


def test_a_mask_for_each_matte_under_its_name(folders, tmp_path):
    out = tmp_path / "out"
    assert generate_matched_masks(*folders, out).counts == {"written": 3}
    read = {str(p.relative_to(out)): np.asarray(Image.open(p)) for p in out.rglob("*.png")}
    assert set(read) == {"a/01.png", "a/05.png", "b/00.png", "b/01.png", "c/00.png"}
    np.testing.assert_array_equal(read["a/01.png"], rectangles((0, 0, 20, 19))[0])
    np.testing.assert_array_equal(read["a/05.png"], rectangles((25, 0, 20, 19))[0])
    np.testing.assert_array_equal(read["b/00.png"], rectangles((0, 0, 25, 20))[0])
    matte = rectangles((0, 0, 20, 20))[0]
    np.testing.assert_array_equal(read["c/00.png"], drawn_mask(matte, "0 c 00.png"))
    entries = {e["id"]: e for e in json.loads((out / "manifest.json").read_text())["samples"]}
    assert entries["a"]["masks"] == {"01.png": "01.png", "05.png": "00.png"}
    assert entries["b"]["masks"] == {"00.png": "00.png", "01.png": "drawn"}
    assert generate_matched_masks(*folders, out).skipped == 3
    generate_matched_masks(*folders, tmp_path / "two", workers=2)
    assert tree(tmp_path / "two") == tree(out)


def test_mattes_without_a_mask_can_be_left_out(folders, tmp_path):
    summary = generate_matched_masks(*folders, tmp_path / "out", missing="leave")
    assert summary.counts == {"written": 2, "nothing": 1}
    assert sorted(p.name for p in (tmp_path / "out/b").iterdir()) == ["00.png"]
    with pytest.raises(ValueError, match="draw or leave"):
        generate_matched_masks(*folders, tmp_path / "out", missing="x")


def test_bad_pictures_are_reported(folders, tmp_path):
    masks, alphas = folders
    Image.new("L", (7, 7)).save(masks / "a/02.png")
    damaged = alphas / "b/01.png"
    damaged.write_bytes(damaged.read_bytes()[:-30])
    (alphas / "d").mkdir()
    summary = generate_matched_masks(masks, alphas, tmp_path / "out")
    reasons = dict(summary.failures)
    assert set(reasons) == {"a", "b", "d"}
    assert "02.png: is (7, 7)" in reasons["a"]
    assert str(damaged) in reasons["b"]
    assert "no mattes" in reasons["d"]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["c", "manifest.json"]
    with pytest.raises(SampleError, match=r"02\.png"):
        generate_matched_masks(masks, alphas, tmp_path / "strict", strict=True)
    with pytest.raises(FileNotFoundError):
        generate_matched_masks(masks, tmp_path / "none", tmp_path / "out2")
