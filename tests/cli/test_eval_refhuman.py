import json

import pytest
from tests.datasets.refhuman_files import write
from typer.testing import CliRunner

from refpix import masks
from refpix.cli import app
from refpix.datasets import RefHuman


def run(*arguments):
    return CliRunner().invoke(app, ["eval", "refhuman", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path):
    write(tmp_path)
    return tmp_path


def answers(folder, **changed):
    """Predictions as they are in truth, but for ``changed``."""
    found = []
    for sample in RefHuman(folder, cache="memory").records([0, 1]):
        (rle,) = sample.rles()
        pose = sample.keypoints[0].reshape(-1).tolist()
        counts = masks.to_coco(masks.from_coco([rle]))[0]["counts"].decode()
        segmentation = {"size": list(sample.size), "counts": counts}
        found.append(
            {
                "image_id": sample.image_id,
                "category_id": 1,
                "score": 0.5,
                "keypoints": pose,
                "segmentation": segmentation,
                **changed,
            }
        )
    return found


def saved(folder, predictions, name="predictions.json"):
    path = folder / name
    path.write_text(json.dumps(predictions))
    return path


def test_table_and_json(folder):
    result = run(folder, saved(folder, answers(folder)), "--json", folder / "scores.json")
    assert result.exit_code == 0, result.output
    rows = {line[:16].strip(): line[16:].split() for line in result.stdout.splitlines()}
    assert rows[""] == ["text"]
    for name in ("pose AP", "PCKh@0.5", "mask AP", "oIoU", "mIoU", "P@0.5", "P@0.9"):
        assert rows[name] == ["100.00"], name
    assert rows["mask APl"] == ["-"]
    assert "2 examples" in result.stdout
    assert "1 people without both ears skipped" in result.stdout
    scores = json.loads((folder / "scores.json").read_text())
    assert scores["examples"] == 2
    assert scores["protocol"] == "paper"
    text = scores["prompts"]["text"]
    assert text["pckh"] == {"correct": 17, "keypoints": 17, "skipped": 1, "value": 1.0}
    assert text["mask_ap"]["AP"] == pytest.approx(1)
    assert text["mask_ap"]["APl"] is None
    assert text["precision"]["0.9"] == 1
    assert text["miou"] == 1


def test_a_folder_of_prompts(folder):
    predictions = folder / "predictions"
    predictions.mkdir()
    saved(predictions, answers(folder), "point.json")
    saved(predictions, answers(folder, score=1), "scribble.json")
    result = run(folder, predictions, "--no-ap")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["point", "scribble"]
    assert not any("AP" in line.split() for line in lines)
    assert any(line.split() == ["oIoU", "100.00", "100.00"] for line in lines)


def one_line(result, *words):
    assert result.exit_code == 2
    assert result.stderr.startswith("refpix: ")
    assert result.stderr.count("\n") == 1
    for word in words:
        assert word in result.stderr


def test_missing_predictions(folder):
    path = saved(folder, answers(folder)[:1])
    one_line(run(folder, path), "1 of 2 examples have no prediction: 7")
    result = run(folder, path, "--missing-as-empty", "--no-ap")
    assert result.exit_code == 0
    assert "text: without prediction: 7" in result.stdout


def test_several_predictions_are_counted(folder):
    result = run(folder, saved(folder, answers(folder) * 2), "--no-ap")
    assert "text: 2 pictures with several predictions, best taken" in result.stdout


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"image_id": 99}, "prediction 0: image_id: there is no image 99"),
        ({"keypoints": [1, 2]}, "prediction 0: keypoints: expected 51 numbers, got 2 values"),
        ({"score": float("nan")}, "prediction 0: score: not finite"),
        ({"segmentation": {"size": [1, 1], "counts": [1]}}, "prediction 0: segmentation: size"),
    ],
)
def test_malformed_predictions(folder, changed, reason):
    path = saved(folder, answers(folder, **changed))
    one_line(run(folder, path), str(path), reason)


def test_malformed_data(folder):
    path = saved(folder, answers(folder))

    def edit(content):
        content["annotations"][0]["area"] = None
        content["annotations"].append(dict(content["annotations"][1], id=31, image_id=5))

    write(folder, edit)
    one_line(run(folder, path), "annotation 70: area: expected a number, got None (and 1 more)")
    result = run(folder, path, "--skip-bad", "--no-ap", "--json", folder / "scores.json")
    assert result.exit_code == 0, result.output
    assert "left out: " in result.stderr
    assert "annotation 31: image_id: there is no image 5" in result.stderr
    assert "without person, no examples: 7" in result.stdout
    assert len(json.loads((folder / "scores.json").read_text())["left_out"]) == 2


def test_what_is_not_there(folder):
    path = saved(folder, answers(folder))
    one_line(run(folder / "none", path), "no such file or folder")
    one_line(run(folder, folder / "none.json"), "none.json")
    one_line(run(folder, path, "--split", "test"), "RefHuman_test.json")
    one_line(run(folder, path, "--prompt", "box"), "--prompt box")
    one_line(run(folder, path, "--protocol", "coco"), "--protocol coco")


def test_many_ids_are_cut(folder):
    def edit(content):
        image = content["images"][0]
        content["images"] += [{**image, "id": 100 + i} for i in range(12)]

    write(folder, edit)
    result = run(folder, saved(folder, answers(folder)), "--no-ap")
    assert "no examples: 100, 101, " in result.stdout
    assert "109, ... (12 in all)" in result.stdout
