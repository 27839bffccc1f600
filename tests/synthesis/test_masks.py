import json

import numpy as np
import pytest
from PIL import Image, ImageOps
from tests.full_disk import full_disk
from tests.synthesis.drawn_inputs import tree

from refpix import masks as rle
from refpix.errors import RecordError, SampleError
from refpix.synthesis import OutputError
from refpix.synthesis.masks import (
    Instances,
    Limits,
    detect_masks,
    kept,
    masks_of_results,
    write_masks,
)


def found():
    planes = np.zeros((5, 10, 20), bool)
    planes[0, :2, :2] = 1  # exactly 2 %
    planes[1, 0, :3] = 1  # less
    planes[2:, 5:] = 1
    return Instances(planes, np.array([0.9, 0.9, 0.7, 0.69, 0.95]), np.array([1, 1, 1, 1, 2]))


def read(folder):
    return {
        str(p.relative_to(folder)): np.asarray(Image.open(p)) for p in sorted(folder.rglob("*.png"))
    }


def pictures(folder, count=1, size=(20, 10)):
    folder.mkdir(exist_ok=True)
    paths = [folder / f"p{i}.jpg" for i in range(count)]
    for i, path in enumerate(paths):
        Image.new("RGB", size, (40 * i, 0, 0)).save(path)
    return paths


def constant_model(rgb):
    assert (rgb.dtype, rgb.ndim) == (np.uint8, 3)
    return found()


def test_people_of_enough_score_and_area_in_order():
    expected = found().masks[[0, 2]].astype(np.uint8) * 255
    assert np.array_equal(kept(found()), expected)
    assert len(kept(found(), Limits(person=2))) == 1
    assert len(kept(found(), Limits(min_score=0.6, min_area=0))) == 4
    with pytest.raises(ValueError, match="expected masks"):
        kept(found()._replace(scores=np.ones(2)))


def test_a_model_over_pictures(tmp_path):
    paths = pictures(tmp_path / "in")
    out = tmp_path / "out"
    assert detect_masks(constant_model, paths, out).counts == {"written": 1}
    masks = read(out)
    assert list(masks) == ["p0/00.png", "p0/01.png"]
    assert np.array_equal(np.stack(list(masks.values())), kept(found()))
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["settings"]["detector"] == "constant_model"
    assert manifest["settings"]["min_score"] == 0.7
    none = detect_masks(constant_model, paths, tmp_path / "none", limits=Limits(person=7))
    assert none.counts == {"nothing": 1}
    assert read(tmp_path / "none") == {}


def test_bad_pictures_and_masks_are_reported_and_the_run_goes_on(tmp_path):
    paths = pictures(tmp_path / "in", 3)
    paths[1].write_bytes(b"none")
    out = tmp_path / "out"
    summary = detect_masks(constant_model, paths, out)
    assert summary.counts == {"written": 2, "failed": 1}
    assert [name for name, _ in summary.failures] == ["p1"]
    assert str(paths[1]) in summary.failures[0][1]
    with pytest.raises(SampleError, match=r"p1\.jpg"):
        detect_masks(constant_model, paths, tmp_path / "strict", strict=True)
    pictures(tmp_path / "in", 3)
    again = detect_masks(constant_model, paths, out)  # tried again
    assert (again.skipped, again.failures) == (2, [])
    wrong = pictures(tmp_path / "wrong", 1, size=(7, 7))
    with pytest.raises(SampleError, match="the picture"):
        detect_masks(constant_model, wrong, tmp_path / "wrong_out", strict=True)
    with pytest.raises(SampleError, match="another picture"):
        detect_masks(constant_model, [*paths, tmp_path / "p0.png"], tmp_path / "twice")


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path):
    paths = pictures(tmp_path / "in", 5)
    detect_masks(constant_model, paths, tmp_path / "whole")
    seen = []

    def model(rgb):
        seen.append(len(seen))
        if len(seen) == 4:
            raise KeyboardInterrupt
        return found()

    model.settings = "constant_model"
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        detect_masks(model, paths, out)
    assert detect_masks(constant_model, paths, out).skipped == 3
    assert tree(out) == tree(tmp_path / "whole")
    with pytest.raises(ValueError, match="other settings"):
        detect_masks(constant_model, paths, out, limits=Limits(min_score=0.5))


def test_a_full_disk_names_the_file_and_leaves_none_half_written(tmp_path):
    out = tmp_path / "out"
    noise = np.random.default_rng(0).integers(0, 2, (1, 200, 300), dtype=np.uint8)
    paths = pictures(tmp_path / "in", 1, size=(300, 200))
    with full_disk(3000), pytest.raises(OutputError, match="too large") as error:
        detect_masks(lambda _: Instances(noise, np.ones(1), np.ones(1)), paths, out)
    assert error.value.file == str(out / "p0/00.png")
    assert [p.name for p in out.rglob("*") if p.is_file()] == [".journal.jsonl"]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_is_what_pillow_makes_of_exif(tmp_path, orientation):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    exif = image.getexif()
    exif[0x112] = orientation
    image.save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as opened:
        want = np.asarray(ImageOps.exif_transpose(opened))
    seen = []

    def model(rgb):
        seen.append(rgb)
        return Instances(np.zeros((0, *rgb.shape[:2])), np.zeros(0), np.zeros(0))

    detect_masks(model, [tmp_path / "a.png"], tmp_path / "out", upright=True)
    detect_masks(model, [tmp_path / "a.png"], tmp_path / "stored")
    np.testing.assert_array_equal(seen[0], want)
    np.testing.assert_array_equal(seen[1], pixels)


def records():
    planes, scores, labels = found()
    return [
        {"image_id": 7, "category_id": int(c), "score": float(s), "segmentation": mask}
        for mask, s, c in zip(rle.to_coco(rle.encode(planes)), scores, labels, strict=True)
    ]


def test_results_with_run_lengths(tmp_path):
    results, names, out = records(), {7: "p", 8: "empty"}, tmp_path / "out"
    assert masks_of_results(results, names, out).counts == {"written": 1, "nothing": 1}
    assert np.array_equal(np.stack(list(read(out).values())), kept(found()))
    as_text = [
        {**r, "segmentation": {**r["segmentation"], "counts": r["segmentation"]["counts"].decode()}}
        for r in results
    ]
    assert masks_of_results(as_text, names, out).skipped == 2  # JSON says the same
    with pytest.raises(ValueError, match="other settings"):
        masks_of_results(results[:-1], names, out)
    results[3]["segmentation"] = {"size": [10, 20], "counts": b"0"}
    with pytest.raises(RecordError, match="result 3"):
        masks_of_results(results, names, tmp_path / "bad")
    del results[1]["score"]
    with pytest.raises(RecordError, match="result 1"):
        masks_of_results(results, names, tmp_path / "bad")
    with pytest.raises(ValueError, match="two pictures"):
        masks_of_results(records(), {7: "p", 8: "p"}, tmp_path / "twice")


def test_names_stay_inside(tmp_path):
    for name in ("", "..", "a/b", ".partial", "manifest.json"):
        with pytest.raises(ValueError, match="leaves its folder"):
            write_masks(tmp_path, name, np.zeros((1, 2, 2), np.uint8))
