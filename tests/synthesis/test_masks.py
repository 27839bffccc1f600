import numpy as np
import pytest
from PIL import Image

from refpix import masks as rle
from refpix.errors import RecordError, SampleError
from refpix.synthesis.masks import Instances, detect_masks, kept, masks_of_results, write_masks


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


def test_people_of_enough_score_and_area_in_order():
    expected = found().masks[[0, 2]].astype(np.uint8) * 255
    assert np.array_equal(kept(found()), expected)
    assert len(kept(found(), person=2)) == 1
    assert len(kept(found(), min_score=0.6, min_area=0)) == 4
    with pytest.raises(ValueError, match="expected masks"):
        kept(found()._replace(scores=np.ones(2)))


def test_a_model_over_pictures(tmp_path):
    Image.fromarray(np.zeros((10, 20, 3), np.uint8)).save(tmp_path / "p.jpg")
    assert detect_masks(lambda _: found(), [tmp_path / "p.jpg"], tmp_path / "out") == {"p": 2}
    tree = read(tmp_path / "out")
    assert list(tree) == ["p/00.png", "p/01.png"]
    assert np.array_equal(np.stack(list(tree.values())), kept(found()))
    with pytest.raises(SampleError, match="the picture"):
        detect_masks(
            lambda _: Instances(np.zeros((0, 3, 3)), np.zeros(0), np.zeros(0)),
            [tmp_path / "p.jpg"], tmp_path / "out",
        )  # fmt: skip
    (tmp_path / "q.jpg").write_bytes(b"none")
    with pytest.raises(SampleError, match=r"q\.jpg"):
        detect_masks(lambda _: found(), [tmp_path / "q.jpg"], tmp_path / "out")


def test_results_with_run_lengths(tmp_path):
    planes, scores, labels = found()
    records = [
        {"image_id": 7, "category_id": int(c), "score": float(s), "segmentation": mask}
        for mask, s, c in zip(rle.to_coco(rle.encode(planes)), scores, labels, strict=True)
    ]
    names = {7: "p", 8: "empty"}
    assert masks_of_results(records, names, tmp_path) == {"p": 2, "empty": 0}
    assert np.array_equal(np.stack(list(read(tmp_path).values())), kept(found()))
    records[3]["segmentation"] = {"size": [10, 20], "counts": b"0"}
    with pytest.raises(RecordError, match="result 3"):
        masks_of_results(records, names, tmp_path)
    del records[1]["score"]
    with pytest.raises(RecordError, match="result 1"):
        masks_of_results(records, names, tmp_path)


def test_names_stay_inside(tmp_path):
    for name in ("", "..", "a/b"):
        with pytest.raises(ValueError, match="leaves its folder"):
            write_masks(tmp_path, name, np.zeros((1, 2, 2), np.uint8))
