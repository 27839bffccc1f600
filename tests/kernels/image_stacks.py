"""Stacks of pictures, masks and mattes, in all the types that kernels take them in."""

import numpy as np
import pytest

#: Shape behind (n,): of masks, gray, RGB and other pixels; sides around whole chunks of 16 bytes.
SHAPES = [
    (1, 1),
    (5, 16),
    (3, 33),
    (4, 1, 3),
    (2, 5, 3),
    (7, 6, 3),
    (3, 53, 3),
    (2, 19, 4),
    (4, 9, 2),
]
TYPES = [np.uint8, np.float32, np.int32]

shapes = pytest.mark.parametrize("shape", SHAPES)
types = pytest.mark.parametrize("dtype", TYPES)


def stack(count, shape, dtype, seed=0):
    """Random numbers of every size that the type has, none of them NaN."""
    rng = np.random.default_rng(seed)
    if dtype == np.float32:
        return rng.normal(0, 1e6, (count, *shape)).astype(dtype)
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, (count, *shape), dtype, endpoint=True)


def misaligned(array):
    """The same numbers, beginning one of them behind a wide boundary."""
    flat = np.empty(array.size + 65, array.dtype)
    start = (-flat.ctypes.data // array.itemsize) % (64 // array.itemsize) + 1
    flat[start : start + array.size] = array.reshape(-1)
    return flat[start : start + array.size].reshape(array.shape)
