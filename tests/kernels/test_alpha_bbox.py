import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from refpix.kernels import alpha_bbox

backends = pytest.mark.parametrize("backend", alpha_bbox.backends())


@given(
    size=st.tuples(st.integers(1, 60), st.integers(1, 140)),
    points=st.lists(st.tuples(st.integers(0, 59), st.integers(0, 139)), max_size=5),
    threads=st.integers(1, 3),
)
def test_is_pillow(size, points, threads):
    mattes = np.zeros((2, *size), np.uint8)
    for y, x in points:
        mattes[0, y % size[0], x % size[1]] = 1 + y
    x0, y0, x1, y1 = Image.fromarray(mattes[0]).getbbox() or (0, 0, 0, 0)
    want = [[x0, y0, x1 - x0, y1 - y0], [0, 0, 0, 0]]
    for backend in ("reference", "cpu"):
        assert alpha_bbox(mattes, num_threads=threads, backend=backend).tolist() == want


@backends
def test_degenerate(backend):
    assert alpha_bbox(np.empty((0, 3, 3), np.uint8), backend=backend).shape == (0, 4)
    for shape in ((1, 0, 5), (1, 5, 0)):
        assert alpha_bbox(np.empty(shape, np.uint8), backend=backend).tolist() == [[0] * 4]
    assert alpha_bbox(np.ones((1, 7, 5), np.uint8), backend=backend).tolist() == [[0, 0, 5, 7]]


def test_large():
    mattes = np.zeros((1, 3000, 5000), np.uint8)
    mattes[0, 17, 4999] = mattes[0, 2999, 33] = 1
    assert alpha_bbox(mattes).tolist() == [[33, 17, 4967, 2983]]


def test_wrong_arrays_are_refused():
    with pytest.raises(TypeError, match="uint8"):
        alpha_bbox(np.zeros((1, 2, 2), bool))
    with pytest.raises(ValueError, match="dimensions"):
        alpha_bbox(np.zeros((2, 2), np.uint8))
    with pytest.raises(ValueError, match="contiguous"):
        alpha_bbox(np.zeros((1, 4, 4), np.uint8)[:, :, ::2])
