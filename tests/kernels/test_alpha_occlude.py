import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refpix.errors import KernelError
from refpix.kernels import alpha_occlude, isas, use_isa

backends = pytest.mark.parametrize("backend", alpha_occlude.backends())
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def published(stack, front, index, position):
    """What the generators do, with whole planes."""
    x, y = position
    height, width = stack.shape[1:]
    plane = np.zeros((height, width), np.uint8)
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + front.shape[1], width), min(y + front.shape[0], height)  # fmt: skip  # noqa: E501
    if x0 < x1 and y0 < y1:
        plane[y0:y1, x0:x1] = front[y0 - y : y1 - y, x0 - x : x1 - x]
    after = stack.copy()
    after[index] = (plane / 255.0).astype(stack.dtype)
    for j in range(index):
        after[j] *= 1 - after[index]
    return after


def stack_of(shape, dtype, seed=0):
    """Planes as they come: each zero outside its box, none for the last."""
    rng = np.random.default_rng(seed)
    stack, boxes = np.zeros(shape, dtype), np.zeros((shape[0], 4), np.int64)
    for j in range(shape[0] - 1):
        x, y = rng.integers(0, shape[2]), rng.integers(0, shape[1])
        w, h = rng.integers(0, shape[2] - x + 1), rng.integers(0, shape[1] - y + 1)
        stack[j, y : y + h, x : x + w] = rng.uniform(0, 1, (h, w))
        boxes[j] = x, y, w, h
    return stack, boxes


@given(
    dtype=st.sampled_from([np.float32, np.float64]),
    shape=st.tuples(st.integers(1, 4), st.integers(1, 12), st.integers(1, 70)),
    front=st.tuples(st.integers(0, 14), st.integers(0, 80)),
    x=st.integers(-80, 75),
    y=st.integers(-15, 14),
    boxed=st.booleans(),
    write=st.booleans(),
    seed=st.integers(0, 99),
)
def test_every_backend_is_published(dtype, shape, front, x, y, boxed, write, seed):
    stack, boxes = stack_of(shape, dtype, seed)
    matte = np.random.default_rng(seed).integers(0, 256, front, dtype=np.uint8)
    options = {"index": shape[0] - 1, "position": (x, y), "boxes": boxes if boxed else None}
    after = published(stack, matte, shape[0] - 1, (x, y))
    want = np.stack([stack.sum((1, 2), np.float64), after.sum((1, 2), np.float64)], axis=1)
    ways = [("reference", None), *(("cpu", isa) for isa in isas())]
    ways += [("cuda", None)] if "cuda" in alpha_occlude.backends() else []
    seen = []
    for backend, isa in ways:
        got = stack.copy()
        with use_isa(isa or isas()[0]):
            areas = alpha_occlude(got, matte, write=write, backend=backend, **options)
        np.testing.assert_allclose(areas, want, rtol=1e-12, atol=1e-12)
        assert np.array_equal(areas > 0, want > 0)
        np.testing.assert_array_equal(got, after if write else stack)
        seen.append(areas)
    for other in seen[2:]:
        np.testing.assert_array_equal(other, seen[1])  # all instruction sets and devices alike


@dtypes
def test_levels_are_quotients(dtype):
    stack = np.zeros((1, 16, 16), dtype)
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    for isa in isas():
        with use_isa(isa):
            alpha_occlude(stack, levels, index=0, position=(0, 0))
        np.testing.assert_array_equal(stack[0], (levels / 255.0).astype(dtype))


@backends
@dtypes
def test_full_cover_leaves_exactly_nothing(backend, dtype):
    stack, boxes = stack_of((2, 9, 40), dtype, 3)
    front = np.full((9, 40), 255, np.uint8)
    areas = alpha_occlude(stack, front, index=1, position=(0, 0), boxes=boxes, backend=backend)
    assert areas[0, 1] == 0
    assert areas[1].tolist() == [0, 360]
    assert not stack[0].any()


@backends
def test_planes_after_the_index_are_left_alone(backend):
    stack = np.ones((3, 4, 4), np.float32)
    areas = alpha_occlude(stack, np.full((4, 4), 255, np.uint8), index=1, position=(0, 0),
                          backend=backend)  # fmt: skip
    assert areas.tolist() == [[16, 0], [16, 16]]
    assert stack[2].all()


def test_large_on_threads():
    stack, boxes = stack_of((4, 800, 900), np.float32, 1)
    matte = np.random.default_rng(0).integers(0, 256, (500, 600), dtype=np.uint8)
    want = published(stack, matte, 3, (100, 50))
    for threads in (1, 4):
        got = stack.copy()
        alpha_occlude(got, matte, index=3, position=(100, 50), boxes=boxes, num_threads=threads)
        np.testing.assert_array_equal(got, want)


@backends
def test_wrong_arguments_are_refused(backend):
    stack, front = np.zeros((2, 4, 4), np.float32), np.zeros((2, 2), np.uint8)
    with pytest.raises(ValueError, match="index"):
        alpha_occlude(stack, front, index=2, position=(0, 0), backend=backend)
    with pytest.raises(KernelError) as error:
        alpha_occlude(stack, front, index=0, position=(0, 0), backend=backend,
                      boxes=np.array([[0, 0, 4, 4], [1, 0, 4, 4]], np.int64))  # fmt: skip
    assert (error.value.fault, error.value.item) == ("alpha_bad_box", 1)


def test_wrong_arrays_are_refused():
    stack, front = np.zeros((2, 4, 4), np.float32), np.zeros((2, 2), np.uint8)
    with pytest.raises(TypeError, match="float32"):
        alpha_occlude(stack.astype(np.float16), front, index=0, position=(0, 0))
    with pytest.raises(TypeError, match="uint8"):
        alpha_occlude(stack, front.astype(np.float32), index=0, position=(0, 0))
    with pytest.raises(ValueError, match="contiguous"):
        alpha_occlude(stack[:, ::2], front, index=0, position=(0, 0))
    stack.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        alpha_occlude(stack, front + 1, index=0, position=(0, 0))
    alpha_occlude(stack, front + 1, index=0, position=(0, 0), write=False)
