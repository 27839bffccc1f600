import numpy as np
import pytest

from refpix.errors import KernelError
from refpix.kernels import confusion_matrix

pytestmark = pytest.mark.gpu


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def labels(shape, num_labels, dtype, seed):
    """Labels in runs, some beyond the last."""
    random = np.random.default_rng(seed)
    size = int(np.prod(shape))
    runs = np.repeat(random.integers(0, num_labels + 2, size), random.integers(1, 40, size))
    return runs[:size].reshape(shape).astype(dtype)


@pytest.mark.parametrize(
    "types", [(np.uint8, np.uint8), (np.uint8, np.int32), (np.int32, np.int32)]
)
@pytest.mark.parametrize("num_labels", [1, 20, 32, 33, 109, 110, 200])
@pytest.mark.parametrize("shape", [(0, 4), (7,), (3, 129, 257), (8, 512, 512)])
def test_shapes_types_and_labels(torch, shape, num_labels, types):
    pred, gt = (labels(shape, num_labels, kind, seed) for seed, kind in enumerate(types))
    options = {"num_labels": num_labels, "ignore": 1}
    got = confusion_matrix(torch.from_numpy(pred).cuda(), torch.from_numpy(gt).cuda(), **options)
    assert got.dtype == torch.int64
    np.testing.assert_array_equal(got.cpu().numpy(), confusion_matrix(pred, gt, **options))


def test_misaligned_labels_and_out(torch):
    pred, gt = (labels((9001,), 20, np.uint8, seed) for seed in (0, 1))
    out = torch.full((20, 20), 7, device="cuda")
    on_device = [torch.from_numpy(array).cuda() for array in (pred, gt)]
    assert confusion_matrix(on_device[0][3:], on_device[1][1:-2], num_labels=20, out=out) is out
    want = confusion_matrix(pred[3:].copy(), gt[1:-2].copy(), num_labels=20)
    np.testing.assert_array_equal(out.cpu().numpy(), want)


@pytest.mark.parametrize("num_labels", [20, 200])
@pytest.mark.parametrize("dtype", [np.uint8, np.int32])
def test_faults_are_the_cpus(torch, dtype, num_labels):
    pred = np.zeros((6, 300, 300), np.int32)
    gt = np.zeros((6, 300, 300), dtype)
    pred[2, 7, 9] = pred[2, 200, 1] = pred[4] = -1
    with pytest.raises(KernelError) as want:
        confusion_matrix(pred, gt, num_labels=num_labels, backend="cpu")
    with pytest.raises(KernelError) as got:
        confusion_matrix(pred, gt, num_labels=num_labels, backend="cuda")
    assert str(got.value) == str(want.value)


def test_a_graph_replays_with_new_input(torch):
    pred, gt = (torch.from_numpy(labels((4, 99, 99), 20, np.uint8, s)).cuda() for s in (0, 1))
    confusion_matrix(pred, gt, num_labels=20)  # loads the module, which a capture must not
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        got = confusion_matrix(pred, gt, num_labels=20)
    pred.copy_(pred.flip(1))
    graph.replay()
    assert torch.equal(got, confusion_matrix(pred, gt, num_labels=20))
