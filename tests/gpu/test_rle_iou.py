import numpy as np
import pytest
from tests.kernels.drawn_masks import MALFORMED, random_batch
from tests.kernels.rle_masks import batch_of, people

import refpix.cuda
from refpix.errors import RleError
from refpix.kernels import rle_iou
from refpix.types import RleBatch

pytestmark = pytest.mark.gpu


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def on_device(torch, *arrays):
    return [torch.from_numpy(array).cuda() for array in arrays]


def check(torch, dt, gt, **options):
    crowd = np.random.default_rng(0).integers(0, 2, len(gt.sizes), np.uint8)
    got = rle_iou(*on_device(torch, *dt, *gt, crowd), **options)
    refpix.cuda.raise_faults()
    np.testing.assert_array_equal(got.cpu().numpy(), rle_iou(*dt, *gt, crowd, **options))


@pytest.mark.parametrize("counts", [(1, 1), (40, 25), (0, 5), (5, 0), (300, 200)])
def test_small_masks(torch, counts):
    rng = np.random.default_rng(1)
    check(torch, *(random_batch(rng, count) for count in counts))


def test_people(torch):
    rng = np.random.default_rng(2)
    check(torch, *(batch_of(people(rng, count, 480, 640)) for count in (30, 12)))


def test_many_runs(torch):
    rng = np.random.default_rng(3)
    check(torch, *(random_batch(rng, 5, (1500, 1400), longest) for longest in (12, 90_000)))


def test_sizes_that_differ(torch):
    rng = np.random.default_rng(4)
    parts = [random_batch(rng, 6, size) for size in ((48, 37), (37, 48))]
    both = RleBatch.from_counts(
        [part.runs(i).tolist() for part in parts for i in range(6)],
        np.concatenate([part.sizes for part in parts]).tolist(),
    )
    check(torch, both, parts[0], strict=False)
    with pytest.raises(RleError) as wanted:
        rle_iou(*both, *parts[0], np.zeros(6, np.uint8))
    rle_iou(*on_device(torch, *both, *parts[0], np.zeros(6, np.uint8)))
    with pytest.raises(RleError) as got:
        refpix.cuda.raise_faults()
    assert str(got.value) == str(wanted.value)


@pytest.mark.parametrize(("counts", "size", "fault"), MALFORMED)
def test_faults_are_the_cpus(torch, counts, size, fault):
    good = RleBatch.from_counts([[6]] * 2, [(2, 3)] * 2)
    bad = RleBatch.from_counts([[6], counts], [(2, 3), size])
    for dt, gt, item in ((bad, good, 1), (good, bad, 3)):
        rle_iou(*on_device(torch, *dt, *gt, np.zeros(2, np.uint8)))
        with pytest.raises(RleError) as got:
            refpix.cuda.raise_faults()
        assert (got.value.fault, got.value.item) == (fault, item)


def test_a_graph_replays(torch):
    rng = np.random.default_rng(5)
    dt, gt = random_batch(rng, 20), random_batch(rng, 9)
    given = on_device(torch, *dt, *gt, np.zeros(9, np.uint8))
    rle_iou(*given)  # loads the module, which a capture must not
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        got = rle_iou(*given)
    given[-1].fill_(1)
    graph.replay()
    refpix.cuda.raise_faults()
    wanted = rle_iou(*dt, *gt, np.ones(9, np.uint8))
    np.testing.assert_array_equal(got.cpu().numpy(), wanted)
