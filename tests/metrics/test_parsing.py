import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from refpix.metrics import (
    ParsingAccuracy,
    count_labels,
    parsing_scores,
    paste_parsing,
    zoom_labels,
)

matrices = st.integers(1, 8).flatmap(
    lambda n: hnp.arrays(np.int64, (n, n), elements=st.sampled_from([0, 0, 0, 1, 7, 2**40]))
)


def test_paste_and_count_golden(data):
    z = np.load(data / "eval" / "parsing.npz")
    pred = paste_parsing(z["bins"], z["maps"])
    np.testing.assert_array_equal(pred, z["pred"])
    for gt_type in (np.int8, np.int16, np.int32, np.int64):
        np.testing.assert_array_equal(count_labels(pred, z["gt"].astype(gt_type)), z["cm"])


def test_scores_golden(data):
    folder = data / "eval"
    cases = json.loads((folder / "miou_from_cm.json").read_text())
    whole = json.loads((folder / "parsing.json").read_text())
    cases.append({"cm": np.load(folder / "parsing.npz")["cm"], **whole})
    for case in cases:
        scores = parsing_scores(case["cm"])
        assert [scores.macc, scores.miou, scores.pacc] == pytest.approx(
            [case["macc"], case["miou"], case["pacc"]], abs=1e-12, nan_ok=True
        )
    standard = parsing_scores(cases[-1]["cm"], protocol="standard")
    assert standard.macc == pytest.approx(whole["standard"]["mean_recall"], abs=1e-12)
    assert standard.mean_precision == pytest.approx(whole["standard"]["mean_precision"], abs=1e-12)
    assert standard.miou == pytest.approx(whole["standard"]["miou_mean_over_present"], abs=1e-12)
    assert standard.pacc == pytest.approx(whole["standard"]["pixel_acc"], abs=1e-12)


@given(matrices)
def test_scores_by_definition(matrix):
    scores = parsing_scores(matrix)
    classes = range(len(matrix))
    iou, recall, precision = [], [], []
    for c in classes:
        hit, seen, said = matrix[c, c], matrix[c].sum(), matrix[:, c].sum()
        iou += [hit / (seen + said - hit)] if seen + said else []
        recall += [hit / seen] if seen else []
        precision += [hit / said] if said else []
    if not matrix.any():
        assert all(np.isnan(v) for v in scores[:5])
        assert np.isnan(scores.class_iou).all()
        return
    assert scores.miou == pytest.approx(np.mean(iou))
    assert scores.mean_recall == pytest.approx(np.mean(recall))
    assert scores.mean_precision == scores.macc == pytest.approx(np.mean(precision))
    assert scores.pacc == pytest.approx(np.trace(matrix) / matrix.sum())
    assert np.nanmean(scores.class_iou) == pytest.approx(scores.miou)
    assert parsing_scores(matrix, protocol="standard").macc == scores.mean_recall


@pytest.mark.parametrize("protocol", ["paper", "standard"])
def test_accuracy_gathers(protocol):
    rng = np.random.default_rng(0)
    pred = rng.integers(0, 5, (6, 40, 30), dtype=np.uint8)
    gt = rng.integers(-1, 5, (6, 40, 30), dtype=np.int8)
    parts = [ParsingAccuracy(num_labels=5, protocol=protocol) for _ in range(2)]
    assert np.isnan(parts[0].compute().miou)
    parts[0].update(pred[:1], gt[:1])
    parts[0].update(pred[1:4], gt[1:4], num_threads=2)
    parts[1].update(pred[4:], gt[4:])
    parts[0].merge(pickle.loads(pickle.dumps(parts[1])))
    want = count_labels(pred, gt, num_labels=5)
    np.testing.assert_array_equal(parts[0].matrix, want)
    assert parts[0].compute()[:5] == parsing_scores(want, protocol=protocol)[:5]
    with pytest.raises(ValueError, match="differ"):
        parts[0].merge(ParsingAccuracy(num_labels=6, protocol=protocol))


def test_views_and_tensors_are_taken():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, (8, 8))
    want = count_labels(labels[::2, 1::2].copy(), labels[::2, ::2].copy(), num_labels=3)
    got = count_labels(labels[::2, 1::2], labels[::2, ::2], num_labels=3)
    np.testing.assert_array_equal(got, want)
    torch = pytest.importorskip("torch")
    tensor = torch.from_numpy(labels)
    got = count_labels(tensor[::2, 1::2], tensor[::2, ::2], num_labels=3)
    np.testing.assert_array_equal(got, want)


def test_ignored_and_empty():
    ignored = np.full((2, 4, 4), -1)
    assert not count_labels(np.ones((2, 4, 4), bool), ignored).any()
    assert not count_labels(np.empty((0, 4, 4), np.int64), np.empty((0, 4, 4), np.int64)).any()
    assert paste_parsing(np.empty((0, 4)), np.empty((0, 8, 6), np.uint8)).shape == (0, 512, 512)


def test_zoom_of_one_map():
    labels = np.array([[1, 2], [3, 4]], np.int64)
    np.testing.assert_array_equal(zoom_labels(labels.T, (2, 2)), labels.T)
    assert zoom_labels([[5]], (1, 3), rule="torch").tolist() == [[5, 5, 5]]


def test_wrong_arguments_are_refused():
    with pytest.raises(TypeError, match="integers"):
        count_labels(np.zeros(3), np.zeros(3, int))
    with pytest.raises(ValueError, match="32 bits"):
        count_labels(np.full(3, 2**40), np.zeros(3, int))
    with pytest.raises(ValueError, match="square"):
        parsing_scores(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="protocol"):
        parsing_scores(np.zeros((2, 2)), protocol="coco")
    with pytest.raises(ValueError, match=r"\(H, W\)"):
        zoom_labels(np.zeros(3, int))
