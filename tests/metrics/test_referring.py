import json
import math
import re
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from refpix import masks
from refpix.datasets import RefCocoM
from refpix.errors import RleError
from refpix.metrics.referring import THRESHOLDS, ReferringAccuracy, evaluate, mask_overlap


@pytest.fixture(scope="module")
def dataset(data):
    pytest.importorskip("pyarrow")
    return RefCocoM(data / "refcocom" / "validation.parquet")


@pytest.fixture
def entries(data):
    return json.loads((data / "refcocom" / "predictions.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def expected(data):
    content = json.loads((data / "refcocom" / "expected.json").read_text("utf-8"))
    return [(e["intersection"], e["union"]) for e in content["examples"]]


def overlaps(scores):
    return list(zip(scores.intersection.tolist(), scores.union.tolist(), strict=True))


def example(sample, sentence, mask):
    (rle,) = masks.to_coco(masks.encode(np.asarray(mask, np.uint8)))
    return SimpleNamespace(key=(sample, sentence), rle=rle)


def decoded(entries):
    return [masks.decode([entry["mask"]])[0] for entry in entries]


def check(scores, pairs):
    """All scores from intersections and unions, one example at a time."""
    ious = {0.0: [], 1.0: [], "skip": []}
    for intersection, union in pairs:
        for rule, values in ious.items():
            if union or rule != "skip":
                values.append(intersection / union if union else rule)
    for rule, values in ious.items():
        name = rule if rule == "skip" else str(int(rule))
        assert scores.miou_by_rule[name] == pytest.approx(
            math.fsum(values) / len(values), abs=1e-14
        )
    chosen = ious[scores.empty_union]
    assert scores.miou == pytest.approx(math.fsum(chosen) / len(chosen), abs=1e-14)
    for threshold in THRESHOLDS:
        above = sum(iou > threshold for iou in chosen) / len(chosen)
        least = sum(iou >= threshold for iou in chosen) / len(chosen)
        assert scores.precision[threshold] == pytest.approx(above, abs=1e-14)
        assert scores.precision_at_least[threshold] == pytest.approx(least, abs=1e-14)
    total = sum(i for i, _ in pairs) / sum(u for _, u in pairs)
    assert scores.ciou == pytest.approx(total, abs=1e-15)
    assert overlaps(scores) == pairs
    assert scores.empty_unions == sum(union == 0 for _, union in pairs)
    assert scores.examples == len(pairs)


@pytest.mark.parametrize("rule", [0, 1, "skip"])
def test_scores(dataset, entries, expected, rule):
    scores = evaluate(dataset, entries, empty_union=rule)
    check(scores, expected)
    assert scores.empty_unions == 1
    assert scores.missing == 0
    assert bool(np.isnan(scores.iou[0])) == (rule == "skip")
    assert (630, 1050) in expected  # an IoU of exactly 0.6 is not above 0.6
    assert scores.precision_at_least[0.6] > scores.precision[0.6]


@pytest.mark.parametrize("name", ["validation.parquet", "variant_binary_counts.parquet"])
def test_golden(golden, name):
    folder = golden / "refcocom"
    pytest.importorskip("pyarrow")
    expected = json.loads((folder / "expected" / "refcocom.json").read_text("utf-8"))
    scores = evaluate(RefCocoM(folder / name), folder / "predictions.json")
    check(scores, [(e["intersection"], e["union"]) for e in expected["examples"]])
    summary = expected["summary"]
    assert scores.miou_by_rule == pytest.approx(
        {
            "0": summary["miou_empty_union_0"],
            "1": summary["miou_empty_union_1"],
            "skip": summary["miou_skip_empty_union"],
        },
        abs=1e-12,
    )
    assert scores.ciou == pytest.approx(summary["cumulative_iou"], abs=1e-12)


def test_every_form_of_predictions(dataset, entries, expected, data, tmp_path):
    arrays = decoded(entries)
    rles = [entry["mask"] for entry in entries]
    keys = [(entry["sample_id"], entry["sentence_index"]) for entry in entries]
    folder = tmp_path / "pngs"
    folder.mkdir()
    (folder / ".DS_Store").write_bytes(b"")
    for (sample, sentence), array in zip(keys, arrays, strict=True):
        Image.fromarray(array * np.uint8(255)).save(folder / f"{sample}_{sentence}.png")
    by_name = [
        {"sample_id": s, "sentence_index": k, "segmentation": r, "score": 0.5}
        for (s, k), r in zip(keys, rles, strict=True)
    ]
    forms = {
        "file": data / "refcocom" / "predictions.json",
        "name of a file": str(data / "refcocom" / "predictions.json"),
        "entries": entries,
        "entries in another order": by_name[::-1],
        "numbers": [{"example": i, "segmentation": r} for i, r in enumerate(rles)],
        "folder": folder,
        "mapping": dict(zip(keys, rles, strict=True)),
        "mapping of arrays": dict(zip(keys, arrays, strict=True)),
        "run lengths": rles,
        "columns": masks.from_coco(rles),
        "arrays": arrays,
        "bool arrays": [array > 0 for array in arrays],
        "transposed in memory": [np.asfortranarray(array) for array in arrays],
        "generator": (array for array in arrays),
        "mixed": [a if i % 2 else r for i, (a, r) in enumerate(zip(arrays, rles, strict=True))],
    }
    for name, predictions in forms.items():
        assert overlaps(evaluate(dataset, predictions)) == expected, name
    assert overlaps(evaluate(iter(dataset.examples), entries, num_threads=2)) == expected


def test_stacked_arrays():
    truth = np.zeros((5, 4, 6), np.uint8)
    truth[:, 1:3] = 1
    examples = [example(i, 0, mask) for i, mask in enumerate(truth)]
    shifted = np.roll(truth, 1, axis=1)
    assert overlaps(evaluate(examples, shifted)) == [(6, 18)] * 5
    assert evaluate(examples, truth).precision == dict.fromkeys(THRESHOLDS, 1.0)


def test_one_prediction_for_all_sentences(dataset, tmp_path):
    truths = {example.key[0]: example for example in dataset.examples}
    for sample, one in truths.items():
        Image.fromarray(one.mask * np.uint8(255)).save(tmp_path / f"{sample}.png")
    forms = (
        [{"sample_id": s, "segmentation": one.rle} for s, one in truths.items()],
        {s: one.mask for s, one in truths.items()},
        tmp_path,
    )
    for predictions in forms:
        scores = evaluate(dataset, predictions, empty_union="skip")
        assert (scores.miou, scores.ciou, scores.examples) == (1, 1, 13)


def test_chunks_do_not_show():
    rng = np.random.default_rng(0)
    truths = rng.random((100, 9, 7)) < 0.5
    examples = []
    for i, mask in enumerate(truths):
        first = example(i, 0, mask)
        examples += [first, *(SimpleNamespace(key=(i, k), rle=first.rle) for k in range(1, 7))]
    guesses = rng.random((700, 9, 7)) < 0.5
    scores = evaluate(examples, guesses)
    repeated = np.repeat(truths, 7, axis=0)
    both = (guesses & repeated).sum(axis=(1, 2)).tolist()
    either = (guesses | repeated).sum(axis=(1, 2)).tolist()
    check(scores, list(zip(both, either, strict=True)))


def test_missing_predictions(dataset, entries, tmp_path):
    with pytest.raises(ValueError, match="no prediction for sample 5006, sentence 1 and 1 more"):
        evaluate(dataset, [*entries[:1], *entries[3:]])
    scores = evaluate(dataset, [*entries[:1], *entries[3:]], missing="empty")
    assert (scores.missing, scores.examples) == (2, 13)
    assert overlaps(scores)[1:3] == [(0, 0), (0, 0)]  # the sample is empty
    scores = evaluate(dataset, entries[:-1], missing="empty")
    assert (scores.missing, overlaps(scores)[-1]) == (1, (0, 840))
    path = tmp_path / "short.json"
    path.write_text(json.dumps(entries[:-1]))
    with pytest.raises(
        ValueError, match=r"short\.json: no prediction for sample 5013, sentence 2$"
    ):
        evaluate(dataset, path)
    arrays = decoded(entries)
    with pytest.raises(ValueError, match="5 predictions: none for sample 5008, sentence 1"):
        evaluate(dataset, arrays[:5])
    with pytest.raises(ValueError, match="no prediction for sample 5007, sentence 0: None"):
        evaluate(dataset, [*arrays[:3], None, *arrays[4:]])
    assert evaluate(dataset, [*arrays[:3], None, *arrays[4:]], missing="empty").missing == 1
    with pytest.raises(ValueError, match="missing='ignore'"):
        evaluate(dataset, arrays, missing="ignore")
    (tmp_path / "none").mkdir()
    with pytest.raises(ValueError, match=r"none: no prediction for sample 5006, .* and 12 more"):
        evaluate(dataset, tmp_path / "none")


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"sample_id": 5006, "sentence_index": 0}, "second prediction for sample 5006, sentence 0"),
        ({"sample_id": 5010}, "second prediction for sample 5010, sentence 0, after entry 7"),
        ({"example": 4}, "second prediction for sample 5008, sentence 0, after entry 4"),
        ({"sample_id": 1}, "there is no sample 1"),
        ({"sample_id": "5006"}, "there is no sample '5006'"),
        ({"sample_id": 5007, "sentence_index": 1}, "sample 5007 has no sentence 1, but 1"),
        ({"sample_id": 5007, "sentence_index": True}, "sample 5007 has no sentence True"),
        ({"example": 13}, "there is no example 13, only 13"),
        ({"example": -1}, "there is no example -1"),
        ({"example": 1, "sample_id": 5008}, "example 1 is sample 5006, sentence 1"),
        ({"image_id": 580002}, "names neither 'sample_id'"),
        ("text", "expected an object, got str"),
    ],
)
def test_double_and_unknown_predictions(dataset, entries, entry, reason, tmp_path):
    if isinstance(entry, dict):
        entry = {**entry, "mask": entries[0]["mask"]}
    path = tmp_path / "p.json"
    path.write_text(json.dumps([*entries, entry]))
    with pytest.raises(ValueError, match=f"entry 13: {reason}"):
        evaluate(dataset, [*entries, entry])
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}: entry 13: {reason}"):
        evaluate(dataset, path, missing="empty")


