import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.kernels.drawn_masks import MALFORMED, dense, random_batch, runs_of, sizes

from refpix.errors import RleError
from refpix.kernels import isas, rle_iou, rle_to_string, use_isa
from refpix.types import RleBatch

backends = pytest.mark.parametrize("backend", rle_iou.backends())
every_isa = pytest.mark.parametrize("isa", isas())
MAX = 2**32 - 1
BIG = 2**33 - 1


def no_crowd(batch):
    return np.zeros(len(batch.sizes), np.uint8)


@st.composite
def two_batches(draw, zeros=True):
    """dt and gt of one size, iscrowd."""
    size = draw(sizes)
    dt, gt = (draw(st.lists(runs_of(size, zeros), max_size=5)) for _ in range(2))
    crowd = draw(st.lists(st.integers(0, 2), min_size=len(gt), max_size=len(gt)))
    return (
        RleBatch.from_counts(dt, [size] * len(dt)),
        RleBatch.from_counts(gt, [size] * len(gt)),
        np.array(crowd, np.uint8),
    )


def iou_of_pixels(dt, gt, crowd):
    out = np.zeros((len(dt.sizes), len(gt.sizes)))
    for d, a in enumerate(dense(dt)):
        for g, b in enumerate(dense(gt)):
            union = a.sum() if crowd[g] else (a | b).sum()
            out[d, g] = (a & b).sum() / union if (a & b).any() else 0
    return out


@backends
@pytest.mark.parametrize(
    ("a", "b", "size", "iou", "crowd_iou"),
    [
        ([6], [6], (2, 3), 0, 0),
        ([0, 6], [6], (2, 3), 0, 0),
        ([0, 6], [0, 6], (2, 3), 1, 1),
        ([1, 2, 3], [2, 2, 2], (2, 3), 1 / 3, 1 / 2),
        ([0, 3, 0, 3], [1, 1, 0, 2, 2], (2, 3), 1 / 2, 1 / 2),
        ([], [0], (0, 3), 0, 0),
        (
            [1, MAX, 0, MAX, 1],
            [2, MAX, 0, MAX],
            (1, 2**33),
            1 - 2 / 2**33,
            (2**33 - 3) / (2**33 - 2),
        ),
    ],
)
def test_quotients(backend, a, b, size, iou, crowd_iou):
    dt, gt = RleBatch.from_counts([a], [size]), RleBatch.from_counts([b, b], [size] * 2)
    got = rle_iou(*dt, *gt, np.array([0, 1], np.uint8), backend=backend)
    assert (got.dtype, got.shape) == (np.float64, (1, 2))
    assert got.tolist() == [[iou, crowd_iou]]


@every_isa
@given(drawn=two_batches(), num_threads=st.sampled_from([1, 2]))
def test_agrees_with_pixels(isa, drawn, num_threads):
    dt, gt, crowd = drawn
    want = iou_of_pixels(dt, gt, crowd).tolist()
    assert rle_iou(*dt, *gt, crowd, backend="reference").tolist() == want
    with use_isa(isa):
        assert rle_iou(*dt, *gt, crowd, num_threads=num_threads, backend="cpu").tolist() == want


def rles_of(batch):
    text, ends = rle_to_string(*batch[:2])
    return [
        {"size": size, "counts": text[a:b].tobytes()}
        for size, a, b in zip(batch.sizes.tolist(), ends[:-1], ends[1:], strict=True)
    ]


@given(drawn=two_batches(zeros=False), other=two_batches(zeros=False))
def test_agrees_with_pycocotools(drawn, other):
    mask = pytest.importorskip("pycocotools.mask")
    dt, gt, crowd = drawn
    # Two sizes among the detections.
    dt = RleBatch.from_counts(
        [b.runs(i).tolist() for b in (dt, other[0]) for i in range(len(b.sizes))],
        np.concatenate([dt.sizes, other[0].sizes]).tolist(),
    )
    if len(dt.sizes) == 0 or len(gt.sizes) == 0 or 0 in dt.sizes or 0 in gt.sizes:
        return
    want = mask.iou(rles_of(dt), rles_of(gt), crowd)
    for backend in rle_iou.backends():
        got = rle_iou(*dt, *gt, crowd, strict=False, backend=backend)
        np.testing.assert_array_equal(got, want)


@backends
@pytest.mark.parametrize(("m", "n"), [(0, 0), (0, 2), (2, 0)])
def test_nothing_to_compare(backend, m, n):
    dt = RleBatch.from_counts([[6], [4]][:m], [(2, 3), (2, 2)][:m])
    gt = RleBatch.from_counts([[6], [4]][:n], [(2, 3), (2, 2)][:n])
    assert rle_iou(*dt, *gt, no_crowd(gt), backend=backend).shape == (m, n)


