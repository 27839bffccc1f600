import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refpix.errors import KernelError
from refpix.kernels import isas, label_zoom, use_isa

backends = pytest.mark.parametrize("backend", label_zoom.backends())
types = [np.uint8, np.int16, np.int32, np.int64]


def batch(maps, dtype=None):
    """Maps end to end."""
    offsets = np.cumsum([0, *(m.size for m in maps)], dtype=np.int64)
    sizes = np.array([m.shape for m in maps], np.int64).reshape(-1, 2)
    values = np.concatenate([m.reshape(-1) for m in maps]) if maps else np.empty(0, np.uint8)
    return values.astype(dtype or values.dtype), offsets, sizes


def scipy_zoom(labels, out_size):
    ndimage = pytest.importorskip("scipy.ndimage")
    factors = [m / n for m, n in zip(out_size, labels.shape, strict=True)]
    return ndimage.zoom(labels, factors, order=0)


def torch_nearest(labels, out_size):
    torch = pytest.importorskip("torch")
    pixels = torch.from_numpy(labels.astype(np.float32))[None, None]
    return torch.nn.functional.interpolate(pixels, size=out_size, mode="nearest")[0, 0].numpy()


published = {"scipy": scipy_zoom, "torch": torch_nearest}


@backends
@pytest.mark.parametrize(("file", "rule"), [("zoom512", "scipy"), ("nearest", "torch")])
def test_golden(backend, file, rule, data):
    z = np.load(data / "eval" / f"{file}.npz")
    cases = [name[3:] for name in z.files if name.startswith("in_")]
    for case in cases:
        want = z["out_" + case]
        got = label_zoom(*batch([z["in_" + case]]), out_size=want.shape, rule=rule, backend=backend)
        assert got.dtype == np.int32
        np.testing.assert_array_equal(got[0], want)


@given(
    sizes=st.lists(st.tuples(st.integers(1, 70), st.integers(1, 70)), max_size=3),
    out_size=st.tuples(st.integers(1, 140), st.integers(1, 140)),
    dtype=st.sampled_from(types),
    rule=st.sampled_from(["scipy", "torch"]),
    threads=st.integers(1, 3),
)
def test_native_is_reference_is_published(sizes, out_size, dtype, rule, threads):
    rng = np.random.default_rng(len(sizes))
    maps = [rng.integers(1, 100, size).astype(dtype) for size in sizes]
    arrays = batch(maps, dtype)
    want = label_zoom(*arrays, out_size=out_size, rule=rule, backend="reference")
    for labels, zoomed in zip(maps, want, strict=True):
        np.testing.assert_array_equal(zoomed, published[rule](labels, out_size))
    for isa in isas():
        with use_isa(isa):
            got = label_zoom(
                *arrays, out_size=out_size, rule=rule, num_threads=threads, backend="cpu"
            )
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("rule", ["scipy", "torch"])
def test_every_source_size_to_512(rule):
    """Rounding decides which pixel is shown: every length, both ways."""
    for n in [*range(1, 1100, 3), 2047, 2048, 2049, 4096]:
        line = np.arange(1, n + 1, dtype=np.int32)[:, None]
        got = label_zoom(*batch([line]), out_size=(512, 1), rule=rule)[0, :, 0]
        want = label_zoom(*batch([line]), out_size=(512, 1), rule=rule, backend="reference")
        np.testing.assert_array_equal(got, want[0, :, 0])
        assert got[0] == 1
        assert got.min() > 0
        if rule == "scipy":
            exact = np.floor(np.arange(512) * (n - 1) / 511 + 0.5).astype(int)
            np.testing.assert_array_equal(got, line[exact, 0])


@backends
@pytest.mark.parametrize(("n_in", "n_out"), [(445, 377), (120, 98), (29, 405)])
def test_scipy_loses_the_last_line_of_some_sizes(backend, n_in, n_out):
    labels = np.ones((n_in, n_in), np.uint8)
    got = label_zoom(*batch([labels]), out_size=(n_out, n_out), backend=backend)[0]
    np.testing.assert_array_equal(got, scipy_zoom(labels, (n_out, n_out)))
    assert not got[-1].any()
    assert not got[:, -1].any()
    assert got[:-1, :-1].all()


