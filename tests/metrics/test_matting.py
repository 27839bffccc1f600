import copy
import json
import math
import pickle
import sys

import numpy as np
import pytest
from tests.kernels.drawn_mattes import pair

from refpix import metrics
from refpix.errors import KernelError, MissingExtraError
from refpix.metrics import MATTING_METRICS, MattingScores

TOLERANCE = dict.fromkeys(MATTING_METRICS, 2e-6) | {"Conn": 5e-6, "Grad": 2e-5, "MESSDdt": 1e-4}
REGION_OF = {"fg": "foreground", "bg": "background", "unk": "transition"}
MAPS = ["SAD", "MAD", "MSE", "Grad", "Conn"]
FLOW = pytest.param("MESSDdt", marks=pytest.mark.filterwarnings("default"))


def needs_flow(name):
    if name == "MESSDdt":
        pytest.importorskip("cv2")


def golden_case(arrays, name):
    gt = arrays[f"{name}.gt_u8"].astype(np.float32) / np.float32(255)
    trimap = arrays[f"{name}.trimap"] if f"{name}.trimap" in arrays else None  # noqa: SIM401
    return arrays[f"{name}.pred"], gt, trimap


def check_golden(folder):
    expected = json.loads((folder / "expected.json").read_text())
    arrays = np.load(folder / "cases.npz")
    for case, values in expected["values"].items():
        pred, gt, trimap = golden_case(arrays, case)
        for name, want in values.items():
            kind, _, region = name.partition("_")
            metric = MATTING_METRICS[kind](region=REGION_OF.get(region, "whole"))
            given = trimap if trimap is None else trimap.astype(np.float32)
            update = metric.update(pred, gt, given)
            tolerance = TOLERANCE[kind]
            if math.isnan(update):  # the published 0 / 1e-8
                update = 0.0
            assert update == pytest.approx(want["update"], rel=tolerance, abs=tolerance * 1e-6)
            assert metric.score == pytest.approx(want["score"], rel=tolerance, abs=1e-12)
            assert metric.count == want["count"]
    return expected, arrays


def test_published_numbers(data):
    pytest.importorskip("cv2")
    check_golden(data / "matting_metrics")


@pytest.mark.filterwarnings("ignore:MESSDdt")
def test_all_published_numbers(golden_matting):
    pytest.importorskip("cv2")
    expected, arrays = check_golden(golden_matting / "metrics")
    for name, want in expected["accumulated"].items():
        metric, rest = MATTING_METRICS[name](), MATTING_METRICS[name]()
        for i, case in enumerate(want["order"]):
            (metric if i % 2 else rest).update(*golden_case(arrays, case))
        metric.merge(pickle.loads(pickle.dumps(rest)))
        assert metric.average() == pytest.approx(want["average"], rel=10 * TOLERANCE[name])
        assert metric.count == want["count"]


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("protocol", ["paper", "standard"])
def test_regions_are_masks(name, protocol):
    pred, gt, trimap = pair(1, 2, 20, 31)
    for region, label in (("background", 0), ("transition", 1), ("foreground", 2)):
        one = MATTING_METRICS[name](protocol=protocol, region=region)
        one.update(pred, gt, trimap)
        # The published way: a trimap that is 1 where the region is.
        other = MATTING_METRICS[name](protocol=protocol, region="transition")
        other.update(pred, gt, (trimap == label).astype(np.float64))
        assert one.score == pytest.approx(other.score, rel=1e-12)
        assert one.count == other.count


def test_whole_of_the_paper_is_narrowed_by_a_trimap():
    pred, gt, trimap = pair(1, 2, 20, 31)
    whole = metrics.sad(pred, gt)
    assert metrics.sad(pred, gt, trimap, protocol="standard") == pytest.approx(whole)
    parts = [
        metrics.sad(pred, gt, trimap, region=region) for region in ("transition", "foreground")
    ]
    assert metrics.sad(pred, gt, trimap) == pytest.approx(sum(parts))
    assert sum(parts) < whole


def test_standard_means():
    pred, gt, trimap = pair(3, 3, 20, 31)
    difference = np.abs(pred.astype(np.float64) - gt)
    assert metrics.mad(pred, gt, protocol="standard") == pytest.approx(1e3 * difference.mean())
    assert metrics.mse(pred, gt, protocol="standard") == pytest.approx(1e3 * (difference**2).mean())
    trimap[1][trimap[1] == 2] = 0  # a map without foreground counts for nothing
    metric = metrics.MAD(protocol="standard", region="foreground")
    metric.update(pred, gt, trimap)
    each = [difference[i][trimap[i] == 2].mean() for i in (0, 2)]
    assert metric.count == 2
    assert metric.average() == pytest.approx(1e3 * np.mean(each))
    none = metrics.MAD(protocol="standard", region="foreground")
    assert math.isnan(none.update(pred, gt, 0 * trimap))
    assert math.isnan(none.average())


def test_standard_grad_of_a_map_depends_on_nothing_else():
    pred, gt, _ = pair(3, 3, 20, 31)
    together = metrics.grad(pred, gt, protocol="standard")
    alone = [metrics.grad(p[None], g[None], protocol="standard") for p, g in zip(pred, gt)]  # noqa: B905
    assert together == pytest.approx(np.mean(alone))


