"""The stand-in for pycocotools.mask on whatever Python can hand it.

It answers as the readable kernels do, or raises one of the exceptions that are documented.
"""

import numpy as np
from harness import run
from mask_inputs import RUNS, SIDES, Input, runs_of, small_size

from refpix import masks as columns
from refpix.compat.pycocotools import mask
from refpix.kernels import (
    rle_area,
    rle_bbox,
    rle_decode,
    rle_encode,
    rle_from_bbox,
    rle_from_polygon,
    rle_iou,
    rle_merge,
    rle_to_string,
)
from refpix.types import RleBatch

CORPUS = [
    b"",
    bytes(range(256)),
    *(bytes([what, 2, 8, 9, 3, 1]) + bytes(range(what, 250, 3)) * 3 for what in range(7)),
    *(bytes([what, 4, 12, 7, 5, 2]) + bytes([15, 3, 1, 15, 8]) * 60 for what in range(7)),
]
EXPECTED = (ValueError, TypeError, KeyError, RuntimeError)
NUMBERS = (0.0, 1.5, 3.0, float("nan"), float("inf"), -1e300, 4.4e8, 10**400, None, "2", b"", [1])


class Meddler:
    """A number that changes something of the caller's when it is read."""

    def __init__(self, value, change):
        self.value, self.change = value, change

    def __index__(self):
        self.change()
        return self.value

    def __float__(self):
        self.change()
        return float(self.value)


def answer(call):
    """What a call returns, or None and the exception it raises."""
    try:
        return call(), None
    except EXPECTED as error:
        return None, error


def rle_of(source: Input, size, everything: list):
    """A dict of a mask, in one of its forms, sometimes with something wrong."""
    runs = runs_of(source, size)
    rle = {"size": list(size), "counts": runs}
    form = source.below(8)
    if form == 0:
        rle = {"size": np.array(size), "counts": np.array(runs, np.uint32)}
    elif form == 1:
        rle = {"size": tuple(map(float, size)), "counts": tuple(runs)}
    elif form > 2:
        text, _ = rle_to_string(*RleBatch.from_counts([runs], [size])[:2])
        rle["counts"] = text.tobytes() if form > 4 else text.tobytes().decode()
    if not source.seldom():
        return rle
    counts = rle["counts"]
    match source.below(10):
        case 0:
            return source.pick((None, 3, "text", [], {}, (), b"6", object()))
        case 1:
            del rle[source.pick(("size", "counts"))]
        case 2:
            rle["size"] = source.pick((None, 3, [3], [1, 2, 3], "23", {1: 2, 3: 4}, (None, 1)))
        case 3:
            rle["size"] = [source.pick(SIDES), source.pick((*SIDES, 2**64, 0.5))]
        case 4:
            other = source.pick((b"\x00", b"\n", b"\xff", b"PPPPPPPPPPPP0", b"o", b"oooooo0"))
            rle["counts"] = counts + other if isinstance(counts, bytes) else other
        case 5:
            rle["counts"] = source.pick(
                (None, 7, [None], ["1"], [[6]], {6}, range(4), bytearray(b"6"))
            )
        case 6:
            rle["counts"] = [source.pick((*RUNS, -1, 2**32, 2**64, 0.5)) for _ in range(3)]
        case 7:
            change = source.pick((everything.clear, rle.clear, lambda: everything.append(rle)))
            rle["size"] = [Meddler(size[0], change), size[1]]
        case 8:
            rle["size"] = [0, size[1]]
            rle["size"][0] = Meddler(size[0], rle["size"].clear)
        case _:
            counts = list(runs)
            counts.append(Meddler(0, source.pick((counts.clear, rle.clear, everything.clear))))
            rle["counts"] = counts
    return rle


def rles_of(source: Input) -> list:
    size = small_size(source)
    rles: list = []
    for _ in range(source.below(5)):
        rles.append(rle_of(source, small_size(source) if source.seldom() else size, rles))
    return rles


def as_batch(rles):
    """The same masks as columns, read in Python; None if something about them is wrong."""
    texts, sizes = [], []
    for rle in rles:
        counts = rle["counts"]
        if isinstance(counts, str | bytes):
            return columns.from_coco(rles)
        texts.append([int(run) for run in counts])
        sizes.append(tuple(int(side) for side in rle["size"]))
    return RleBatch.from_counts(texts, sizes)


def same(got, want):
    assert got.dtype == want.dtype
    assert got.shape == want.shape
    assert got.tobytes() == want.tobytes()


def same_rles(got, want):
    assert got == columns.to_coco(RleBatch(*want))


