"""Long-tailed scores against the published steps, and against plain definitions."""

import itertools
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refpix.metrics import LongTailAccuracy
from refpix.metrics.long_tail_predictions import evaluate, match_predictions


def published_precision(prediction, label, num_class, mask=None):
    """The published steps, line for line in NumPy, in float32."""
    pred_count = np.array([(prediction == i).sum() for i in range(num_class)], np.float32)
    precision = (prediction == label).astype(np.float32) / pred_count[prediction]
    if mask is not None:
        return precision[mask].sum() / len(set(label[mask].tolist()))
    return precision.sum() / len(set(label.tolist()))


def published_recall(prediction, label, mask=None):
    right = (prediction == label).astype(np.float32)
    return right.mean() if mask is None else right[mask].mean()


def published(prediction, label, frequency, attribute, num_class):
    """Accuracy and precision of all groups, as the published test prints them."""
    found = {
        "all": (
            published_recall(prediction, label),
            published_precision(prediction, label, num_class),
        )
    }
    for group in sorted(set(frequency.tolist())):
        mask = frequency == group
        found[("many", "medium", "few")[group]] = (
            published_recall(prediction, label, mask),
            published_precision(prediction, label, num_class, mask),
        )
    for group in sorted(set(attribute.tolist())):
        mask = attribute == group  # these are cut out first, so that counts are the group's
        found[f"attribute {group}"] = (
            published_recall(prediction[mask], label[mask]),
            published_precision(prediction[mask], label[mask], num_class),
        )
    return found


def macro(prediction, label, classes):
    """Recall, precision and F1 as means over classes, each from its definition."""
    rows = []
    for c in classes:
        hits = int(((prediction == c) & (label == c)).sum())
        true, pred = int((label == c).sum()), int((prediction == c).sum())
        recall, precision = hits / true if true else 0.0, hits / pred if pred else 0.0
        both = recall + precision
        rows.append((recall, precision, 2 * recall * precision / both if both else 0.0))
    return np.mean(rows, axis=0)


def drawn(seed, n=300, num_class=29):
    """A test set whose classes are grouped as MSCOCO-GLT's; some are never predicted."""
    rng = np.random.default_rng(seed)
    label = np.minimum(rng.geometric(0.12, n) - 1, num_class - 1)
    frequency = np.where(label <= 10, 0, np.where(label <= 22, 1, 2))
    other = rng.integers(0, num_class - 3, n)
    prediction = np.where(rng.random(n) < 0.6, label, other)
    prediction[prediction == 4] = 5  # class 4 occurs and is never predicted
    return prediction, label, frequency, rng.integers(0, 3, n)


@pytest.mark.parametrize("seed", range(6))
def test_paper(seed):
    prediction, label, frequency, attribute = drawn(seed)
    scores = LongTailAccuracy(29)
    scores.update(prediction, label, frequency, attribute)
    found = scores.compute().groups()
    want = published(prediction, label, frequency, attribute, 29)
    assert list(found) == list(want)
    for name, (recall, precision) in want.items():
        assert found[name].accuracy == pytest.approx(recall, rel=1e-6)
        assert found[name].precision == pytest.approx(precision, rel=1e-6)
    recall, precision = want["all"]
    assert found["all"].f1 == pytest.approx(2 * recall * precision / (recall + precision), rel=1e-6)


def test_paper_quirks():
    """What only the published steps do, on numbers that can be checked by hand."""
    label, frequency = np.array([0, 0, 1, 1]), np.array([0, 0, 2, 2])
    prediction = np.array([0, 2, 0, 1])  # class 2 does not occur
    scores = LongTailAccuracy(3)
    scores.update(prediction, label, frequency)
    found = scores.compute()
    assert found.all.precision == (1 / 2 + 1) / 2  # over the two that occur
    assert found.frequencies["many"].precision == 1 / 2  # the wrong 0 is no sample of "many"
    assert found.frequencies["few"].precision == 1
    assert set(found.frequencies) == {"many", "few"}
    assert found.attributes == {}
    standard = LongTailAccuracy(3, protocol="standard")
    standard.update(prediction, label, frequency)
    assert standard.compute().all.precision == (1 / 2 + 1 + 0) / 3
    assert standard.compute().all.classes == 3