def test_standard_dtssd():
    pred, gt, trimap = (a.reshape(3, 2, 12, 13) for a in pair(1, 6, 12, 13))
    change = np.diff(pred.astype(np.float64), axis=0) - np.diff(gt.astype(np.float64), axis=0)
    want = 100 * np.sqrt((change**2).mean(axis=(2, 3))).mean()
    assert metrics.dtssd(pred, gt, protocol="standard") == pytest.approx(want)
    mask = trimap[:-1] == 1
    each = np.sqrt((change**2 * mask).sum(axis=(2, 3)) / mask.sum(axis=(2, 3)))
    got = metrics.dtssd(pred, gt, trimap, protocol="standard", region="transition")
    assert got == pytest.approx(100 * each.mean())


def test_dtssd_of_several_videos():
    pred, gt, _ = (a.reshape(2, 3, 2, 6, 7) for a in pair(1, 12, 6, 7))
    change = np.diff(pred, axis=1) - np.diff(gt, axis=1)
    want = 0.1 * np.sqrt((change.astype(np.float64) ** 2).sum(axis=(0, 1, 3, 4))).sum() / 2
    assert metrics.dtssd(pred, gt) == pytest.approx(want, rel=1e-6)
    metric = metrics.dtSSD(protocol="standard")
    metric.update(pred, gt)
    assert metric.count == 2 * 2 * 2


def moving(frames, shift, height=48, width=64):
    y, x = np.mgrid[:height, :width]
    gt = [
        np.clip(1.5 - np.hypot(y - 20, x - 16 - shift * t) / 8, 0, 1) * (0.6 + 0.4 * np.sin(x + y))
        for t in range(frames)
    ]
    return np.array(gt, np.float32)[:, None].clip(0, 1)


def test_messddt_follows_the_motion():
    pytest.importorskip("cv2")
    gt = moving(4, 3)
    dimmed = gt * np.float32(0.8)  # an error that moves with the matte
    flicker = gt * np.array([0.8, 1, 0.8, 1], np.float32)[:, None, None, None]
    steady, changing = (metrics.messddt(p, gt, protocol="standard") for p in (dimmed, flicker))
    assert 0 < steady < changing / 1.5
    assert metrics.messddt(gt, gt, protocol="standard") == 0
    trimap = (gt > 0.1).astype(np.uint8)
    inside = metrics.messddt(flicker, gt, trimap, protocol="standard", region="transition")
    assert inside > changing  # the mean is over the region


def test_messddt_of_the_paper_loses_clips(data):
    pytest.importorskip("cv2")
    arrays = np.load(data / "matting_metrics" / "cases.npz")
    clip = golden_case(arrays, "vid_quant_4_tri")
    lost, kept = metrics.MESSDdt(), metrics.MESSDdt(protocol="standard")
    batch = [a[None] for a in clip]
    with pytest.warns(UserWarning, match="leading axis"):
        assert lost.update(*batch) == 0
    assert (lost.score, lost.count, lost.average()) == (0, 0, 0)
    kept.update(*batch)
    assert kept.count == 2
    plain = metrics.MESSDdt()
    plain.update(batch[0], batch[1])
    assert plain.count == 2
    with pytest.raises(ValueError, match="takes one video"):
        plain.update(np.concatenate([batch[0]] * 2), np.concatenate([batch[1]] * 2))


def test_messddt_of_one_frame():
    pytest.importorskip("cv2")
    metric = metrics.MESSDdt()
    one = np.zeros((1, 2, 8, 8), np.float32)
    with pytest.warns(UserWarning, match="single frame"):
        metric.update(one, one)
    assert metric.count == 0


def test_messddt_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    clip = np.zeros((2, 1, 8, 8), np.float32)
    with pytest.raises(MissingExtraError, match=r"refpix\[matting\]"):
        metrics.messddt(clip, clip)


@pytest.mark.parametrize("name", [*MAPS, "dtSSD", FLOW])
@pytest.mark.parametrize("protocol", ["paper", "standard"])
def test_batches_add_up(name, protocol):
    needs_flow(name)
    pred, gt, trimap = (a.reshape(3, 2, 20, 31) for a in pair(1, 6, 20, 31))
    first, second = (MATTING_METRICS[name](protocol=protocol) for _ in range(2))
    if protocol == "paper":
        assert first.average() == 0
    else:
        assert math.isnan(first.average())
    scores = [first.update(pred, gt), second.update(pred, gt, trimap, num_threads=2)]
    assert scores[0] == pytest.approx(first.score / first.count)
    both = copy.deepcopy(first)
    both.merge(second)
    assert both.score == first.score + second.score
    assert both.count == first.count + second.count
    assert both.average() == pytest.approx(both.score / both.count, rel=1e-5)
    both.reset()
    assert (both.score, both.count) == (0, 0)
    with pytest.raises(ValueError, match="merge"):
        first.merge(MATTING_METRICS[name](protocol=protocol, region="transition"))
    with pytest.raises(ValueError, match="merge"):
        first.merge(metrics.SAD() if name != "SAD" else metrics.MAD())


