"""The single steps of HimTraining: what each keeps, and that they are what OpenCV does."""

import numpy as np
import pytest

from refpix.datasets import _him_geometry as geometry
from refpix.datasets import _him_masks as masks
from refpix.datasets import _him_pixels as pixels
from refpix.datasets._him_draws import Draws
from refpix.datasets._opencv_warp import Warp, line_of_pixels
from refpix.datasets.him_item import Stack

SEEDS = range(12)


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def frames_of(rng, count=2, height=72, width=64):
    return rng.integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def disc(height=72, width=64, y=40, x=30, radius=12):
    rows, columns = np.mgrid[:height, :width]
    return ((rows - y) ** 2 + (columns - x) ** 2 <= radius**2).astype(np.uint8) * np.uint8(255)


def stack_of(rng, **size):
    frames = frames_of(rng, **size)
    alphas = np.stack([disc(*frames.shape[1:3])] * len(frames))
    return Stack(frames, alphas, alphas.copy(), [])


def opencv(least=(0,), most=(99,)):
    cv2 = pytest.importorskip("cv2")
    version = tuple(int(part) for part in cv2.__version__.split(".")[:2])
    if not least <= version < most:
        pytest.skip(f"OpenCV {cv2.__version__} computes otherwise")
    return cv2


@pytest.mark.parametrize("step", [pixels.change_gamma, pixels.make_noisy, pixels.compress])
def test_colours_are_drawn_by_the_key_and_nothing_else(step, rng):
    frames = frames_of(rng)
    given = frames.copy()
    results = [step(frames, Draws.of(seed)) for seed in SEEDS]
    assert np.array_equal(frames, given)
    assert len({r.tobytes() for r in results}) > len(SEEDS) // 2
    for seed, result in zip(SEEDS, results, strict=True):
        assert result.dtype == np.uint8
        assert result.shape == frames.shape
        assert np.array_equal(step(frames, Draws.of(seed)), result)
        strided = step(frames[:, :, ::-1], Draws.of(seed))  # as after a flip
        assert strided.shape == frames.shape


def test_gamma_keeps_order_and_ends():
    ramp = np.tile(np.arange(256, dtype=np.uint8)[:, None], (1, 1, 1, 3)).reshape(1, 256, 1, 3)
    middles = []
    for seed in range(200):
        levels = pixels.change_gamma(ramp, Draws.of(seed))[0, :, 0, 0].astype(int)
        assert (levels[0], levels[-1]) == (0, 255)
        assert (np.diff(levels) >= 0).all()
        middles.append(levels[128])
    assert min(middles) >= int(255 * (128 / 255) ** 1.5)
    assert max(middles) <= int(255 * (128 / 255) ** 0.5)
    assert max(middles) - min(middles) > 60


def test_noise_is_gray_and_the_same_in_all_frames():
    gray = np.full((3, 64, 64, 3), 128, np.uint8)
    deviations = []
    for seed in SEEDS:
        noise = pixels.make_noisy(gray, Draws.of(seed)).astype(int) - 128
        assert (noise == noise[:1, ..., :1]).all()
        deviations.append(noise.std())
        assert abs(noise.mean()) < 0.5
    assert max(deviations) < 8
    assert max(deviations) > 3
    dark = pixels.make_noisy(np.zeros((1, 64, 64, 3), np.uint8), Draws.of(0))
    assert dark.max() < 40  # nothing wraps around


def test_compression_is_that_of_pillow(rng):
    import io

    from PIL import Image

    frames = frames_of(rng, 1)
    for seed in SEEDS:
        state = np.random.RandomState(np.random.MT19937(np.random.SeedSequence((seed,))))
        buffer = io.BytesIO()
        quality = round(1 + 99 * (1 - int(state.uniform(20, 80)) / 101))
        assert 23 <= quality <= 80
        Image.fromarray(frames[0]).save(buffer, "JPEG", quality=quality)
        want = np.asarray(Image.open(buffer))
        assert np.array_equal(pixels.compress(frames, Draws.of(seed))[0], want)


def test_blur_is_the_mean_along_a_line(rng):
    frames = frames_of(rng, 1)
    lengths = set()
    for seed in range(30):
        steps = pixels.draw_line(Draws.of(seed))
        lengths.add(len(steps))
        assert 2 <= len(steps) <= 49
        assert all(-24 <= v <= 24 for step in steps for v in step)
        flat = np.full((1, 64, 64), 77, np.uint8)
        assert np.array_equal(pixels.blur(flat, steps), flat)
        point = np.zeros((1, 99, 99), np.uint8)
        point[0, 49, 49] = 255
        spread = pixels.blur(point, steps)[0]
        assert set(zip(*(49 - np.argwhere(spread)).T.tolist(), strict=True)) == set(steps)
    assert len(lengths) > 8
    assert np.array_equal(pixels.blur(frames, [(0, 0)]), frames)


