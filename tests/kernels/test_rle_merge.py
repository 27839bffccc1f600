from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.kernels.drawn_masks import MALFORMED, batches, dense, pixels, random_batch

from refpix.errors import RleError
from refpix.kernels import isas, rle_from_string, rle_merge, rle_to_string, use_isa
from refpix.types import BytesBatch, RleBatch

backends = pytest.mark.parametrize("backend", rle_merge.backends())
every_isa = pytest.mark.parametrize("isa", isas())
MAX = 2**32 - 1


def whole(batch):
    """One group of all."""
    return np.array([0, len(batch.sizes)], np.int64)


def merge(counts, size, **options):
    """Run lengths of the masks merged into one."""
    batch = RleBatch.from_counts(counts, [size] * len(counts))
    merged = RleBatch(*rle_merge(*batch, whole(batch), **options))
    assert (merged.counts.dtype, merged.offsets.dtype) == (np.uint32, np.int64)
    assert merged.offsets.tolist() == [0, len(merged.counts)]
    assert merged.sizes.tolist() == [list(size)]
    return merged.counts.tolist()


@backends
@pytest.mark.parametrize(
    ("counts", "size", "union", "intersection"),
    [
        ([[6], [6]], (2, 3), [6], [6]),
        ([[0, 6], [6]], (2, 3), [0, 6], [6]),
        ([[0, 6], [0, 6]], (2, 3), [0, 6], [0, 6]),
        ([[1, 2, 3], [2, 2, 2]], (2, 3), [1, 3, 2], [2, 1, 3]),
        ([[1, 2, 3], [3, 2, 1], [5, 1]], (2, 3), [1, 5], [6]),
        ([[1, 2, 3]], (2, 3), [1, 2, 3], [1, 2, 3]),
        ([[1, 0, 5]], (2, 3), [1, 0, 5], [1, 0, 5]),
        # Runs of length zero come through where only one of two masks has them.
        ([[2, 0, 4], [3, 0, 3]], (2, 3), [2, 0, 1, 0, 3], [6]),
        ([[2, 0, 4], [6]], (2, 3), [2, 0, 4], [6]),
        ([[6, 0], [6, 0, 0]], (2, 3), [6], [6]),
        ([[0, 3, 0, 3], [6]], (2, 3), [0, 3, 0, 3], [6]),
        # Both at once, where pycocotools returns [2] and [0].
        ([[2, 0, 4], [2, 0, 4]], (2, 3), [2, 0, 4], [2, 0, 4]),
        ([[0, 0, 6], [0, 0, 6]], (2, 3), [0, 0, 6], [0, 0, 6]),
        ([[], []], (0, 3), [0], [0]),
        ([[0, 0], [0]], (0, 3), [0], [0]),
        ([[MAX, 1], [MAX, 1]], (2**16, 2**16), [MAX, 1], [MAX, 1]),
        # A run of more than 32 bits is broken up.
        ([[0, MAX, 1], [MAX, 1]], (2**16, 2**16), [0, MAX, 0, 1], [2**32 - 1, 0, 1]),
    ],
)
def test_merges(backend, counts, size, union, intersection):
    assert merge(counts, size, backend=backend) == union
    assert merge(counts, size, intersect=True, backend=backend) == intersection


@backends
def test_groups(backend):
    batch = RleBatch.from_counts(
        [[1, 2, 3], [2, 2, 2], [4], [0, 9]], [(2, 3)] * 2 + [(4, 1), (3, 3)]
    )
    groups = np.array([0, 0, 2, 3, 3, 4, 4], np.int64)
    for num_threads in (1, 2, 7):
        merged = RleBatch(*rle_merge(*batch, groups, num_threads=num_threads, backend=backend))
        assert [merged.runs(i).tolist() for i in range(6)] == [[], [1, 3, 2], [4], [], [0, 9], []]
        assert merged.sizes.tolist() == [[0, 0], [2, 3], [4, 1], [0, 0], [3, 3], [0, 0]]


@backends
def test_empty_batch(backend):
    batch = RleBatch.from_counts([], [])
    merged = rle_merge(*batch, np.zeros(1, np.int64), backend=backend)
    assert [part.shape for part in merged] == [(0,), (1,), (0, 2)]


@every_isa
@given(batch=batches(max_size=12), intersect=st.booleans())
def test_agrees_with_pixels_and_reference(isa, batch, intersect):
    if len(batch.sizes) == 0:
        return
    want = RleBatch(*rle_merge(*batch, whole(batch), intersect=intersect, backend="reference"))
    masks = np.stack(dense(batch))
    np.testing.assert_array_equal(
        pixels(want.counts, batch.sizes[0]), masks.all(0) if intersect else masks.any(0)
    )
    with use_isa(isa):
        got = RleBatch(*rle_merge(*batch, whole(batch), intersect=intersect, backend="cpu"))
    np.testing.assert_array_equal(got.counts, want.counts)