@backends
@pytest.mark.parametrize(("counts", "size", "fault"), MALFORMED)
@pytest.mark.parametrize("num_threads", [1, 2])
def test_malformed_names_the_item(backend, counts, size, fault, num_threads):
    good = RleBatch.from_counts([[6]] * 3, [(2, 3)] * 3)
    bad = RleBatch.from_counts([[6], counts, counts], [(2, 3), size, size])
    for dt, gt, item in ((bad, good, 1), (good, bad, 4), (bad, bad, 1)):
        with pytest.raises(RleError) as error:
            rle_iou(*dt, *gt, no_crowd(gt), num_threads=num_threads, backend=backend)
        assert (error.value.fault, error.value.item) == (fault, item)


@backends
def test_sizes_that_differ(backend):
    dt = RleBatch.from_counts([[0, 6], [0, 6]], [(2, 3)] * 2)
    gt = RleBatch.from_counts([[0, 6], [0, 6], [5, 1]], [(2, 3), (3, 2), (1, 6)])
    with pytest.raises(RleError) as error:
        rle_iou(*dt, *gt, no_crowd(gt), backend=backend)
    assert (error.value.fault, error.value.item) == ("rle_size_mismatch", 3)
    got = rle_iou(*dt, *gt, no_crowd(gt), strict=False, backend=backend)
    assert got.tolist() == [[1, -1, 0]] * 2


@every_isa
def test_threads_change_nothing(isa):
    rng = np.random.default_rng(0)
    dt, gt = random_batch(rng, 40), random_batch(rng, 25)
    crowd = rng.integers(0, 2, 25, np.uint8)
    want = iou_of_pixels(dt, gt, crowd).tolist()
    with use_isa(isa):
        for num_threads in (1, 2, 7):
            got = rle_iou(*dt, *gt, crowd, num_threads=num_threads, backend="cpu")
            assert got.tolist() == want


def test_wrong_arrays_are_refused():
    batch = RleBatch.from_counts([[6]], [(2, 3)])
    with pytest.raises(TypeError, match="dt_counts: expected dtype uint32"):
        rle_iou(batch.counts.astype(np.int64), *batch[1:], *batch, no_crowd(batch))
    with pytest.raises(TypeError, match="iscrowd: expected dtype uint8"):
        rle_iou(*batch, *batch, np.zeros(1, np.bool_))
    with pytest.raises(ValueError, match="iscrowd"):
        rle_iou(*batch, *batch, np.zeros(2, np.uint8))
    with pytest.raises(ValueError, match="gt_offsets"):
        rle_iou(*batch, batch.counts, batch.offsets[:1], batch.sizes, no_crowd(batch))


@every_isa
def test_large_masks_of_many_and_of_few_runs(isa):
    # More bits than are held at one time, and masks that stay runs, against one another.
    height, width = 1500, 1400
    rng = np.random.default_rng(3)
    items = []
    for longest in (700, 900, 300_000, 900_000, 40, 500):
        ends = np.cumsum(rng.integers(1, longest, 2 * height * width // longest + 2))
        ends = ends[ends < height * width]
        items.append(np.diff([0, *ends, height * width]).tolist())
    items += [[0, height * width], [height * width], [5, height * width - 10, 5], items[0]]
    batch = RleBatch.from_counts(items, [(height, width)] * len(items))
    crowd = rng.integers(0, 2, len(items), np.uint8)
    want = rle_iou(*batch, *batch, crowd, backend="reference")
    with use_isa(isa):
        for num_threads in (1, 3):
            got = rle_iou(*batch, *batch, crowd, num_threads=num_threads, backend="cpu")
            np.testing.assert_array_equal(got, want)


@every_isa
@pytest.mark.parametrize("words", [1, 3, 4, 7, 8, 63, 64, 65, 128, 131, 200])
def test_bits_of_every_width(isa, words):
    rng = np.random.default_rng(words)
    pixels = 64 * words - 5
    items = []
    for _ in range(3):
        ends = np.cumsum(rng.integers(1, 30, pixels))
        items.append(np.diff([0, *ends[ends < pixels], pixels]).tolist())
    items.append([0, pixels])
    batch = RleBatch.from_counts(items, [(1, pixels)] * 4)
    want = iou_of_pixels(batch, batch, no_crowd(batch))
    with use_isa(isa):
        got = rle_iou(*batch, *batch, no_crowd(batch), backend="cpu")
    np.testing.assert_array_equal(got, want)
