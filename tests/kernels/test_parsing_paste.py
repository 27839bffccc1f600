import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refpix.errors import KernelError
from refpix.kernels import isas, parsing_paste, use_isa

backends = pytest.mark.parametrize("backend", parsing_paste.backends())

coordinate = st.one_of(
    st.floats(-20, 80, width=32),
    st.integers(-3, 60).map(float),
    st.sampled_from([-0.0, -0.5, 0.999999, 3e38, -3e38, 1e-45]),
)


def labelled(shape, seed=0):
    return np.random.default_rng(seed).integers(1, 21, shape, dtype=np.uint8)


def published(boxes, maps, size):
    """What the evaluation code does, through torch."""
    torch = pytest.importorskip("torch")
    height, width = size
    canvas = torch.zeros(len(boxes), height, width)
    for i, box in enumerate(boxes.tolist()):
        limits = (width, height, width, height)
        x1, y1, x2, y2 = (min(s, max(0, int(v))) for v, s in zip(box, limits, strict=True))
        x1, y1 = max(0, min(x1, x2 - 1)), max(0, min(y1, y2 - 1))
        labels = torch.from_numpy(maps[i]).float()[None, None]
        canvas[i, y1:y2, x1:x2] = torch.nn.functional.interpolate(
            labels, size=(max(1, y2 - y1), max(1, x2 - x1)), mode="nearest"
        )
    return canvas.numpy().astype(np.uint8)


@backends
def test_golden(backend, data):
    z = np.load(data / "eval" / "parsing.npz")
    boxes = z["bins"].astype(np.float32) / np.float32(999) * np.float32(512)
    got = parsing_paste(boxes, z["maps"], size=(512, 512), backend=backend)
    assert got.dtype == np.uint8
    np.testing.assert_array_equal(got, z["pred"])


@given(
    boxes=st.lists(st.tuples(*[coordinate] * 4), max_size=4),
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    size=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    threads=st.integers(1, 3),
)
def test_native_is_reference_is_published(boxes, shape, size, threads):
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    maps = labelled((len(boxes), *shape))
    want = parsing_paste(boxes, maps, size=size, backend="reference")
    np.testing.assert_array_equal(want, published(boxes, maps, size))
    for isa in isas():
        with use_isa(isa):
            got = parsing_paste(boxes, maps, size=size, num_threads=threads, backend="cpu")
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("shape", [(128, 96), (1, 1), (3, 15), (3, 16), (3, 17), (700, 600)])
@pytest.mark.parametrize("box", [(0, 0, 512, 512), (3, 5, 3 + 96, 5 + 128), (500, 1, 512, 490)])
def test_every_isa_at_usual_sizes(shape, box):
    boxes, maps = np.array([box], np.float32), labelled((1, *shape), 3)
    want = published(boxes, maps, (512, 512))
    for isa in isas():
        with use_isa(isa):
            np.testing.assert_array_equal(parsing_paste(boxes, maps), want)


@backends
@pytest.mark.parametrize(
    ("box", "filled"),
    [
        ((4, 4, 0, 8), None),  # ends at x 0
        ((4, 4, 8, 0), None),
        ((4, 4, 0.9, 8), None),  # truncated to 0
        ((4, 4, -7, 8), None),
        ((6, 6, 3, 3), (2, 2, 3, 3)),  # reversed: the pixel before the end
        ((5, 5, 5, 5), (4, 4, 5, 5)),
        ((9, 0, 30, 2), (9, 0, 10, 2)),
        ((30, 30, 40, 40), (9, 9, 10, 10)),  # wholly outside
        ((-5, -5, 2.9, 1.1), (0, 0, 2, 1)),
    ],
)
def test_degenerate_boxes(backend, box, filled):
    got = parsing_paste(
        np.array([box], np.float32), labelled((1, 4, 4)), size=(10, 10), backend=backend
    )
    want = np.zeros((10, 10), bool)
    if filled:
        x1, y1, x2, y2 = filled
        want[y1:y2, x1:x2] = True
    np.testing.assert_array_equal(got[0] > 0, want)


@backends
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite_names_the_item(backend, bad):
    boxes = np.array([[0, 0, 1, 1], [0, 0, bad, 1], [bad, 0, 1, 1]], np.float32)
    with pytest.raises(KernelError) as error:
        parsing_paste(boxes, labelled((3, 2, 2)), size=(4, 4), backend=backend)
    assert (error.value.fault, error.value.item, error.value.position) == ("box_not_finite", 1, 8)


@backends
def test_empty_batch(backend):
    got = parsing_paste(
        np.empty((0, 4), np.float32), np.empty((0, 8, 6), np.uint8), size=(5, 7), backend=backend
    )
    assert got.shape == (0, 5, 7)


@backends
def test_out_is_overwritten(backend):
    out = np.full((1, 6, 6), 255, np.uint8)
    got = parsing_paste(
        np.array([[1, 1, 3, 3]], np.float32), labelled((1, 2, 2)), size=(6, 6), out=out,
        backend=backend,
    )  # fmt: skip
    assert got is out
    assert np.count_nonzero(out) == 4


def test_wrong_arrays_are_refused():
    boxes, maps = np.zeros((2, 4), np.float32), np.zeros((2, 3, 3), np.uint8)
    with pytest.raises(TypeError, match="float32"):
        parsing_paste(boxes.astype(np.float64), maps)
    with pytest.raises(TypeError, match="uint8"):
        parsing_paste(boxes, maps.astype(np.int64))
    with pytest.raises(TypeError, match="NumPy"):
        parsing_paste([[0, 0, 1, 1]], maps)
    with pytest.raises(ValueError, match="shape"):
        parsing_paste(np.zeros((2, 5), np.float32), maps)
    with pytest.raises(ValueError, match="maps: expected shape"):
        parsing_paste(boxes[:1], maps)
    with pytest.raises(ValueError, match="pixels"):
        parsing_paste(boxes, np.zeros((2, 0, 3), np.uint8))
    with pytest.raises(ValueError, match="contiguous"):
        parsing_paste(boxes, np.zeros((2, 3, 6), np.uint8)[:, :, ::2])
    with pytest.raises(ValueError, match="positive"):
        parsing_paste(boxes, maps, size=(0, 4))
    with pytest.raises(ValueError, match="out: expected shape"):
        parsing_paste(boxes, maps, size=(4, 4), out=np.zeros((2, 4, 5), np.uint8))
    frozen = np.zeros((2, 4, 4), np.uint8)
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        parsing_paste(boxes, maps, size=(4, 4), out=frozen)
