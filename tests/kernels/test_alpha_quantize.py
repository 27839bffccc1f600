import numpy as np
import pytest

from refpix.errors import KernelError
from refpix.kernels import alpha_quantize, isas, use_isa

backends = pytest.mark.parametrize("backend", alpha_quantize.backends())
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def every_native(*args, **kwargs):
    for isa in isas():
        with use_isa(isa):
            yield alpha_quantize(*args, **kwargs)


@dtypes
def test_levels_come_back(dtype):
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    planes = (levels / 255.0).astype(dtype)
    np.testing.assert_array_equal(alpha_quantize(planes, backend="reference"), levels)
    for got in every_native(planes):
        np.testing.assert_array_equal(got, levels)


@dtypes
@pytest.mark.parametrize("width", [1, 7, 16, 63, 200])
def test_truncates_as_numpy(dtype, width):
    planes = np.random.default_rng(0).uniform(0, 1, (3, 9, width)).astype(dtype)
    planes[0, 0, 0], planes[1, 0, 0] = 1, np.nextafter(dtype(1), dtype(0))
    want = (planes * 255).astype(np.uint8)
    for threads in (1, 3):
        for got in every_native(planes, num_threads=threads):
            np.testing.assert_array_equal(got, want)


@backends
@dtypes
def test_boxes(backend, dtype):
    planes = np.full((2, 6, 8), 9, dtype)  # out of range where it is not looked at
    planes[0, 1:4, 2:7] = 0.5
    boxes = np.array([[2, 1, 5, 3], [8, 6, 0, 0]], np.int64)
    out = np.full(planes.shape, 77, np.uint8)
    got = alpha_quantize(planes, boxes=boxes, out=out, backend=backend)
    assert got is out
    assert (got[0, 1:4, 2:7] == 127).all()
    assert np.count_nonzero(got) == 15


@backends
@pytest.mark.parametrize("bad", [np.nan, -0.001, 1.001, np.inf, -np.inf, 1e30])
def test_out_of_range_names_plane_and_byte(backend, bad):
    planes = np.zeros((3, 4, 5), np.float32)
    planes[1, 2, 3] = planes[2, 0, 0] = planes[1, 3, 0] = bad
    with pytest.raises(KernelError) as error:
        alpha_quantize(planes, backend=backend)
    assert error.value.fault == "alpha_out_of_range"
    assert (error.value.item, error.value.position) == (1, 4 * 13)


@backends
@pytest.mark.parametrize("box", [(-1, 0, 1, 1), (0, 0, 6, 1), (0, 3, 1, 2), (0, 0, 1, -1)])
def test_bad_boxes(backend, box):
    boxes = np.array([[0, 0, 1, 1], box], np.int64)
    with pytest.raises(KernelError) as error:
        alpha_quantize(np.zeros((2, 4, 5), np.float32), boxes=boxes, backend=backend)
    assert (error.value.fault, error.value.item) == ("alpha_bad_box", 1)


@backends
def test_empty(backend):
    assert alpha_quantize(np.empty((0, 4, 5)), backend=backend).shape == (0, 4, 5)
    assert alpha_quantize(np.empty((2, 0, 5)), backend=backend).shape == (2, 0, 5)


def test_wrong_arrays_are_refused():
    with pytest.raises(TypeError, match="float32"):
        alpha_quantize(np.zeros((1, 2, 2), np.float16))
    with pytest.raises(TypeError, match="NumPy"):
        alpha_quantize([[[0.0]]])
    with pytest.raises(ValueError, match="contiguous"):
        alpha_quantize(np.zeros((1, 4, 4))[:, ::2])
    with pytest.raises(ValueError, match="boxes"):
        alpha_quantize(np.zeros((1, 4, 4)), boxes=np.zeros((2, 4), np.int64))
