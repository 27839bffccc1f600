import numpy as np
import pytest
from PIL import Image

from refpix.viz import SKELETON, Canvas
from refpix.viz.palette import LEFT, RIGHT, code_colour, joint_colour

GRAY = np.full((200, 300, 3), 90, np.uint8)


def drawn(draw, image=GRAY, side=300):
    """Where a drawing changed a picture: bool (H, W), and the picture."""
    canvas = Canvas(image, side)
    before = np.asarray(canvas.finish()).astype(int)
    draw(canvas)
    after = np.asarray(canvas.finish())
    return (np.abs(after - before) > 8).any(axis=2), after


def test_an_untouched_picture_is_itself():
    image = np.random.default_rng(0).integers(0, 256, (480, 500, 3), dtype=np.uint8)
    assert np.array_equal(np.asarray(Canvas(image).finish()), image)
    assert Canvas(GRAY).size == (480, 320)
    assert Canvas(GRAY, 30).size == (30, 20)
    assert Canvas(np.zeros((7, 9), np.uint8)).finish().mode == "RGB"


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4, 4), np.uint8)]
)
def test_what_is_no_picture_is_refused(image):
    with pytest.raises(ValueError, match="uint8"):
        Canvas(image)


def test_a_box_is_a_frame():
    changed, after = drawn(lambda c: c.box((50, 40, 250, 160), (255, 0, 0)))
    for x, y in ((50, 100), (250, 100), (150, 40), (150, 160)):
        assert changed[max(0, y - 3) : y + 4, max(0, x - 3) : x + 4].any()
        assert after[y, x, 0] > 150
    assert not changed[60:140, 70:230].any()
    assert not changed[:30].any()
    assert not changed[170:].any()
    reversed_corners, _ = drawn(lambda c: c.box((250, 160, 50, 40), (255, 0, 0)))
    assert np.array_equal(changed, reversed_corners)


def test_a_box_follows_the_scale():
    small, _ = drawn(lambda c: c.box((5, 4, 25, 16), (255, 0, 0)), GRAY[:20, :30], side=300)
    large, _ = drawn(lambda c: c.box((50, 40, 250, 160), (255, 0, 0)))
    assert np.array_equal(small, large)


def test_a_label_stays_in_the_picture():
    for box in ((280, 2, 299, 50), (0, 0, 10, 10), (-500, -500, -400, -400)):
        changed, _ = drawn(lambda c, box=box: c.box(box, (255, 0, 0), "a long label"))
        assert changed.sum() > 400


@pytest.mark.parametrize(
    "box", [(-1e30, 0, 1e30, 50), (float("nan"), 0, 10, float("inf")), (5, 5, 5, 5)]
)
def test_odd_boxes_do_no_harm(box):
    drawn(lambda c: c.box(box, (255, 0, 0), "x"))


def pose(visible):
    points = np.zeros((17, 3))
    for joint, (x, y, v) in visible.items():
        points[joint] = x, y, v
    return points


def test_left_and_right_have_their_colours():
    elbows = {7: (60, 50, 1), 9: (60, 150, 1), 8: (240, 50, 1), 10: (240, 150, 1)}
    changed, after = drawn(lambda c: c.pose(pose(elbows)))
    assert np.abs(after[100, 60].astype(int) - LEFT).max() < 40
    assert np.abs(after[100, 240].astype(int) - RIGHT).max() < 40
    assert not changed[:, 100:200].any()


def test_points_without_visibility_are_not_drawn():
    changed, _ = drawn(lambda c: c.pose(pose({7: (60, 50, 0), 9: (60, 150, 1)})))
    assert changed[145:155, 55:65].any()
    assert not changed[:130].any()
    nothing, _ = drawn(lambda c: c.pose(np.zeros((17, 3))))
    assert not nothing.any()


def test_hidden_points_are_hollow_where_others_are_not():
    _, both = drawn(lambda c: c.pose(pose({9: (60, 60, 2), 10: (200, 60, 1)})), side=900)
    assert np.abs(both[180, 180].astype(int) - LEFT).max() < 20
    assert both[180, 600].max() < 60
    _, alone = drawn(lambda c: c.pose(pose({10: (200, 60, 1)})), side=900)
    assert np.abs(alone[180, 600].astype(int) - RIGHT).max() < 20


