import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from refpix.kernels import bbox_iou

backends = pytest.mark.parametrize("backend", bbox_iou.backends())


@backends
def test_overlap_by_hand(backend):
    dt = np.array([[0, 0, 4, 2], [10, 10, 1, 1], [4, 0, 1, 1]], np.float64)
    gt = np.array([[2, 0, 4, 2], [0, 0, 0, 0]], np.float64)
    iou = bbox_iou(dt, gt, np.zeros(2, np.uint8), backend=backend)
    assert iou.tolist() == [[4 / 12, 0], [0, 0], [1 / 8, 0]]
    crowd = bbox_iou(dt, gt, np.ones(2, np.uint8), backend=backend)
    assert crowd.tolist() == [[4 / 8, 0], [0, 0], [1, 0]]


@backends
@pytest.mark.parametrize(("m", "n"), [(0, 0), (0, 3), (3, 0)])
def test_empty(backend, m, n):
    iou = bbox_iou(np.ones((m, 4)), np.ones((n, 4)), np.zeros(n, np.uint8), backend=backend)
    assert iou.shape == (m, n)
    assert iou.dtype == np.float64


special = st.sampled_from([0.0, -1.0, 0.5, 3.0, 1e300, -1e300, np.inf, -np.inf, np.nan])
boxes = st.lists(st.tuples(*[special | st.floats(-50, 50)] * 4), max_size=5)


@given(boxes, boxes, st.integers(0, 31), st.integers(1, 3))
@example([(0, 0, 0, 0.5)], [(np.inf, 0, -np.inf, 0.5)], 0, 1)  # a NaN of no NaN
def test_same_as_pycocotools(dt, gt, crowd_bits, num_threads):
    published = pytest.importorskip("pycocotools._mask")
    dt, gt = np.array(dt, np.float64).reshape(-1, 4), np.array(gt, np.float64).reshape(-1, 4)
    iscrowd = np.array([crowd_bits >> i & 1 for i in range(len(gt))], np.uint8)
    want = np.array(published.iou(dt, gt, iscrowd)).reshape(len(dt), len(gt))
    for backend in bbox_iou.backends():
        got = bbox_iou(dt, gt, iscrowd, num_threads=num_threads, backend=backend)
        np.testing.assert_array_equal(got, want)


def test_wrong_arrays_are_refused():
    box, crowd = np.ones((1, 4)), np.zeros(1, np.uint8)
    with pytest.raises(TypeError, match="dt: expected dtype float64"):
        bbox_iou(box.astype(np.float32), box, crowd)
    with pytest.raises(ValueError, match=r"gt: expected shape"):
        bbox_iou(box, np.ones((1, 5)), crowd)
    with pytest.raises(ValueError, match="iscrowd"):
        bbox_iou(box, box, np.zeros(2, np.uint8))
