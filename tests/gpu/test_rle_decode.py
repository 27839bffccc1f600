import numpy as np
import pytest
from tests.kernels.rle_masks import batch_of, people

import refpix.cuda
from refpix.errors import RleError
from refpix.kernels import rle_decode
from refpix.types import RleBatch

pytestmark = pytest.mark.gpu

orders = pytest.mark.parametrize("order", ["C", "F"])


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def on_device(torch, batch):
    return [torch.from_numpy(array).cuda() for array in batch]


def random_runs(rng, size, longest):
    ends = np.cumsum(rng.integers(0, longest, 4 * size[0] * size[1] // longest + 9))
    return np.diff([0, *ends[ends < size[0] * size[1]], size[0] * size[1]]).tolist()


def mixed():
    """Every kind of tile: narrow, wide, high, of few runs and of many."""
    rng = np.random.default_rng(0)
    sizes = [(1, 1), (480, 640), (427, 640), (0, 5), (640, 427), (7, 15), (9, 1), (5, 9000)]
    sizes += [(70_000, 3), (1080, 1920), (33, 4097), (4, 0), (300, 31)]
    batch = RleBatch.from_counts(
        [random_runs(rng, size, longest) for size in sizes for longest in (6, 700)],
        [size for size in sizes for _ in range(2)],
    )
    return batch_of(people(rng, 6, 480, 640)), batch


@orders
@pytest.mark.parametrize("dtype", ["uint8", "bool"])
def test_sizes(torch, order, dtype):
    for batch in mixed():
        wanted, ends = rle_decode(*batch, order=order, dtype=dtype)
        got, offsets = rle_decode(*on_device(torch, batch), order=order, dtype=dtype)
        refpix.cuda.raise_faults()
        np.testing.assert_array_equal(got.cpu().numpy(), wanted)
        np.testing.assert_array_equal(offsets.cpu().numpy(), ends)


@orders
@pytest.mark.parametrize("shift", [0, 1, 8, 15])
def test_out_of_any_alignment(torch, order, shift):
    batch = mixed()[1]
    wanted, _ = rle_decode(*batch, order=order)
    guarded = torch.full((len(wanted) + 64,), 7, dtype=torch.uint8, device="cuda")
    out = guarded[shift + 16 : shift + 16 + len(wanted)]
    assert rle_decode(*on_device(torch, batch), order=order, out=out)[0] is out
    refpix.cuda.raise_faults()
    np.testing.assert_array_equal(out.cpu().numpy(), wanted)
    assert (guarded[: shift + 16] == 7).all()
    assert (guarded[shift + 16 + len(wanted) :] == 7).all()


@pytest.mark.parametrize("length", [5, 7])
def test_out_of_a_wrong_size_is_a_fault(torch, length):
    out = torch.zeros(length, dtype=torch.uint8, device="cuda")
    rle_decode(*on_device(torch, RleBatch.from_counts([[0, 6]], [(2, 3)])), out=out)
    with pytest.raises(ValueError, match="out: wrong size"):
        refpix.cuda.raise_faults()
    assert not out.any()


@pytest.mark.parametrize("counts", [[5], [6, 1], [2**32 - 1] * 5, []])
def test_faults_are_the_cpus(torch, counts):
    batch = RleBatch.from_counts([[6], counts, counts], [(2, 3)] * 3)
    with pytest.raises(RleError) as wanted:
        rle_decode(*batch)
    assert rle_decode(*on_device(torch, batch))[0].shape == (0,)
    with pytest.raises(RleError) as got:
        refpix.cuda.raise_faults()
    assert str(got.value) == str(wanted.value)
    refpix.cuda.raise_faults()  # told once


def test_empty_batch(torch):
    pixels, offsets = rle_decode(*on_device(torch, RleBatch.from_counts([], [])))
    assert pixels.shape == (0,)
    assert offsets.tolist() == [0]


@orders
def test_a_graph_replays_with_new_masks(torch, order):
    rng = np.random.default_rng(1)
    sizes = [(480, 640), (200, 333)] * 4
    first, second = (
        RleBatch.from_counts([random_runs(rng, size, 900) for size in sizes], sizes)
        for _ in range(2)
    )
    room = max(len(first.counts), len(second.counts))
    # Runs of zero at the end, so that both have one length.
    padded = [
        RleBatch(
            np.concatenate([batch.counts, np.zeros(room - len(batch.counts), np.uint32)]),
            np.concatenate([batch.offsets[:-1], [room]]),
            batch.sizes,
        )
        for batch in (first, second)
    ]
    out = torch.zeros(int(first.sizes.prod(axis=1).sum()), dtype=torch.uint8, device="cuda")
    given = on_device(torch, padded[0])
    rle_decode(*given, order=order, out=out)  # loads the module, which a capture must not
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        rle_decode(*given, order=order, out=out)
    for batch in padded:
        for array, values in zip(given, batch, strict=True):
            array.copy_(torch.from_numpy(values))
        graph.replay()
        refpix.cuda.raise_faults()
        np.testing.assert_array_equal(out.cpu().numpy(), rle_decode(*batch, order=order)[0])
