import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.kernels.rle_masks import batch_of, decoded, encoded, masks, people

from refpix.errors import KernelError, RleError
from refpix.kernels import rle_resize
from refpix.types import RleBatch

backends = pytest.mark.parametrize("backend", rle_resize.backends())


def torch_nearest(mask, size):
    torch = pytest.importorskip("torch")
    picture = torch.from_numpy(np.ascontiguousarray(mask)).to(torch.uint8)[None, None]
    return torch.nn.functional.interpolate(picture, size=size, mode="nearest")[0, 0].numpy()


def opencv_nearest(mask, size):
    cv2 = pytest.importorskip("cv2")
    return cv2.resize(mask.astype(np.uint8), size[::-1], interpolation=cv2.INTER_NEAREST)


def pillow_nearest(mask, size):
    image = pytest.importorskip("PIL.Image")
    return np.asarray(image.fromarray(mask.astype(np.uint8)).resize(size[::-1], image.NEAREST))


LIBRARIES = {"torch": torch_nearest, "opencv": opencv_nearest, "pillow": pillow_nearest}
rules = pytest.mark.parametrize("rule", LIBRARIES)
lengths = st.one_of(st.integers(1, 16), st.integers(1, 90))


def resize(items, new_sizes, **options):
    wanted = np.array(new_sizes, np.int64).reshape(-1, 2)
    got = RleBatch(*rle_resize(*batch_of(items), wanted, **options))
    assert got.counts.dtype == np.uint32
    assert got.offsets.dtype == np.int64
    assert got.sizes.tolist() == wanted.tolist()
    return [got.runs(i).tolist() for i in range(len(items))]


@rules
@given(items=st.lists(st.tuples(masks(), st.tuples(lengths, lengths)), min_size=1, max_size=4))
def test_is_the_librarys_resize_of_the_decoded_mask(rule, items):
    want = [encoded(LIBRARIES[rule](decoded(*mask), size)) for mask, size in items]
    masks_given, sizes = zip(*items, strict=True)
    for backend in rle_resize.backends():
        assert resize(masks_given, sizes, rule=rule, backend=backend) == want


@rules
@backends
def test_every_pair_of_lengths(backend, rule):
    rng = np.random.default_rng(0)
    for _ in range(60):
        n_in, n_out = rng.integers(1, 3_000, 2).tolist()
        line = rng.integers(0, 2, n_in)
        tall, wide = (encoded(line[:, None]), (n_in, 1)), (encoded(line[None]), (1, n_in))
        want = [
            encoded(LIBRARIES[rule](decoded(*tall), (n_out, 1))),
            encoded(LIBRARIES[rule](decoded(*wide), (1, n_out))),
        ]
        assert resize([tall, wide], [(n_out, 1), (1, n_out)], rule=rule, backend=backend) == want


@rules
def test_people_on_many_threads(rule):
    items = people(np.random.default_rng(0), 12, 120, 90)
    sizes = [(512, 512), (60, 45), (120, 90), (33, 200), (1, 1), (240, 180)] * 2
    want = [
        encoded(LIBRARIES[rule](decoded(*item), size))
        for item, size in zip(items, sizes, strict=True)
    ]
    for num_threads in (1, 2, 7):
        assert resize(items, sizes, rule=rule, num_threads=num_threads) == want


@backends
def test_torch_is_the_default(backend):
    item = ([3, 2, 1, 4, 2, 2, 6], (20, 1))
    (want,) = resize([item], [(7, 1)], rule="torch", backend=backend)
    assert resize([item], [(7, 1)], backend=backend) == [want]


@backends
@pytest.mark.parametrize(
    ("size", "new_size"),
    [((0, 3), (4, 4)), ((3, 0), (4, 4)), ((2, 3), (0, 4)), ((2, 3), (4, 0)), ((0, 0), (0, 0))],
)
def test_sizes_without_pixels_are_refused(backend, size, new_size):
    items = [([6], (2, 3)), ([size[0] * size[1]], size)]
    with pytest.raises(KernelError) as error:
        resize(items, [(1, 1), new_size], backend=backend)
    assert (error.value.fault, error.value.item) == ("bad_size", 1)


@backends
@pytest.mark.parametrize(
    ("runs", "size", "new_size", "fault"),
    [
        ([5], (2, 3), (1, 1), "rle_too_short"),
        ([1, 6], (2, 3), (1, 1), "rle_too_long"),
        ([1], (-1, -1), (1, 1), "rle_bad_size"),
        ([6], (2, 3), (-1, 5), "rle_bad_size"),
        ([6], (2, 3), (2**31, 2**32), "rle_bad_size"),
    ],
)
@pytest.mark.parametrize("num_threads", [1, 2])
def test_malformed_names_the_item(backend, runs, size, new_size, fault, num_threads):
    batch = batch_of([([6], (2, 3)), (runs, size), (runs, size)])
    sizes = np.array([(1, 1), new_size, new_size], np.int64)
    with pytest.raises(RleError) as error:
        rle_resize(*batch, sizes, num_threads=num_threads, backend=backend)
    assert (error.value.fault, error.value.item) == (fault, 1)


@backends
def test_empty_batch(backend):
    assert resize([], [], backend=backend) == []


def test_runs_fit_32_bits():
    left = ([2, 2], (2, 2))
    assert resize([left], [(65_536, 65_536)]) == [[2**31, 2**31]]
    with pytest.raises(RleError, match="32 bits"):
        resize([([4], (2, 2))], [(70_000, 70_000)])


def test_wrong_arguments_are_refused():
    batch = batch_of([([6], (2, 3))])
    with pytest.raises(ValueError, match="rule"):
        rle_resize(*batch, np.ones((1, 2), np.int64), rule="scipy")
    with pytest.raises(TypeError, match="new_sizes: expected dtype int64"):
        rle_resize(*batch, np.ones((1, 2), np.int32))
    with pytest.raises(ValueError, match=r"new_sizes: expected shape \(1, 2\)"):
        rle_resize(*batch, np.ones((2, 2), np.int64))
