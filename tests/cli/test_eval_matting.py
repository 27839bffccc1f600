import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from refpix import metrics
from refpix.cli import app


def run(*arguments):
    return CliRunner().invoke(app, ["eval", "matting", *map(str, arguments)])


@pytest.fixture
def tree(tmp_path, data):
    """A clip of the golden data as PNG files."""
    arrays = np.load(data / "matting_metrics" / "cases.npz")
    gt = arrays["vid_quant_4_tri.gt_u8"]
    pred = (arrays["vid_quant_4_tri.pred"] * 255).round().astype(np.uint8)
    for root, values in (("gt", gt), ("pred", pred)):
        for t, frame in enumerate(values):
            for i, matte in enumerate(frame):
                path = tmp_path / root / "clip" / f"{t:05}" / f"{i:02}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(matte).save(path)
    return tmp_path, *((v / np.float32(255)).astype(np.float32) for v in (pred, gt))


@pytest.mark.parametrize("protocol", ["paper", "standard"])
def test_scores(tree, protocol):
    root, pred, gt = tree
    out = root / "scores.json"
    result = run(root / "pred", root / "gt", "--protocol", protocol, "--json", out)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["whole", "transition", "foreground", "background"]
    names = [line.split()[0] for line in lines[1:-1]]
    assert names == ["SAD", "MAD", "MSE", "Grad", "Conn", "dtSSD"]
    assert lines[-1] == f"8 mattes, 4 frames, protocol {protocol}"
    found = json.loads(out.read_text())
    assert (found["clips"], found["frames"], found["mattes"]) == (1, 4, 8)
    want = metrics.SAD(protocol=protocol)
    want.update(pred, gt)
    assert found["scores"]["SAD"]["whole"] == pytest.approx(want.average(), rel=1e-6)
    assert lines[1].split()[1] == f"{want.average():.4f}"


def test_pictures_have_no_clips(tree):
    root, *_ = tree
    result = run(root / "pred" / "clip", root / "gt" / "clip", "--metrics", "SAD, Conn")
    assert [line.split()[0] for line in result.stdout.splitlines()[1:-1]] == ["SAD", "Conn"]
    result = run(root / "pred", root / "gt", "--layout", "image", "--metrics", "SAD,dtSSD")
    assert result.exit_code == 2
    assert "need videos" in result.stderr


def test_messddt_on_request(tree):
    pytest.importorskip("cv2")
    root, *_ = tree
    result = run(root / "pred", root / "gt", "--metrics", "MESSDdt")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[1].startswith("MESSDdt")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--protocol", "draft"], "expected paper, standard"),
        (["--layout", "tape"], "expected auto, image, video"),
        (["--metrics", "PSNR"], "'PSNR'"),
        (["--trimap", "nowhere"], "nowhere: no such folder"),
    ],
)
def test_wrong_options(tree, arguments, reason):
    root, *_ = tree
    result = run(root / "pred", root / "gt", *arguments)
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert reason in result.stderr


def test_a_missing_prediction_is_named(tree):
    root, *_ = tree
    (root / "pred" / "clip" / "00002" / "01.png").unlink()
    result = run(root / "pred", root / "gt")
    assert result.exit_code == 2
    assert "1 predictions missing: clip/00002/01.png" in result.stderr
