"""Where pycocotools is wrong, crashes or never returns: what we do instead.

pycocotools is not called here: with much of this it would end the process. What it does stands in
docs/compat-pycocotools.md.
"""

import threading
from pathlib import Path

import numpy as np
import pytest
from tests.compat.coco_masks import in_pixels
from tests.compat.test_pycocotools import GOOD, packed

from refpix.compat.pycocotools import mask as ours
from refpix.errors import RleError

MAX = 2**32 - 1


def plain(runs, size):
    return {"size": list(size), "counts": runs}


def test_areas_of_more_than_255_masks():
    for count in (255, 256, 257, 1000):
        areas = ours.area([GOOD] * count)
        assert areas.dtype == np.uint32
        assert areas.tolist() == [1] * count


MALFORMED = {
    "short": plain([5], (2, 3)),
    "long": plain([7], (2, 3)),
    "longer by a run": plain([6, 1], (2, 3)),
    "6 modulo 2**32": plain([MAX, 7], (2, 3)),
    "none": plain([], (2, 3)),
    "none, compressed": {"size": [2, 3], "counts": b""},
    "for another size": {**GOOD, "size": [3, 3]},
}


@pytest.mark.parametrize("rle", MALFORMED.values(), ids=MALFORMED)
def test_runs_that_do_not_fill_the_mask(rle):
    """Uninitialised bytes, no end, or a crash in pycocotools, depending on the call."""
    for take in (ours.decode, ours.area, ours.toBbox):
        with pytest.raises(RleError, match="item 0"):
            take(rle)
    for take in (
        ours.decode,
        ours.merge,
        lambda rles: ours.merge(rles, intersect=1),
        lambda rles: ours.iou(rles, [GOOD], [0]),
        lambda rles: ours.iou([GOOD], [rles[1]] * 2, [1, 1]),
    ):
        with pytest.raises(RleError, match="item 1"):
            take([GOOD, rle])


@pytest.mark.parametrize("fault", ["_", "p", "~", "/", "\x00", "\x80", "\xff", "\n", " "])
def test_characters_outside_the_alphabet(fault):
    text = GOOD["counts"].decode() + fault
    # '_' is within it, and says that a number goes on.
    fault = "rle_truncated" if fault == "_" else "rle_bad_character"
    for counts in (text, text.encode("latin-1")):
        with pytest.raises(RleError) as raised:
            ours.area([GOOD, {"size": [2, 3], "counts": counts}])
        assert (raised.value.fault, raised.value.item) == (fault, 1)


def test_decoding_nothing():
    """pycocotools: a shape that is an address. There is no size to answer with."""
    for nothing in ([], (), iter(())):
        with pytest.raises(ValueError, match="no masks"):
            ours.decode(nothing)
    # What has an answer is answered, as there.
    assert ours.area([]).shape == (0,)
    assert ours.toBbox([]).shape == (0, 4)
    assert ours.merge([]) == {"size": [0, 0], "counts": b""}
    assert ours.iou([], [], []) == []


def test_masks_of_several_sizes():
    """Decoded one over the other, or merged to a mask of 0 x 0, in pycocotools."""
    turned = packed([5, 1], (3, 2))
    for take in (ours.decode, ours.merge):
        with pytest.raises(RleError) as raised:
            take([GOOD, GOOD, turned])
        assert (raised.value.fault, raised.value.item) == ("rle_size_mismatch", 2)


def test_runs_of_length_zero_that_meet():
    """pycocotools loses what comes after: a merge too short, an IoU of 0."""
    runs = [1, 0, 1, 2, 2]
    rle = packed(runs, (2, 3))
    assert ours.iou([rle], [rle], [0]).tolist() == [[1]]
    for intersect in (0, 1):
        merged = ours.merge([rle, rle, rle], intersect)
        np.testing.assert_array_equal(ours.decode(merged), in_pixels(runs, (2, 3)))