@backends
@pytest.mark.parametrize("rule", ["scipy", "torch"])
def test_one_pixel(backend, rule):
    one = np.array([[7]], np.uint8)
    got = label_zoom(*batch([one, one]), out_size=(3, 5), rule=rule, backend=backend)
    np.testing.assert_array_equal(got, np.full((2, 3, 5), 7))
    wide = np.arange(1, 7, dtype=np.int16).reshape(2, 3)
    got = label_zoom(*batch([wide]), out_size=(1, 1), rule=rule, backend=backend)
    assert got.tolist() == [[[1]]]


@backends
def test_negative_labels_stay(backend):
    labels = np.array([[-1, -(2**31)], [2**31 - 1, 0]], np.int64)
    got = label_zoom(*batch([labels]), out_size=(2, 2), backend=backend)
    np.testing.assert_array_equal(got[0], labels)


@backends
@pytest.mark.parametrize("label", [2**31, -(2**31) - 1, 2**62])
def test_too_large_names_map_and_byte(backend, label):
    good, bad = np.zeros((2, 2), np.int64), np.zeros((2, 3), np.int64)
    bad[1, 2] = label
    with pytest.raises(KernelError) as error:
        label_zoom(*batch([good, bad, bad]), out_size=(4, 6), backend=backend)
    assert (error.value.fault, error.value.item, error.value.position) == ("label_too_large", 1, 40)


@backends
def test_sizes_and_offsets_must_agree(backend):
    values = np.zeros(12, np.uint8)
    offsets, sizes = np.array([0, 6, 12]), np.array([[2, 3], [3, 2]])
    for wrong in ([2, 2], [0, 6], [-2, -3], [2**40, 2**40]):
        with pytest.raises(KernelError) as error:
            label_zoom(values, offsets, np.array([[2, 3], wrong]), backend=backend)
        assert (error.value.fault, error.value.item) == ("bad_size", 1)
    for wrong in ([0, 6, 13], [0, 6, 3], [-6, 0, 6]):
        with pytest.raises(KernelError, match="outside"):
            label_zoom(values, np.array(wrong), sizes, backend=backend)


@backends
def test_empty_batch_and_out(backend):
    assert label_zoom(*batch([]), backend=backend).shape == (0, 512, 512)
    out = np.full((1, 2, 2), -9, np.int32)
    got = label_zoom(*batch([np.ones((3, 3), np.uint8)]), out_size=(2, 2), out=out, backend=backend)
    assert got is out
    assert out.tolist() == [[[1, 1], [1, 1]]]


def test_wrong_arrays_are_refused():
    values, offsets, sizes = batch([np.zeros((2, 3), np.uint8)])
    with pytest.raises(TypeError, match="uint16"):
        label_zoom(values.astype(np.uint16), offsets, sizes)
    with pytest.raises(TypeError, match="offsets"):
        label_zoom(values, offsets.astype(np.int32), sizes)
    with pytest.raises(ValueError, match="contiguous"):
        label_zoom(np.zeros(12, np.uint8)[::2], offsets, sizes)
    with pytest.raises(ValueError, match="dimensions"):
        label_zoom(values.reshape(2, 3), offsets, sizes)
    with pytest.raises(ValueError, match="offsets: expected shape"):
        label_zoom(values, offsets[:1], sizes)
    with pytest.raises(ValueError, match="rule"):
        label_zoom(values, offsets, sizes, rule="cv2")
    with pytest.raises(ValueError, match="positive"):
        label_zoom(values, offsets, sizes, out_size=(5, 0))
    with pytest.raises(ValueError, match="out: expected shape"):
        label_zoom(values, offsets, sizes, out_size=(2, 2), out=np.zeros((2, 2, 2), np.int32))
