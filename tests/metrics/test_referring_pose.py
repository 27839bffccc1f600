import builtins
import contextlib
import io
import json
import math

import numpy as np
import pytest

from refpix import masks
from refpix.datasets import RefHuman
from refpix.errors import MissingExtraError, RecordError
from refpix.metrics import referring_pose
from refpix.metrics.coco_ap import KEYPOINT_STATS, MASK_STATS
from refpix.metrics.referring_pose import evaluate, mask_scores, pckh


@pytest.fixture
def dataset(data):
    return RefHuman(data / "refhuman", "val", cache="memory")


def predicted(dataset, seed=0, each=3, **more):
    """Several predictions for each example, near the truth; the last may score best."""
    rng = np.random.default_rng(seed)
    found = []
    for sample in dataset.records(range(len(dataset))):
        for j in range(each if len(sample) else 0):
            pose = sample.keypoints[0].copy()
            pose[:, :2] += rng.normal(0, 1 + 6 * j, (17, 2))
            shifted = np.roll(sample.masks()[0], int(rng.integers(0, 9)), axis=1)
            (rle,) = masks.to_coco(masks.encode(shifted[None]))
            found.append(
                {
                    "image_id": sample.image_id,
                    "category_id": 1,
                    "score": round(float(rng.random()), 2),
                    "keypoints": pose.reshape(-1).tolist(),
                    "segmentation": {**rle, "counts": rle["counts"].decode()},
                    **more,
                }
            )
    return found


# What the published program computes, step by step.


def pckh_by_hand(pairs):
    correct = total = 0
    for pred, gt in pairs:
        if gt[3, 2] < 1 or gt[4, 2] < 1:
            continue
        head = np.linalg.norm(gt[3, :2] - gt[4, :2])
        for j in range(17):
            if gt[j, 2] > 0:
                total += 1
                correct += np.linalg.norm(pred[j, :2] - gt[j, :2]) <= 0.5 * head
    return correct, total


def best(predictions, image_id):
    return sorted((p for p in predictions if p["image_id"] == image_id), key=lambda p: p["score"])[
        -1
    ]


def test_scores_against_the_published_loop(dataset):
    predictions = predicted(dataset)
    found = evaluate(dataset, predictions)
    assert list(found.prompts) == ["text"]
    scores = found.prompts["text"]
    examples = [s for s in dataset.records(range(len(dataset))) if len(s)]
    assert found.examples == len(examples) == 16
    assert found.without_person == [916, 937, 944]
    assert found.several_people == [986]
    assert scores.predictions == 48
    assert scores.several == [s.image_id for s in examples]
    assert scores.missing == []

    pairs, ious, shared, united = [], [], 0, 0
    for sample in examples:
        answer = best(predictions, sample.image_id)
        pairs.append((np.array(answer["keypoints"]).reshape(17, 3), sample.keypoints[0]))
        a, b = masks.decode([answer["segmentation"]])[0], sample.masks()[0]
        inter, union = int((a & b).sum()), int((a | b).sum())
        ious.append((np.float32(inter) + np.float32(1e-6)) / (np.float32(union) + np.float32(1e-6)))
        shared, united = shared + inter, united + union
    correct, total = pckh_by_hand(pairs)
    assert scores.pckh[:2] == (correct, total)
    assert scores.pckh.value == correct / total
    assert scores.pckh.skipped == sum((s.keypoints[0, 3:5, 2] < 1).any() for s in examples) > 0
    assert scores.masks.overall_iou == shared / united
    assert scores.masks.mean_iou == pytest.approx(np.mean([float(iou) for iou in ious]), abs=1e-12)
    for threshold, share in scores.masks.precision.items():
        assert share == np.mean([float(iou) > threshold for iou in ious])


def published_ap(folder, predictions, kind):
    """pycocotools alone, as the published evaluation calls it."""
    coco = pytest.importorskip("pycocotools.coco")
    cocoeval = pytest.importorskip("pycocotools.cocoeval")
    keep = {"keypoints": "keypoints", "segm": "segmentation"}[kind]
    given = [{k: p[k] for k in ("image_id", "category_id", "score", keep)} for p in predictions]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco.COCO(folder / "RefHuman_val.json")
        for annotation in truth.dataset["annotations"]:
            shape = annotation["segmentation"]
            if isinstance(shape, list) and any(len(polygon) == 4 for polygon in shape):
                # Boxes to pycocotools, which then fails; drawn as we draw it.
                height, width = (truth.imgs[annotation["image_id"]][k] for k in ("height", "width"))
                annotation["segmentation"] = masks.rasterize(shape, height, width)
        scored = cocoeval.COCOeval(truth, truth.loadRes(given), kind)
        if kind == "segm":
            scored.params.useCats = 0
        scored.evaluate()
        scored.accumulate()
        scored.summarize()
    return scored.stats.tolist()


