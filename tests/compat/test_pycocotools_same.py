"""The stand-in against the installed pycocotools, on what the latter answers sensibly."""

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from tests.compat.coco_masks import (
    HEIGHTS_AND_WIDTHS,
    NUMBERS,
    assert_same_array,
    assert_same_rles,
    masks,
    polygons,
    stacks,
)
from tests.kernels.drawn_masks import batches

from refpix import masks as columns
from refpix.compat.pycocotools import mask as ours
from refpix.kernels import rle_from_string
from refpix.types import BytesBatch

theirs = pytest.importorskip("pycocotools.mask")

# Of pycocotools' decode under NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

THREADS = st.sampled_from([1, 2, 5])


def as_text(rles):
    """Counts as str, as they come out of JSON."""
    return [{**rle, "counts": rle["counts"].decode()} for rle in rles]


def uncompressed(mask):
    flat = np.concatenate([[0], mask.T.reshape(-1)])
    ends = np.flatnonzero(np.diff(flat))
    return {
        "size": list(mask.shape),
        "counts": np.diff([0, *ends, mask.size]).tolist(),
    }


@given(stack=stacks(), threads=THREADS)
@example(stack=np.zeros((0, 0, 2), np.uint8, order="F"), threads=1)
@example(stack=np.ones((700, 500, 2), np.uint8, order="F"), threads=2)
def test_encode(stack, threads):
    want = theirs.encode(stack)
    assert_same_rles(ours.encode(stack, num_threads=threads), want)
    for index in range(stack.shape[2]):
        plane = np.asfortranarray(stack[:, :, index])
        assert_same_rles(ours.encode(plane), theirs.encode(plane))


@given(stack=stacks(min_size=1, max_size=3), order=st.permutations([0, 1, 2]))
def test_encode_takes_any_strides(stack, order):
    want = theirs.encode(stack)
    other = np.ascontiguousarray(stack.transpose(order)).transpose(np.argsort(order))
    assert other.shape == stack.shape
    assert_same_rles(ours.encode(other), want)
    assert_same_rles(ours.encode(other.astype(bool)), want)
    wide = np.repeat(np.repeat(stack, 2, 0), 3, 1)[::2, ::3]
    assert_same_rles(ours.encode(wide), want)
    flipped = np.ascontiguousarray(stack[::-1, ::-1, ::-1])[::-1, ::-1, ::-1]
    assert_same_rles(ours.encode(flipped), want)
    assert_same_rles(ours.encode(flipped[:, :, 0]), want[0])


@given(stack=stacks(min_size=1), scale=st.sampled_from([1, 2, 127, 128, 255]))
def test_encode_other_values_than_one(stack, scale):
    scaled = np.asfortranarray(stack * np.uint8(scale))
    assert_same_rles(ours.encode(scaled), theirs.encode(stack))


@given(stack=stacks(min_size=1), values=st.lists(st.integers(0, 255), min_size=2, max_size=6))
def test_encode_several_values(stack, values):
    """A run ends where the byte changes, so that 1 beside 2 becomes background."""
    rng = np.random.default_rng(stack.size)
    mixed = np.asfortranarray(rng.choice(values, stack.shape).astype(np.uint8))
    want = theirs.encode(mixed)
    assert_same_rles(ours.encode(mixed), want)
    assert_same_rles(ours.encode(np.ascontiguousarray(mixed)), want)


@given(stack=stacks(min_size=1), threads=THREADS)
def test_decode(stack, threads):
    rles = theirs.encode(stack)
    want = theirs.decode(rles)
    np.testing.assert_array_equal(want, stack)
    assert_same_array(ours.decode(rles, num_threads=threads), want)
    assert_same_array(ours.decode(as_text(rles)), want)
    assert_same_array(ours.decode(rles[0]), theirs.decode(rles[0]))
    lists = [uncompressed(stack[:, :, i]) for i in range(stack.shape[2])]
    np.testing.assert_array_equal(ours.decode(lists), stack)
    np.testing.assert_array_equal(ours.decode(tuple(lists)), stack)