def test_blur_is_opencvs_within_a_level(rng):
    cv2 = opencv()
    frames = frames_of(rng, 2)
    for seed in range(20):
        steps = pixels.draw_line(Draws.of(seed))
        kernel = np.zeros((49, 49), np.float32)
        for dy, dx in steps:
            kernel[24 + dy, 24 + dx] = 1
        for frame, got in zip(frames, pixels.blur(frames, steps), strict=True):
            want = cv2.filter2D(frame, -1, kernel / len(steps))
            assert np.abs(want.astype(int) - got).max() <= 1


def test_lines_are_opencvs(rng):
    cv2 = opencv()
    for _ in range(500):
        ends = rng.integers(0, 21, 4).tolist()
        want = np.zeros((21, 21), np.uint8)
        cv2.line(want, ends[:2], ends[2:], 1, thickness=1)
        got = np.zeros_like(want)
        for x, y in line_of_pixels(tuple(ends[:2]), tuple(ends[2:])):
            got[y, x] = 1
        assert np.array_equal(got, want)


@pytest.mark.parametrize("padding_p", [0, 1])
@pytest.mark.parametrize("size", [(72, 64), (128, 192), (192, 128)])
def test_windows(rng, padding_p, size):
    stack = stack_of(rng, height=size[0], width=size[1])
    crop = (40, 56)
    given = stack.alphas.copy()
    for seed in SEEDS:
        got = geometry.crop_by_alpha(stack, Draws.of(seed), crop, padding_p)
        assert got.frames.shape == (2, *crop, 3)
        assert got.alphas.shape == got.masks.shape == (2, *crop)
        assert (got.alphas > 127).any()
        assert got.alphas.dtype == got.frames.dtype == np.uint8
        if padding_p == 0:
            assert np.isin(got.alphas, stack.alphas).all()
            assert np.array_equal(got.alphas, got.masks)
    assert np.array_equal(stack.alphas, given)


def test_a_window_begins_in_the_box_of_the_mattes(rng):
    stack = stack_of(rng, height=200, width=200)
    stack.frames[..., 0] = np.arange(200)[:, None]
    stack.frames[..., 1] = np.arange(200)
    for seed in range(30):
        corner = geometry.crop_by_alpha(stack, Draws.of(seed), (32, 32), 0).frames[0, 0, 0]
        assert 28 <= corner[0] <= 52
        assert 18 <= corner[1] <= 42


def test_a_window_of_an_empty_picture(rng):
    stack = stack_of(rng)
    stack.alphas[:] = 0
    for padding_p in (0, 1):
        got = geometry.crop_by_alpha(stack, Draws.of(3), (32, 32), padding_p)
        assert got.alphas.shape == (2, 32, 32)
        assert not got.alphas.any()


def test_flip_twice_is_nothing(rng):
    stack = stack_of(rng)
    once = geometry.flip(stack)
    assert np.array_equal(once.frames, stack.frames[:, :, ::-1])
    assert np.array_equal(once.masks, stack.masks[:, :, ::-1])
    assert np.array_equal(geometry.flip(once).alphas, stack.alphas)


@pytest.mark.parametrize("masks_too", [False, True])
def test_warp_keeps_values_and_moves_a_little(rng, masks_too):
    stack = stack_of(rng)
    for seed in SEEDS:
        got = geometry.warp(stack, Draws.of(seed), masks_too=masks_too)
        assert got.frames.dtype == np.float32
        assert got.frames.min() >= 0
        assert got.frames.max() <= 255
        assert np.isin(got.alphas, (0, 255)).all()
        assert 0.6 < (got.alphas > 0).sum() / (stack.alphas > 0).sum() < 1.6
        shared = (got.alphas & stack.alphas).astype(bool).sum() / (stack.alphas > 0).sum()
        assert shared > 0.3
        assert np.array_equal(got.masks, got.alphas if masks_too else stack.masks)


def test_warp_by_whole_pixels(rng):
    image = frames_of(rng, 1)[0]
    moved = Warp(np.array([[1.0, 0, 5], [0, 1.0, -3]]), image.shape[:2])
    want = np.zeros_like(image)
    want[:-3, 5:] = image[3:, :-5]
    assert np.array_equal(moved.linear(image), want)
    assert np.array_equal(moved.nearest(image[..., 0]), want[..., 0])
    away = Warp(np.array([[1.0, 0, 500], [0, 1.0, 0]]), image.shape[:2])
    assert not away.linear(image).any()