def test_masks_at_fault(dataset, entries):
    def with_mask(**mask):
        return [{**e, "mask": {**e["mask"], **mask}} if e["example"] == 5 else e for e in entries]

    name = "sample 5008, sentence 1: "
    for mask, reason in (
        ({"size": [201, 133]}, "the prediction is 201 x 133 .*, the ground truth 133 x 201"),
        ({"size": [133, 202]}, "the prediction is 133 x 202 "),
        ({"counts": ""}, "prediction: "),
        ({"counts": "f\x7f~j"}, "prediction: "),
        ({"counts": [5]}, "prediction: "),
        ({"counts": [-5, 133 * 201 + 5]}, "prediction: "),
        ({"counts": 5}, "prediction: "),
        ({"counts": None}, "prediction: "),
        ({"size": None}, "prediction: "),
        ({"size": [133]}, "prediction: "),
    ):
        if mask == {"size": [201, 133]}:
            mask["counts"] = [133 * 201]
        with pytest.raises(ValueError, match=name + reason):
            evaluate(dataset, with_mask(**mask))
    missing = [{**e, "mask": None} if e["example"] == 5 else e for e in entries]
    with pytest.raises(ValueError, match="entry 5: sample 5008, sentence 1: 'segmentation' must"):
        evaluate(dataset, missing)