def test_more_runs_than_pixels():
    """pycocotools has room for one more than there are pixels, and writes on."""
    rle = packed([0] * 501 + [1, 1], (1, 2))
    for intersect in (0, 1):
        np.testing.assert_array_equal(ours.decode(ours.merge([rle, rle], intersect)), [[1, 0]])


def test_the_box_of_foreground_runs_without_pixels():
    """pycocotools: 3, 2, 4294967294, 4294967295."""
    for runs in ([0, 0, 6], [2, 0, 4], [6, 0], [6, 0, 0, 0]):
        assert ours.toBbox(packed(runs, (2, 3))).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf"), 1e300, 1e9, -1e9, None])
@pytest.mark.parametrize("place", range(6))
def test_polygons_without_end(bad, place):
    """pycocotools crashes, or takes for ever."""
    polygon = [1.0, 1, 8, 1, 8, 8]
    polygon[place] = bad
    with pytest.raises((RleError, TypeError), match="item 1"):
        ours.frPyObjects([[1, 1, 8, 1, 8, 8], polygon], 10, 10)
    box = [1.0, 1, 8, 8]
    box[place % 4] = bad
    with pytest.raises(RleError, match="item 1"):
        ours.frPyObjects([[1, 1, 8, 8], box], 10, 10)


def test_a_polygon_far_larger_than_the_picture():
    """Work is bounded by the picture; pycocotools would visit 6 billion points."""
    far = 4e8
    whole = ours.frPyObjects([[-far, -far, far, -far, far, far, -far, far]], 50, 60)
    assert ours.area(whole).tolist() == [3000]
    assert ours.area(ours.frPyObjects([[far, far, far, 2, 2, far]], 50, 60)).tolist() == [0]


def test_pictures_without_pixels():
    """pycocotools gives a picture of no columns runs for 45 pixels."""
    for size in ((0, 10), (10, 0), (0, 0)):
        for rle in ours.frPyObjects([[1, 2, 3, 4, 5, 6]], *size) + ours.frPyObjects(
            [[1, 2, 3, 4]], *size
        ):
            assert rle["size"] == list(size)
            assert ours.decode(rle).shape == size
            assert ours.area(rle) == 0


@pytest.mark.parametrize("run", [2**29, 2**30 - 1, 2**31 - 1, 2**31, 2**31 + 1, MAX])
def test_runs_beyond_29_bits(run):
    """pycocotools has room for numbers of six characters, and these take seven."""
    rle = ours.frPyObjects(plain([run, 1, 2], (1, run + 3)), 1, 1)
    assert ours.frPyObjects(rle, 1, 1) == rle
    assert ours.area(rle) == 1
    assert ours.toBbox(rle).tolist() == [run, 0, 1, 1]
    assert ours.merge([rle, rle]) == rle


def test_areas_beyond_32_bits():
    """pycocotools: modulo 2**32. Its type, uint32, does not hold them."""
    fits = plain([1, MAX], (2**16, 2**16))
    assert ours.area(fits) == MAX
    beyond = plain([0, MAX, 0, 1], (2**16, 2**16))
    with pytest.raises(RleError) as raised:
        ours.area([fits, beyond])
    assert (raised.value.fault, raised.value.item) == ("rle_area_overflow", 1)
    assert ours.toBbox(beyond).tolist() == [0, 0, 2**16, 2**16]
    assert ours.iou([fits], [beyond], [0]).tolist() == [[MAX / 2**32]]
    assert ours.iou([beyond], [fits], [1]).tolist() == [[MAX / 2**32]]


@pytest.mark.parametrize(("side", "start"), [(60_000, 59_996), (70_000, 35_000)])
def test_polygons_in_pictures_of_more_than_31_bits(side, start):
    """pycocotools counts pixels in 32 bits."""
    stop = start + 4
    square = [start, start, start, stop, stop, stop, stop, start]
    (rle,) = ours.frPyObjects([square], side, side)
    assert ours.area(rle) == 16
    assert ours.toBbox(rle).tolist() == [start, start, 4, 4]