def test_warp_is_opencvs(rng):
    cv2 = opencv(most=(4, 11))
    for seed in range(20):
        height, width = (int(n) for n in rng.integers(20, 160, 2))
        image = frames_of(rng, 1, height, width)[0]
        matrix = geometry.draw_matrix(Draws.of(seed), (height, width))
        got = Warp(matrix, (height, width))
        for result, source, flag in (
            (got.linear(image), image, cv2.INTER_LINEAR),
            (got.nearest(image[..., 0]), image[..., 0], cv2.INTER_NEAREST),
        ):
            want = cv2.warpAffine(source, matrix, (width, height), flags=flag)
            assert np.array_equal(result, want)


@pytest.mark.parametrize("size", [1, 2, 3, 8, 29])
@pytest.mark.parametrize("shape", [(72, 64), (5, 90), (1, 1), (13, 7)])
def test_dilation_and_erosion_are_opencvs(rng, size, shape):
    cv2 = opencv()
    mask = (rng.random(shape) < 0.3).astype(np.uint8) * np.uint8(255)
    square = np.ones((size, size), np.uint8)
    assert np.array_equal(masks.dilate(mask, size), cv2.dilate(mask, square))
    assert np.array_equal(masks.erode(mask, size), cv2.erode(mask, square))


def test_dilation_and_erosion_of_a_pixel():
    mask = np.zeros((9, 9), np.uint8)
    mask[4, 4] = 255
    grown = masks.dilate(mask, 4)
    assert np.argwhere(grown).min(axis=0).tolist() == [3, 3]
    assert np.argwhere(grown).max(axis=0).tolist() == [6, 6]
    assert not masks.erode(mask, 2).any()
    assert masks.erode(np.full((9, 9), 255, np.uint8), 5).all()  # the outside does not count


def test_roughened_masks_stay_near_the_matte():
    matte = disc()
    for seed in range(30):
        mask = masks.roughened(matte, Draws.of(seed), 6)
        assert np.isin(mask, (0, 255)).all()
        assert not (mask[~masks.dilate(matte, 11).astype(bool)]).any()
        assert mask[40, 30] == 255
    assert np.array_equal(masks.roughened(matte, Draws.of(0), 2), matte)  # squares of one pixel


@pytest.mark.parametrize("coarse_p", [0, 1])
@pytest.mark.parametrize("holes", [False, True])
def test_perturbed_masks(rng, coarse_p, holes):
    given = np.stack([disc(y=20 + 3 * i) for i in range(8)])
    kept = given.copy()
    results = set()
    for seed in SEEDS:
        got = masks.perturbed(given, Draws.of(seed), kernel=10, coarse_p=coarse_p, holes=holes)
        assert got.shape == given.shape
        assert got.dtype == np.uint8
        assert np.isin(got, (0, 255)).all()
        results.add(got.tobytes())
    assert len(results) == len(SEEDS)
    assert np.array_equal(given, kept)
    empty = np.zeros((8, 64, 64), np.uint8)
    assert not masks.perturbed(empty, Draws.of(0), kernel=10, coarse_p=1, holes=True).any()


def test_cut_pieces_come_from_the_masks():
    changed = 0
    for seed in range(40):
        planes = np.stack([disc(), disc(y=20)])
        before = planes.copy()
        masks.cut(planes, Draws.of(seed))
        differs = planes != before
        changed += differs.any()
        for plane in differs:
            rows, columns = np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))
            if rows.size:
                assert np.ptp(rows) < 72 // 4
                assert np.ptp(columns) < 64 // 4
    assert 10 < changed < 40
    alone = disc()[None]
    masks.cut(alone, Draws.of(1))
    assert alone.shape == (1, 72, 64)


def test_holes_are_dropped_within_some_masks():
    changed = 0
    for seed in range(30):
        planes = np.stack([disc(128, 128, 64, 64, 40)] * 7)
        before = planes.copy()
        masks.drop(planes, Draws.of(seed))
        differs = (planes != before).any(axis=(1, 2))
        assert (planes <= before).all()
        assert differs.sum() <= 2
        changed += differs.any()
    assert 8 < changed < 25
    for few in (np.stack([disc()] * 5), np.zeros((8, 64, 64), np.uint8), disc(radius=5)[None]):
        before = few.copy()
        for seed in SEEDS:
            masks.drop(few, Draws.of(seed))
        assert np.array_equal(few, before)


def test_draws():
    never, always = Draws.of(1), Draws.of(1)
    assert not any(never.happens(0) for _ in range(1000))
    assert all(always.happens(1) for _ in range(1000))
    published = Draws.published(np.random.RandomState(3), np.random.RandomState(4))
    for draws in (Draws.of(2), published):
        pairs = {draws.pair(4) for _ in range(300)}
        assert len(pairs) == 12
        assert {draws.one_of("abc") for _ in range(50)} == set("abc")
        assert {draws.number(2, 5) for _ in range(50)} == {2, 3, 4}
    one, other = Draws.of(1, 2, 3), Draws.of(1, 2, 4)
    assert one.own.random_sample() != other.own.random_sample()