def test_all_wrong_and_nothing():
    scores = LongTailAccuracy(2)
    assert math.isnan(scores.compute().all.accuracy)
    assert scores.compute().to_dict()["all"]["precision"] is None
    scores.update([1, 0], [0, 1], [0, 0])
    assert scores.compute().all.f1 == 0  # published: division by zero
    scores.update([], [], [])
    assert scores.compute().all.samples == 2


@pytest.mark.parametrize("seed", range(4))
def test_standard(seed):
    prediction, label, frequency, attribute = drawn(seed)
    scores = LongTailAccuracy(29, protocol="standard")
    scores.update(prediction, label, frequency, attribute)
    found = scores.compute()
    occurs = sorted(set(label.tolist()) | set(prediction.tolist()))
    want = macro(prediction, label, occurs)
    assert [found.all.recall, found.all.precision, found.all.f1] == pytest.approx(want)
    for i, name in enumerate(found.frequencies):
        group = found.frequencies[name]
        want = macro(prediction, label, sorted(set(label[frequency == i].tolist())))
        assert [group.recall, group.precision, group.f1] == pytest.approx(want)
    for i, group in found.attributes.items():
        p, y = prediction[attribute == i], label[attribute == i]
        want = macro(p, y, sorted(set(p.tolist()) | set(y.tolist())))
        assert [group.recall, group.precision, group.f1] == pytest.approx(want)
        assert group.accuracy == pytest.approx((p == y).mean())


@given(st.lists(st.integers(0, 299), max_size=5), st.sampled_from(["paper", "standard"]))
def test_batches_and_merging_do_not_matter(cuts, protocol):
    arrays = drawn(3)
    whole = LongTailAccuracy(29, protocol=protocol)
    whole.update(*arrays)
    parts = [LongTailAccuracy(29, protocol=protocol) for _ in range(2)]
    edges = [0, *sorted(cuts), 300]
    for i, (start, stop) in enumerate(itertools.pairwise(edges)):
        parts[i % 2].update(*(a[start:stop] for a in arrays))
    parts[0].merge(parts[1])
    assert parts[0].compute() == whole.compute()


def test_scores_of_classes():
    scores = LongTailAccuracy(3)
    scores.update([[0.1, 0.9, 0.9], [2, 1, 0]], [1, 0], [0, 0])
    assert scores.compute().all.accuracy == 1  # of equal scores the first


def test_tensors():
    torch = pytest.importorskip("torch")
    scores = LongTailAccuracy(3)
    scores.update(torch.eye(3), torch.arange(3), torch.zeros(3, dtype=torch.int64))
    assert scores.compute().all.accuracy == 1


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (([0, 3], [0, 0], [0, 0]), ValueError, "predictions: sample 1: expected 0 to 2, got 3"),
        (([0], [-1], [0]), ValueError, "labels: sample 0: expected 0 to 2, got -1"),
        (([0], [0], [3]), ValueError, "frequencies: sample 0: expected 0 to 2"),
        (([0], [0], [0], [3]), ValueError, "attributes: sample 0"),
        (([0.5], [0], [0]), TypeError, "predictions: expected integers, got float64"),
        (([0, 1], [0], [0]), ValueError, r"labels: expected shape \(2,\), got \(1,\)"),
        (([[0.5, 0.5]], [0], [0]), ValueError, "expected 3 scores each, got 2"),
        (([[0, 1, float("nan")]], [0], [0]), ValueError, "sample 0: a score is NaN"),
    ],
)
def test_bad_arguments(arguments, error, words):
    scores = LongTailAccuracy(3)
    with pytest.raises(error, match=words):
        scores.update(*arguments)
    assert scores.truth.sum() == 0


