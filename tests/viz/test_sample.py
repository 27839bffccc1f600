import numpy as np
import pytest
from PIL import Image

from refpix.viz import PARSING_NAMES, PARSING_PALETTE, contact_sheet, draw_sample

GRAY = np.full((200, 300, 3), 90, np.uint8)
BOX = (50, 40, 250, 160)


def pixels(image):
    return {tuple(p) for p in np.asarray(image).reshape(-1, 3).tolist()}


def test_a_bare_picture_is_itself():
    assert np.array_equal(np.asarray(draw_sample(GRAY, side=300)), GRAY)


def test_every_annotation_changes_pixels():
    labels = np.zeros((200, 300), np.int32)
    labels[50:100, 50:150] = 5
    points = np.concatenate(
        [np.random.default_rng(0).uniform(50, 150, (17, 2)), np.ones((17, 1))], 1
    )
    plain = np.asarray(draw_sample(GRAY))
    for given in (
        {"box": BOX},
        {"keypoints": points, "show_legend": False},
        {"label_map": labels, "show_legend": False},
        {"box": BOX, "codes": np.arange(48) % 32},
        {"masks": labels[np.newaxis] > 0},
        {"polygons": [[(50, 50), (250, 50), (150, 150)]]},
    ):
        after = np.asarray(draw_sample(GRAY, **given))
        assert after.shape == plain.shape
        assert 0.005 < (after != plain).any(axis=2).mean() < 0.9


def test_several_boxes_and_poses():
    one = np.asarray(draw_sample(GRAY, box=BOX))
    two = np.asarray(draw_sample(GRAY, box=[BOX, (5, 5, 30, 30)], box_labels=["", "hold cup"]))
    assert (one != two).any(axis=2).sum() > 500
    poses = np.ones((2, 17, 3)) * [[[60, 60, 1]], [[200, 100, 1]]]
    drawn = np.asarray(draw_sample(GRAY, keypoints=poses, side=300, show_legend=False))
    assert (drawn[60, 60] != 90).any()
    assert (drawn[100, 200] != 90).any()


def test_the_legend_names_the_classes_that_occur():
    labels = np.zeros((200, 300), np.int32)
    labels[50:100, 50:150] = 5
    labels[120:140, 50:150] = 13
    bare = draw_sample(GRAY, label_map=labels, show_legend=False)
    full = draw_sample(GRAY, label_map=labels)
    assert full.height > bare.height
    below = pixels(full.crop((0, bare.height, full.width, full.height)))
    assert {tuple(PARSING_PALETTE[5].tolist()), tuple(PARSING_PALETTE[13].tolist())} <= below
    assert tuple(PARSING_PALETTE[9].tolist()) not in below
    assert np.array_equal(np.asarray(full)[: bare.height], np.asarray(bare))


def test_the_title_stands_above():
    bare, titled = draw_sample(GRAY), draw_sample(GRAY, text="a man in white", note="row 3")
    assert titled.height > bare.height
    assert np.array_equal(np.asarray(titled)[-bare.height :], np.asarray(bare))
    long = draw_sample(GRAY, text="a man " * 500)
    assert titled.height < long.height < titled.height + 150


def test_narrow_pictures_have_room_for_their_title():
    drawn = np.asarray(draw_sample(GRAY[:, :10], text="a man in white", side=200))
    assert drawn.shape[1] == 110
    ground = (drawn == 90).all(axis=2)
    assert ground.any(axis=0).nonzero()[0].tolist() == list(range(50, 60))


def test_a_pose_without_visible_points_needs_no_legend():
    assert draw_sample(GRAY, keypoints=np.zeros((17, 3))).size == draw_sample(GRAY).size


def test_codes_need_a_box():
    with pytest.raises(ValueError, match="box="):
        draw_sample(GRAY, codes=[1, 2])


def test_the_palette_tells_all_classes_apart():
    assert len(PARSING_NAMES) == len(set(PARSING_NAMES)) == 20
    palette = PARSING_PALETTE.astype(int)
    distance = np.abs(palette[:, None] - palette[None]).sum(axis=2)
    assert distance[~np.eye(20, dtype=bool)].min() > 60
    assert not PARSING_PALETTE.flags.writeable


def tile(width, height, colour):
    return Image.new("RGB", (width, height), colour)


def test_sheets_hold_every_picture():
    colours = [(30 * i, 255 - 30 * i, 7) for i in range(5)]
    tiles = [tile(40 + 10 * i, 30 + 5 * i, colour) for i, colour in enumerate(colours)]
    sheet = contact_sheet(tiles, 2, gap=4)
    assert sheet.size == (4 + 80 + 4 + 70 + 4, 4 + 35 + 4 + 45 + 4 + 50 + 4)
    array = np.asarray(sheet)
    for picture, colour in zip(tiles, colours, strict=True):
        assert (array == colour).all(axis=2).sum() == picture.width * picture.height
    assert contact_sheet(tiles, 2, title="five").height > sheet.height


@pytest.mark.parametrize("count", [1, 2, 5, 12, 13])
def test_sheets_choose_their_columns(count):
    sheet = contact_sheet([tile(100, 100, (9, 9, 9))] * count, gap=0)
    assert (np.asarray(sheet) == 9).all(axis=2).sum() == count * 10_000
    assert sheet.width <= 2 * sheet.height + 100


def test_a_sheet_needs_pictures():
    with pytest.raises(ValueError, match="at least one picture"):
        contact_sheet([])
    with pytest.raises(ValueError, match="columns"):
        contact_sheet([tile(1, 1, 0)], 0)
