from dataclasses import replace

import numpy as np
import pytest

from refpix.datasets import RefHuman
from refpix.viz import Canvas, draw_refhuman, draw_refhuman_rows


@pytest.fixture
def dataset(data):
    return RefHuman(data / "refhuman", "val", cache="memory")


def drawn(sample, **options):
    return np.asarray(draw_refhuman(sample, side=400, **options)).astype(int)


def sample_of(dataset, image_id):
    return dataset[dataset.image_ids.tolist().index(image_id)]


def test_everything_is_drawn(dataset):
    sample = sample_of(dataset, 1000)
    whole = drawn(sample)
    assert whole.shape[1] == 400
    parts = {
        "boxes": {"boxes": np.zeros((1, 4))},
        "pose": {"keypoints": np.zeros((1, 17, 3))},
        "mask": {"segmentations": ({"size": list(sample.size), "counts": [240 * 320]},)},
        "scribble": {"scribbles": (None,)},
    }
    for name, without in parts.items():
        other = drawn(replace(sample, **without))[: whole.shape[0]]
        changed = (whole[: len(other)] != other).any(axis=2).sum()
        assert changed > 200, name
    untitled = drawn(replace(sample, caption=None))
    assert untitled.shape[0] < whole.shape[0]


def test_the_mask_is_where_it_should_be(dataset):
    sample = sample_of(dataset, 1000)
    bare = replace(
        sample,
        keypoints=np.zeros((1, 17, 3)),
        scribbles=(None,),
        boxes=np.full((1, 4), -500.0),
        caption=None,
    )
    nobody = replace(bare, segmentations=({"size": list(sample.size), "counts": [240 * 320]},))
    changed = (drawn(bare) != drawn(nobody)).any(axis=2)[-300:]  # the picture, 400 x 300
    rows, columns = np.nonzero(sample.masks()[0])
    y, x = np.nonzero(changed)
    scale = 400 / 320
    for found, wanted in ((x, columns), (y, rows)):
        assert found.min() == pytest.approx(wanted.min() * scale, abs=3)
        assert found.max() == pytest.approx(wanted.max() * scale, abs=3)


def test_one_of_five_scribbles(dataset):
    sample = sample_of(dataset, 1000)
    first, second, none = (drawn(sample, scribble=i) for i in (0, 1, None))
    assert (first != second).any()
    assert (none != second).any()


def test_people_are_numbered_and_nobody_is_fine(dataset):
    assert drawn(sample_of(dataset, 986)).shape[1] == 400
    assert drawn(sample_of(dataset, 937)).shape[1] == 400
    alone = sample_of(dataset, 986).person(1)
    assert (drawn(alone)[:200] != drawn(sample_of(dataset, 986))[:200]).any()


def test_a_record_has_no_picture(dataset):
    with pytest.raises(ValueError, match="no picture"):
        draw_refhuman(dataset.records([0])[0])


def test_sheets_show_errors(dataset, data):
    sheet = draw_refhuman_rows(dataset, [0, 3, 4], columns=2, side=200)
    assert sheet.width > 400
    missing = RefHuman(data / "refhuman", "val", images=data, cache="memory")
    assert draw_refhuman_rows(missing, [0], side=200).width >= 200
    with pytest.raises(ValueError, match="at least one"):
        draw_refhuman_rows(dataset, [])


def test_scribbles_on_a_canvas():
    canvas = Canvas(np.zeros((100, 200, 3), np.uint8), side=400)
    canvas.scribble([[10, 50], [190, 50]], (0, 255, 0), marked=1)
    pixels = np.asarray(canvas.finish()).astype(int)
    assert pixels[101, 200].tolist()[1] > 200  # the line, through pixels' middles
    assert pixels[101, 381].min() > 200  # the marked point is white
    assert pixels[101, 5].max() == 0
    empty = Canvas(np.zeros((100, 200, 3), np.uint8))
    empty.scribble(np.empty((0, 2)), (0, 255, 0))
    assert not np.asarray(empty.finish()).any()
