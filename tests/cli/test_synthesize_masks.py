import json

import numpy as np
from typer.testing import CliRunner

from refpix import masks as rle
from refpix.cli import app


def run(*arguments):
    return CliRunner().invoke(app, ["synthesize", "masks", *map(str, arguments)])


def test_masks_of_results(tmp_path):
    mask = rle.to_coco(rle.encode(np.ones((4, 5), bool)))[0]
    mask["counts"] = mask["counts"].decode()
    record = {"image_id": 3, "category_id": 1, "score": 0.8, "segmentation": mask}
    (tmp_path / "r.json").write_text(json.dumps([record, {**record, "score": 0.6}]))
    images = [{"id": 3, "file_name": "comp/p.jpg"}]
    (tmp_path / "a.json").write_text(json.dumps({"images": images}))
    arguments = tmp_path / "r.json", tmp_path / "out", "--annotations", tmp_path / "a.json"
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    assert "1 masks of 1 pictures" in result.output
    assert [p.name for p in (tmp_path / "out/p").iterdir()] == ["00.png"]
    (tmp_path / "r.json").write_text("[{}]")
    result = run(*arguments)
    assert result.exit_code == 2
    assert "result 0" in result.stderr
