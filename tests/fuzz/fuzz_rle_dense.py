"""Pixels to run lengths and back, and boundaries, in any memory layout."""

import numpy as np
from harness import run
from mask_inputs import Input, batch, check, outcome

from refpix.errors import KernelError
from refpix.kernels import isas, mask_boundary, rle_decode, rle_encode, use_isa

CORPUS = [
    b"",
    bytes(range(256)),
    bytes([1, 0, 9, 9, 4, 0, 11] + [1, 2, 3] * 40),
    bytes([2, 3, 60, 70, 3, 1, 0, 5] + [0, 0, 255, 1] * 300),
    bytes([0, 1, 200, 2, 1, 0] + [0] * 100 + [7] * 300),
]


def decode(source: Input) -> None:
    masks = batch(source, huge=False, one_size=False)
    options = {"order": source.pick("CF"), "dtype": source.pick(("uint8", "bool"))}
    check(rle_decode, *masks, **options)
    want = outcome(rle_decode, *masks, **options)
    try:
        pixels, _ = rle_decode(*masks, **options)
    except KernelError:
        return
    # Into memory that is not zero, at any address.
    room = np.full(len(pixels) + 64, 7, np.uint8)
    start = source.below(64)
    out = room[start : start + len(pixels)].view(pixels.dtype)
    assert outcome(rle_decode, *masks, out=out, order=options["order"]) == want
    assert (room[:start] == 7).all()
    assert (room[start + len(pixels) :] == 7).all()


def masks_of(source: Input) -> np.ndarray:
    """Pixels from the input, repeated; axes in any order, with gaps, backwards."""
    shape = (source.below(4), source.below(300 if source.seldom() else 80), source.below(80))
    steps = [source.pick((1, 1, 1, 2, -1, 3)) for _ in shape]
    axes = source.pick(((0, 1, 2), (0, 2, 1), (2, 1, 0), (1, 2, 0), (2, 0, 1), (1, 0, 2)))
    full = [size * abs(step) for size, step in zip(shape, steps, strict=True)]
    pattern = source.take(2000) or b"\0"
    memory = np.resize(np.frombuffer(pattern, np.uint8), [full[axis] for axis in axes])
    view = memory.transpose(np.argsort(axes))[tuple(slice(None, None, step) for step in steps)]
    values = source.pick((255, 1, 3))
    return (view & values).astype(bool) if source.seldom() else view & np.uint8(values)


def one_input(data: bytes) -> None:
    source = Input(data)
    with use_isa(source.pick(isas())):
        if source.below(3) == 0:
            decode(source)
            return
        rule = source.pick(("nonzero", "change"))
        masks = masks_of(source)
        check(rle_encode, masks, rule=rule)
        reversed_view = masks[::-1, :, ::-1]
        check(rle_encode, reversed_view, rule=rule)
        dense = np.ascontiguousarray(masks)[:, :64, :64].copy()
        options = {"distance": source.pick((1, 2, 3, 7, 100))}
        if source.below(2):
            options = {"ratio": source.pick((0.0, 0.001, 0.02, 0.1, 1.0, 1e300))}
        check(mask_boundary, dense, **options)


if __name__ == "__main__":
    run(one_input, CORPUS)
