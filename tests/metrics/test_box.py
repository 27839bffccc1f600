import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from refpix.metrics import BoxAccuracy, bins_to_boxes, box_correct, box_iou

protocols = pytest.mark.parametrize("protocol", ["paper", "standard"])
any_boxes = hnp.arrays(
    np.float32,
    st.tuples(st.integers(0, 5), st.just(4)),
    elements=st.one_of(
        st.integers(-3, 12).map(float),
        st.floats(-50, 700, width=32),
        st.sampled_from([np.nan, np.inf]),
    ),
)


def published(torch, hyps, refs, threshold):
    """Score and raw quotient with torch's arithmetic."""
    h, r = torch.from_numpy(hyps), torch.from_numpy(refs)
    low = torch.where(h[:, :2] < r[:, :2], r[:, :2], h[:, :2])
    high = torch.where(h[:, 2:] < r[:, 2:], h[:, 2:], r[:, 2:])
    side = high - low
    areas = [(b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1]) for b in (h, r)]
    inter = side[:, 0] * side[:, 1]
    iou = inter / (areas[0] + areas[1] - inter + 1e-6)
    meets = (side[:, 0] > 0) & (side[:, 1] > 0)
    return ((iou >= threshold) & meets).numpy(), torch.where(meets, iou, 0 * iou.abs()).numpy()


def test_golden(data):
    z = np.load(data / "eval" / "box.npz")
    np.testing.assert_array_equal(box_correct(z["hyps"], z["refs"]), z["acc"])
    got = box_correct(z["hyps"], z["refs"], threshold=0.75)
    np.testing.assert_array_equal(got, z["acc_75"])
    known = ~np.isnan(z["iou_where_positive"])
    got = box_iou(z["hyps"], z["refs"])
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got[known], z["iou_where_positive"][known])
    assert not got[~known].any()


@given(hyps=any_boxes, seed=st.integers(0, 99), threshold=st.sampled_from([0.3, 0.5, 0.75, 0.9]))
def test_paper_is_the_published_arithmetic(hyps, seed, threshold):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    refs = (hyps + rng.integers(-1, 2, hyps.shape)).astype(np.float32)
    correct, iou = published(torch, hyps, refs, threshold)
    np.testing.assert_array_equal(box_correct(hyps, refs, threshold=threshold), correct)
    finite = np.isfinite(hyps).all(axis=1)
    np.testing.assert_array_equal(box_iou(hyps, refs)[finite], iou[finite])


def test_protocols_differ_by_the_epsilon():
    box = [[0, 0, 1, 1]]
    assert box_iou(box, box, protocol="paper")[0] < 1
    assert box_iou(box, box, protocol="standard")[0] == 1
    half = [[0, 0, 1, 0.5]]
    assert not box_correct(half, box, protocol="paper")[0]  # 0.5 / 1.000001
    assert box_correct(half, box, protocol="standard")[0]


@protocols
def test_boxes_that_meet_nothing(protocol):
    box = [[0, 0, 4, 4]]
    for other in ([4, 0, 8, 4], [9, 9, 10, 10], [1, 1, 1, 3], [3, 3, 1, 1], [np.nan] * 4):
        assert box_iou([other], box, protocol=protocol)[0] == 0
        assert not box_correct([other], box, threshold=0.0, protocol=protocol)[0]


@protocols
def test_no_boxes(protocol):
    assert box_iou([], [], protocol=protocol).shape == (0,)
    assert box_correct(np.empty((0, 4)), np.empty((0, 4)), protocol=protocol).shape == (0,)


def test_wrong_arguments_are_refused():
    box = np.zeros((2, 4))
    with pytest.raises(ValueError, match="pred: expected shape"):
        box_iou(np.zeros((2, 5)), box)
    with pytest.raises(ValueError, match="2 and 1"):
        box_iou(box, box[:1])
    with pytest.raises(ValueError, match="protocol"):
        box_iou(box, box, protocol="coco")
    with pytest.raises(ValueError, match="protocol"):
        BoxAccuracy(protocol="coco")
    with pytest.raises(ValueError, match="w_ratio"):
        bins_to_boxes(box, [1.0], [1.0])
    with pytest.raises(ValueError, match="bins"):
        bins_to_boxes(np.zeros((2, 3)))


def test_arguments_stay_as_they_are():
    hyps, bins = np.ones((3, 4), np.float32), np.ones((3, 4), np.float32)
    box_iou(hyps, hyps)
    bins_to_boxes(bins, np.full(3, 2.0), np.full(3, 2.0))
    assert (hyps == 1).all()
    assert (bins == 1).all()


@protocols
def test_accuracy_gathers(protocol):
    rng = np.random.default_rng(1)
    gt = np.sort(rng.uniform(0, 20, (40, 2, 2)), axis=1).reshape(40, 4)
    pred = gt + rng.normal(0, 1, gt.shape)
    whole = box_correct(pred, gt, protocol=protocol)
    first, second = BoxAccuracy(protocol=protocol), BoxAccuracy(protocol=protocol)
    assert np.isnan(first.compute())
    first.update(pred[:7], gt[:7])
    second.update(pred[7:30], gt[7:30])
    second.update(pred[30:], gt[30:])
    first.merge(second)
    assert (first.correct, first.count) == (whole.sum(), 40)
    assert first.compute() == whole.mean()
    with pytest.raises(ValueError, match="differ"):
        first.merge(BoxAccuracy(threshold=0.75, protocol=protocol))


def test_bins_golden(data):
    z = np.load(data / "eval" / "bins_to_boxes.npz")
    for bins in (z["bins"], z["bins"].astype(np.int64)):
        got = bins_to_boxes(bins, z["w_ratio"], z["h_ratio"])
        assert got.dtype == np.float32
        np.testing.assert_array_equal(got, z["boxes"])


@given(
    bins=hnp.arrays(
        np.int64, st.tuples(st.integers(0, 4), st.just(38)), elements=st.integers(-9, 2000)
    ),
    num_bins=st.sampled_from([2, 1000, 1001]),
    size=st.sampled_from([256, 480, 512]),
)
def test_bins_are_the_published_arithmetic(bins, num_bins, size):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(len(bins))
    w, h = rng.uniform(0.1, 3, (2, len(bins))).astype(np.float32)
    want = torch.from_numpy(bins) / (num_bins - 1) * size
    resized = want.numpy().copy()
    want[:, ::2] /= torch.from_numpy(w).unsqueeze(1)
    want[:, 1::2] /= torch.from_numpy(h).unsqueeze(1)
    got = bins_to_boxes(bins, w, h, num_bins=num_bins, max_image_size=size)
    np.testing.assert_array_equal(got, want.numpy())
    got = bins_to_boxes(bins, num_bins=num_bins, max_image_size=size)
    np.testing.assert_array_equal(got, resized)


def test_tensors_are_arrays():
    torch = pytest.importorskip("torch")
    box = torch.tensor([[0.0, 0.0, 2.0, 2.0]])
    assert box_correct(box, box).tolist() == [True]
