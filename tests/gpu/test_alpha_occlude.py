import numpy as np
import pytest

import refpix.cuda
from refpix.errors import KernelError
from refpix.kernels import alpha_occlude

pytestmark = pytest.mark.gpu

dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def drawn(torch, shape, front, dtype):
    """Planes that are zero outside their boxes, boxes and a matte, on the host."""
    generator = torch.Generator().manual_seed(2)
    stack = torch.rand(shape, dtype=getattr(torch, dtype), generator=generator)
    boxes = torch.tensor([[j, j, shape[2] - 2 * j, shape[1] - 2 * j] for j in range(shape[0])])
    for plane, (x, y, w, h) in zip(stack, boxes.tolist(), strict=True):
        inside = plane[y : y + h, x : x + w].clone()
        plane.zero_()
        plane[y : y + h, x : x + w] = inside
    matte = torch.randint(0, 256, front, dtype=torch.uint8, generator=generator)
    return stack, matte, boxes


@dtypes
@pytest.mark.parametrize("boxed", [False, True])
@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize(
    ("shape", "front", "position"),
    [
        ((1, 1, 1), (1, 1), (0, 0)),
        ((3, 33, 700), (20, 650), (-7, 5)),
        ((4, 1080, 1920), (760, 430), (900, 400)),
        ((2, 2000, 9), (1, 1), (50, 50)),
        ((2, 5, 6), (0, 4), (0, 0)),
    ],
)
def test_sizes(torch, dtype, shape, front, position, boxed, write):
    stack, matte, boxes = drawn(torch, shape, front, dtype)
    options = {"index": shape[0] - 1, "position": position, "write": write}
    got, got_boxes = stack.cuda(), boxes.cuda() if boxed else None
    areas = alpha_occlude(got, matte.cuda(), boxes=got_boxes, **options)
    wanted = alpha_occlude(
        stack.numpy(), matte.numpy(), boxes=boxes.numpy() if boxed else None, **options
    )
    np.testing.assert_array_equal(areas.cpu().numpy(), wanted)  # to the last bit
    assert torch.equal(got.cpu(), stack)


def test_faults_are_the_cpus_and_nothing_changes(torch):
    stack, matte, boxes = drawn(torch, (3, 8, 9), (4, 4), "float32")
    boxes[2] = torch.tensor([5, 0, 5, 1])
    with pytest.raises(KernelError) as wanted:
        alpha_occlude(stack.numpy(), matte.numpy(), index=1, position=(0, 0), boxes=boxes.numpy())
    got = stack.cuda()
    alpha_occlude(got, matte.cuda(), index=1, position=(0, 0), boxes=boxes.cuda())
    with pytest.raises(KernelError) as error:
        refpix.cuda.raise_faults()
    assert str(error.value) == str(wanted.value)
    assert torch.equal(got.cpu(), stack)


def test_numpy_arrays_are_changed_too(torch):
    stack, matte, _ = (array.numpy() for array in drawn(torch, (2, 20, 30), (9, 9), "float64"))
    got = stack.copy()
    alpha_occlude(got, matte, index=1, position=(3, 4), backend="cuda")
    alpha_occlude(stack, matte, index=1, position=(3, 4))
    np.testing.assert_array_equal(got, stack)


@dtypes
def test_a_graph_replays_with_new_input(torch, dtype):
    stack, matte, boxes = (array.cuda() for array in drawn(torch, (2, 40, 50), (30, 30), dtype))

    def run():
        return alpha_occlude(stack, matte, index=1, position=(3, -4), boxes=boxes)

    run()  # loads the module, which a capture must not
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        got = run()
    start = torch.rand_like(stack)
    matte.copy_(255 - matte)
    stack.copy_(start)
    graph.replay()
    replayed = got.clone(), stack.clone()
    stack.copy_(start)
    assert torch.equal(replayed[0], run())
    assert torch.equal(replayed[1], stack)