def test_average_precision_against_pycocotools_alone(dataset, data):
    for seed in range(3):
        predictions = predicted(dataset, seed)
        scores = evaluate(dataset, predictions).prompts["text"]
        for kind, names, found in (
            ("keypoints", KEYPOINT_STATS, scores.keypoint_ap),
            ("segm", MASK_STATS, scores.mask_ap),
        ):
            wanted = published_ap(data / "refhuman", predictions, kind)
            assert list(found) == list(names)
            for value, reference in zip(found.values(), wanted, strict=True):
                assert value == reference or (math.isnan(value) and reference == -1)
            assert 0 < found["AP"] < 1


def test_masks_are_matched_whatever_their_category(dataset):
    """Also of a category that nobody in the file has."""
    pytest.importorskip("pycocotools")
    same = predicted(dataset)
    other = [{**p, "category_id": 2} for p in same]
    (one,), (two,) = (evaluate(dataset, p).prompts.values() for p in (same, other))
    assert one.mask_ap["AP"] > 0
    assert two.mask_ap == one.mask_ap
    assert two.keypoint_ap["AP"] == 0


def test_nothing_is_printed_and_the_dataset_is_left_alone(dataset, capsys):
    before = [s.areas.tolist() for s in dataset.records(range(len(dataset)))]
    evaluate(dataset, predicted(dataset))
    assert capsys.readouterr().out == ""
    assert [s.areas.tolist() for s in dataset.records(range(len(dataset)))] == before


def test_perfect_predictions(dataset):
    exact = []
    for sample in dataset.records(range(len(dataset))):
        for rle, pose in zip(sample.rles()[:1], sample.keypoints, strict=False):
            item = {"image_id": sample.image_id, "score": 1, "keypoints": pose.reshape(-1).tolist()}
            exact.append({**item, "segmentation": rle})
    scores = evaluate(dataset, exact).prompts["text"]
    assert scores.pckh.value == 1
    # A polygon of two points encloses nothing: an empty union counts as 1 with the paper's eps.
    assert scores.masks.overall_iou == scores.masks.mean_iou == 1
    assert set(scores.masks.precision.values()) == {1.0}
    standard = evaluate(dataset, exact, protocol="standard").prompts["text"]
    assert standard.masks.mean_iou == 15 / 16


def test_prompts(dataset, tmp_path):
    for seed, kind in enumerate(("text", "point", "scribble")):
        (tmp_path / f"{kind}.json").write_text(json.dumps(predicted(dataset, seed, 1)))
    found = evaluate(dataset, tmp_path, with_ap=False)
    assert list(found.prompts) == ["text", "point", "scribble"]
    for seed, scores in enumerate(found.prompts.values()):
        alone = evaluate(dataset, predicted(dataset, seed, 1), prompt=scores.prompt, with_ap=False)
        assert alone.prompts == {scores.prompt: scores}
        assert scores.keypoint_ap is scores.mask_ap is None


def test_missing_predictions_are_named_or_score_nothing(dataset):
    predictions = predicted(dataset, each=1)
    gone = [predictions.pop(3)["image_id"], predictions.pop(7)["image_id"]]
    with pytest.raises(RecordError, match=rf"2 of 16 examples .*: {gone[0]}, {gone[1]}$"):
        evaluate(dataset, predictions)
    whole = evaluate(dataset, predicted(dataset, each=1)).prompts["text"]
    scores = evaluate(dataset, predictions, missing="empty").prompts["text"]
    assert scores.missing == gone
    assert scores.pckh.keypoints == whole.pckh.keypoints
    assert scores.pckh.correct < whole.pckh.correct
    assert scores.masks.mean_iou < whole.masks.mean_iou
    with pytest.raises(ValueError, match="missing='skip'"):
        evaluate(dataset, predictions, missing="skip")


def test_many_missing_predictions_are_counted(dataset):
    with pytest.raises(RecordError, match=r"15 of 16 examples have no prediction: .*, \.\.\.$"):
        evaluate(dataset, predicted(dataset, each=1)[:1])


def test_no_predictions_for_any_prompt(dataset):
    assert evaluate(dataset, []).prompts == {}


def test_unknown_pictures_are_named(dataset):
    predictions = predicted(dataset, each=1)
    predictions[5]["image_id"] = 12345
    with pytest.raises(RecordError, match="prediction 5: image_id: there is no image 12345"):
        evaluate(dataset, predictions)


