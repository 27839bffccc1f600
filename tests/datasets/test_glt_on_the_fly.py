"""CocoGLT without crops on disk: against a generated tree, sample for sample."""

import pickle
import shutil

import numpy as np
import pytest
from PIL import Image

from refpix import Loader
from refpix.datasets import CocoGLT
from refpix.datasets.glt_layout import SPLITS
from refpix.errors import RecordError
from refpix.io.glt_splits_file import read_splits, write_splits
from refpix.synthesis import coco_pictures, generate_crops, glt_crop, published_sets


@pytest.fixture(scope="module")
def case(data):
    return data / "glt" / "crop"


@pytest.fixture(scope="module")
def tree(case, tmp_path_factory):
    """The crops as files."""
    out = tmp_path_factory.mktemp("glt") / "out"
    generate_crops(out, data_path=case / "images", sets=published_sets(case))
    return out


@pytest.mark.parametrize("variant", ["glt", "cbl"])
def test_samples_of_a_generated_tree(case, tree, variant):
    for split in SPLITS:
        files = CocoGLT(tree, split, variant=variant)
        fly = CocoGLT(case, split, variant=variant, coco=case / "images", saved=True)
        assert fly.keys == files.keys
        assert fly.variant == variant
        for name in ("labels", "frequencies", "attributes"):
            np.testing.assert_array_equal(getattr(fly, name), getattr(files, name))
        assert fly.objects.scores.tolist() == files.objects.scores.tolist()
        counts = (one.objects.attribute_counts for one in (fly, files))
        np.testing.assert_array_equal(*counts)
        assert fly.classes == files.classes
        every = list(range(len(files)))
        for a, b in zip(fly.__getitems__(every), files.__getitems__(every), strict=True):
            np.testing.assert_array_equal(a.image, b.image)
            assert (a.key, a.category, a.file_name) == (b.key, b.category, b.file_name)
    assert fly.verify() == []


def test_pixels_before_the_save(case):
    """Gray, CMYK and colour: the published crop, as RGB."""
    dataset = CocoGLT(case, "train", coco=case / "images")
    splits = read_splits(case / "coco_intra_lt_inter_lt.jbl").annotations
    pictures = coco_pictures(case / "images")
    modes = set()
    for sample in dataset:
        row = [str(key) for key in splits.keys].index(sample.key)
        crop = glt_crop(pictures[int(splits.image_id[row])], splits.bbox[row])
        mode = {2: "L"}.get(crop.ndim) or ("CMYK" if crop.shape[2] == 4 else "RGB")
        modes.add(mode)
        want = np.asarray(Image.fromarray(crop, mode).convert("RGB"))
        np.testing.assert_array_equal(sample.image, want)
    assert len(modes) > 1


def test_batches(case):
    dataset = pickle.loads(pickle.dumps(CocoGLT(case, "train", coco=case / "images")))
    first, second, again = dataset.__getitems__([3, 5, 3])
    np.testing.assert_array_equal(first.image, again.image)
    first.image[:] = 7
    assert not (again.image == 7).all()
    assert second.key == dataset.keys[5]
    assert dataset[4:9][1].key == second.key


@pytest.mark.parametrize("saved", [False, True])
def test_loader(case, saved):
    dataset = CocoGLT(case, "train", coco=case / "images", saved=saved)
    batches = list(Loader(dataset, batch_size=16, size=24))
    pixels = np.concatenate([batch.images for batch in batches])
    assert pixels.shape == (29, 3, 24, 24)
    sample = dataset[17].image
    small = Image.fromarray(sample).resize((24, 24), Image.Resampling.BICUBIC)
    want = (np.asarray(small).transpose(2, 0, 1) / np.float32(255) - np.float32(0.5)) / np.float32(
        0.5
    )
    np.testing.assert_allclose(pixels[17], want, atol=1e-6)


def test_our_own_file_of_splits(case, tmp_path):
    write_splits(tmp_path / "mine.json", read_splits(case / "coco_intra_lt_inter_bl.jbl"))
    dataset = CocoGLT(tmp_path / "mine.json", "train", coco=case / "images")
    published = CocoGLT(case, "Train-CBL", coco=case / "images")
    assert dataset.keys == published.keys
    assert dataset.variant is None
    assert dataset.name == "train"
    np.testing.assert_array_equal(dataset[8].image, published[8].image)