@given(
    stack=stacks(min_size=1),
    planes=st.sampled_from(["C", "F"]),
    dtype=st.sampled_from([np.uint8, bool]),
    gap=st.integers(0, 2),
)
def test_decode_into_out(stack, planes, dtype, gap):
    height, width, count = stack.shape
    rles = theirs.encode(stack)
    room = np.full((count * (gap + 1), height, width), 7, np.uint8).view(dtype)
    if planes == "F":
        room = room.reshape(len(room), width, height).transpose(0, 2, 1)
    out = room[:: gap + 1].transpose(1, 2, 0)
    assert ours.decode(rles, out=out) is out
    np.testing.assert_array_equal(out, stack)
    between = np.ones(len(room), bool)
    between[:: gap + 1] = False
    assert (room[between].view(np.uint8) == 7).all()
    alone = out[:, :, 0]
    alone.view(np.uint8)[...] = 7
    assert ours.decode(rles[0], out=alone) is alone
    np.testing.assert_array_equal(alone, stack[:, :, 0])


@given(stack=stacks(), threads=THREADS)
def test_area_and_box(stack, threads):
    rles = theirs.encode(stack)
    for name in ("area", "toBbox"):
        mine, other = getattr(ours, name), getattr(theirs, name)
        assert_same_array(mine(rles, num_threads=threads), other(rles))
        assert_same_array(mine(as_text(rles)), other(rles))
        if rles:
            assert_same_array(mine(rles[0]), other(rles[0]))


@given(batch=batches(zeros=True))
def test_area_and_box_where_runs_of_length_zero_occur(batch):
    rles = columns.to_coco(batch)
    # Of a mask without foreground but with foreground runs pycocotools makes up a box.
    rles = [rle for rle in rles if theirs.area(rle) > 0]
    assert_same_array(ours.area(rles), theirs.area(rles))
    assert_same_array(ours.toBbox(rles), theirs.toBbox(rles))


@given(stack=stacks(min_size=1), intersect=st.sampled_from([0, 1, True, False]))
def test_merge(stack, intersect):
    rles = theirs.encode(stack)
    want = theirs.merge(rles, intersect)
    assert_same_rles(ours.merge(rles, intersect), want)
    assert_same_rles(ours.merge(as_text(rles), intersect=intersect), want)
    assert_same_rles(ours.merge(tuple(rles), intersect), want)


def pixels_of(rle):
    """How many pixels an RLE's runs make up, whatever its size says."""
    return int(rle_from_string(*BytesBatch.from_items([rle["counts"]]))[0].sum())


@given(batch=batches(zeros=True, max_size=2), intersect=st.booleans())
def test_merge_where_runs_of_length_zero_occur(batch, intersect):
    rles = columns.to_coco(batch)
    # pycocotools has room for as many runs as there are pixels, and one.
    assume(rles and len(batch.counts) <= pixels_of(rles[0]) + 1)
    want = theirs.merge(rles, intersect)
    # Where both masks have such a run at one pixel, pycocotools loses the rest, and merging that
    # with a third mask would not end.
    assume(pixels_of(want) == want["size"][0] * want["size"][1])
    assert_same_rles(ours.merge(rles, intersect), want)


def crowds(count):
    return st.lists(st.sampled_from([0, 1, True, False]), min_size=count, max_size=count)


@given(data=st.data(), size=HEIGHTS_AND_WIDTHS, threads=THREADS)
def test_iou_of_masks(data, size, threads):
    dt, gt = (
        [theirs.encode(np.asfortranarray(mask)) for mask in data.draw(st.lists(masks(size)))]
        for _ in range(2)
    )
    iscrowd = data.draw(crowds(len(gt)))
    want = theirs.iou(dt, gt, iscrowd)
    got = ours.iou(dt, gt, iscrowd, num_threads=threads)
    if isinstance(want, list):
        assert got == want == []
        return
    assert_same_array(got, want)
    assert_same_array(ours.iou(tuple(as_text(dt)), gt, np.array(iscrowd)), want)