@pytest.mark.parametrize("name", [*MAPS, "dtSSD", "MESSDdt"])
def test_functions_are_the_objects(name):
    needs_flow(name)
    pred, gt, _ = (a.reshape(2, 2, 16, 20) for a in pair(1, 4, 16, 20))
    for protocol in ("paper", "standard"):
        got = getattr(metrics, name.lower())(pred, gt, protocol=protocol)
        assert got == MATTING_METRICS[name](protocol=protocol).update(pred, gt)


def test_cpu_tensors_and_other_floats():
    torch = pytest.importorskip("torch")
    pred, gt, trimap = pair(1, 2, 9, 10)
    want = metrics.sad(pred, gt, trimap)
    assert metrics.sad(*map(torch.from_numpy, (pred, gt, trimap))) == want
    assert metrics.sad(pred.astype(np.float64), gt.tolist(), trimap.astype(np.int64)) == want
    assert metrics.sad(pred[:, ::-1], gt[:, ::-1], trimap[:, ::-1]) == pytest.approx(want)


@pytest.mark.parametrize("name", [*MAPS, "dtSSD", "MESSDdt"])
def test_bad_input(name):
    needs_flow(name)
    good = np.zeros((2, 1, 8, 8), np.float32)
    metric = MATTING_METRICS[name]()
    for value, reason in ((np.nan, "finite"), (1.1, "outside"), (-np.inf, "finite")):
        bad = good.copy()
        bad[1, 0, 3, 3] = value
        with pytest.raises(KernelError, match=f"item 1: predicted alpha .*{reason}"):
            metric.update(bad, good)
        with pytest.raises(KernelError, match=f"item 1: true alpha .*{reason}"):
            metric.update(good, bad)
    with pytest.raises(ValueError, match="shape"):
        metric.update(good, good[:1])
    with pytest.raises(ValueError, match="trimap: shape"):
        metric.update(good, good, np.zeros((2, 1, 8, 9)))
    with pytest.raises(ValueError, match="nothing to score"):
        metric.update(good[:0], good[:0])
    with pytest.raises(TypeError, match="divide by 255"):
        metric.update(good.astype(np.uint8), good)
    with pytest.raises(TypeError, match="gt: expected floating point"):
        metric.update(good, good.astype(int))
    with pytest.raises(ValueError, match="got 128"):
        metric.update(good, good, np.full(good.shape, 128))
    with pytest.raises(KernelError, match="trimap must be 0, 1 or 2"):
        metric.update(good, good, np.full(good.shape, 128, np.uint8))
    with pytest.raises(TypeError, match="trimap"):
        metric.update(good, good, good.astype(str))
    with pytest.raises(ValueError, match="needs a trimap"):
        MATTING_METRICS[name](region="foreground").update(good, good)
    assert (metric.score, metric.count) == (0, 0)
    with pytest.raises(ValueError, match="region"):
        MATTING_METRICS[name](region="sky")
    with pytest.raises(ValueError, match="protocol"):
        MATTING_METRICS[name](protocol="draft")


@pytest.mark.parametrize("shape", [(8, 8), (2, 8, 8), (1, 1, 1, 1, 8, 8)])
def test_clips_have_four_or_five_axes(shape):
    values = np.zeros(shape, np.float32)
    with pytest.raises(ValueError, match="dtSSD: expected"):
        metrics.dtssd(values, values)


@pytest.mark.parametrize("protocol", ["paper", "standard"])
def test_scores_at_once_are_the_single_ones(protocol):
    pred, gt, trimap = (a.reshape(3, 2, 20, 31) for a in pair(1, 6, 20, 31))
    regions = ("whole", "transition", "foreground", "background")
    scores = MattingScores([*MAPS, "dtSSD"], protocol=protocol, regions=regions)
    other = MattingScores([*MAPS, "dtSSD"], protocol=protocol, regions=regions)
    for each in (scores, other):
        each.update(pred, gt, trimap)
        each.update_clip(pred, gt, trimap)
    for name, by_region in scores.averages().items():
        for region, value in by_region.items():
            given = None if region == "whole" else trimap
            want = MATTING_METRICS[name](protocol=protocol, region=region)
            want.update(pred, gt, given)
            assert value == pytest.approx(want.average(), rel=1e-6)
    scores.merge(other)
    assert scores.metrics["SAD"]["whole"].count == 12
    with pytest.raises(ValueError, match="merge"):
        scores.merge(MattingScores(["SAD"]))
    with pytest.raises(ValueError, match="got 'PSNR'"):
        MattingScores(["PSNR"])


def test_published_batches_cover_every_frame_once():
    for frames in range(1, 9):
        maps, clips = metrics.matting_scores.published_batches(frames)
        assert [i for part in maps for i in range(frames)[part]] == list(range(frames))
        starts = [i for part in clips for i in range(frames)[part][:-1]]
        assert starts == list(range(frames - 1))
        assert clips[-1] == slice(max(frames - 4, 0), frames)
