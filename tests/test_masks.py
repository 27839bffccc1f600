import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.compat.coco_masks import masks as dense_masks
from tests.kernels.drawn_masks import MALFORMED, batches, dense

from refpix import masks
from refpix.errors import RleError
from refpix.kernels import mask_boundary, rle_area, rle_overlap
from refpix.types import RleBatch

POLYGON = [1, 1, 1, 4, 5, 4, 5, 1]


def same(got, want):
    assert isinstance(got, RleBatch)
    for mine, other in zip(got, want, strict=True):
        assert mine.dtype == other.dtype
        np.testing.assert_array_equal(mine, other)


def stack(count, size):
    return st.lists(dense_masks(size), min_size=count, max_size=count).map(
        lambda planes: np.stack(planes) if planes else np.zeros((0, *size), np.uint8)
    )


@given(batch=batches(zeros=True), num_threads=st.sampled_from([1, 3]))
def test_to_coco_and_back(batch, num_threads):
    rles = masks.to_coco(batch, num_threads=num_threads)
    assert [rle["size"] for rle in rles] == batch.sizes.tolist()
    assert all(type(rle["counts"]) is bytes for rle in rles)
    same(masks.from_coco(rles, num_threads=num_threads), batch)


@given(batch=batches(zeros=True), data=st.data())
def test_from_coco_takes_every_form_side_by_side(batch, data):
    forms = {
        "bytes": lambda runs, packed: packed,
        "str": lambda runs, packed: packed.decode(),
        "list": lambda runs, packed: runs.tolist(),
        "tuple": lambda runs, packed: tuple(runs.tolist()),
        "array": lambda runs, packed: runs,
        "int64": lambda runs, packed: runs.astype(np.int64),
    }
    rles = masks.to_coco(batch)
    for i, rle in enumerate(rles):
        form = data.draw(st.sampled_from(sorted(forms)))
        rle["counts"] = forms[form](batch.runs(i), rle["counts"])
    same(masks.from_coco(rles), batch)
    same(masks.from_coco(tuple(rles), num_threads=2), batch)


def test_nothing():
    none = masks.from_coco([])
    same(none, RleBatch.from_counts([], []))
    assert masks.to_coco(none) == []
    assert masks.decode([]).shape == (0, 0, 0)
    assert masks.encode(np.zeros((0, 4, 5), np.uint8)).sizes.shape == (0, 2)
    assert masks.overlap(none, none).shape == (0, 3)
    assert masks.boundary([]).sizes.shape == (0, 2)


@given(batch=batches(zeros=True), order=st.sampled_from("CF"), num_threads=st.sampled_from([1, 2]))
def test_decode(batch, order, num_threads):
    want = np.array(dense(batch))
    for given_masks in (batch, masks.to_coco(batch)):
        got = masks.decode(given_masks, order=order, num_threads=num_threads)
        assert got.dtype == np.uint8
        assert got.shape == (len(want), *(batch.sizes[0] if len(batch.sizes) else (0, 0)))
        assert all(plane.flags[f"{order}_CONTIGUOUS"] for plane in got)
        np.testing.assert_array_equal(got, want.reshape(got.shape))
    assert masks.decode(batch, dtype="bool").dtype == bool


@pytest.mark.parametrize("dtype", [np.uint8, bool])
def test_decode_into_out(dtype):
    batch = RleBatch.from_counts([[1, 2, 3], [0, 6]], [(2, 3)] * 2)
    out = np.ones((2, 2, 3), dtype)
    got = masks.decode(batch, out=out)
    assert np.shares_memory(got, out)
    np.testing.assert_array_equal(out, dense(batch))
    out[:] = 1
    turned = masks.decode(batch, out=out, order="F")
    assert np.shares_memory(turned, out)
    np.testing.assert_array_equal(turned, dense(batch))
    for wrong in (np.ones((2, 3, 2), dtype), np.ones((1, 2, 3), dtype), out[:, :, ::-1]):
        with pytest.raises(ValueError, match="out"):
            masks.decode(batch, out=wrong)
    with pytest.raises(TypeError, match="out"):
        masks.decode(batch, out=np.ones((2, 2, 3), np.int16))


@given(data=st.data(), count=st.integers(0, 4), size=st.tuples(*[st.integers(0, 40)] * 2))
def test_encode(data, count, size):
    planes = data.draw(stack(count, size))
    batch = masks.encode(planes, num_threads=2)
    np.testing.assert_array_equal(masks.decode(batch), planes.reshape(masks.decode(batch).shape))
    for other in (planes.astype(bool), planes * np.uint8(255), planes[::-1, ::-1][::-1, ::-1]):
        same(masks.encode(other), batch)
    if count:
        same(masks.encode(planes[0]), batch.take([0]))


def test_encode_counts_whatever_is_not_zero():
    levels = np.array([[0, 1], [7, 255]], np.uint8)
    assert masks.encode(levels).counts.tolist() == [1, 3]


def test_decode_of_several_sizes_names_the_first_that_differs():
    batch = RleBatch.from_counts([[6], [6], [6]], [(2, 3), (2, 3), (3, 2)])
    for given_masks in (batch, masks.to_coco(batch)):
        with pytest.raises(RleError) as error:
            masks.decode(given_masks)
        assert (error.value.fault, error.value.item) == ("rle_size_mismatch", 2)


