import numpy as np
import pytest
from tests.kernels.drawn_mattes import smooth

from refpix import metrics


def check_golden(folder):
    arrays = np.load(folder / "postprocess.npz")
    cases = sorted({name.split(".")[0] for name in arrays.files})
    for case in cases:
        kept = metrics.keep_largest(arrays[f"{case}.in"])
        np.testing.assert_array_equal(kept, arrays[f"{case}.largest_component"])
        bottom, right, height, width = arrays[f"{case}.pad_ori"]
        done = [
            {"name": "resize", "ori_size": (height, width)},
            {"name": ["padding"], "pad_size": (bottom, right)},
        ]
        alpha = arrays[f"{case}.rev_in"]
        got = metrics.undo_transforms(alpha, done, rule="opencv")
        np.testing.assert_array_equal(got, arrays[f"{case}.rev_numpy"])
        got = metrics.undo_transforms(alpha, done)
        np.testing.assert_allclose(got, arrays[f"{case}.rev_tensor"], atol=2e-7)
    return len(cases)


def test_published_postprocessing(data):
    assert check_golden(data / "matting_metrics") == 1


def test_all_published_postprocessing(golden_matting):
    assert check_golden(golden_matting / "metrics") == 3


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (40, 3), (33, 64), (20, 31)])
def test_resize_as_the_libraries_do(size):
    cv2 = pytest.importorskip("cv2")
    torch = pytest.importorskip("torch")
    alpha = smooth(np.random.default_rng(2), 2, 20, 31)
    got = metrics.resize_mattes(alpha, size, rule="opencv")
    want = [cv2.resize(a, size[::-1], interpolation=cv2.INTER_LINEAR) for a in alpha]
    np.testing.assert_allclose(got, want, atol=2e-7)
    got = metrics.resize_mattes(alpha, size, rule="torch")
    want = torch.nn.functional.interpolate(
        torch.from_numpy(alpha)[None], size=size, mode="bilinear", align_corners=True
    )[0]
    np.testing.assert_allclose(got, want.numpy(), atol=2e-7)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (57, 1), (2, 1), (66, 128)])
def test_resize_of_thin_mattes_is_opencvs_to_the_bit(shape):
    """OpenCV takes other code where a side is one pixel."""
    cv2 = pytest.importorskip("cv2")
    alpha = np.random.default_rng(3).random(shape, np.float32)
    for size in [(9, 17), (33, 64), (3, 1), (1, 40), (120, 2)]:
        got = metrics.resize_mattes(alpha, size, rule="opencv")
        want = cv2.resize(alpha, size[::-1], interpolation=cv2.INTER_LINEAR)
        np.testing.assert_array_equal(got, want)


def test_snap_extremes():
    grey = np.arange(256, dtype=np.float32) / np.float32(255)
    before = grey.copy()
    snapped = metrics.snap_extremes(grey)
    assert (snapped[:2] == 0).all()
    assert (snapped[-2:] == 1).all()
    np.testing.assert_array_equal(snapped[2:-2], grey[2:-2])
    np.testing.assert_array_equal(grey, before)


def test_bad_input():
    alpha = np.zeros((1, 8, 8), np.float32)
    with pytest.raises(ValueError, match="leaves nothing"):
        metrics.undo_transforms(alpha, [{"name": "padding", "pad_size": (8, 0)}])
    with pytest.raises(ValueError, match="negative"):
        metrics.undo_transforms(alpha, [{"name": "padding", "pad_size": (-1, 0)}])
    with pytest.raises(ValueError, match="positive"):
        metrics.undo_transforms(alpha, [{"name": "resize", "ori_size": (0, 4)}])
    with pytest.raises(TypeError, match="floating point"):
        metrics.keep_largest(alpha.astype(np.uint8))
    with pytest.raises(ValueError, match="height"):
        metrics.keep_largest(alpha[0, 0])
    alpha[0, 3, 3] = np.inf
    with pytest.raises(ValueError, match="finite"):
        metrics.keep_largest(alpha)
