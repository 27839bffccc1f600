import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refpix.metrics import KEYPOINT_SIGMAS, PoseAccuracy, decode_keypoints, oks
from refpix.types import KEYPOINT_NAMES


def test_oks_golden(data):
    z = np.load(data / "eval" / "oks.npz")
    boxes = z["bbox"].copy()
    got = oks(z["hyps"], z["refs"], boxes)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, z["oks"], rtol=0, atol=2e-6)
    np.testing.assert_array_equal(got >= 0.5, z["score"] > 0)
    np.testing.assert_array_equal(boxes, z["bbox"])  # the published code moves the corners
    short = oks(z["hyps"][:, :20], z["refs"], boxes)
    np.testing.assert_allclose(short, z["oks_hyps_first20"], rtol=0, atol=2e-6)


def published(torch, hyps, refs, bbox):
    """One row at a time, in torch's float32."""
    sigmas = torch.tensor([float(s) for s in np.round(KEYPOINT_SIGMAS * 10, 2)]) / 10.0
    spread = (sigmas * 2) ** 2
    result = []
    for h, r, (x0, y0, x1, y1) in zip(
        torch.from_numpy(hyps).reshape(-1, 17, 2),
        torch.from_numpy(refs).reshape(-1, 17, 2),
        torch.from_numpy(bbox),
        strict=True,
    ):
        area = (x1 - x0) * (y1 - y0)
        seen = (r[:, 0] != 0) | (r[:, 1] != 0)
        if seen.any():
            d = (h - r)[seen]
            used = spread[seen]
        else:
            w, t = x1 - x0, y1 - y0
            low, high = torch.stack([x0 - w, y0 - t]), torch.stack([x1 + w, y1 + t])
            d = (low - h).clamp(min=0) + (h - high).clamp(min=0)
            used = spread
        e = (d[:, 0] ** 2 + d[:, 1] ** 2) / used / (area + torch.finfo(torch.float32).eps) / 2
        result.append(float(torch.exp(-e).sum() / len(e)))
    return np.array(result, np.float32)


@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(0, 6),
    seen=st.sampled_from([0.0, 0.1, 0.6, 1.0]),
    spread=st.sampled_from([0.0, 2.0, 30.0]),
)
def test_oks_is_the_published_arithmetic(seed, n, seen, spread):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    corner, size = rng.uniform(0, 200, (n, 2)), rng.uniform(0.5, 300, (n, 2))
    boxes = np.concatenate([corner, corner + size], axis=1).astype(np.float32)
    points = corner[:, None] + rng.uniform(0, 1, (n, 17, 2)) * size[:, None]
    refs = (points * (rng.random((n, 17, 1)) < seen)).astype(np.float32).reshape(n, 34)
    hyps = (points.reshape(n, 34) + rng.normal(0, 1, (n, 34)) * spread).astype(np.float32)
    got = oks(hyps, refs, boxes)
    np.testing.assert_allclose(got, published(torch, hyps, refs, boxes), rtol=0, atol=2e-6)


def coco(found, flags, target, box_xywh, area):
    """The similarity of one pair as the COCO API's computeOks defines it."""
    spread = (KEYPOINT_SIGMAS * 2) ** 2
    if (flags > 0).any():
        d = (found - target)[flags > 0]
        spread = spread[flags > 0]
    else:
        x, y, w, h = box_xywh
        low, high = np.array([x - w, y - h]), np.array([x + 2 * w, y + 2 * h])
        d = np.maximum(0, low - found) + np.maximum(0, found - high)
    return np.exp(-(d**2).sum(1) / spread / (area + np.spacing(1)) / 2).mean()


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_standard_is_coco(share):
    rng = np.random.default_rng(int(share * 10))
    n = 20
    corner, size = rng.uniform(0, 200, (n, 2)), rng.uniform(5, 300, (n, 2))
    target = corner[:, None] + rng.uniform(0, 1, (n, 17, 2)) * size[:, None]
    found = target + rng.normal(0, 12, target.shape)
    flags = np.where(rng.random((n, 17)) < share, rng.integers(1, 3, (n, 17)), 0)
    areas = size.prod(axis=1) * 0.6
    boxes = np.concatenate([corner, corner + size], axis=1)
    got = oks(found, target, boxes, areas=areas, visible=flags, protocol="standard")
    assert got.dtype == np.float64
    want = [coco(found[i], flags[i], target[i], [*corner[i], *size[i]], areas[i]) for i in range(n)]
    np.testing.assert_allclose(got, want, rtol=1e-12)