@given(dt=st.lists(masks(), min_size=1, max_size=4), gt=st.lists(masks(), min_size=1, max_size=4))
def test_iou_of_masks_whose_sizes_differ(dt, gt):
    dt, gt = ([theirs.encode(np.asfortranarray(mask)) for mask in side] for side in (dt, gt))
    iscrowd = [0] * len(gt)
    assert_same_array(ours.iou(dt, gt, iscrowd), theirs.iou(dt, gt, iscrowd))


BOXES = st.lists(st.lists(NUMBERS, min_size=4, max_size=4), max_size=6)


@given(data=st.data(), dt=BOXES, gt=BOXES)
@example(data=None, dt=[[0, 0, 0, 0], [1, 1, 1, 1]], gt=[[0, 0, 0, 0], [1, 1, 1, 1]])
def test_iou_of_boxes(data, dt, gt):
    iscrowd = data.draw(crowds(len(gt))) if data else [0] * len(gt)
    want = theirs.iou(dt, gt, iscrowd)
    for mine, other in [(dt, gt), (np.array(dt), np.array(gt)), (dt, [np.array(b) for b in gt])]:
        got = ours.iou(mine, other, iscrowd)
        if isinstance(want, list):
            assert got == want == []
        else:
            assert_same_array(got, want)


@given(shapes=polygons(), size=st.tuples(st.integers(1, 40), st.integers(1, 40)), threads=THREADS)
def test_polygons(shapes, size, threads):
    want = theirs.frPyObjects(shapes, *size)
    assert_same_rles(ours.frPyObjects(shapes, *size, num_threads=threads), want)
    arrays = [np.array(shape) for shape in shapes]
    assert_same_rles(ours.frPyObjects(arrays, *size), want)
    assert_same_rles(ours.frPyObjects([tuple(shape) for shape in shapes], *size), want)
    assert_same_rles(ours.merge(ours.frPyObjects(shapes, *size)), theirs.merge(want))


@given(boxes=BOXES, size=st.tuples(st.integers(1, 40), st.integers(1, 40)))
def test_boxes(boxes, size):
    array = np.array(boxes, np.float64).reshape(-1, 4)
    assert_same_rles(ours.frPyObjects(array, *size), theirs.frPyObjects(array, *size))


@given(batch=batches(zeros=True))
def test_uncompressed(batch):
    rles = [
        {"size": batch.sizes[i].tolist(), "counts": batch.runs(i).tolist()}
        for i in range(len(batch.sizes))
    ]
    assume(rles)
    want = theirs.frPyObjects(rles, 5, 5)
    assert_same_rles(ours.frPyObjects(rles, 5, 5), want)
    assert_same_rles(ours.frPyObjects(rles[0], 5, 5), theirs.frPyObjects(rles[0], 5, 5))
    arrays = [{"size": batch.sizes[i], "counts": batch.runs(i)} for i in range(len(rles))]
    assert_same_rles(ours.frPyObjects(arrays, 5, 5), want)


@pytest.mark.parametrize("number", [int, float, np.int32, np.float64])
def test_types_of_numbers_that_json_and_numpy_give(number):
    """Heights and widths, also of dicts, and run lengths may be whole numbers of any type."""
    polygon = [[1.5, 1, 7, 1, 7, 7]]
    want = theirs.frPyObjects(polygon, 10, 12)
    assert_same_rles(ours.frPyObjects(polygon, number(10), number(12)), want)
    plain = {"size": [number(3), number(4)], "counts": [number(5), number(7)]}
    packed = theirs.frPyObjects(plain, 3, 4)
    assert_same_rles(ours.frPyObjects(plain, 3, 4), packed)
    plain["counts"] = packed["counts"]
    assert_same_array(ours.decode(plain), theirs.decode(plain))


def test_a_huge_mask():
    mask = np.zeros((3000, 5000), np.uint8, order="F")
    mask[17:2900:3, 40:4800:2] = 1
    mask[1200:1300] = 1
    rle = theirs.encode(mask)
    assert_same_rles(ours.encode(mask), rle)
    assert_same_array(ours.decode(rle), mask)
    assert ours.area(rle) == theirs.area(rle)
    assert_same_array(ours.toBbox(rle), theirs.toBbox(rle))
    assert_same_rles(ours.merge([rle, rle]), theirs.merge([rle, rle]))
