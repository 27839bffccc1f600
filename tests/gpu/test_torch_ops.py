"""Custom ops on CUDA tensors: kernels that have a CUDA implementation, and those that have none."""

import pytest

import refpix.cuda
from refpix import kernels
from refpix.errors import BackendUnavailableError

pytestmark = pytest.mark.gpu

torch = pytest.importorskip("torch")

from tests.test_torch_ops import assert_same, overload, tensors  # noqa: E402
from tests.torch_op_cases import CASES, RLES  # noqa: E402

from refpix import torch_ops  # noqa: E402

NAMES = [name for name in CASES if "cuda" in getattr(kernels, name).exact_backends()]
CALLS = [
    pytest.param(name, *call, id=f"{name}-{number}")
    for name in NAMES
    for number, call in enumerate(CASES[name])
]


def on_device(values):
    def moved(value):
        return value.cuda() if isinstance(value, torch.Tensor) else value

    if isinstance(values, dict):
        return {name: moved(value) for name, value in tensors(values).items()}
    return [moved(value) for value in tensors(values)]


def on_host(result):
    return tuple(r.cpu() for r in (result if isinstance(result, tuple) else (result,)))


@pytest.mark.parametrize(("name", "args", "options"), CALLS)
def test_equals_cpu(name, args, options):
    op = getattr(torch_ops, name)
    got = op(*on_device(args), **on_device(options))
    refpix.cuda.raise_faults()
    assert_same(on_host(got), op(*tensors(args), **tensors(options)))


@pytest.mark.parametrize("name", NAMES)
def test_opcheck(name):
    args, options = CASES[name][0]
    torch.library.opcheck(overload(name), on_device(args), on_device(options))


def test_compiled_on_the_current_stream():
    images = on_device(CASES["image_normalize"][0][0])[0]
    compiled = torch.compile(torch_ops.image_normalize, fullgraph=True, backend="aot_eager")
    stream = torch.cuda.Stream()
    torch.cuda.synchronize()
    with torch.cuda.stream(stream):
        late = images + 1
        got = compiled(late, dtype="bfloat16")
    stream.synchronize()
    assert_same(got.cpu(), torch_ops.image_normalize(images.cpu() + 1, dtype="bfloat16"))


@pytest.mark.skipif("cuda" in kernels.rle_area.backends(), reason="it has a CUDA implementation")
def test_without_a_cuda_implementation():
    with pytest.raises(BackendUnavailableError, match="move the tensors to the CPU first"):
        torch_ops.rle_area(*on_device(RLES))


def test_files_are_read_in_host_memory():
    with pytest.raises(BackendUnavailableError, match="move the tensors to the CPU first"):
        torch_ops.jpeg_decode(*on_device(CASES["jpeg_decode"][0][0]))
