import numpy as np
import pytest
from hypothesis import given
from tests.kernels.drawn_masks import MALFORMED, batches, dense, random_batch

from refpix.errors import RleError
from refpix.kernels import isas, rle_bbox, rle_to_string, use_isa
from refpix.types import RleBatch

backends = pytest.mark.parametrize("backend", rle_bbox.backends())
every_isa = pytest.mark.parametrize("isa", isas())


def box_of(mask):
    ys, xs = np.nonzero(mask)
    if len(xs) == 0:
        return [0, 0, 0, 0]
    return [xs.min(), ys.min(), np.ptp(xs) + 1, np.ptp(ys) + 1]


@backends
@pytest.mark.parametrize(
    ("counts", "size", "box"),
    [
        ([6], (2, 3), [0, 0, 0, 0]),
        ([6, 0], (2, 3), [0, 0, 0, 0]),
        ([2, 0, 4], (2, 3), [0, 0, 0, 0]),
        ([0, 6], (2, 3), [0, 0, 3, 2]),
        ([1, 1, 4], (2, 3), [0, 1, 1, 1]),
        ([1, 2, 3], (2, 3), [0, 0, 2, 2]),
        ([0, 1, 3, 1, 1], (2, 3), [0, 0, 3, 1]),
        ([1, 0, 2, 2, 1], (2, 3), [1, 0, 2, 2]),
        ([], (0, 5), [0, 0, 0, 0]),
        ([0, 0], (5, 0), [0, 0, 0, 0]),
        ([2**32 - 1, 5, 2**32 - 4], (2**31, 4), [1, 0, 2, 2**31]),
        ([2**32 - 1, 0, 2**32 - 1, 1, 1], (1, 2**33), [2**33 - 2, 0, 1, 1]),
        ([2**32 - 1, 0, 2**32 - 1, 1, 1], (2**33, 1), [0, 2**33 - 2, 1, 1]),
    ],
)
def test_boxes(backend, counts, size, box):
    got = rle_bbox(*RleBatch.from_counts([counts], [size]), backend=backend)
    assert got.dtype == np.int64
    assert got.tolist() == [box]


@every_isa
@given(batch=batches())
def test_boxes_of_the_pixels(isa, batch):
    want = [box_of(mask) for mask in dense(batch)]
    assert rle_bbox(*batch, backend="reference").tolist() == want
    with use_isa(isa):
        assert rle_bbox(*batch, backend="cpu").tolist() == want


@given(batch=batches(zeros=False))
def test_agrees_with_pycocotools(batch):
    mask = pytest.importorskip("pycocotools.mask")
    if 0 in batch.sizes:
        return
    text, ends = rle_to_string(*batch[:2])
    rles = [
        {"size": size, "counts": text[a:b].tobytes()}
        for size, a, b in zip(batch.sizes.tolist(), ends[:-1], ends[1:], strict=True)
    ]
    np.testing.assert_array_equal(rle_bbox(*batch), mask.toBbox(rles).reshape(-1, 4))


@backends
def test_empty_batch(backend):
    assert rle_bbox(*RleBatch.from_counts([], []), backend=backend).shape == (0, 4)


@backends
@pytest.mark.parametrize(("counts", "size", "fault"), MALFORMED)
@pytest.mark.parametrize("num_threads", [1, 2])
def test_malformed_names_the_item(backend, counts, size, fault, num_threads):
    batch = RleBatch.from_counts([[6], counts, counts], [(2, 3), size, size])
    with pytest.raises(RleError) as error:
        rle_bbox(*batch, num_threads=num_threads, backend=backend)
    assert (error.value.fault, error.value.item) == (fault, 1)


@backends
def test_threads_change_nothing(backend):
    batch = random_batch(np.random.default_rng(0), 100)
    want = [box_of(mask) for mask in dense(batch)]
    for num_threads in (1, 2, 7):
        assert rle_bbox(*batch, num_threads=num_threads, backend=backend).tolist() == want


def test_wrong_arrays_are_refused():
    counts, offsets, sizes = RleBatch.from_counts([[6]], [(2, 3)])
    with pytest.raises(TypeError, match="counts: expected dtype uint32"):
        rle_bbox(counts.astype(np.int64), offsets, sizes)
    with pytest.raises(ValueError, match="offsets: expected shape"):
        rle_bbox(counts, offsets[:1], sizes)
