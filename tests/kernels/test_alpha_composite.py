import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from refpix.kernels import alpha_composite, isas, use_isa

backends = pytest.mark.parametrize("backend", alpha_composite.backends())


def every_native(*args, **kwargs):
    for isa in isas():
        with use_isa(isa):
            yield alpha_composite(*args, **kwargs, backend="cpu")
    if "cuda" in alpha_composite.backends():
        yield alpha_composite(*args, **kwargs, backend="cuda")


def pixels(shape, seed=0, extremes=False):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 256, shape, dtype=np.uint8)
    if extremes:  # runs of nothing and of everything, as mattes have
        values[..., : shape[-1] // 3] = 0
        values[..., -(shape[-1] // 3) or shape[-1] :] = 255
    return values


def at(*positions):
    return np.array(positions, np.int64).reshape(-1, 2)


def pasted(background, foreground, matte, x, y):
    """Pillow's own."""
    image = Image.fromarray(np.squeeze(background))
    image.paste(Image.fromarray(np.squeeze(foreground)), (x, y), Image.fromarray(matte))
    return np.array(image).reshape(background.shape)


@given(
    channels=st.sampled_from([1, 3, 4]),
    size=st.tuples(st.integers(1, 20), st.integers(2, 150)),
    over=st.tuples(st.integers(1, 20), st.integers(2, 200)),
    x=st.integers(-210, 160),
    y=st.integers(-25, 25),
    extremes=st.booleans(),
    threads=st.integers(1, 3),
)
def test_paste_is_pillow(channels, size, over, x, y, extremes, threads):
    background = pixels((1, *size, channels), 1)
    foreground, matte = pixels((1, *over, channels), 2), pixels((1, *over), 3, extremes)
    if 1 in (size[0], over[0]):  # squeeze() would take that axis too
        want = alpha_composite(
            background, foreground, matte, positions=at((x, y)), backend="reference"
        )
    else:
        want = pasted(background[0], foreground[0], matte[0], x, y)[None]
    np.testing.assert_array_equal(
        alpha_composite(background, foreground, matte, positions=at((x, y)), backend="reference"),
        want,
    )
    for got in every_native(
        background, foreground, matte, positions=at((x, y)), num_threads=threads
    ):
        np.testing.assert_array_equal(got, want)


def test_paste_every_value():
    """All backgrounds, foregrounds and mattes: 2**24 combinations."""
    values = np.arange(256, dtype=np.uint8)
    background = np.repeat(values, 256).reshape(1, 256, 256, 1)
    foreground = np.tile(values, 256).reshape(1, 256, 256, 1)
    for m in range(256):
        matte = np.full((1, 256, 256), m, np.uint8)
        want = (background.astype(int) * (255 - m) + foreground.astype(int) * m + 127) // 255
        for got in every_native(background, foreground, matte, positions=at((0, 0))):
            np.testing.assert_array_equal(got, want)


@backends
def test_rgba_is_pillow(backend):
    levels = np.array([0, 1, 2, 3, 64, 127, 128, 200, 253, 254, 255], np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels, levels, indexing="ij"), -1)
    grid = grid.reshape(1, 121, 121, 4)
    background = np.ascontiguousarray(np.stack([grid[..., 0], grid[..., 1], 255 - grid[..., 0],
                                                grid[..., 2]], -1))  # fmt: skip
    foreground = np.ascontiguousarray(np.stack([grid[..., 1], grid[..., 0], grid[..., 1],
                                                grid[..., 3]], -1))  # fmt: skip
    for b, f in ((background, foreground), (pixels((1, 90, 80, 4), 4), pixels((1, 90, 80, 4), 5))):
        want = Image.alpha_composite(Image.fromarray(b[0]), Image.fromarray(f[0]))
        got = alpha_composite(b, f, None, positions=at((0, 0)), mode="rgba", backend=backend)
        np.testing.assert_array_equal(got[0], np.array(want))


def test_linear_native_is_reference():
    background, foreground = pixels((2, 40, 50, 3), 6), pixels((2, 30, 60, 3), 7)
    matte = pixels((2, 30, 60), 8, extremes=True)
    options = {"positions": at((5, 5), (-9, 20)), "mode": "linear"}
    want = alpha_composite(background, foreground, matte, backend="reference", **options)
    for got in every_native(background, foreground, matte, **options):
        np.testing.assert_array_equal(got, want)


@backends
def test_linear_keeps_ends_and_brightens_the_middle(backend):
    background = np.zeros((1, 1, 3, 1), np.uint8)
    foreground = np.full((1, 1, 3, 1), 255, np.uint8)
    matte = np.array([[[0, 128, 255]]], np.uint8)
    got = alpha_composite(background, foreground, matte, positions=at((0, 0)), mode="linear",
                          backend=backend)  # fmt: skip
    assert got.ravel().tolist() == [0, 188, 255]  # 50 % of white's light is sRGB 188


def test_linear_round_trip_of_every_level():
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    full = np.full((1, 16, 16), 255, np.uint8)
    for got in every_native(255 - levels, levels, full, positions=at((0, 0)), mode="linear"):
        np.testing.assert_array_equal(got, levels)


@backends
def test_float(backend):
    rng = np.random.default_rng(9)
    background = rng.normal(0, 9, (2, 8, 9, 2)).astype(np.float32)
    foreground = rng.normal(0, 9, (2, 5, 6, 2)).astype(np.float32)
    matte = rng.uniform(0, 1, (2, 5, 6)).astype(np.float32)
    got = alpha_composite(background, foreground, matte, positions=at((2, 1), (5, 6)),
                          mode="float", backend=backend)  # fmt: skip
    want = background.copy()
    m = matte[..., None]
    want[0, 1:6, 2:8] = background[0, 1:6, 2:8] * (1 - m[0]) + foreground[0] * m[0]
    want[1, 6:8, 5:9] = (
        background[1, 6:8, 5:9] * (1 - m[1, :2, :4]) + foreground[1, :2, :4] * m[1, :2, :4]
    )
    np.testing.assert_array_equal(got, want)


@backends
@pytest.mark.parametrize("position", [(9, 0), (0, 9), (-4, 0), (0, -4), (2**62, 0), (-(2**62), 3)])
def test_outside_leaves_the_background(backend, position):
    background = pixels((1, 9, 9, 3))
    got = alpha_composite(background, pixels((1, 4, 4, 3)), pixels((1, 4, 4)),
                          positions=at(position), backend=backend)  # fmt: skip
    np.testing.assert_array_equal(got, background)
    assert got is not background


@backends
def test_in_place_touches_only_the_box(backend):
    background = pixels((1, 9, 9, 3))
    before = background.copy()
    got = alpha_composite(background, pixels((1, 4, 4, 3), 1), np.full((1, 4, 4), 200, np.uint8),
                          positions=at((3, 3)), out=background, backend=backend)  # fmt: skip
    assert got is background
    before[:, 3:7, 3:7] = background[:, 3:7, 3:7]
    np.testing.assert_array_equal(background, before)


@backends
def test_empty_batch(backend):
    none, mattes = np.empty((0, 4, 4, 3), np.uint8), np.empty((0, 4, 4), np.uint8)
    got = alpha_composite(none, none, mattes, positions=at(), backend=backend)
    assert got.shape == (0, 4, 4, 3)


def test_large_frames_on_threads():
    background, foreground = pixels((1, 1100, 2000, 3)), pixels((1, 1200, 2100, 3), 1)
    matte = pixels((1, 1200, 2100), 2, extremes=True)
    want = pasted(background[0], foreground[0], matte[0], -30, -50)
    for threads in (1, 4):
        for got in every_native(
            background, foreground, matte, positions=at((-30, -50)), num_threads=threads
        ):
            np.testing.assert_array_equal(got[0], want)


def test_wrong_arrays_are_refused():
    b, f, m = pixels((1, 4, 4, 3)), pixels((1, 2, 2, 3)), pixels((1, 2, 2))
    p = at((0, 0))
    with pytest.raises(TypeError, match="uint8"):
        alpha_composite(b, f.astype(np.float32), m, positions=p)
    with pytest.raises(TypeError, match="float32"):
        alpha_composite(b, f, m, positions=p, mode="float")
    with pytest.raises(TypeError, match="NumPy"):
        alpha_composite(b, f, None, positions=p)
    with pytest.raises(ValueError, match="mattes: expected shape"):
        alpha_composite(b, f, m[:, :1], positions=p)
    with pytest.raises(ValueError, match="foregrounds: expected shape"):
        alpha_composite(b, np.ascontiguousarray(f[..., :1]), m, positions=p)
    with pytest.raises(ValueError, match="positions: expected shape"):
        alpha_composite(b, f, m, positions=at((0, 0), (1, 1)))
    with pytest.raises(ValueError, match="contiguous"):
        alpha_composite(b[:, :, ::2], f, m, positions=p)
    with pytest.raises(ValueError, match="mode"):
        alpha_composite(b, f, m, positions=p, mode="screen")
    with pytest.raises(ValueError, match="own alpha"):
        alpha_composite(pixels((1, 2, 2, 4)), pixels((1, 2, 2, 4)), m, positions=p, mode="rgba")
    with pytest.raises(ValueError, match="4 channels"):
        alpha_composite(b, f, None, positions=p, mode="rgba")
    with pytest.raises(ValueError, match="out: expected shape"):
        alpha_composite(b, f, m, positions=p, out=np.empty((1, 5, 4, 3), np.uint8))
