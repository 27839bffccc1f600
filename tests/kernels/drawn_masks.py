"""Masks for hypothesis, as run lengths, and what they are in pixels."""

from itertools import groupby

import numpy as np
from hypothesis import strategies as st

from refpix.types import RleBatch


def pixels(runs, size):
    """uint8 (height, width), 0 and 1."""
    flat = np.repeat(np.arange(len(runs)) % 2, runs).astype(np.uint8)
    return flat.reshape(size[1], size[0]).T


def canonical(runs):
    """The same mask without runs of length zero, but for the first; [0] for no pixels."""
    flat = np.repeat(np.arange(len(runs)) % 2, runs).tolist()
    merged = [len(list(group)) for _, group in groupby(flat)]
    return [0, *merged] if flat[:1] == [1] else merged or [0]


@st.composite
def runs_of(draw, size, zeros=True):
    """Run lengths that fill a picture of `size`; with `zeros`, runs of length zero anywhere."""
    total = size[0] * size[1]
    longest = draw(st.sampled_from([1, 3, 20, 100, total]))
    wanted = draw(st.lists(st.integers(0, longest), max_size=60))
    ends = np.minimum(np.cumsum([0, *wanted]), total)
    runs = np.diff([*ends, total]).tolist()
    if zeros:
        return runs + [0] * draw(st.integers(0, 2))
    return canonical(runs)


sizes = st.one_of(
    st.tuples(st.integers(0, 12), st.integers(0, 12)),
    st.tuples(st.integers(1, 80), st.integers(1, 40)),
    st.sampled_from([(64, 8), (63, 9), (65, 7), (128, 5), (1, 300), (300, 1), (200, 70)]),
)


@st.composite
def batches(draw, zeros=True, max_size=6):
    """RleBatch of masks of one size."""
    size = draw(sizes)
    items = draw(st.lists(runs_of(size, zeros), max_size=max_size))
    return RleBatch.from_counts(items, [size] * len(items))


def dense(batch):
    return [pixels(batch.runs(i), batch.sizes[i]) for i in range(len(batch.sizes))]


def random_batch(rng, count, size=(48, 37), longest=90):
    """Masks of many runs, for threads."""
    items = []
    for _ in range(count):
        ends = np.cumsum([0, *rng.integers(1, longest, rng.integers(1, 60))])
        items.append(np.diff([*ends[ends < size[0] * size[1]], size[0] * size[1]]).tolist())
    return RleBatch.from_counts(items, [size] * count)


#: Run lengths, size, fault: what every kernel must refuse.
MALFORMED = [
    ([5], (2, 3), "rle_too_short"),
    ([], (2, 3), "rle_too_short"),
    ([1, 6], (2, 3), "rle_too_long"),
    ([2**32 - 1] * 5, (2, 3), "rle_too_long"),
    ([2**32 - 1, 7], (2, 3), "rle_too_long"),  # 6 modulo 2**32
    ([1], (0, 3), "rle_too_long"),
    ([1], (-1, -1), "rle_bad_size"),
    ([1], (2**32, 2**31), "rle_bad_size"),
]
