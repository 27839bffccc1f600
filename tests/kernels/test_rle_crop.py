import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.kernels.rle_masks import batch_of, decoded, encoded, masks, people

from refpix.errors import RleError
from refpix.kernels import rle_crop
from refpix.types import RleBatch

backends = pytest.mark.parametrize("backend", rle_crop.backends())


@st.composite
def cropped_masks(draw):
    runs, (height, width) = draw(masks())
    x0, y0 = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    x1, y1 = draw(st.integers(x0 + 1, width)), draw(st.integers(y0 + 1, height))
    return runs, (height, width), (x0, y0, x1, y1)


def crop(items, boxes, **options):
    got = RleBatch(*rle_crop(*batch_of(items), np.array(boxes, np.int64).reshape(-1, 4), **options))
    assert got.counts.dtype == np.uint32
    assert got.offsets.dtype == np.int64
    assert got.sizes.tolist() == [[y1 - y0, x1 - x0] for x0, y0, x1, y1 in boxes]
    return [got.runs(i).tolist() for i in range(len(items))]


@given(items=st.lists(cropped_masks(), min_size=1, max_size=4))
def test_is_the_slice_of_the_decoded_mask(items):
    want = [encoded(decoded(runs, size)[y0:y1, x0:x1]) for runs, size, (x0, y0, x1, y1) in items]
    boxes = [box for _, _, box in items]
    for backend in rle_crop.backends():
        assert crop([item[:2] for item in items], boxes, backend=backend) == want


@backends
def test_runs_over_many_columns(backend):
    item = ([7, 1, 30_000, 40_003, 1_989, 8_000], (100, 800))
    for box in [(0, 0, 800, 100), (3, 0, 790, 100), (0, 20, 800, 21), (310, 50, 799, 99)]:
        want = encoded(decoded(*item)[box[1] : box[3], box[0] : box[2]])
        assert crop([item], [box], backend=backend) == [want]


def test_people_on_many_threads():
    rng = np.random.default_rng(0)
    items = people(rng, 12, 120, 90)
    boxes = np.sort(rng.choice(90, (12, 2, 2)), axis=1).reshape(12, 4)
    boxes[:, 2:] += 1
    want = [
        encoded(decoded(*item)[y0:y1, x0:x1])
        for item, (x0, y0, x1, y1) in zip(items, boxes.tolist(), strict=True)
    ]
    for num_threads in (1, 2, 7):
        assert crop(items, boxes.tolist(), num_threads=num_threads) == want


@backends
@pytest.mark.parametrize(
    "box",
    [
        (0, 0, 0, 2),
        (1, 1, 3, 1),
        (2, 0, 1, 2),
        (-1, 0, 2, 2),
        (0, -1, 2, 2),
        (0, 0, 4, 2),
        (0, 0, 3, 3),
        (2**62, 0, -(2**62), 2),
    ],
)
def test_a_box_outside_names_its_item(backend, box):
    boxes = np.array([[0, 0, 3, 2], box, box], np.int64)
    with pytest.raises(RleError) as error:
        rle_crop(*batch_of([([6], (2, 3))] * 3), boxes, backend=backend)
    assert (error.value.fault, error.value.item) == ("rle_bad_box", 1)


@backends
@pytest.mark.parametrize(
    ("runs", "size", "fault"),
    [
        ([5], (2, 3), "rle_too_short"),
        ([1, 6], (2, 3), "rle_too_long"),
        ([0], (0, 3), "rle_bad_box"),
        ([1], (-1, -1), "rle_bad_size"),
    ],
)
@pytest.mark.parametrize("num_threads", [1, 2])
def test_malformed_names_the_item(backend, runs, size, fault, num_threads):
    boxes = np.array([[0, 0, 1, 1]] * 3, np.int64)
    batch = batch_of([([6], (2, 3)), (runs, size), (runs, size)])
    with pytest.raises(RleError) as error:
        rle_crop(*batch, boxes, num_threads=num_threads, backend=backend)
    assert (error.value.fault, error.value.item) == (fault, 1)


@backends
def test_empty_batch(backend):
    assert crop([], [], backend=backend) == []


def test_larger_than_32_bits():
    huge = RleBatch.from_counts([[2**32 - 1, 5, 2**32 - 4]], [(2, 2**32)])
    box = np.array([[2**31 - 1, 0, 2**31 + 3, 2]], np.int64)
    assert rle_crop(*huge, box)[0].tolist() == [1, 5, 2]
    empty = RleBatch.from_counts([[2**32 - 1, 0, 1]], [(1, 2**32)])
    with pytest.raises(RleError, match="32 bits"):
        rle_crop(*empty, np.array([[0, 0, 2**32, 1]]))


def test_wrong_arrays_are_refused():
    batch = batch_of([([6], (2, 3))])
    with pytest.raises(TypeError, match="boxes: expected dtype int64"):
        rle_crop(*batch, np.zeros((1, 4)))
    with pytest.raises(ValueError, match=r"boxes: expected shape \(1, 4\)"):
        rle_crop(*batch, np.zeros((2, 4), np.int64))
