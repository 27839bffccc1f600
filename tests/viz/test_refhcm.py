from dataclasses import replace

import numpy as np
import pytest

from refpix import Loader
from refpix.datasets import RefHCM, sample_path
from refpix.datasets.refhcm_text import Interaction
from refpix.kernels import image_normalize
from refpix.viz import draw_batch, draw_refhcm, draw_rows, unnormalise


def sample(task):
    return RefHCM(sample_path(task), task, index="memory")


@pytest.mark.parametrize("task", ["rec", "rkpt", "rpar", "rhrc"])
def test_samples_are_drawn(task):
    first = sample(task)[0]
    drawn = draw_refhcm(first, side=300)
    assert drawn.width == 300
    assert drawn.height > 300 * first.image.shape[0] // first.image.shape[1]
    empty = draw_refhcm(replace(first, box_xyxy=np.zeros(4, np.float32)), side=300)
    assert (np.asarray(drawn) != np.asarray(empty)).any(axis=2).sum() > 100


def test_codes_instead_of_the_label_map():
    first = sample("rpar")[0]
    grid, parsing = (np.asarray(draw_refhcm(first, side=300, codes=c)) for c in (True, False))
    assert grid.shape[0] < parsing.shape[0]  # no legend


def test_interactions_are_drawn():
    person = replace(sample("rec")[0], task="hoi", text=None, actions=())
    things = (Interaction(0, 41, (150, 20, 200, 80)), Interaction(8, -1, (0, 0, 0, 0)))
    alone, busy = (
        np.asarray(draw_refhcm(replace(person, actions=actions), side=300))
        for actions in ((), things)
    )
    scale = 300 / person.image.shape[1]
    changed = (alone != busy).any(axis=2)
    assert changed[:, round(150 * scale)].any()
    assert changed.sum() > 500


def test_a_record_has_no_picture():
    with pytest.raises(ValueError, match="no picture"):
        draw_refhcm(sample("rec").records([0])[0])


def test_unnormalise_gives_the_pixels_back():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 16, 24, 3), dtype=np.uint8)
    pixels[0, :, :16, 0] = np.arange(256).reshape(16, 16)
    for mean, std in (((0.5,) * 3, (0.5,) * 3), ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))):
        for dtype in ("float32", "float16"):
            tensors = image_normalize(pixels, mean=mean, std=std, dtype=dtype)
            back = unnormalise(tensors, mean=mean, std=std)
            assert np.abs(back.astype(int) - pixels).max() <= (dtype == "float16")
    with pytest.raises(ValueError, match="uint16"):
        unnormalise(image_normalize(pixels, mean=mean, std=std, dtype="bfloat16"))


def test_batches_are_drawn_as_their_rows_are():
    dataset = sample("rpar")
    batch = next(iter(Loader(dataset, batch_size=3, size=256)))
    tiles = draw_batch(batch, dataset=dataset, side=300)
    assert len(tiles) == 3
    for row, drawn in zip(batch.rows.tolist(), tiles, strict=True):
        direct = np.asarray(draw_refhcm(dataset[row], side=300)).astype(int)
        assert np.asarray(drawn).shape == direct.shape
        assert np.abs(np.asarray(drawn) - direct).mean() < 6  # resized twice
    assert draw_batch(batch, side=300)[0].height < tiles[0].height  # no label map, no legend


def test_bad_rows_are_shown_as_their_error(tmp_path):
    lines = sample_path("rec").read_bytes().splitlines(keepends=True)[:2]
    lines.insert(1, b"x\ty\tz\t1,2,3\tAAAA\n")
    path = tmp_path / "rec.tsv"
    path.write_bytes(b"".join(lines))
    dataset = RefHCM(path, "rec", index="memory")
    good = draw_rows(dataset, [0, 2], columns=1, side=200)
    with_bad = draw_rows(dataset, [0, 1, 2], columns=1, side=200)
    assert with_bad.height > good.height
    reddish = (np.asarray(with_bad) == (250, 226, 226)).all(axis=2).sum()
    assert reddish > 5000
    with pytest.raises(IndexError):
        draw_rows(dataset, [3])
