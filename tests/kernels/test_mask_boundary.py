import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.kernels.rle_masks import decoded, people

from refpix.kernels import isas, mask_boundary, use_isa

backends = pytest.mark.parametrize("backend", mask_boundary.backends())
every_isa = pytest.mark.parametrize("isa", isas())


def eroded_by_opencv(mask, distance):
    """The mask minus its erosion, as boundary_iou_api has it."""
    cv2 = pytest.importorskip("cv2")
    padded = np.pad((mask != 0).astype(np.uint8), 1)
    kept = cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=distance)[1:-1, 1:-1]
    return (mask != 0) - kept


def blobs(rng, height, width):
    """A mask of filled rectangles with holes, values 0, 1 and others."""
    mask = np.zeros((height, width), np.uint8)
    for value in (1, 255, 0, 7, 0):
        y0, y1 = np.sort(rng.integers(0, height + 1, 2))
        x0, x1 = np.sort(rng.integers(0, width + 1, 2))
        mask[y0:y1, x0:x1] = value
    return mask


@backends
def test_a_square_loses_its_middle(backend):
    mask = np.zeros((1, 9, 9), np.uint8)
    mask[0, 1:8, 1:8] = 1
    want = mask.copy()
    want[0, 3:6, 3:6] = 0
    got = mask_boundary(mask, distance=2, backend=backend)
    assert got.dtype == np.uint8
    assert np.array_equal(got, want)


@backends
def test_outside_the_picture_is_background(backend):
    want = np.ones((1, 7, 5), np.uint8)
    want[0, 2:5, 2:3] = 0
    assert np.array_equal(mask_boundary(np.ones_like(want), distance=2, backend=backend), want)


@every_isa
@given(
    mask=st.tuples(st.integers(1, 12), st.integers(1, 150)).flatmap(
        lambda shape: arrays(np.uint8, shape, elements=st.sampled_from([0, 1, 1, 1, 1, 255]))
    ),
    distance=st.integers(1, 8),
)
def test_noise_against_opencv(isa, mask, distance):
    with use_isa(isa):
        got = mask_boundary(mask[None], distance=distance)[0]
    assert np.array_equal(got, eroded_by_opencv(mask, distance))
    assert np.array_equal(got, mask_boundary(mask[None], distance=distance, backend="reference")[0])


@every_isa
@pytest.mark.parametrize("width", [1, 31, 63, 64, 65, 127, 128, 129, 191, 192, 200, 320, 333])
@pytest.mark.parametrize("distance", [1, 2, 3, 15, 16, 31, 32, 33, 63, 64, 95, 96, 150])
def test_widths_and_distances_against_opencv(isa, width, distance):
    rng = np.random.default_rng(width * 1000 + distance)
    masks = np.stack([blobs(rng, 210, width) for _ in range(4)])
    masks[3] = 1
    with use_isa(isa):
        got = mask_boundary(masks, distance=distance)
    for mask, mine in zip(masks, got, strict=True):
        assert np.array_equal(mine, eroded_by_opencv(mask, distance))


@backends
def test_people(backend):
    for runs, size in people(np.random.default_rng(0), 4, 120, 160):
        mask = decoded(runs, size)
        got = mask_boundary(mask[None].copy(), backend=backend)[0]
        assert np.array_equal(got, eroded_by_opencv(mask, 4))


@backends
@pytest.mark.parametrize(
    ("size", "ratio", "distance"),
    [
        ((30, 40), 0.02, 1),
        ((30, 40), 0.0, 1),
        ((30, 40), 0.01, 1),
        ((30, 40), 0.03, 2),
        ((30, 40), 0.05, 2),
        ((30, 40), 0.13, 6),
        ((30, 40), 0.2, 10),
        ((30, 40), 1e300, 30),
        ((48, 64), 0.02, 2),
    ],
)
def test_the_distance_is_rounded_as_published(backend, size, ratio, distance):
    full = np.ones((1, *size), np.uint8)
    if ratio < 1:
        assert distance == max(1, round(ratio * math.hypot(*size)))
    want = mask_boundary(full, distance=distance, backend=backend)
    assert np.array_equal(mask_boundary(full, ratio=ratio, backend=backend), want)


@backends
def test_distances_at_the_ends(backend):
    full = np.ones((1, 6, 9), np.uint8)
    assert not mask_boundary(full, distance=0, backend=backend).any()
    for distance in (3, 100, 2**62):
        assert mask_boundary(full * 9, distance=distance, backend=backend).tolist() == full.tolist()


@backends
@pytest.mark.parametrize("shape", [(0, 4, 5), (2, 0, 5), (2, 4, 0), (0, 0, 0)])
def test_without_pixels(backend, shape):
    assert mask_boundary(np.ones(shape, np.uint8), backend=backend).shape == shape


@backends
def test_writes_out_and_reads_bool(backend):
    rng = np.random.default_rng(0)
    masks = np.stack([blobs(rng, 40, 70) for _ in range(3)])
    want = mask_boundary(masks, distance=3, backend=backend)
    out = np.full_like(masks, 9)
    got = mask_boundary(masks != 0, distance=3, out=out, backend=backend)
    assert np.shares_memory(got, out)
    assert np.array_equal(out, want)
    assert np.array_equal(mask_boundary(masks, distance=3, out=masks, backend=backend), want)


def test_threads_change_nothing():
    rng = np.random.default_rng(0)
    masks = np.stack([blobs(rng, 60, 70) for _ in range(20)])
    want = mask_boundary(masks)
    for num_threads in (2, 7):
        assert np.array_equal(mask_boundary(masks, num_threads=num_threads), want)


@backends
@pytest.mark.parametrize("options", [{"distance": -1}, {"ratio": -0.1}, {"ratio": math.nan}])
def test_senseless_options_are_refused(backend, options):
    with pytest.raises(ValueError, match="negative"):
        mask_boundary(np.ones((1, 2, 2), np.uint8), backend=backend, **options)


def test_wrong_arrays_are_refused():
    masks = np.ones((1, 4, 4), np.uint8)
    with pytest.raises(TypeError, match="masks: expected dtype uint8 or bool"):
        mask_boundary(masks.astype(np.int32))
    with pytest.raises(ValueError, match="masks: expected 3 dimensions"):
        mask_boundary(masks[0])
    with pytest.raises(ValueError, match="C-contiguous"):
        mask_boundary(np.ones((2, 4, 4), np.uint8)[:, :, ::2])
    with pytest.raises(ValueError, match="out: expected shape"):
        mask_boundary(masks, out=np.empty((1, 4, 5), np.uint8))