def test_only_poses_or_only_masks(dataset):
    predictions = predicted(dataset)
    poses = [{k: v for k, v in p.items() if k != "segmentation"} for p in predictions]
    shapes = [{k: v for k, v in p.items() if k != "keypoints"} for p in predictions]
    whole = evaluate(dataset, predictions).prompts["text"]
    found = evaluate(dataset, poses).prompts["text"]
    assert (found.pckh, found.keypoint_ap) == (whole.pckh, whole.keypoint_ap)
    assert found.masks is found.mask_ap is None
    found = evaluate(dataset, shapes).prompts["text"]
    assert (found.masks, found.mask_ap) == (whole.masks, whole.mask_ap)
    assert found.pckh is found.keypoint_ap is None


def test_without_pycocotools(dataset, monkeypatch):
    real = builtins.__import__

    def absent(name, *args, **kwargs):
        if name.startswith("pycocotools"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", absent)
    predictions = predicted(dataset, each=1)
    with pytest.raises(MissingExtraError, match=r"refpix\[coco\]"):
        evaluate(dataset, predictions)
    assert evaluate(dataset, predictions, with_ap=False).prompts["text"].pckh is not None


def person(points=None, flags=None):
    pose = np.zeros((17, 3))
    pose[:, :2] = np.arange(34).reshape(17, 2) * 3 if points is None else points
    pose[:, 2] = 2 if flags is None else flags
    return pose


def test_pckh_reaches_half_an_ear_to_ear_length_and_no_further():
    gt = person()
    gt[3, :2], gt[4, :2] = (100, 100), (100, 108)
    near, far = gt.copy(), gt.copy()
    near[0, 0] += 4
    far[0, 0] += 4.001
    assert pckh([near], [gt]) == (17, 17, 0)
    assert pckh([far], [gt]) == (16, 17, 0)
    assert pckh([far[:, :2]], [gt], threshold=0.6) == (17, 17, 0)
    assert pckh([far], [gt], protocol="standard") == (16, 17, 0)


def test_pckh_counts_labelled_points_of_people_with_both_ears():
    flags = np.full(17, 2)
    flags[[0, 9]] = 0
    half = flags.copy()
    half[4] = 0
    found = pckh([person()] * 2, [person(flags=flags), person(flags=half)])
    assert found == (15, 15, 1)
    assert math.isnan(pckh([person()], [person(flags=half)]).value)


def test_pckh_of_ears_in_one_place():
    gt = person()
    gt[4, :2] = gt[3, :2]
    pred = gt.copy()
    pred[0, 0] += 0.1
    assert pckh([pred], [gt]) == (16, 17, 0)


def test_pckh_of_nobody():
    assert pckh(np.empty((0, 17, 3)), np.empty((0, 17, 3))) == (0, 0, 0)


@pytest.mark.parametrize(
    ("pred", "gt"), [((1, 17, 3), (1, 16, 3)), ((2, 17, 3), (1, 17, 3)), ((1, 17), (1, 17, 3))]
)
def test_pckh_of_wrong_shapes(pred, gt):
    with pytest.raises(ValueError, match="expected shape"):
        pckh(np.zeros(pred), np.zeros(gt))


def test_thresholds_are_strict_and_the_papers_are_of_float32():
    # intersection, area of the prediction, area of the truth: 3/5, 7/10, 4/5, 9/10
    overlaps = [(3, 3, 5), (7, 7, 10), (4, 4, 5), (9, 9, 10)]
    standard = mask_scores(overlaps, protocol="standard")
    assert standard.precision == {0.5: 1.0, 0.6: 0.75, 0.7: 0.5, 0.8: 0.25, 0.9: 0.0}
    paper = mask_scores([(3_000_000, 3_000_000, 5_000_000)])
    assert paper.precision[0.6] == 1.0  # 0.6 in float32 is above 0.6
    assert paper.overall_iou == 0.6


def test_mask_scores():
    scores = mask_scores([(0, 4, 4), (10, 10, 10), (0, 0, 0)])
    assert scores.overall_iou == 10 / 18
    assert scores.mean_iou == pytest.approx(2 / 3, abs=1e-6)  # both empty: eps / eps
    standard = mask_scores([(0, 4, 4), (10, 10, 10), (0, 0, 0)], protocol="standard")
    assert standard.mean_iou == pytest.approx(1 / 3)
    assert math.isnan(mask_scores([]).mean_iou)
    assert math.isnan(mask_scores([(0, 0, 0)]).overall_iou)
    with pytest.raises(ValueError, match="protocol"):
        mask_scores([], protocol="coco")


def test_names():
    assert all(hasattr(referring_pose, name) for name in referring_pose.__all__)


def test_points_anywhere(dataset):
    predictions = predicted(dataset, each=1)
    for place, far in enumerate((1e308, -1e308, 1e30)):
        predictions[place]["keypoints"] = [far, -far, 1] * 17
    scores = evaluate(dataset, predictions).prompts["text"]
    assert 0 < scores.pckh.value < 1
    assert 0 < scores.keypoint_ap["AP"] < 1