def test_bad_construction_and_merge():
    with pytest.raises(ValueError, match="protocol"):
        LongTailAccuracy(3, protocol="other")
    with pytest.raises(ValueError, match="groups"):
        LongTailAccuracy(0)
    with pytest.raises(ValueError, match="merge"):
        LongTailAccuracy(3).merge(LongTailAccuracy(4))


EXAMPLES = SimpleNamespace(
    keys=["11", "7", "9"],
    labels=np.array([0, 1, 2]),
    frequencies=np.array([0, 1, 2]),
    attributes=np.array([2, 1, 0]),
    classes=["person", "dining table", "zebra"],
)


@pytest.mark.parametrize(
    "predictions",
    [
        [0, 1, 0],
        ["person", "dining table", "person"],
        {7: 1, 9: "person", 11: [0.9, 0.1, 0]},
        {"7": 1, "9": 0, "11": 0},
        [[1, 0, 0], [0, 1, 0], [0.4, 0.3, 0.3]],
    ],
)
def test_predictions_in_many_forms(tmp_path, predictions):
    assert match_predictions(EXAMPLES.keys, predictions, EXAMPLES.classes).tolist() == [0, 1, 0]
    path = tmp_path / "predictions.json"
    path.write_text(json.dumps(predictions))
    assert evaluate(EXAMPLES, path).all.accuracy == pytest.approx(2 / 3)


def test_predictions_as_npy(tmp_path):
    for values in (np.array([0, 1, 0], np.uint8), np.eye(3, dtype=np.float16)[[0, 1, 0]]):
        np.save(tmp_path / "p.npy", values)
        assert evaluate(EXAMPLES, tmp_path / "p.npy").all.accuracy == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("predictions", "words"),
    [
        ([0, 1], "expected 3 predictions, got 2"),
        ([0, 1, 3], "object '9': expected a class from 0 to 2, got 3"),
        ([0, 1, "horse"], "object '9': no class is called 'horse'"),
        ([0, 1, None], "object '9': expected a class, its name or scores, got None"),
        ([0, 1, True], "object '9': expected a class"),
        ([0, 1, [1, 2]], "object '9': predictions: expected 3 scores each, got 2"),
        ([0, 1, 1.5], "object '9': expected a class"),
        ({"11": 0}, "no prediction for '7', '9'"),
        ({"11": 0, "7": 0, "9": 0, "8": 0}, "not scored: '8'"),
        ("no", "expected an object or a list, got 'no'"),
    ],
)
def test_bad_predictions(tmp_path, predictions, words):
    path = tmp_path / "predictions.json"
    path.write_text(json.dumps(predictions))
    with pytest.raises(ValueError, match=words) as caught:
        evaluate(EXAMPLES, path)
    assert str(caught.value).startswith(str(path))


def test_an_object_that_is_predicted_twice(tmp_path):
    path = tmp_path / "p.json"
    path.write_text('{"11": 0, "7": 1, "9": 0, "11": 2}')
    with pytest.raises(ValueError, match=r"p\.json: the key '11' stands twice"):
        evaluate(EXAMPLES, path)
    with pytest.raises(ValueError, match="the key '11' stands twice"):
        evaluate(EXAMPLES, {"11": 0, "7": 1, "9": 0, 11: 2})


def test_bad_files(tmp_path):
    path = tmp_path / "p.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00")
    with pytest.raises(ValueError, match=r"p\.npy"):
        evaluate(EXAMPLES, path)
    np.save(path, np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"p\.npy: expected 3 predictions, got 2"):
        evaluate(EXAMPLES, path)
    np.save(path, np.array([0, 9, 0]))
    with pytest.raises(ValueError, match=r"p\.npy: predictions: sample 1"):
        evaluate(EXAMPLES, path)
    path = tmp_path / "p.json"
    path.write_text("{")
    with pytest.raises(ValueError, match=r"p\.json: neither \.npy nor JSON"):
        evaluate(EXAMPLES, path)
    with pytest.raises(FileNotFoundError):
        evaluate(EXAMPLES, tmp_path / "none.json")
