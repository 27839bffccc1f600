"""The stand-in by itself: facts known without pycocotools, its arguments, its errors."""

import inspect

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided
from tests.compat.coco_masks import in_pixels

from refpix.compat.pycocotools import mask as ours
from refpix.errors import RleError
from refpix.kernels import rle_to_string
from refpix.types import RleBatch


def packed(runs, size):
    """An RLE dict with compressed counts."""
    text, _ = rle_to_string(*RleBatch.from_counts([runs], [size])[:2])
    return {"size": list(size), "counts": text.tobytes()}


GOOD = packed([5, 1], (2, 3))


def test_the_box_of_a_mask_that_touches_every_edge():
    mask = np.array([[0, 1], [1, 1]], np.uint8, order="F")
    assert ours.toBbox(ours.encode(mask)).tolist() == [0, 0, 2, 2]


def test_the_box_of_a_mask_within_the_picture():
    mask = np.zeros((10, 10), np.uint8, order="F")
    mask[2:4, 3:6] = 1
    rle = ours.encode(mask)
    assert ours.toBbox(rle).tolist() == [3, 2, 3, 2]
    assert ours.area(rle) == 6


@pytest.mark.parametrize("zeros", [1, 2, 3, 4])
def test_runs_of_length_zero_at_the_start(zeros):
    """Encoding again takes them out; the pixels, and so the box, stay."""
    runs = [0] * zeros + [7, 5, 8]
    rle = packed(runs, (4, 5))
    mask = ours.decode(rle)
    np.testing.assert_array_equal(mask, in_pixels(runs, (4, 5)))
    again = ours.encode(mask)
    assert again["counts"] != rle["counts"] or zeros == 1
    assert ours.toBbox(again).tolist() == ours.toBbox(rle).tolist()
    assert ours.area(again) == ours.area(rle)


@pytest.mark.parametrize("run", [0, 2, 4])
def test_counts_that_were_damaged(run):
    """A digit in the middle that makes a run huge, as of a file gone through a wrong decoder."""
    runs = [2000, 30, 50, 28, 1_046_468]
    text = bytearray(packed(runs, (1024, 1024))["counts"])
    text[run] ^= 0x20
    with pytest.raises(ValueError, match="item 0"):
        ours.decode({"size": [1024, 1024], "counts": bytes(text)})


def test_signatures_are_the_published_ones():
    theirs = pytest.importorskip("pycocotools.mask")
    for name in ("encode", "decode", "area", "toBbox"):
        published = list(inspect.signature(getattr(theirs, name)).parameters)
        mine = inspect.signature(getattr(ours, name)).parameters
        assert list(mine)[: len(published)] == published
        assert all(mine[extra].kind is mine[extra].KEYWORD_ONLY for extra in list(mine)[1:])
    rle = ours.encode(np.ones((2, 2), np.uint8))
    box = [[0, 0, 1, 1]]
    # Compiled functions without signatures; these names are in its sources.
    assert ours.iou(dt=box, gt=box, pyiscrowd=[0]).tolist() == [[1]]
    assert ours.merge(rleObjs=[rle], intersect=1) == rle
    assert ours.frPyObjects(pyobj=rle, h=2, w=2) == rle
    assert all(hasattr(theirs, name) for name in ours.__all__)


@pytest.mark.parametrize("flag", [0, 1, True, False, np.True_, np.int64(1), 0.5, 1.0, 2, -1])
def test_merge_takes_its_flag_as_a_whole_number(flag):
    """0.5 is 0, as it is where C takes it."""
    empty = packed([6], (2, 3))
    merged = ours.merge([GOOD, empty], flag)
    assert ours.area(merged) == (0 if int(flag) else 1)


@pytest.mark.parametrize("flag", [None, "1", [], [0]], ids=repr)
def test_merge_refuses_what_is_no_flag(flag):
    with pytest.raises(TypeError, match="intersect"):
        ours.merge([GOOD], flag)