@pytest.mark.parametrize("size", [[2**31, 2**30], [2**31, 2**31], [2**62, 1], [2**63 - 1, 1]])
def test_no_memory_is_taken_for_a_mask_that_is_malformed(size):
    rle = {"size": size, "counts": b"6"}
    for take in (ours.decode, ours.area, ours.toBbox, lambda r: ours.merge([r, r])):
        with pytest.raises(RleError):
            take(rle)


def test_what_changes_while_it_is_read():
    """Reading a number may run code of the caller's."""

    class Number:
        def __init__(self, value, change):
            self.value, self.change = value, change

        def __index__(self):
            self.change()
            return self.value

        def __float__(self):
            self.change()
            return float(self.value)

    rles = [dict(GOOD) for _ in range(5)]
    rles[1]["size"] = [Number(2, rles.clear), 3]
    with pytest.raises(RuntimeError, match=r"item 2: .*changed"):
        ours.area(rles)

    rle = dict(GOOD)
    rle["size"] = [Number(2, rle.clear), 3]
    assert ours.area(rle) == 1
    size = []
    size += [Number(2, size.clear), 3]
    with pytest.raises(ValueError, match="height and width"):
        ours.area({**GOOD, "size": size})
    counts = []
    counts += [Number(5, counts.clear), 1]
    assert ours.area(plain(counts, (2, 3))) == 1
    polygon = []
    polygon += [Number(1, polygon.clear), 1, 1, 4, 4, 4, 4, 1]
    want = ours.frPyObjects([[1, 1, 1, 4, 4, 4, 4, 1]], 9, 9)
    assert ours.frPyObjects([polygon], 9, 9) == want
    polygons = []
    polygons += [[Number(1, polygons.clear), 1, 1, 4, 4, 4, 4, 1], [0, 0, 1, 1, 2, 2]]
    assert ours.frPyObjects(polygons, 9, 9)[:1] == want


def test_other_threads_run_meanwhile():
    """pycocotools keeps the GIL for the whole call."""
    mask = np.zeros((6000, 6000), np.uint8)
    mask[::2, ::3] = 1
    ticks, done = [0], threading.Event()

    def count():
        while not done.is_set():
            ticks[0] += 1

    thread = threading.Thread(target=count)
    thread.start()
    try:
        before = ticks[0]
        rle = ours.encode(mask)
        ours.decode(rle)
        assert ticks[0] > before
    finally:
        done.set()
        thread.join()


def resident():
    """Memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_refusing_keeps_no_memory():
    kept = packed([1] * 600, (20, 30))["counts"]

    def text():
        """New each time, so that each one kept shows."""
        return bytes(bytearray(kept))

    bad = [
        lambda: ours.decode([{"size": [20, 30], "counts": text() + b"1"}]),
        lambda: ours.decode({"size": [20, 30], "counts": text()[:-1]}),
        lambda: ours.merge([{"size": [20, 30], "counts": text()}, GOOD]),
        lambda: ours.area([{"size": [20, 30], "counts": text()}, {"size": [20, 30]}]),
        lambda: ours.toBbox([{"size": [20, 30], "counts": [1] * 599}]),
        lambda: ours.iou([{"size": [20, 30], "counts": text()}], [{"size": [9]}], [0]),
        lambda: ours.frPyObjects([[1.0] * 600, [float("nan")] * 600], 20, 30),
        lambda: ours.frPyObjects([[1.0] * 600, [2.0, "3"] * 300], 20, 30),
        lambda: ours.encode(np.zeros((20, 30), np.int64)),
        lambda: ours.decode({"size": [20, 30], "counts": text()}, out=np.zeros((30, 20), np.uint8)),
    ]

    def refuse(times):
        for _ in range(times):
            for call in bad:
                with pytest.raises((ValueError, TypeError, KeyError)):
                    call()

    refuse(1000)
    before = resident()
    refuse(10_000)
    # 10**5 calls: a leak of one small object each would be 5 MB.
    assert resident() - before < 3 << 20
