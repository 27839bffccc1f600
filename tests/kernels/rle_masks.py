"""Masks for the tests of kernels that turn run lengths into others."""

import itertools

import numpy as np
from hypothesis import strategies as st

from refpix.types import RleBatch


@st.composite
def masks(draw):
    """(run lengths, (height, width)): runs may be empty, also several in a row and at the end."""
    height, width = draw(st.integers(1, 14)), draw(st.integers(1, 14))
    pixels = height * width
    anywhere = st.integers(0, pixels)
    between_columns = st.integers(0, width).map(lambda column: column * height)
    ends = sorted(draw(st.lists(st.one_of(anywhere, between_columns), max_size=20)))
    return [b - a for a, b in itertools.pairwise([0, *ends, pixels])], (height, width)


def batch_of(items):
    """One batch of (run lengths, size)."""
    return RleBatch.from_counts([runs for runs, _ in items], [size for _, size in items])


def decoded(runs, size):
    """bool (height, width)."""
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return flat.reshape(size[1], size[0]).T


def encoded(mask):
    """Run lengths, none empty but for the first."""
    flat = np.asarray(mask, bool).T.reshape(-1)
    ends = np.flatnonzero(np.diff(flat, prepend=False))
    return np.diff([0, *ends, flat.size]).tolist()


def people(rng, count, height, width):
    """Masks like those of people: (run lengths, size)."""
    y, x = np.mgrid[:height, :width]
    items = []
    for _ in range(count):
        mask = np.zeros((height, width), bool)
        for _ in range(6):
            cy, cx = rng.uniform(0.2, 0.8, 2) * (height, width)
            ry, rx = rng.uniform(0.04, 0.3, 2) * (height, width)
            mask |= ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1 + 0.1 * np.sin(x / 7 + y / 5)
        items.append((encoded(mask), (height, width)))
    return items