def test_perfect_pose_and_degenerate_rows():
    points = np.arange(1, 35, dtype=np.float32)[None]
    box = [[0, 0, 40, 40]]
    for protocol in ("paper", "standard"):
        assert oks(points, points, box, protocol=protocol)[0] == 1
        flat = oks(points, points + 5, [[3, 3, 3, 9]], protocol=protocol)  # no area
        assert flat[0] == 0
        assert oks(np.empty((0, 34)), np.empty((0, 34)), [], protocol=protocol).shape == (0,)
    lost = points.copy()
    lost[0, 4] = np.nan
    assert np.isnan(oks(lost, points, box)[0])
    half_seen = np.zeros((1, 34), np.float32)
    half_seen[0, 3] = 5  # x is 0, y is not: it counts
    assert oks(half_seen, half_seen, box)[0] == 1


def test_wrong_arguments_are_refused():
    points, box = np.zeros((2, 34)), np.zeros((2, 4))
    with pytest.raises(ValueError, match="pred"):
        oks(np.zeros((2, 36)), points, box)
    with pytest.raises(ValueError, match="pred"):
        oks(points[:, :20], points, box, protocol="standard")
    with pytest.raises(ValueError, match="gt"):
        oks(points, np.zeros((2, 32)), box)
    with pytest.raises(ValueError, match="boxes"):
        oks(points, points, box[:1])
    with pytest.raises(ValueError, match="neither"):
        oks(points, points, box, areas=[1, 1])
    with pytest.raises(ValueError, match="protocol"):
        oks(points, points, box, protocol="coco")


@pytest.mark.parametrize("protocol", ["paper", "standard"])
def test_accuracy_gathers(protocol, data):
    z = np.load(data / "eval" / "oks.npz")
    arrays = [z["hyps"], z["refs"], z["bbox"]]
    parts = [PoseAccuracy(protocol=protocol) for _ in range(3)]
    assert np.isnan(parts[0].compute())
    assert np.isnan(parts[0].mean_oks())
    for part, rows in zip(parts, (slice(0, 13), slice(13, 14), slice(14, 60)), strict=True):
        part.update(*(a[rows] for a in arrays))
    parts[0].merge(parts[1])
    parts[0].merge(parts[2])
    values = oks(*arrays, protocol=protocol)
    assert parts[0].compute() == (values >= 0.5).mean()
    assert parts[0].mean_oks() == pytest.approx(values.mean(dtype=np.float64))
    if protocol == "paper":
        assert parts[0].compute() == z["score"].mean(dtype=np.float64)
    with pytest.raises(ValueError, match="differ"):
        parts[0].merge(PoseAccuracy(threshold=0.9, protocol=protocol))


def test_decode_golden(data):
    cases = json.loads((data / "eval" / "decode_keypoints.json").read_text())
    for case in cases:
        got = decode_keypoints(case["pieces"])
        assert got.dtype == np.float32
        assert got.tolist() == case["result"]


def spelled(box, points):
    """Pieces of a clean sequence."""
    pieces = [f"<bin_{b}>" for b in box]
    for name, (x, y) in points.items():
        first, _, rest = name.partition("_")
        pieces += [f" {first}", *(["_", rest] if rest else []), f"<bin_{x}>", f"<bin_{y}>"]
    return pieces


@given(
    box=st.lists(st.integers(0, 999), min_size=4, max_size=4),
    points=st.dictionaries(
        st.sampled_from(KEYPOINT_NAMES), st.tuples(st.integers(0, 999), st.integers(0, 999))
    ),
)
def test_clean_sequences_decode_alike(box, points):
    want = np.zeros(38)
    want[:4] = box
    for name, point in points.items():
        start = 4 + 2 * KEYPOINT_NAMES.index(name)
        want[start : start + 2] = point
    for protocol in ("paper", "standard"):
        np.testing.assert_array_equal(
            decode_keypoints(spelled(box, points), protocol=protocol), want
        )


@given(
    st.lists(
        st.sampled_from(["<bin_1>", "<bin_999>", " left", "_", "eye", " nose", "nose", " x", ""])
    )
)
def test_any_sequence_decodes(pieces):
    for protocol in ("paper", "standard"):
        got = decode_keypoints(pieces, protocol=protocol)
        assert got.shape == (38,)
        assert np.isfinite(got).all()


def test_missing_coordinates():
    pieces = ["<bin_1>", "<bin_2>", "<bin_3>", "<bin_4>", " nose", "<bin_5>", " left", "_", "eye"]
    pieces += ["<bin_6>", "<bin_7>"]
    shifted = decode_keypoints(pieces, protocol="paper")
    assert shifted[:8].tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    kept = decode_keypoints(pieces, protocol="standard")
    assert kept[:8].tolist() == [1, 2, 3, 4, 0, 0, 6, 7]


def test_decode_refuses():
    with pytest.raises(ValueError, match="bin_x"):
        decode_keypoints(["<bin_x>"])
    with pytest.raises(ValueError, match="protocol"):
        decode_keypoints([], protocol="coco")