def test_arrays_at_fault(dataset, entries, tmp_path):
    arrays = decoded(entries)

    def with_array(array):
        return [*arrays[:5], array, *arrays[6:]]

    name = "sample 5008, sentence 1: "
    for array, reason in (
        (arrays[5].T, "the prediction is 201 x 133 .*, the ground truth 133 x 201"),
        (arrays[5] * 0.7, "prediction: expected a mask of bool or integers"),
        (np.arange(133 * 201).reshape(133, 201), "prediction: a mask has 0 and at most one other"),
        (arrays[5][np.newaxis], "prediction: expected a mask"),
    ):
        with pytest.raises(ValueError, match=name + reason):
            evaluate(dataset, with_array(array))
    with pytest.raises(ValueError, match="more predictions than the 13 examples"):
        evaluate(dataset, [*arrays, arrays[0]])
    with pytest.raises(TypeError, match="predictions: int"):
        evaluate(dataset, 5)
    for key in ((5006, 9), 17, "5006_0"):
        with pytest.raises(ValueError, match=r"there is no sample|has no sentence"):
            evaluate(dataset, {key: arrays[0]})


def test_folders_at_fault(dataset, entries, tmp_path):
    for entry, array in zip(entries, decoded(entries), strict=True):
        name = f"{entry['sample_id']}_{entry['sentence_index']}.png"
        Image.fromarray(array).save(tmp_path / name)
    assert evaluate(dataset, tmp_path).examples == 13
    picture = tmp_path / "5008_1.png"
    kept = picture.read_bytes()
    for content, reason in (
        (Image.new("RGB", (201, 133)), "this has mode RGB"),
        (Image.new("L", (202, 133)), "the prediction is 133 x 202"),
        (Image.linear_gradient("L").resize((201, 133)), "at most one other value"),
    ):
        content.save(picture)
        with pytest.raises(ValueError, match=f"sample 5008, sentence 1: .*{reason}"):
            evaluate(dataset, tmp_path)
    picture.write_bytes(kept[:50])
    with pytest.raises(ValueError, match=r"sample 5008, sentence 1: .*5008_1\.png"):
        evaluate(dataset, tmp_path)
    picture.write_bytes(kept)
    for name, reason in (
        ("5006.png", "second prediction for sample 5006, sentence 0, after 5006.png"),
        ("5006_00.png", "second prediction for sample 5006, sentence 0"),
        ("5006_7.png", "sample 5006 has no sentence 7, but 3"),
        ("99_0.png", "there is no sample 99"),
        ("5006_0.jpg", "expected <sample_id>_<sentence_index>.png"),
        ("readme.txt", "expected <sample_id>_<sentence_index>.png"),
    ):
        (tmp_path / name).write_bytes(kept)
        with pytest.raises(ValueError, match=reason):
            evaluate(dataset, tmp_path)
        (tmp_path / name).unlink()