@pytest.mark.parametrize(("counts", "size", "fault"), MALFORMED)
def test_malformed_names_the_item(counts, size, fault):
    batch = RleBatch.from_counts([[6], counts], [(2, 3), size])
    rles = [{"size": [2, 3], "counts": [6]}, {"size": list(size), "counts": counts}]
    if fault == "rle_bad_size":
        with pytest.raises(RleError, match="item 1"):
            masks.from_coco(rles)
    else:
        # Reading and writing do not add up.
        same(masks.from_coco(masks.to_coco(batch)), batch)
    for bad in (batch.take([1]), rles[1:]):
        with pytest.raises(RleError) as error:
            masks.decode(bad)
        assert (error.value.fault, error.value.item) == (fault, 0)
    with pytest.raises(RleError) as error:
        masks.overlap(batch, batch)
    assert (error.value.fault, error.value.item) == (fault, 1)


def test_from_coco_names_item_and_byte():
    rles = [{"size": [2, 3], "counts": "6"}, {"size": [2, 3], "counts": b"1\n5"}]
    with pytest.raises(RleError) as error:
        masks.from_coco(rles)
    assert (error.value.fault, error.value.item, error.value.position) == (
        "rle_bad_character",
        1,
        1,
    )
    for wrong, kind in [({}, KeyError), (None, TypeError), ({**rles[0], "size": [2]}, ValueError)]:
        with pytest.raises(kind, match="item 1"):
            masks.from_coco([rles[0], wrong])


def test_rasterize_unites_polygons():
    (rectangle,) = dense(masks.from_coco([masks.rasterize([POLYGON], 6, 8)]))
    assert rectangle[1:4, 1:5].all()
    assert rectangle.sum() == 12
    shifted = [number + 2 for number in POLYGON]
    united = masks.decode([masks.rasterize([POLYGON, np.array(shifted)], 6, 8)])[0]
    want = rectangle.copy()
    want[3:6, 3:7] = 1
    np.testing.assert_array_equal(united, want)
    points = np.array(POLYGON, float).reshape(-1, 2)
    assert masks.rasterize([points], 6, 8) == masks.rasterize([POLYGON], 6, 8)


def test_rasterize_polygons_as_pycocotools_does():
    mask = pytest.importorskip("pycocotools.mask")
    polygons = [[2.5, 1, 30.2, 4.7, 18, 26.1], [10, 10, 39, 12, 33, 28, 12, 25, 10, 10]]
    want = mask.merge(mask.frPyObjects(polygons, 30, 40))
    assert masks.rasterize(polygons, 30, 40) == want


def test_rasterize_of_no_polygon_is_empty():
    rle = masks.rasterize([], 6, 8)
    assert rle["size"] == [6, 8]
    assert masks.decode([rle]).sum() == 0
    assert rle == masks.to_coco(masks.encode(np.zeros((6, 8), np.uint8)))[0]


@pytest.mark.parametrize("counts", [[5, 1], b"51", "51", np.array([5, 1])], ids=repr)
def test_rasterize_run_lengths(counts):
    want = {"size": [2, 3], "counts": b"51"}
    assert masks.rasterize({"size": [2, 3], "counts": counts}, 2, 3) == want


def test_rasterize_refuses():
    with pytest.raises(RleError) as error:
        masks.rasterize({"size": [2, 3], "counts": [6]}, 3, 2)
    assert error.value.fault == "rle_size_mismatch"
    with pytest.raises(RleError, match="item 1"):
        masks.rasterize([POLYGON, [0, 0, float("nan"), 1, 2, 2]], 6, 8)
    with pytest.raises(RleError, match="item 1"):
        masks.rasterize([POLYGON, []], 6, 8)
    with pytest.raises(RleError):
        masks.rasterize([POLYGON], -1, 8)
    for segmentation in (None, "1 1 1 4", 3):
        with pytest.raises(TypeError):
            masks.rasterize(segmentation, 6, 8)


@given(data=st.data(), count=st.integers(0, 5))
def test_overlap(data, count):
    size = (23, 17)
    a, b = data.draw(stack(count, size)), data.draw(stack(count, size))
    got = masks.overlap(masks.encode(a), masks.encode(b), num_threads=2)
    want = [[(x & y).sum(), x.sum(), y.sum()] for x, y in zip(a, b, strict=True)]
    assert got.dtype == np.int64
    assert got.tolist() == np.array(want, np.int64).reshape(-1, 3).tolist()


def test_overlap_refuses():
    a = RleBatch.from_counts([[6], [6]], [(2, 3)] * 2)
    with pytest.raises(ValueError, match="2 and 1"):
        masks.overlap(a, a.take([0]))
    turned = RleBatch.from_counts([[6], [6]], [(2, 3), (3, 2)])
    with pytest.raises(RleError) as error:
        masks.overlap(a, turned)
    assert (error.value.fault, error.value.item) == ("rle_size_mismatch", 1)


@pytest.mark.parametrize("ratio", [0.02, 0.1])
def test_boundary(ratio):
    planes = np.zeros((2, 60, 80), np.uint8)
    planes[0, 10:50, 5:70] = 1
    planes[1, :, 40:] = 1
    batch = masks.boundary(masks.encode(planes), ratio=ratio)
    np.testing.assert_array_equal(masks.decode(batch), mask_boundary(planes, ratio=ratio))
    border = 2 if ratio == 0.02 else 10
    inside = (40 - 2 * border) * (65 - 2 * border)
    assert rle_area(*batch).tolist()[0] == 40 * 65 - inside
    assert rle_overlap(*batch, np.array([[0, 1]])).shape == (1, 3)