def zeros_coincide(batch):
    """Whether runs of length zero may meet, where pycocotools loses the rest."""
    return any(np.any(batch.runs(i)[1:] == 0) for i in range(len(batch.sizes)))


@every_isa
@given(batch=batches(zeros=False, max_size=12), intersect=st.booleans(), data=st.data())
@example(
    batch=RleBatch.from_counts([[0, 6], [6], [1, 2, 3]], [(2, 3)] * 3), intersect=False, data=None
)
def test_agrees_with_pycocotools(isa, batch, intersect, data):
    mask = pytest.importorskip("pycocotools.mask")
    if len(batch.sizes) < 2 or 0 in batch.sizes:
        return
    if data is not None and data.draw(st.booleans()):
        # Runs of length zero in one of the masks, and so never in two at once.
        size = tuple(batch.sizes[0].tolist())
        items = [batch.runs(i).tolist() for i in range(len(batch.sizes))]
        which = data.draw(st.integers(0, len(items) - 1))
        place = data.draw(st.integers(0, len(items[which]) - 1))
        cut = data.draw(st.integers(0, items[which][place]))
        items[which][place : place + 1] = [cut, 0, items[which][place] - cut]
        batch = RleBatch.from_counts(items, [size] * len(items))
        if len(batch.counts) > size[0] * size[1] + 1:
            return  # pycocotools may write beyond its memory, which holds that many
    size = batch.sizes[0].tolist()
    text, ends = rle_to_string(*batch[:2])
    rles = [{"size": size, "counts": text[a:b].tobytes()} for a, b in pairwise(ends)]
    merged = mask.merge(rles, intersect=intersect)
    want, _ = rle_from_string(*BytesBatch.from_items([merged["counts"]]))
    if int(want.sum()) != size[0] * size[1]:
        assert zeros_coincide(batch)
        return
    with use_isa(isa):
        got, _, _ = rle_merge(*batch, whole(batch), intersect=intersect, backend="cpu")
    np.testing.assert_array_equal(got, want)


@backends
@pytest.mark.parametrize(("counts", "size", "fault"), MALFORMED)
@pytest.mark.parametrize("num_threads", [1, 2])
def test_malformed_names_the_item(backend, counts, size, fault, num_threads):
    batch = RleBatch.from_counts([[6], counts, counts], [(2, 3), size, size])
    for groups in ([0, 3], [0, 1, 2, 3]):
        with pytest.raises(RleError) as error:
            rle_merge(*batch, np.array(groups), num_threads=num_threads, backend=backend)
        assert (error.value.fault, error.value.item) == (fault, 1)


@backends
def test_sizes_that_differ_name_the_item(backend):
    batch = RleBatch.from_counts([[6], [6], [6], [6]], [(2, 3), (3, 2), (3, 2), (2, 3)])
    with pytest.raises(RleError) as error:
        rle_merge(*batch, np.array([0, 1, 4]), backend=backend)
    assert (error.value.fault, error.value.item) == ("rle_size_mismatch", 3)


@backends
@pytest.mark.parametrize("groups", [[0, 1], [1, 2], [0, 3], [0, 2, 1, 2], [0, -1, 2], [0, 3, 2]])
def test_groups_outside_the_batch_are_refused(backend, groups):
    batch = RleBatch.from_counts([[6], [6]], [(2, 3)] * 2)
    with pytest.raises(RleError) as error:
        rle_merge(*batch, np.array(groups, np.int64), backend=backend)
    assert error.value.fault == "rle_bad_offsets"


@backends
def test_threads_change_nothing(backend):
    batch = random_batch(np.random.default_rng(0), 100)
    groups = np.array([0, 3, 4, 40, 40, 77, 100], np.int64)
    want = [part.tolist() for part in rle_merge(*batch, groups, backend="reference")]
    for num_threads in (1, 2, 7):
        got = rle_merge(*batch, groups, num_threads=num_threads, backend=backend)
        assert [part.tolist() for part in got] == want


def test_wrong_arrays_are_refused():
    batch = RleBatch.from_counts([[6]], [(2, 3)])
    with pytest.raises(TypeError, match="groups: expected dtype int64"):
        rle_merge(*batch, np.array([0, 1], np.int32))
    with pytest.raises(ValueError, match="groups"):
        rle_merge(*batch, np.empty(0, np.int64))