def test_files_that_are_no_predictions(dataset, tmp_path):
    path = tmp_path / "p.json"
    for content, reason in (
        (b"", "no JSON"),
        (b"[{", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"{}", "expected a list of predictions, got dict"),
        (b"[" * 100_000, "no JSON"),
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=rf"p\.json: {reason}"):
            evaluate(dataset, path)
    with pytest.raises(FileNotFoundError):
        evaluate(dataset, tmp_path / "none.json")


def test_ground_truth_at_fault():
    good = example(1, 0, np.ones((3, 4)))
    bad = SimpleNamespace(key=(2, 0), rle={"counts": [5], "size": [3, 4]})
    with pytest.raises(ValueError, match="sample 2, sentence 0: ground truth: "):
        evaluate([good, bad], np.ones((2, 3, 4), np.uint8))
    with pytest.raises(ValueError, match="sample 1, sentence 0: two examples have this name"):
        evaluate([good, good], {})


def test_gathered_in_batches(entries, expected, dataset):
    pred = [entry["mask"] for entry in entries]
    gt = [one.rle for one in dataset.examples]
    whole, first, second = (ReferringAccuracy(empty_union=1) for _ in range(3))
    whole.update(pred, gt)
    first.update(pred[:5], gt[:5], num_threads=2)
    second.update(masks.from_coco(pred[5:]), gt[5:])
    first.merge(second)
    assert first.compute().to_dict() == whole.compute().to_dict()
    check(whole.compute(), expected)
    with pytest.raises(ValueError, match="rules"):
        first.merge(ReferringAccuracy())
    with pytest.raises(ValueError, match=r"empty_union=0\.5"):
        ReferringAccuracy(empty_union=0.5)


def test_overlap_of_masks():
    (a, b) = masks.to_coco(masks.encode(np.array([[[0, 1, 1]], [[1, 1, 0]]], np.uint8)))
    assert mask_overlap([a, b, a], [b, b, a]).tolist() == [[1, 3], [2, 2], [2, 2]]
    with pytest.raises(ValueError, match="1 and 2 masks"):
        mask_overlap([a], [a, b])
    with pytest.raises(RleError):
        mask_overlap([a], [{"counts": [3], "size": [3, 1]}])
    with pytest.raises(RleError):
        mask_overlap([{"counts": [2], "size": [1, 3]}], [a])


def test_nothing_at_all():
    scores = evaluate([], [])
    assert scores.examples == 0
    assert math.isnan(scores.miou)
    assert json.dumps(scores.to_dict()).count("null") == 2 + 5 + 5 + 3
    empty = example(1, 0, np.zeros((2, 2)))
    scores = evaluate([empty], [np.zeros((2, 2), bool)])
    assert scores.miou_by_rule["1"] == 1
    assert math.isnan(scores.ciou)


def test_numbers_do_not_wrap():
    size = [60000, 70000]  # 4.2e9 pixels: run lengths of this size are 32 bits at most
    full = {"counts": [0, 60000 * 70000], "size": size}
    examples = [SimpleNamespace(key=(i, 0), rle=full) for i in range(3)]
    half = {"counts": [0, 30000 * 70000, 30000 * 70000], "size": size}
    scores = evaluate(examples, [half, half, full])
    assert overlaps(scores)[0] == (2_100_000_000, 4_200_000_000)
    assert scores.ciou == pytest.approx(2 / 3)
    assert scores.precision[0.5] == pytest.approx(1 / 3)
