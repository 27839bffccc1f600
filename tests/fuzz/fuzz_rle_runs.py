"""The kernels that work run by run, on masks that may be malformed or huge."""

import numpy as np
from harness import run
from mask_inputs import Input, batch, check

from refpix.kernels import isas, rle_area, rle_bbox, rle_iou, rle_merge, rle_overlap, use_isa

CORPUS = [
    b"",
    bytes(range(256)),
    bytes([0, 0, 15, 4, 6, 5]) + bytes(range(0, 250, 7)) * 4,
    bytes([3, 15, 2, 5] + [8, 0] * 60),
    bytes([1, 0, 9, 9, 4, 0, 11] + [1, 2, 3] * 40),
    bytes([2, 15] + [255, 3, 15, 6] * 40),
]
ODD = (-(2**63), -1, 0, 1, 2, 3, 2**63 - 1)


def groups_of(source: Input, count: int) -> np.ndarray:
    groups = [0, *sorted(source.below(count + 1) for _ in range(source.below(4))), count]
    if source.fault("groups"):
        groups[source.below(len(groups))] += source.pick(ODD[1:-1])
    return np.array(groups, np.int64)


def pairs_of(source: Input, count: int) -> np.ndarray:
    pairs = [[source.below(max(count, 1)) for _ in range(2)] for _ in range(source.below(5))]
    if pairs and count == 0:
        return np.zeros((0, 2), np.int64)
    if pairs and source.fault("pairs"):
        pairs[0][source.below(2)] = source.pick(ODD)
    return np.array(pairs, np.int64).reshape(-1, 2)


def one_input(data: bytes) -> None:
    source = Input(data)
    with use_isa(source.pick(isas())):
        masks = batch(source, one_size=not source.seldom())
        count = len(masks.sizes)
        check(rle_area, *masks)
        check(rle_bbox, *masks)
        intersect = bool(source.below(2))
        check(rle_merge, *masks, groups_of(source, count), intersect=intersect)
        check(rle_overlap, *masks, pairs_of(source, count))
        others = batch(source) if source.below(2) else masks
        crowd = np.array([source.below(3) for _ in range(len(others.sizes))], np.uint8)
        check(rle_iou, *masks, *others, crowd, strict=bool(source.below(2)))


if __name__ == "__main__":
    run(one_input, CORPUS)
