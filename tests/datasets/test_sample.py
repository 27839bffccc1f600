import numpy as np
import pytest

from refpix.datasets import RefHCM, sample_path


@pytest.mark.parametrize("task", ["rec", "rkpt", "rpar", "rhrc"])
def test_sample_is_whole(task):
    dataset = RefHCM(sample_path(task), strict=True, index="memory", targets=True)
    assert dataset.task == task
    assert len(dataset) == 8
    assert dataset.verify() == []
    assert len(RefHCM(sample_path(), task, index="memory")) == 8


def test_sample_is_small():
    files = [p for p in sample_path().rglob("*") if p.suffix in (".tsv", ".zip")]
    assert len(files) == 5
    assert sum(p.stat().st_size for p in files) < 400_000


def test_annotations_belong_to_what_is_drawn():
    poses = RefHCM(sample_path("rkpt"), index="memory")
    for pose, parsing in zip(poses, RefHCM(sample_path("rpar"), index="memory"), strict=True):
        assert np.array_equal(pose.image, parsing.image)
        ys, xs = np.nonzero(parsing.label_map)
        drawn = [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
        assert parsing.box.tolist() == drawn
        x, y = pose.keypoints[pose.keypoints[:, 2] > 0, :2].round().astype(int).T
        assert len(x) >= 12
        assert (parsing.label_map[y, x] > 0).mean() > 0.9
        assert set(parsing.codes.tolist()) <= set(parsing.label_map.reshape(-1).tolist())


def test_other_tasks_are_not_there():
    with pytest.raises(FileNotFoundError):
        sample_path("hoi")
    with pytest.raises(ValueError, match="unknown task"):
        sample_path("pose")
