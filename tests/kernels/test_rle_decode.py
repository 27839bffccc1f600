import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refpix.errors import RleError
from refpix.kernels import isas, rle_decode, use_isa
from refpix.types import RleBatch

backends = pytest.mark.parametrize("backend", rle_decode.backends())
orders = pytest.mark.parametrize("order", ["C", "F"])


def expected(batch, order):
    """The masks in the given order, end to end, spelled out differently from the reference."""
    flat = []
    for i, (height, width) in enumerate(batch.sizes):
        column_major = bytearray()
        for run, length in enumerate(batch.runs(i).tolist()):
            column_major += (b"\1" if run % 2 else b"\0") * length
        mask = np.frombuffer(column_major, np.uint8).reshape(width, height).T
        flat.append(mask.ravel(order=order))
    return np.concatenate([np.empty(0, np.uint8), *flat])


def random_runs(rng, height, width, longest, zeros=False):
    """Runs that fill the mask; with zeros among them if asked for."""
    runs, left = [], height * width
    while left:
        runs.append(min(left, int(rng.integers(0 if zeros else 1, longest + 1))))
        left -= runs[-1]
    return runs


def check_everywhere(batch, order):
    """Every instruction set, into fresh memory and into an array of rubbish with guards."""
    want = expected(batch, order)
    for isa in isas():
        with use_isa(isa):
            pixels, offsets = rle_decode(*batch, order=order)
            np.testing.assert_array_equal(pixels, want, err_msg=isa)
            guarded = np.full(len(want) + 128, 7, np.uint8)
            rle_decode(*batch, order=order, out=guarded[64:-64])
            np.testing.assert_array_equal(guarded[64:-64], want, err_msg=isa)
            assert (guarded[:64] == 7).all()
            assert (guarded[-64:] == 7).all()
    assert offsets.tolist() == np.cumsum([0, *batch.sizes.prod(axis=1)]).tolist()


@backends
@orders
@pytest.mark.parametrize(
    ("counts", "size", "rows"),
    [
        ([6], (2, 3), ["000", "000"]),
        ([0, 6], (2, 3), ["111", "111"]),
        ([1, 2, 3], (2, 3), ["010", "100"]),
        ([1, 0, 2, 3], (2, 3), ["001", "011"]),
        ([1, 1, 0, 1, 3], (2, 3), ["010", "100"]),
        ([1, 2, 3, 0, 0], (2, 3), ["010", "100"]),
        ([0, 0, 0, 6, 0, 0], (2, 3), ["111", "111"]),
        ([0, 1, 4, 1], (2, 3), ["100", "001"]),
        ([], (0, 5), []),
        ([0, 0], (0, 0), []),
    ],
)
def test_masks(backend, order, counts, size, rows):
    batch = RleBatch.from_counts([counts], [size])
    pixels, offsets = rle_decode(*batch, order=order, backend=backend)
    assert pixels.dtype == np.uint8
    assert offsets.tolist() == [0, size[0] * size[1]]
    mask = pixels.reshape(size) if order == "C" else pixels.reshape(size[::-1]).T
    assert ["".join(map(str, row)) for row in mask] == [row for row in rows if row]


@orders
@pytest.mark.parametrize("width", range(201))
def test_widths_around_vectors(order, width):
    rng = np.random.default_rng(width)
    sizes = [(height, width) for height in (1, 2, 5, 67) for _ in range(2)]
    counts = [
        random_runs(rng, *size, longest, zeros=True)
        for size, longest in zip(sizes, [7, 200] * 4, strict=True)
    ]
    check_everywhere(RleBatch.from_counts(counts, sizes), order)


