import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refpix.errors import RleError
from refpix.kernels import isas, rle_decode, rle_encode, use_isa

backends = pytest.mark.parametrize("backend", rle_encode.backends())
rules = pytest.mark.parametrize("rule", ["nonzero", "change"])


def expected(mask, rule):
    """Run by run, pixel by pixel."""
    runs, run, last = [], 0, 0
    for pixel in mask.T.ravel().tolist():
        value = pixel if rule == "change" else pixel != 0
        if value != last:
            runs.append(run)
            run, last = 0, value
        run += 1
    return [*runs, run]


def orders(masks):
    """The same masks in every memory order there may be, by name."""
    n, height, width = masks.shape
    spread = np.full((2 * n, 3 * height, 2 * width + 1), 9, masks.dtype)
    spread[::2, 1::3, 1::2] = masks
    last = np.full((height, width, n + 2), 9, masks.dtype)
    last[..., 1:-1] = np.moveaxis(masks, 0, 2)
    flipped = np.ascontiguousarray(masks[::-1, ::-1, ::-1])
    return {
        "C": np.ascontiguousarray(masks),
        "F": np.ascontiguousarray(masks.transpose(0, 2, 1)).transpose(0, 2, 1),
        "crop of C": np.pad(masks, [(0, 0), (1, 2), (3, 1)])[:, 1:-2, 3:-1],
        "crop of F": np.pad(masks.transpose(0, 2, 1), 2)[2:-2, 2:-2, 2:-2].transpose(0, 2, 1),
        "item last": np.asfortranarray(masks),
        "channels": np.moveaxis(last[..., 1:-1], 2, 0),
        "every other pixel": spread[::2, 1::3, 1::2],
        "upside down": flipped[::-1, ::-1, ::-1],
        "mirrored F": np.ascontiguousarray(flipped.transpose(0, 2, 1))[::-1, ::-1, ::-1].transpose(
            0, 2, 1
        ),
    }


def check_everywhere(masks, rule):
    """Every memory order and instruction set, both dtypes where the values allow it."""
    want = [expected(mask, rule) for mask in masks]
    for isa in isas():
        for name, view in orders(masks).items():
            np.testing.assert_array_equal(view, masks)
            with use_isa(isa):
                counts, offsets, sizes = rle_encode(view, rule=rule)
            got = [counts[a:b].tolist() for a, b in itertools.pairwise(offsets)]
            assert got == want, (isa, name)
    assert counts.dtype == np.uint32
    assert sizes.tolist() == [list(masks.shape[1:])] * len(masks)


def noisy(rng, shape, chance, values=(1,)):
    masks = np.zeros(shape, np.uint8)
    hit = rng.random(shape) < chance
    masks[hit] = rng.choice(values, hit.sum())
    return masks


@backends
@rules
@pytest.mark.parametrize(
    ("rows", "nonzero", "change"),
    [
        (["000", "000"], [6], [6]),
        (["111", "111"], [0, 6], [0, 6]),
        (["010", "100"], [1, 2, 3], [1, 2, 3]),
        (["111", "222"], [0, 6], [0, 1, 1, 1, 1, 1, 1]),
        (["022", "133"], [1, 5], [1, 1, 1, 1, 1, 1]),
        (["100", "003"], [0, 1, 4, 1], [0, 1, 4, 1]),
        (["1"], [0, 1], [0, 1]),
        (["0"], [1], [1]),
    ],
)
def test_masks(backend, rule, rows, nonzero, change):
    masks = np.array([[list(map(int, row)) for row in rows]], np.uint8)
    counts, offsets, sizes = rle_encode(masks, rule=rule, backend=backend)
    want = nonzero if rule == "nonzero" else change
    assert counts.tolist() == want
    assert (counts.dtype, offsets.tolist()) == (np.uint32, [0, len(want)])
    assert sizes.tolist() == [list(masks.shape[1:])]


@rules
@pytest.mark.parametrize("width", range(201))
def test_widths_around_vectors(rule, width):
    rng = np.random.default_rng(width)
    for height, chance in ((1, 0.5), (3, 0.1), (66, 0.02)):
        check_everywhere(noisy(rng, (1, height, width), chance, (1, 2, 255)), rule)


