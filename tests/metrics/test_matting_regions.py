import numpy as np
import pytest
from tests.kernels.drawn_mattes import smooth

from refpix import metrics


def check_golden(folder):
    arrays = np.load(folder / "transition.npz")
    checked = 0
    for case in sorted({name.split(".")[0] for name in arrays.files}):
        grey = arrays[f"{case}.alpha_u8"]
        alpha = grey.astype(np.float32) / np.float32(255)
        changed = np.abs(np.diff(grey.astype(np.float32), axis=0)) > 5
        for name in arrays.files:
            kind, _, rule = name.removeprefix(f"{case}.").partition("_k")
            if not name.startswith(case) or not rule:
                continue
            size, times = (int(part) for part in rule.split("_i"))
            rules = {"size": size, "iterations": times}
            if kind == "trans":
                got = metrics.transition(alpha, **rules)
            elif kind == "temporal":
                got = metrics.temporal_transition(alpha, **rules)
            elif kind == "diffmask":
                got = metrics.dilated_changes((changed * 255).astype(np.uint8), **rules)
            else:
                got = metrics.transition(
                    grey.astype(np.float32), arrays[f"{case}.mask_u8"], **rules
                )
            np.testing.assert_array_equal(got, arrays[name], err_msg=name)
            checked += 1
    return checked


def test_published_maps(data):
    assert check_golden(data / "matting_metrics") == 8


def test_all_published_maps(golden_matting):
    assert check_golden(golden_matting / "metrics") >= 24


def test_small_masks_are_enlarged():
    alpha = np.zeros((1, 1, 16, 24), np.float32)
    mask = np.zeros((1, 1, 2, 3), np.uint8)
    mask[0, 0, 1, 2] = 255
    want = np.zeros(alpha.shape)
    want[..., 8:, 16:] = 1
    np.testing.assert_array_equal(metrics.transition(alpha, mask), want)
    np.testing.assert_array_equal(metrics.temporal_transition(alpha, mask), want)
    with pytest.raises(ValueError, match="masks"):
        metrics.transition(alpha, mask[..., :2])


def test_trimap_of_any_leading_shape():
    alpha = smooth(np.random.default_rng(0), 6, 20, 30)
    want = metrics.trimap(alpha)
    assert set(np.unique(want)) <= {0, 1, 2}
    got = metrics.trimap(alpha.reshape(2, 3, 20, 30).astype(np.float64))
    np.testing.assert_array_equal(got.reshape(want.shape), want)
    np.testing.assert_array_equal(metrics.trimap(alpha[0]), want[0])
    grey = (alpha * 255).round().astype(np.uint8)
    np.testing.assert_array_equal(metrics.trimap(grey), want)


def test_bad_input():
    alpha = np.zeros((2, 8, 8), np.float32)
    with pytest.raises(TypeError, match="alpha"):
        metrics.trimap(alpha.astype(int))
    with pytest.raises(ValueError, match="height"):
        metrics.trimap(alpha[0, 0])
    with pytest.raises(ValueError, match="height"):
        metrics.trimap(alpha[..., :0])
    with pytest.raises(TypeError, match="floating point"):
        metrics.temporal_transition(alpha.astype(np.uint8))
    with pytest.raises(ValueError, match="0 and 255"):
        metrics.dilated_changes(np.full((1, 4, 4), 7, np.uint8))
    with pytest.raises(TypeError, match="uint8"):
        metrics.dilated_changes(alpha)
    alpha[1, 2, 3] = np.nan
    with pytest.raises(ValueError, match="item 1: alpha must be finite"):
        metrics.transition(alpha)