@st.composite
def batches(draw):
    sizes = draw(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 150)), max_size=4))
    longest = draw(st.sampled_from([1, 3, 30, 70, 1000]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    counts = [random_runs(rng, *size, longest, draw(st.booleans())) for size in sizes]
    return RleBatch.from_counts(counts, sizes)


@given(batches(), st.sampled_from("CF"))
def test_any_batch(batch, order):
    check_everywhere(batch, order)
    np.testing.assert_array_equal(
        rle_decode(*batch, order=order, backend="reference")[0], expected(batch, order)
    )


@orders
@pytest.mark.parametrize(
    ("size", "longest"),
    [((3, 5000), 2), ((3, 9000), 100), ((70000, 3), 5000), ((300_000, 2), 70000), ((1, 9000), 7)],
)
def test_wide_and_tall(order, size, longest):
    runs = random_runs(np.random.default_rng(0), *size, longest, zeros=True)
    check_everywhere(RleBatch.from_counts([runs], [size]), order)


@orders
def test_object_in_the_middle_of_a_wide_mask(order):
    """Most columns, on both sides, are never touched by a run's end."""
    mask = np.zeros((4, 20_000), np.uint8)
    mask[1:3, 9_990:10_010] = 1
    flat = mask.T.ravel()
    ends = np.flatnonzero(np.diff(flat, prepend=0))
    check_everywhere(
        RleBatch.from_counts([np.diff([0, *ends, flat.size]).tolist()], [mask.shape]), order
    )


@backends
@orders
def test_bool(backend, order):
    batch = RleBatch.from_counts([[1, 2, 3], [0, 4]], [(2, 3), (1, 4)])
    pixels, _ = rle_decode(*batch, order=order, dtype="bool", backend=backend)
    assert pixels.dtype == np.bool_
    np.testing.assert_array_equal(pixels, expected(batch, order) != 0)


@backends
@orders
@pytest.mark.parametrize("dtype", [np.uint8, np.bool_])
def test_out(backend, order, dtype):
    batch = RleBatch.from_counts([[1, 2, 3], [], [0, 4]], [(2, 3), (0, 9), (1, 4)])
    out = np.ones(10, dtype)
    pixels, offsets = rle_decode(*batch, order=order, out=out, backend=backend)
    assert pixels is out
    assert offsets.tolist() == [0, 6, 6, 10]
    np.testing.assert_array_equal(out, expected(batch, order).astype(dtype))


@backends
@pytest.mark.parametrize(
    ("out", "error"),
    [
        (np.empty(5, np.uint8), ValueError),
        (np.empty(7, np.uint8), ValueError),
        (np.empty((2, 3), np.uint8), ValueError),
        (np.empty(6, np.int8), TypeError),
    ],
)
def test_out_that_does_not_fit(backend, out, error):
    batch = RleBatch.from_counts([[6]], [(2, 3)])
    with pytest.raises(error, match=r"out: (expected|wrong size)"):
        rle_decode(*batch, out=out, backend=backend)


def test_out_that_cannot_be_written():
    batch = RleBatch.from_counts([[6]], [(2, 3)])
    with pytest.raises(ValueError, match="C-contiguous"):
        rle_decode(*batch, out=np.empty(12, np.uint8)[::2])
    out = np.empty(6, np.uint8)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        rle_decode(*batch, out=out)


@backends
@orders
def test_empty_batch(backend, order):
    pixels, offsets = rle_decode(*RleBatch.from_counts([], []), order=order, backend=backend)
    assert pixels.shape == (0,)
    assert offsets.tolist() == [0]


@backends
@orders
@pytest.mark.parametrize(
    ("counts", "size", "fault"),
    [
        ([5], (2, 3), "rle_too_short"),
        ([], (2, 3), "rle_too_short"),
        ([1, 6], (2, 3), "rle_too_long"),
        ([6, 1], (2, 3), "rle_too_long"),
        ([6, 0, 1], (2, 3), "rle_too_long"),
        ([2**32 - 1] * 5, (2, 3), "rle_too_long"),
        ([1], (0, 3), "rle_too_long"),
        ([1], (-1, -1), "rle_bad_size"),
        ([1], (2**32, 2**31), "rle_bad_size"),
        # A few bytes that ask for gigabytes are turned down before those are asked for.
        ([1, 2, 3], (65536, 65536), "rle_too_short"),
        ([2**32 - 1] * 4, (2**31, 2**30), "rle_too_short"),
    ],
)
@pytest.mark.parametrize("num_threads", [1, 2])
def test_malformed_names_the_item(backend, order, counts, size, fault, num_threads):
    batch = RleBatch.from_counts([[6], counts, counts], [(2, 3), size, size])
    with pytest.raises(RleError) as error:
        rle_decode(*batch, order=order, num_threads=num_threads, backend=backend)
    assert (error.value.fault, error.value.item) == (fault, 1)


@backends
@pytest.mark.parametrize("name", ["order", "dtype"])
def test_wrong_names_are_refused(backend, name):
    batch = RleBatch.from_counts([[6]], [(2, 3)])
    with pytest.raises(ValueError, match=f"{name}: expected"):
        rle_decode(*batch, **{name: "x"}, backend=backend)


@orders
def test_threads_change_nothing(order):
    rng = np.random.default_rng(0)
    sizes = [tuple(rng.integers(1, 90, 2).tolist()) for _ in range(100)]
    batch = RleBatch.from_counts([random_runs(rng, *size, 60) for size in sizes], sizes)
    want = expected(batch, order)
    for num_threads in (1, 2, 7):
        pixels, _ = rle_decode(*batch, order=order, num_threads=num_threads)
        np.testing.assert_array_equal(pixels, want)


def test_wrong_arrays_are_refused():
    counts, offsets, sizes = RleBatch.from_counts([[6]], [(2, 3)])
    with pytest.raises(TypeError, match="counts: expected dtype uint32"):
        rle_decode(counts.astype(np.int64), offsets, sizes)
    with pytest.raises(ValueError, match="offsets: expected shape"):
        rle_decode(counts, offsets[:1], sizes)
    with pytest.raises(RleError, match="offsets"):
        rle_decode(counts, np.array([0, 2], np.int64), sizes)