def in_columns(call, rles, crowd, intersect):
    """What the readable kernels say to the same masks."""
    batch = as_batch(rles)
    groups = np.array([0, len(rles)], np.int64)
    match call:
        case "decode":
            return rle_decode(*batch, order="F", backend="reference")[0]
        case "area":
            return rle_area(*batch, backend="reference").astype(np.uint32)
        case "toBbox":
            return rle_bbox(*batch, backend="reference").astype(np.float64)
        case "merge":
            return rle_merge(*batch, groups, intersect=bool(intersect), backend="reference")
        case "iou":
            flags = np.array(crowd, np.uint8)
            return rle_iou(*batch, *batch, flags, strict=False, backend="reference")
    return batch


def check_masks(source: Input) -> None:
    call = source.pick(("decode", "area", "toBbox", "merge", "iou", "frPyObjects"))
    options = {} if call == "merge" else {"num_threads": source.below(3)}
    intersect = source.below(2)
    start = source.at
    rles = rles_of(source)
    crowd = [intersect] * len(rles)
    arguments = {"merge": [intersect], "iou": [rles, crowd], "frPyObjects": [3, 4]}.get(call, [])
    got, error = answer(lambda: getattr(mask, call)(rles, *arguments, **options))
    # Made anew: some spoil themselves. Where they do, it is enough to have survived.
    again = Input(source.data)
    again.at = start
    rles = rles_of(again)
    if error is not None or any(meddles(rle) for rle in rles):
        return
    if not rles:
        assert len(got) == (2 if call == "merge" else 0)
        return
    want = in_columns(call, rles, crowd, intersect)
    if call == "decode":
        assert got.flags.f_contiguous
        got = got.ravel("F")
    if call in ("merge", "frPyObjects"):
        same_rles([got] if call == "merge" else got, want)
    else:
        same(got, want)


def meddles(rle) -> bool:
    values = [*rle["size"], *rle["counts"]]
    return any(isinstance(value, Meddler) for value in values)


def number(source: Input, everything: list):
    if source.seldom():
        return source.pick(NUMBERS)
    if source.seldom():
        return Meddler(3, everything.clear)
    return source.pick((source.below(30), source.below(300) / 10, np.float32(source.below(9))))


def check_objects(source: Input) -> None:
    """Polygons and boxes, in lists and alone."""
    size = (source.below(40), source.below(40))
    if source.seldom():
        size = source.pick((*SIDES, 2**64, 2.5, None)), source.pick((-1, 0, 3))
    objects: list = []
    for _ in range(source.below(4)):
        shape: list = []
        length = 4 if source.below(3) == 0 else source.below(14)
        shape += [number(source, source.pick((objects, shape))) for _ in range(length)]
        objects.append(source.pick((shape, shape, tuple(shape))))
    if source.seldom():
        objects.insert(0, source.pick((None, "text", {}, [], np.zeros((2, 2)), 4.0)))
    pristine = [list(shape) for shape in objects if isinstance(shape, list | tuple)]
    what = objects[0] if objects and source.seldom() else objects
    got, error = answer(lambda: mask.frPyObjects(what, *size))
    meddled = any(isinstance(value, Meddler) for shape in pristine for value in shape)
    if error is not None or what is not objects or meddled or len(pristine) != len(objects):
        return
    sizes = np.array([size] * len(objects), np.int64)
    if len(pristine[0]) == 4:
        want = rle_from_bbox(np.array(pristine, np.float64), sizes, backend="reference")
    else:
        flat = np.array([float(value) for shape in pristine for value in shape])
        offsets = np.cumsum([0, *map(len, pristine)], dtype=np.int64)
        want = rle_from_polygon(flat, offsets, sizes, backend="reference")
    same_rles(got, want)


def check_encode(source: Input) -> None:
    shape = [source.below(20) for _ in range(source.pick((3, 3, 3, 2, 1, 4)))]
    pattern = np.frombuffer(source.take(200) or b"\0", np.uint8)
    dtype = source.pick((np.uint8, np.uint8, np.uint8, bool, np.int16))
    order = source.pick("CF")
    masks = np.array(np.resize(pattern, shape), dtype, order=order)[:: source.pick((1, 2, -1))]
    got, error = answer(lambda: mask.encode(masks, num_threads=source.below(3)))
    if error is None:
        stack = masks if masks.ndim == 3 else masks[:, :, np.newaxis]
        planes = stack.transpose(2, 0, 1)
        want = rle_encode(planes, rule="change", backend="reference")
        same_rles(got if masks.ndim == 3 else [got], want)
    else:
        assert masks.ndim not in (2, 3) or masks.dtype == np.int16, error


def one_input(data: bytes) -> None:
    """The first byte picks what is called."""
    source = Input(data)
    (check_masks, check_masks, check_objects, check_encode)[source.below(4)](source)


if __name__ == "__main__":
    run(one_input, CORPUS)