FORMS = {
    "a dict": {"size": [10, 12], "counts": [120]},
    "dicts": [{"size": [10, 12], "counts": [120]}],
    "a compressed dict": packed([120], (10, 12)),
    "a tuple of dicts": ({"size": (10, 12), "counts": (120,)},),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_rle_dicts_of_any_form(form):
    want = {"size": [10, 12], "counts": packed([120], (10, 12))["counts"]}
    assert ours.frPyObjects(form, 1, 1) == (want if isinstance(form, dict) else [want])


def test_boxes_and_polygons_of_any_form():
    box = [2, 3, 4, 5]
    polygon = [2, 3, 2, 8, 6, 8, 6, 3]
    (want,) = ours.frPyObjects(np.array([box], np.float64), 10, 12)
    assert in_pixels([33, 5, 5, 5, 5, 5, 5, 5, 52], (10, 12)).sum() == ours.area(want)
    assert ours.frPyObjects([polygon], 10, 12) == [want]
    for single in (box, polygon, tuple(box), tuple(polygon), [float(x) for x in box]):
        assert ours.frPyObjects(single, 10, 12) == want
    for several in ([box], [tuple(box)], [np.array(box)], np.array([box]), (polygon,)):
        assert ours.frPyObjects(several, 10, 12) == [want]
    assert ours.frPyObjects(np.zeros((0, 4)), 10, 12) == []
    # The first decides what they are: two points are a polygon without pixels.
    assert ours.area(ours.frPyObjects([polygon, [1, 1, 5, 5]], 10, 12)).tolist() == [20, 0]


def test_iou_needs_one_flag_for_each_ground_truth():
    with pytest.raises(AssertionError, match="same length as gt"):
        ours.iou([GOOD], [GOOD], [])
    with pytest.raises(AssertionError, match="same length as gt"):
        ours.iou([], [GOOD], [])
    with pytest.raises(OverflowError):
        ours.iou([GOOD], [GOOD], [256])
    for iscrowd in ([[0]], 0):
        with pytest.raises(ValueError, match="iscrowd"):
            ours.iou([GOOD], [GOOD], iscrowd)


def test_iou_wants_masks_or_boxes_not_both():
    box = [0, 0, 1, 1]
    for dt, gt in [([GOOD], [box]), ([box], [GOOD]), ([GOOD], np.array([box]))]:
        with pytest.raises(ValueError, match="both"):
            ours.iou(dt, gt, [0])
    with pytest.raises(TypeError, match="item 1"):
        ours.iou([GOOD, box], [GOOD], [0])
    with pytest.raises(ValueError, match=r"\(n, 4\)"):
        ours.iou([[1, 2, 3]], [[1, 2, 3]], [0])


BAD_DICTS = {
    "no counts": ({"size": [2, 3]}, KeyError),
    "no size": ({"counts": b"6"}, KeyError),
    "no dict": ([[2, 3], b"6"], TypeError),
    "None": (None, TypeError),
    "size is a number": ({"size": 6, "counts": b"6"}, TypeError),
    "size of one": ({"size": [6], "counts": b"6"}, ValueError),
    "size of three": ({"size": [2, 3, 1], "counts": b"6"}, ValueError),
    "size of text": ({"size": "23", "counts": b"6"}, TypeError),
    "size is a dict": ({"size": {2: 0, 3: 0}, "counts": b"6"}, TypeError),
    "size is no whole number": ({"size": [2, 3.5], "counts": b"6"}, (TypeError, ValueError)),
    "size is not a number": ({"size": [2, float("nan")], "counts": b"6"}, (TypeError, ValueError)),
    "size is negative": ({"size": [-2, -3], "counts": b"6"}, RleError),
    "size overflows": ({"size": [2**40, 2**40], "counts": b"6"}, RleError),
    "size beyond 64 bits": ({"size": [2**70, 3], "counts": b"6"}, ValueError),
    "counts are None": ({"size": [2, 3], "counts": None}, TypeError),
    "counts are a number": ({"size": [2, 3], "counts": 6}, TypeError),
    "counts are a bytearray": ({"size": [1, 54], "counts": bytearray(b"6")}, TypeError),
    "counts are a memoryview": ({"size": [1, 54], "counts": memoryview(b"6")}, TypeError),
    "counts are a dict": ({"size": [2, 3], "counts": {6: 0}}, TypeError),
    "counts are a matrix": ({"size": [2, 3], "counts": np.array([[6]])}, TypeError),
    "run is text": ({"size": [2, 3], "counts": ["6"]}, TypeError),
    "run is no whole number": ({"size": [2, 3], "counts": [6.5]}, (TypeError, ValueError)),
    "run is infinite": ({"size": [2, 3], "counts": [float("inf")]}, (TypeError, ValueError)),
    "run is negative": ({"size": [2, 3], "counts": [7, -1]}, RleError),
    "run is too long": ({"size": [2, 3], "counts": [2**32 + 6]}, RleError),
    "run beyond 64 bits": ({"size": [2, 3], "counts": [2**70]}, ValueError),
    "counts of no ASCII": ({"size": [2, 3], "counts": "6\u00e9"}, RleError),
    "counts of half a surrogate": ({"size": [2, 3], "counts": "6\ud800"}, ValueError),
    "counts with a newline": ({"size": [2, 3], "counts": b"6\n"}, RleError),
    "counts with NUL": ({"size": [2, 3], "counts": b"6\0"}, RleError),
    "counts end early": ({"size": [2, 3], "counts": b"V"}, RleError),
}
TAKE_RLES = {
    "decode": ours.decode,
    "area": ours.area,
    "toBbox": ours.toBbox,
    "merge": ours.merge,
    "iou, dt": lambda rles: ours.iou(rles, [GOOD], [0]),
    "iou, gt": lambda rles: ours.iou(rles[:1], rles[1:], [0] * (len(rles) - 1)),
    "frPyObjects": lambda rles: ours.frPyObjects(rles, 2, 3),
}


@pytest.mark.parametrize("take", TAKE_RLES.values(), ids=TAKE_RLES)
@pytest.mark.parametrize(("rle", "error"), BAD_DICTS.values(), ids=BAD_DICTS)
def test_what_is_no_mask_is_refused_by_item(take, rle, error):
    with pytest.raises(error, match="item 2") as raised:
        take([GOOD, GOOD, rle])
    if error is RleError:
        assert raised.value.item == 2


@pytest.mark.parametrize("counts", [b"5", b"7", b"", b"66", [5], [6, 1], []], ids=repr)
def test_runs_that_do_not_fill_the_mask_are_refused_by_item(counts):
    for name, take in TAKE_RLES.items():
        rles = [GOOD, GOOD, {"size": [2, 3], "counts": counts}]
        if name == "frPyObjects":  # only writes them another way
            assert take(rles)[2]["size"] == [2, 3]
            continue
        with pytest.raises(RleError) as raised:
            take(rles)
        assert raised.value.item == 2


@pytest.mark.parametrize("num_threads", [1, 3])
def test_threads_report_the_first_fault(num_threads):
    short, long = packed([5], (2, 3)), packed([7], (2, 3))
    for take in (ours.decode, ours.area, ours.toBbox):
        with pytest.raises(RleError) as raised:
            take([GOOD] * 50 + [short] + [GOOD] * 50 + [long], num_threads=num_threads)
        assert (raised.value.fault, raised.value.item) == ("rle_too_short", 50)


@pytest.mark.parametrize(
    "rles", [7, None, "text", b"text", [b"text"], 1.5, {1}, np.zeros(3)], ids=repr
)
def test_what_holds_no_masks_is_refused(rles):
    for take in (ours.decode, ours.area, ours.toBbox, ours.merge):
        with pytest.raises(TypeError):
            take(rles)


@pytest.mark.parametrize(
    ("mask", "error"),
    [
        (np.zeros((2, 3), np.int64), ValueError),
        (np.zeros((2, 3), np.float32), ValueError),
        (np.zeros(3, np.uint8), ValueError),
        (np.zeros((2, 3, 1, 1), np.uint8), ValueError),
        ([[0, 1]], TypeError),
        (None, TypeError),
    ],
)
def test_encode_refuses_what_is_no_mask(mask, error):
    with pytest.raises(error):
        ours.encode(mask)


POLYGON = [0, 0, 5, 0, 5, 5]
BAD_OBJECTS = {
    "nothing": ([], ValueError, None),
    "no points": ([[]], ValueError, "item 0"),
    "too few numbers": ([[1, 2, 3]], ValueError, "item 0"),
    "no points later": ([POLYGON, []], RleError, "item 1"),
    "one number": ([POLYGON, [1]], RleError, "item 1"),
    "not finite": ([POLYGON, [0, 0, float("nan"), 0, 5, 5]], RleError, "item 1"),
    "infinite": ([POLYGON, [0, 0, float("inf"), 0, 5, 5]], RleError, "item 1"),
    "huge": ([POLYGON, [0, 0, 1e9, 0, 5, 5]], RleError, "item 1"),
    "nested": ([POLYGON, [[0, 0], [5, 0], [5, 5]]], TypeError, "item 1"),
    "a number": ([POLYGON, 3], TypeError, "item 1"),
    "text": ([POLYGON, "0 0 5 0 5 5"], TypeError, "item 1"),
    "texts": ([POLYGON, ["0", "0", "5", "0", "5", "5"]], TypeError, "item 1"),
    "None within": ([POLYGON, [0, 0, None, 0, 5, 5]], TypeError, "item 1"),
    "a dict within": ([POLYGON, GOOD], TypeError, "item 1"),
    "boxes of several lengths": ([[0, 0, 5, 5], POLYGON], ValueError, None),
    "a box that is not finite": ([[0, 0, 5, 5], [0, 0, float("nan"), 5]], RleError, "item 1"),
    "a huge box": ([[0, 0, 5, 5], [0, 0, 1e300, 5]], RleError, "item 1"),
    "an array of threes": (np.zeros((2, 3)), ValueError, None),
    "text alone": ("0 0 5 0 5 5", ValueError, None),
    "None": (None, ValueError, None),
}


@pytest.mark.parametrize(("objects", "error", "where"), BAD_OBJECTS.values(), ids=BAD_OBJECTS)
def test_frpyobjects_refuses_by_item(objects, error, where):
    with pytest.raises(error, match=where):
        ours.frPyObjects(objects, 10, 10)


@pytest.mark.parametrize(
    ("h", "w", "error"),
    [
        (-1, 10, ValueError),
        (2**33, 2**33, ValueError),
        (2**70, 1, (ValueError, TypeError)),
        (None, 10, TypeError),
        ("10", 10, TypeError),
        (10.5, 10, (ValueError, TypeError)),
        (float("nan"), 10, (ValueError, TypeError)),
    ],
)
def test_frpyobjects_refuses_sizes(h, w, error):
    for objects in ([POLYGON], [[0, 0, 5, 5]], np.array([[0, 0, 5.0, 5]])):
        with pytest.raises(error):
            ours.frPyObjects(objects, h, w)


def test_out_must_fit():
    fits = np.zeros((2, 3, 2), np.uint8, order="F")
    rles = [GOOD, GOOD]
    assert ours.decode(rles, out=fits) is fits
    bad = {
        "shape": np.zeros((2, 3, 3), np.uint8),
        "height and width": np.zeros((3, 2, 2), np.uint8),
        "contiguous": np.zeros((2, 3, 4), np.uint8)[:, :, ::2],
        "read-only": np.broadcast_to(np.zeros((2, 3, 1), np.uint8), (2, 3, 2)),
    }
    for what, out in bad.items():
        with pytest.raises(ValueError, match=what):
            ours.decode(rles, out=out)
    with pytest.raises(ValueError, match="contiguous"):  # planes that would overlap
        ours.decode(rles, out=as_strided(np.zeros(8, np.uint8), (2, 3, 2), (1, 2, 2)))
    with pytest.raises(ValueError, match="contiguous"):
        ours.decode(rles, out=fits[:, :, ::-1])
    with pytest.raises(TypeError, match="dtype uint8 or bool"):
        ours.decode(rles, out=np.zeros((2, 3, 2), np.int8))
    with pytest.raises(TypeError, match="NumPy array"):
        ours.decode(rles, out=[[0]])
