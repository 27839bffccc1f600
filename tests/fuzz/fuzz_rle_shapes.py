"""Polygons and boxes to masks, and masks cropped, resized and mirrored."""

import struct

import numpy as np
from harness import run
from mask_inputs import SIDES, Input, batch, check

from refpix.kernels import (
    isas,
    rle_crop,
    rle_flip,
    rle_from_bbox,
    rle_from_polygon,
    rle_resize,
    use_isa,
)

CORPUS = [
    b"",
    bytes(range(256)),
    bytes([0, 0, 40, 30, 3, 9] + [20, 3, 9, 40, 17, 2, 81] * 30),
    bytes([0, 0, 40, 30, 2, 8]) + struct.pack("<8d", 1e8, -3.5, 0.1, 9e9, 2**31, -1e300, 4, 5),
    bytes([1, 1, 4, 12, 12, 4, 0, 11] + [1, 2, 3] * 60),
    bytes([1, 2, 4, 12, 11, 4, 0, 11] + [5, 2, 0] * 60),
]
ODD = (float("nan"), float("inf"), float("-inf"), 1e300, -1e300, 4.3e8, -4.3e8, 4.2e8, 5e-324, -0.0)


def coordinate(source: Input) -> float:
    match source.below(8):
        case 0:
            return float(source.pick(ODD)) if source.fault("coordinates") else 0.0
        case 1:
            raw = source.take(8)
            odd = len(raw) == 8 and source.fault("coordinates")
            return struct.unpack("<d", raw)[0] if odd else 1.0
        case 2:
            return source.below(1000) - 500.0
        case 3:
            return source.below(600) / 10 - 5
        case _:
            return source.below(128) / 2 - 8


def picture(source: Input) -> tuple[int, int]:
    """Few columns, as the reference goes through all; any number of rows."""
    if source.fault("sizes"):
        return source.pick(SIDES), source.pick((-1, 0, 2, 2**62, -(2**63)))
    return source.below(70), source.below(70)


def draw(source: Input) -> None:
    count = source.below(4)
    sizes = np.array([picture(source) for _ in range(count)], np.int64).reshape(-1, 2)
    polygons = [[coordinate(source) for _ in range(source.below(19) + 2)] for _ in range(count)]
    if polygons and source.fault("empty"):
        polygons[0] = polygons[0][: source.below(2)]
    flat = np.array([number for polygon in polygons for number in polygon], np.float64)
    offsets = np.cumsum([0, *map(len, polygons)], dtype=np.int64)
    if source.fault("offsets"):
        offsets[source.below(len(offsets))] += source.pick((-(2**62), -1, 1, 2**62))
    check(rle_from_polygon, flat, offsets, sizes)
    boxes = [[coordinate(source) for _ in range(4)] for _ in range(count)]
    check(rle_from_bbox, np.array(boxes, np.float64).reshape(-1, 4), sizes)


def span(source: Input, side: int) -> tuple[int, int]:
    """Part of a side that is not empty, of one that is not malformed."""
    if side <= 0:
        return 0, 1
    start = source.below(side)
    return start, start + 1 + source.below(side - start)


def edit(source: Input) -> None:
    masks = batch(source, huge=False, one_size=False)
    check(rle_flip, *masks, axis=source.pick(("horizontal", "vertical")))
    if 0 in masks.sizes:
        return
    boxes, new_sizes = [], []
    for height, width in masks.sizes.tolist():
        (x0, x1), (y0, y1) = (span(source, side) for side in (width, height))
        boxes.append([x0, y0, x1, y1])
        if source.fault("boxes"):
            boxes[-1][source.below(4)] = source.pick(SIDES)
        new_sizes.append([source.below(40) + 1, source.below(40) + 1])
        if source.fault("new sizes"):
            new_sizes[-1] = [source.pick((-1, 0, 2**62)), source.pick((-1, 0, 2**62))]
    check(rle_crop, *masks, np.array(boxes, np.int64).reshape(-1, 4))
    rule = source.pick(("torch", "opencv", "pillow"))
    check(rle_resize, *masks, np.array(new_sizes, np.int64).reshape(-1, 2), rule=rule)


def one_input(data: bytes) -> None:
    source = Input(data)
    with use_isa(source.pick(isas())):
        (draw if source.below(2) else edit)(source)


if __name__ == "__main__":
    run(one_input, CORPUS)