def test_the_skeleton_is_cocos():
    assert len(SKELETON) == 19
    assert {joint for limb in SKELETON for joint in limb} == set(range(17))
    assert joint_colour(5, 7) == LEFT
    assert joint_colour(0, 2) == RIGHT
    assert joint_colour(5, 6) == joint_colour(0)
    with pytest.raises(ValueError, match=r"\(17, 3\)"):
        Canvas(GRAY).pose(np.zeros((17, 2)))


def test_labels_are_blended_where_they_are():
    labels = np.zeros((200, 300), np.int32)
    labels[50:100, 50:150] = 1
    labels[50:100, 150:250] = 2
    palette = np.array([(0, 0, 0), (255, 0, 0), (0, 255, 0)], np.uint8)
    canvas = Canvas(GRAY, 300)
    assert canvas.labels(labels, palette, opacity=0.5, contours=False) == [1, 2]
    after = np.asarray(canvas.finish())
    assert after[75, 100].tolist() == pytest.approx([172, 45, 45], abs=2)
    assert after[75, 200].tolist() == pytest.approx([45, 172, 45], abs=2)
    assert np.array_equal(after[labels == 0], GRAY[labels == 0])


def test_labels_without_a_colour_are_gray():
    labels = np.array([[-1, 0], [255, 77]], np.int64)
    canvas = Canvas(np.zeros((2, 2, 3), np.uint8), 2)
    found = canvas.labels(labels, np.zeros((20, 3), np.uint8), opacity=1.0, contours=False)
    assert found == [-1, 77, 255]
    assert np.asarray(canvas.finish())[..., 0].tolist() == [[128, 0], [128, 128]]


def test_contours_stay_on_the_area():
    labels = np.zeros((200, 300), np.uint8)
    labels[50:150, 50:250] = 1
    palette = np.array([(0, 0, 0), (255, 0, 0)], np.uint8)
    changed, after = drawn(lambda c: c.labels(labels, palette, opacity=0.0))
    assert changed[100, 50]
    assert after[100, 50].min() > 150
    assert not changed[60:140, 60:240].any()
    assert not changed[:44].any()


def test_masks_are_blended_and_outlined():
    mask = np.zeros((20, 30), bool)  # stretched ten times
    mask[5:15, 5:25] = True
    changed, after = drawn(lambda c: c.mask(mask, (0, 0, 255)))
    assert changed[51:149, 51:249].all()
    assert not changed[:49].any()
    assert after[100, 150, 2] < after[100, 50, 2] == 255
    as_bytes, _ = drawn(lambda c: c.mask(mask.astype(np.uint8), (0, 0, 255)))
    assert np.array_equal(changed, as_bytes)


def test_codes_fill_the_box_with_a_grid():
    codes = np.arange(48) % 32
    changed, after = drawn(lambda c: c.codes(codes, (60, 20, 240, 180)))
    assert changed[21:179, 61:239].mean() > 0.98
    assert not changed[:, :58].any()
    cell = after[24, 64].astype(int) - 90  # the corner of the first cell, beside its number
    assert np.sign(cell).tolist() == np.sign(np.array(code_colour(0)) - 90).tolist()
    short, _ = drawn(lambda c: c.codes([1, 2, 3], (60, 20, 240, 180)))
    assert short.any()
    none, _ = drawn(lambda c: c.codes([], (60, 20, 240, 180)))
    assert not none.any()


def test_outlines_are_closed():
    changed, _ = drawn(lambda c: c.outline([(50, 50), (250, 50), (150, 150)]))
    assert changed[100, 98:103].any()
    assert changed[100, 198:203].any()
    assert not changed[70:90, 140:160].any()


def test_large_pictures_are_drawn_on_a_layer_of_their_size():
    image = Image.new("RGB", (4000, 3000))
    canvas = Canvas(image)
    canvas.box((100, 100, 3000, 2000), (255, 255, 0))
    assert canvas.finish().size == (4000, 3000)
    assert canvas.finish().getpixel((100, 1000)) == (255, 255, 0)
