"""Masks, polygons and boxes for tests of what stands in for pycocotools, and what "the same" is."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

HEIGHTS_AND_WIDTHS = st.one_of(
    st.tuples(st.integers(0, 8), st.integers(0, 8)),
    st.tuples(st.integers(1, 70), st.integers(1, 70)),
    st.sampled_from([(1, 1), (1, 333), (333, 1), (64, 64), (63, 65), (128, 9), (9, 128), (257, 3)]),
)

NUMBERS = st.one_of(
    st.integers(-5, 45).map(float),
    st.integers(-20, 90).map(lambda n: n / 2),
    st.integers(-100, 450).map(lambda n: n / 10),
    st.floats(-20, 60),
    st.floats(-1e4, 1e4),
)


def _noise(rng, height, width):
    return rng.random((height, width)) < rng.choice([0.02, 0.3, 0.5, 0.98])


def _hair(rng, height, width):
    """Lines one pixel wide from edge to edge."""
    mask = np.zeros((height, width), bool)
    for _ in range(rng.integers(1, 6)):
        steps = 4 * max(height, width)
        ys = np.linspace(*rng.integers(0, max(height, 1), 2), steps).astype(int)
        xs = np.linspace(*rng.integers(0, max(width, 1), 2), steps).astype(int)
        if mask.size:
            mask[ys, xs] = True
    return mask


def _boxes(rng, height, width):
    mask = np.zeros((height, width), bool)
    for _ in range(rng.integers(1, 4)):
        y0, y1 = np.sort(rng.integers(0, height + 1, 2))
        x0, x1 = np.sort(rng.integers(0, width + 1, 2))
        mask[y0:y1, x0:x1] ^= True
    return mask


def _plain(rng, height, width):
    return np.full((height, width), rng.random() < 0.5)


def _checkers(rng, height, width):
    return (np.indices((height, width)).sum(0) + rng.integers(2)) % 2 == 0


_KINDS = (_noise, _hair, _boxes, _plain, _checkers)


@st.composite
def masks(draw, size=None):
    """uint8 (height, width), 0 and 1, C order."""
    height, width = draw(HEIGHTS_AND_WIDTHS) if size is None else size
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return draw(st.sampled_from(_KINDS))(rng, height, width).astype(np.uint8)


@st.composite
def stacks(draw, min_size=0, max_size=5):
    """uint8 (height, width, n), Fortran order, as pycocotools wants it."""
    size = draw(HEIGHTS_AND_WIDTHS)
    count = draw(st.integers(min_size, max_size))
    planes = [draw(masks(size)) for _ in range(count)]
    return np.asfortranarray(np.stack(planes, 2) if planes else np.zeros((*size, 0), np.uint8))


@st.composite
def polygons(draw, max_size=4):
    """Lists of more than 4 numbers, some with points that come twice, some with an odd number."""
    shapes = draw(
        st.lists(st.lists(NUMBERS, min_size=5, max_size=24), min_size=1, max_size=max_size)
    )
    for shape in shapes:
        if draw(st.booleans()):
            at = 2 * draw(st.integers(0, len(shape) // 2 - 1))
            shape[at:at] = shape[at : at + 2]
    return shapes


def assert_same_array(got, want):
    """Value, type and memory order; an item of an array is a NumPy scalar."""
    assert type(got) is type(want)
    assert got.dtype == want.dtype
    assert got.shape == want.shape
    assert got.tobytes(order="A") == want.tobytes(order="A")
    assert got.flags.c_contiguous == want.flags.c_contiguous
    assert got.flags.f_contiguous == want.flags.f_contiguous
    assert got.flags.writeable == want.flags.writeable


def assert_same_rles(got, want):
    """RLE dicts, or lists of them: keys and their order, types, bytes."""
    assert got == want
    for mine, theirs in zip(
        got if isinstance(got, list) else [got],
        want if isinstance(want, list) else [want],
        strict=True,
    ):
        assert type(mine) is dict
        assert list(mine) == list(theirs)
        assert type(mine["counts"]) is bytes
        assert type(mine["size"]) is list
        assert [type(side) for side in mine["size"]] == [int, int]


def in_pixels(runs, size):
    """uint8 (height, width), 0 and 1, of run lengths."""
    flat = np.repeat(np.arange(len(runs)) % 2, runs).astype(np.uint8)
    return flat.reshape(size[1], size[0]).T
