from dataclasses import replace

import numpy as np
import pytest

from refpix.datasets import RefCocoM
from refpix.viz import draw_refcocom, draw_refcocom_rows

pytest.importorskip("pyarrow")


@pytest.fixture
def dataset(data):
    return RefCocoM(data / "refcocom" / "validation.parquet")


def test_masks_boxes_and_sentences_are_drawn(dataset):
    sample = dataset[2]
    drawn = draw_refcocom(sample, side=262)
    height = 262  # twice the picture, 131 x 97
    assert drawn.width >= 194
    assert drawn.height > height
    bare = draw_refcocom(replace(sample, instances=()), side=262)
    assert bare.height < drawn.height  # no title
    first = sample.instances[0]
    one = draw_refcocom(sample, instances=[0], side=262)
    unmasked = replace(first, rle={"counts": [131 * 97], "size": [131, 97]})
    plain = draw_refcocom(replace(sample, instances=(unmasked,)), side=262)
    assert one.size == plain.size
    changed = (np.asarray(one) != np.asarray(plain)).any(axis=2)
    assert changed.sum() == pytest.approx(4 * first.mask.sum(), rel=0.1)
    boxless = replace(first, box_xyxy=np.array([-50.0, -50, -40, -40]))
    moved = draw_refcocom(replace(sample, instances=(boxless,)), side=262)
    assert (np.asarray(one) != np.asarray(moved)).any(axis=2).sum() > 200


def test_a_sheet_of_rows(dataset):
    sheet = draw_refcocom_rows(dataset, [0, 1, -1], columns=3, side=120)
    assert sheet.width > 300
    with pytest.raises(ValueError, match="at least one"):
        draw_refcocom_rows(dataset, [])
    with pytest.raises(IndexError):
        draw_refcocom_rows(dataset, [3])


def test_bad_rows_are_drawn_as_their_error(dataset, monkeypatch):
    sample = dataset[0]
    broken = replace(sample, payload=b"no picture")
    monkeypatch.setattr(dataset, "sample", lambda i: broken if i else sample)
    sheet = np.asarray(draw_refcocom_rows(dataset, [0, 1], columns=2, side=200))
    assert (sheet == (250, 226, 226)).all(axis=2).any()