def spoilt(case, folder, edit):
    """A file of splits with something wrong, as ours."""
    splits = read_splits(case / "coco_intra_lt_inter_lt.jbl")
    write_splits(folder / "spoilt.json", edit(splits) or splits)
    return folder / "spoilt.json"


def test_bad_boxes_and_pictures(case, tmp_path):
    shutil.copytree(case / "images", tmp_path / "images")

    def edit(splits):
        splits.annotations.bbox[:] = [5, 5, 40, 40]
        keys = list(splits.annotations.keys)
        rows = [keys.index(key) for key in splits.splits["train"].keys]
        boxes, images = splits.annotations.bbox, splits.annotations.image_id
        boxes[rows[0]], boxes[rows[1]] = (9000, 5, 10, 10), (5, 5, 0, 10)
        images[rows[0]] = images[rows[1]] = images[rows[2]] = 7912
        images[rows[3]], images[rows[4]], images[rows[5:]] = 1, 198138, 10787

    path = spoilt(case, tmp_path, edit)
    cut = tmp_path / "images" / "train2014" / "COCO_train2014_000000198138.jpg"
    cut.write_bytes(cut.read_bytes()[:900])
    dataset = CocoGLT(path, "train", coco=tmp_path / "images")
    bad = dataset.verify()
    assert [error.row for error in bad] == [0, 1, 3, 4]  # the third is of the same picture
    for error, words in zip(
        bad, ("outside", "no area", "picture 1: no such file", "."), strict=True
    ):
        assert words in str(error)
        assert f"train: object {dataset.keys[error.row]}: bbox: " in str(error)
    assert dataset[2].image.shape[2] == 3
    with pytest.raises(RecordError, match="lies outside the picture"):
        dataset.payloads([2, 0])
    loader = Loader(dataset, batch_size=8, size=8, errors="skip")
    assert sum(len(batch.rows) for batch in loader) == 25
    assert [error.row for error in loader.report] == [0, 1, 3, 4]


def test_objects_that_coco_does_not_know(case, tmp_path):
    lost = read_splits(case / "coco_intra_lt_inter_lt.jbl").splits["val"].keys[0]

    def edit(splits):
        splits.annotations.keys[list(splits.annotations.keys).index(lost)] = 10**9

    path = spoilt(case, tmp_path, edit)
    with pytest.raises(RecordError, match=f"val: object {lost}: not among COCO's annotations"):
        CocoGLT(path, "val", coco=case / "images")
    dataset = CocoGLT(path, "val", coco=case / "images", on_error="report")
    assert len(dataset) == 6
    assert len(dataset.faults) == 1
    assert len(CocoGLT(path, "train", coco=case / "images")) == 29


def test_malformed_splits(case, tmp_path):
    def edit(splits):
        splits.splits["train"].label[0] = 9

    with pytest.raises(RecordError, match=r"spoilt\.json: .*train: a label outside 0\.\.3"):
        CocoGLT(spoilt(case, tmp_path, edit), "train", coco=case / "images")


def test_mistakes(case, tmp_path):
    coco = case / "images"
    with pytest.raises(FileNotFoundError, match=r"no coco_intra_lt_inter_lt\.json or \.jbl"):
        CocoGLT(tmp_path, coco=coco)
    with pytest.raises(FileNotFoundError, match="neither val2014 nor train2014"):
        CocoGLT(case, coco=tmp_path)
    with pytest.raises(ValueError, match="is variant 'glt', not 'cbl'"):
        CocoGLT(case / "coco_intra_lt_inter_lt.jbl", variant="cbl", coco=coco)
    with pytest.raises(ValueError, match="goes with coco="):
        CocoGLT(case, saved=True)
    with pytest.raises(ValueError, match="images= without it"):
        CocoGLT(case, coco=coco, images=coco)


def test_protocol(case):
    protocol = CocoGLT.protocol("ALT", case, coco=case / "images")
    assert (protocol.train.variant, protocol.test.name) == ("cbl", "Test-GBL")
