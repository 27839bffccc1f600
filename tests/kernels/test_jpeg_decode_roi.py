"""Boxes of pictures: the pixels and faults of a whole decode."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.kernels.jpeg_files import VARIANTS, damaged, decode, encode, pillow

from refpix.errors import ImageError
from refpix.kernels import jpeg_decode
from refpix.types import BytesBatch

backends = pytest.mark.parametrize("backend", jpeg_decode.exact_backends())


def boxes_within(rng, width, height, count):
    """int64 (count, 4): half of any size, a quarter of few pixels, a quarter at the far corner."""
    edges = []
    for size in (width, height):
        ends = np.sort(np.stack([rng.permutation(size + 1)[:2] for _ in range(count)]), axis=1)
        small = slice(0, count // 4)
        ends[small, 1] = np.minimum(ends[small, 0] + rng.integers(1, 4, count // 4), size)
        ends[count // 4 : count // 2, 1] = size
        edges.append(ends)
    (x0, x1), (y0, y1) = edges[0].T, edges[1].T
    return np.stack([x0, y0, x1, y1], axis=1).astype(np.int64, order="C")


def assert_crops(payload, boxes, backend, whole=None):
    whole = pillow(payload) if whole is None else whole
    if backend == "reference":  # decodes all for each box
        boxes = boxes[::8]
    batch = jpeg_decode(
        *BytesBatch.from_items([payload] * len(boxes)), roi=boxes, num_threads=2, backend=backend
    )
    for i, (x0, y0, x1, y1) in enumerate(boxes):
        np.testing.assert_array_equal(
            batch.image(i), whole[y0:y1, x0:x1], err_msg=f"{x0} {y0} {x1} {y1}"
        )


@backends
@pytest.mark.parametrize("mode", ["444", "422", "420", "gray", "cmyk", "rgb"])
@pytest.mark.parametrize("coding", ["baseline", "progressive", "optimize", "restart"])
def test_is_a_crop(mode, coding, backend):
    rng = np.random.default_rng(0)
    options = {"restart": {"restart_marker_blocks": 3}, "baseline": {}}.get(coding, {coding: True})
    options |= {
        "444": {"subsampling": 0},
        "422": {"subsampling": 1},
        "420": {"subsampling": 2},
        "gray": {"mode": "L"},
        "cmyk": {"mode": "CMYK"},
        "rgb": {"keep_rgb": True},
    }[mode]
    for width, height in [(70, 61), (97, 50), (33, 90), (130, 17), (18, 18), (1, 40), (40, 1)]:
        payload = encode(width, height, **options)
        assert_crops(payload, boxes_within(rng, width, height, 40), backend)


@backends
@pytest.mark.parametrize("name", VARIANTS)
def test_is_a_crop_of_variants(data, name, backend):
    payload = (data / "images" / f"{name}.jpg").read_bytes()
    whole = pillow(payload)
    rng = np.random.default_rng(1)
    assert_crops(payload, boxes_within(rng, whole.shape[1], whole.shape[0], 200), backend, whole)


@backends
def test_every_first_and_last_row_and_column(backend):
    """4:2:0 of three iMCU each way, where every kind of margin is met."""
    payload = encode(37, 35, subsampling=2)
    whole = pillow(payload)
    ends = [(a, b) for b in range(1, 38) for a in range(b)]
    across = np.array([(a, 17, b, 18) for a, b in ends], np.int64)
    down = np.array([(20, a, 21, b) for a, b in ends if b <= 35], np.int64)
    assert_crops(payload, np.concatenate([across, down]), backend, whole)


@given(
    st.integers(1, 60),
    st.integers(1, 60),
    st.sampled_from([{"subsampling": 0}, {"subsampling": 1}, {"subsampling": 2}, {"mode": "L"}]),
    st.sampled_from([{}, {"progressive": True}, {"restart_marker_blocks": 1}]),
    st.integers(0, 1 << 30),
)
def test_is_a_crop_of_anything(width, height, sampling, coding, seed):
    payload = encode(width, height, seed=seed, **sampling, **coding)
    boxes = boxes_within(np.random.default_rng(seed), width, height, 12)
    for backend in jpeg_decode.exact_backends():
        assert_crops(payload, boxes, backend)


def outcomes(payload, boxes, **options):
    """Of each box: pixels, or the fault and where."""
    found = []
    for box in boxes:
        try:
            found.append(decode(payload, roi=np.array([box], np.int64), **options))
        except ImageError as error:
            found.append((error.fault, error.position))
    return found


def assert_same_outcomes(payload, boxes, width, **options):
    """A box must come out as the rows down to its last do when all of them are decoded."""
    down_to = [(0, 0, width, y1) for _, _, _, y1 in boxes]
    faults = set()
    for box, got, rows in zip(
        boxes, outcomes(payload, boxes, **options), outcomes(payload, down_to, **options),
        strict=True,
    ):  # fmt: skip
        x0, y0, x1, _ = box
        if isinstance(rows, tuple):
            assert got == rows, box
            faults.add(rows[0])
        else:
            np.testing.assert_array_equal(got, rows[y0:, x0:x1], err_msg=str(box))
            faults.add("decoded")
    return faults


CODINGS = [
    {},
    {"subsampling": 0},
    {"progressive": True},
    {"restart_marker_blocks": 1},
    {"mode": "L"},
    {"mode": "CMYK"},
]


@pytest.mark.parametrize("truncated", [False, True])
@pytest.mark.parametrize("options", CODINGS)
def test_cut_files(options, truncated):
    payload = encode(45, 50, **options)
    rng = np.random.default_rng(3)
    faults = set()
    for cut in range(0, len(payload), 29):
        boxes = boxes_within(rng, 45, 50, 4)
        faults |= assert_same_outcomes(payload[:cut], boxes, 45, allow_truncated=truncated)
    assert "jpeg_truncated" in faults
    assert "decoded" in faults or options == {"progressive": True}


@pytest.mark.parametrize("options", CODINGS)
def test_cut_files_as_pillow(options):
    """With allow_truncated also the rows that are missing are Pillow's."""
    payload = encode(45, 50, **options)
    rng = np.random.default_rng(4)
    compared = 0
    for cut in range(len(payload) // 3, len(payload), 23):
        whole = pillow(payload[:cut], truncated=True)
        boxes = boxes_within(rng, 45, 50, 3)
        found = outcomes(payload[:cut], boxes, allow_truncated=True)
        for box, got in zip(boxes, found, strict=True):
            if isinstance(got, tuple):
                assert whole is None or got[0] == "jpeg_unsupported"
                continue
            x0, y0, x1, y1 = box
            np.testing.assert_array_equal(got, whole[y0:y1, x0:x1])
            compared += 1
    assert compared > 20 or options == {"progressive": True}


@pytest.mark.parametrize("truncated", [False, True])
@pytest.mark.parametrize("options", CODINGS)
def test_damaged_files(options, truncated):
    payload = encode(45, 50, **options)
    random_bytes, rng = random.Random(5), np.random.default_rng(5)
    faults = set()
    for _ in range(40):
        broken = damaged(random_bytes, payload)
        boxes = boxes_within(rng, 45, 50, 4)
        found = outcomes(broken, boxes, allow_truncated=truncated, pixel_limit=1 << 16)
        if any(isinstance(got, tuple) and got[0] == "image_bad_roi" for got in found):
            continue  # the damage is in the size
        faults |= assert_same_outcomes(
            broken, boxes, 45, allow_truncated=truncated, pixel_limit=1 << 16
        )
    assert "decoded" in faults
    assert truncated or faults & {"jpeg_corrupt", "jpeg_truncated", "jpeg_bad_header"}


@backends
@pytest.mark.parametrize("box", [(0, 0, 51, 3), (-1, 0, 3, 3), (4, 4, 4, 8), (5, 0, 4, 8)])
def test_box_outside_is_refused(box, backend):
    payload = encode(50, 37)
    roi = np.array([(0, 0, 50, 37), box], np.int64)
    with pytest.raises(ImageError, match="item 1: region of interest"):
        jpeg_decode(*BytesBatch.from_items([payload] * 2), roi=roi, backend=backend)


@backends
def test_far_boxes_do_not_overflow(backend):
    far = np.iinfo(np.int64)
    for box in [(0, 0, far.max, far.max), (far.min, far.min, 1, 1), (far.max, 0, far.min, 9)]:
        with pytest.raises(ImageError, match="region of interest"):
            decode(encode(9, 9), backend, roi=np.array([box], np.int64))


@backends
@pytest.mark.parametrize("denom", [2, 4, 8])
def test_box_of_a_scaled_picture(denom, backend):
    payload = encode(90, 75)
    whole = decode(payload, scale_denom=denom)
    boxes = boxes_within(np.random.default_rng(6), whole.shape[1], whole.shape[0], 30)
    for x0, y0, x1, y1 in boxes:
        roi = np.array([(x0, y0, x1, y1)], np.int64)
        got = decode(payload, backend, roi=roi, scale_denom=denom)
        np.testing.assert_array_equal(got, whole[y0:y1, x0:x1])