@st.composite
def batches(draw):
    shape = draw(st.tuples(st.integers(0, 3), st.integers(0, 20), st.integers(0, 140)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = draw(st.sampled_from([(1,), (255,), (1, 2, 128)]))
    return noisy(rng, shape, draw(st.sampled_from([0, 0.01, 0.5, 1])), values)


@given(batches(), st.sampled_from(["nonzero", "change"]))
def test_any_batch(masks, rule):
    check_everywhere(masks, rule)
    for values in (masks, masks != 0):
        got = rle_encode(values, rule=rule)
        want = rle_encode(values, rule=rule, backend="reference")
        for one, other in zip(got, want, strict=True):
            np.testing.assert_array_equal(one, other)


@given(batches(), st.sampled_from("CF"))
def test_round_trip(masks, order):
    n, height, width = masks.shape
    for isa in isas():
        with use_isa(isa):
            pixels, _ = rle_decode(*rle_encode(masks), order=order)
        mask_shape = (n, height, width) if order == "C" else (n, width, height)
        got = pixels.reshape(mask_shape)
        np.testing.assert_array_equal(got if order == "C" else got.transpose(0, 2, 1), masks != 0)


@rules
@pytest.mark.parametrize("shape", [(1, 3, 5000), (1, 2, 8192), (1, 9000, 3), (2, 70_000, 2)])
@pytest.mark.parametrize("chance", [0.001, 0.5])
def test_wide_and_tall(rule, shape, chance):
    check_everywhere(noisy(np.random.default_rng(0), shape, chance, (1, 7)), rule)


@rules
def test_more_rows_than_a_row_number_holds(rule):
    masks = np.zeros((1, 2**20 + 3, 2), np.uint8)
    masks[0, [5, -1, -2], [0, 0, 1]] = 4
    for view in (masks, np.asfortranarray(masks)):
        assert rle_encode(view, rule=rule)[0].tolist() == [5, 1, 2**20 - 4, 1, 2**20 + 1, 1, 1]


@pytest.mark.parametrize("dtype", [np.uint8, np.bool_])
def test_bool_is_read_as_bytes(dtype):
    masks = np.array([[[0, 1], [1, 0]]], dtype)
    assert rle_encode(masks)[0].tolist() == [1, 2, 1]


@backends
@pytest.mark.parametrize("shape", [(0, 3, 4), (0, 0, 0)])
def test_empty_batch(backend, shape):
    counts, offsets, sizes = rle_encode(np.empty(shape, np.uint8), backend=backend)
    assert (counts.tolist(), offsets.tolist(), sizes.shape) == ([], [0], (0, 2))


@backends
@rules
@pytest.mark.parametrize("shape", [(2, 0, 4), (2, 4, 0), (2, 0, 0)])
def test_masks_without_pixels_have_one_run_of_zero(backend, rule, shape):
    counts, offsets, sizes = rle_encode(np.empty(shape, np.uint8), rule=rule, backend=backend)
    assert (counts.tolist(), offsets.tolist()) == ([0, 0], [0, 1, 2])
    assert sizes.tolist() == [list(shape[1:])] * 2


@pytest.mark.slow
def test_a_run_beyond_32_bits():
    """One byte, repeated by strides of 0. On a device tests/gpu does the same."""
    short = np.broadcast_to(np.uint8(1), (1, 2**12, 2**20 - 1))
    assert rle_encode(short, backend="cpu")[0].tolist() == [0, 2**32 - 2**12]
    long = np.broadcast_to(np.uint8(0), (1, 2**16, 2**16))
    with pytest.raises(RleError) as error:
        rle_encode(long, backend="cpu")
    assert (error.value.fault, error.value.item) == ("rle_run_overflow", 0)


@rules
def test_threads_change_nothing(rule):
    masks = noisy(np.random.default_rng(0), (40, 50, 70), 0.1, (1, 3))
    want = rle_encode(masks, rule=rule)
    for num_threads in (2, 7):
        for one, other in zip(
            rle_encode(masks, rule=rule, num_threads=num_threads), want, strict=True
        ):
            np.testing.assert_array_equal(one, other)


@backends
def test_wrong_input_is_refused(backend):
    masks = np.zeros((1, 2, 2), np.uint8)
    with pytest.raises(TypeError, match="masks: expected dtype uint8 or bool"):
        rle_encode(masks.astype(np.int64), backend=backend)
    with pytest.raises(ValueError, match="masks: expected 3 dimensions, got 2"):
        rle_encode(masks[0], backend=backend)
    with pytest.raises(ValueError, match="rule: expected"):
        rle_encode(masks, rule="x", backend=backend)


def test_the_rule_of_change_is_pycocotools():
    coco = pytest.importorskip("pycocotools.mask")
    rng = np.random.default_rng(0)
    for chance in (0.05, 0.5):
        mask = noisy(rng, (37, 91), chance, (1, 2, 255))
        counts, _, sizes = rle_encode(mask[None], rule="change")
        uncompressed = {"size": sizes[0].tolist(), "counts": counts.tolist()}
        want = coco.encode(np.asfortranarray(mask))
        assert coco.frPyObjects(uncompressed, *mask.shape) == want
