import numpy as np
import pytest

import refpix.cuda
from refpix.errors import CodesError, KernelError
from refpix.kernels import parsing_unpack
from refpix.types import BytesBatch

pytestmark = pytest.mark.gpu


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def on_device(torch, batch):
    return tuple(torch.tensor(array, device="cuda") for array in batch)


def grids(count):
    return [",".join(str((i * 7 + item) % 32) for i in range(48)) for item in range(count)]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("count", [0, 1, 5, 5000])
def test_equals_cpu(torch, count, strict):
    batch = BytesBatch.from_items(grids(count))
    wanted = parsing_unpack(*batch, strict=strict)
    got = parsing_unpack(*on_device(torch, batch), strict=strict)
    refpix.cuda.raise_faults()
    assert all(array.is_cuda for array in got)
    for array, other in zip(got, wanted, strict=True):
        np.testing.assert_array_equal(array.cpu().numpy(), other)


def test_ragged_equals_cpu(torch):
    random = np.random.default_rng(1)
    items = [
        ",".join(map(str, random.integers(-999, 999, n))) for n in random.integers(1, 400, 3000)
    ]
    batch = BytesBatch.from_items(items)
    for array, other in zip(
        parsing_unpack(*on_device(torch, batch)), parsing_unpack(*batch), strict=True
    ):
        np.testing.assert_array_equal(array.cpu().numpy(), other)


@pytest.mark.parametrize("bad", ["", "1,,2", "1,2,", "1 2", "1_", "2147483648", "1," * 40 + "x"])
def test_faults_are_the_cpus_and_wait_to_be_asked_for(torch, bad):
    batch = BytesBatch.from_items(["1", bad, "x"])
    with pytest.raises(CodesError) as wanted:
        parsing_unpack(*batch)
    parsing_unpack(*on_device(torch, batch))
    with pytest.raises(CodesError) as got:
        refpix.cuda.raise_faults()
    assert str(got.value) == str(wanted.value)
    refpix.cuda.raise_faults()  # told once


def test_span_outside(torch):
    values, spans = on_device(torch, BytesBatch.from_items(["1", "2"]))
    spans[1, 1] = 3
    parsing_unpack(values, spans, strict=False)
    with pytest.raises(KernelError, match="outside"):
        refpix.cuda.raise_faults()


def test_strict_can_be_captured(torch):
    first, second = (BytesBatch.from_items(grids(20)[i:][:10]) for i in (0, 10))
    values, spans = on_device(torch, first)
    values = torch.nn.functional.pad(values, (0, 200))  # room for the second batch
    parsing_unpack(values, spans, strict=True)  # loads the module, which a capture must not
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        codes, _ = parsing_unpack(values, spans, strict=True)
    for batch in (first, second):
        values[: batch.values.size] = torch.tensor(batch.values, device="cuda")
        spans.copy_(torch.tensor(batch.spans))
        graph.replay()
        refpix.cuda.raise_faults()
        np.testing.assert_array_equal(codes.cpu().numpy(), parsing_unpack(*batch)[0])
