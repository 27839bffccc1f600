"""The custom ops of torch are the kernels: same results, same errors, and torch can trace them."""

import inspect
import pickle
import re

import numpy as np
import pytest

from refpix import kernels
from refpix.errors import BackendUnavailableError, RleError

torch = pytest.importorskip("torch")

from tests.conftest import ROOT  # noqa: E402
from tests.torch_op_cases import (  # noqa: E402
    CASES,
    CROWD,
    IMAGES,
    MASKS,
    PRED,
    RLES,
    SHADES,
    TRUE,
)

from refpix import torch_custom_op, torch_ops  # noqa: E402

PAGE = (ROOT / "docs" / "torch-ops.md").read_text("utf-8")
KERNELS = sorted(
    value.name for value in vars(kernels).values() if isinstance(value, kernels.Kernel)
)
EVERY_CALL = [
    pytest.param(name, *call, id=f"{name}-{number}")
    for name, calls in CASES.items()
    for number, call in enumerate(calls)
]


def overload(name):
    return getattr(torch.ops.refpix, name).default


def tensor(array):
    """A copy, of the same strides."""
    strides = [stride // array.itemsize for stride in array.strides]
    dtype = torch.tensor(array[:0]).dtype
    return torch.empty_strided(array.shape, strides, dtype=dtype).copy_(torch.tensor(array))


def tensors(values):
    """Arguments or options with tensors for arrays."""
    if isinstance(values, dict):
        return dict(zip(values, tensors(values.values()), strict=True))
    return [tensor(v) if isinstance(v, np.ndarray) else v for v in values]


def arrays(result):
    """Results as NumPy arrays, of bfloat16 the bits."""
    results = result if isinstance(result, tuple) else (result,)
    return [
        (r.view(torch.uint16) if r.dtype == torch.bfloat16 else r.detach()).numpy()
        if isinstance(r, torch.Tensor)
        else r
        for r in results
    ]


def assert_same(got, wanted):
    got, wanted = arrays(got), arrays(wanted)
    assert len(got) == len(wanted)
    for one, other in zip(got, wanted, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", KERNELS)
def test_every_kernel_is_an_op(name):
    op = getattr(torch_ops, name)  # a line in torch_ops.py
    assert CASES[name]  # calls in torch_op_cases.py
    assert f"\n| `{name}` |" in PAGE  # a row in docs/torch-ops.md
    assert pickle.loads(pickle.dumps(op)) is op
    wanted = set(inspect.signature(getattr(kernels, name)).parameters) - {"out", "backend"}
    assert set(inspect.signature(op).parameters) == wanted
    assert [a.name for a in overload(name)._schema.arguments] == list(
        inspect.signature(op).parameters
    )
    assert "Source:" in op.__doc__
    assert not re.search(r"^ +(out|backend):", op.__doc__, re.MULTILINE)


@pytest.mark.parametrize(("name", "args", "options"), EVERY_CALL)
def test_equals_its_kernel(name, args, options):
    given = tensors(args)
    args = [a.copy() if isinstance(a, np.ndarray) else a for a in args]
    wanted = getattr(kernels, name)(*args, **options)
    assert_same(getattr(torch_ops, name)(*given, **tensors(options)), wanted)
    for one, other in zip(given, args, strict=True):  # changed alike, if at all
        if other is not None:
            np.testing.assert_array_equal(one.numpy(), other)


@pytest.mark.parametrize("name", CASES)
def test_opcheck(name):
    args, options = CASES[name][0]
    torch.library.opcheck(overload(name), tensors(args), tensors(options))


def test_memory_is_shared(monkeypatch):
    seen = {}

    def spy(self, *args, **kwargs):
        seen.update(kwargs, result=call(self, *args, **kwargs))
        return seen["result"]

    call = kernels.Kernel.__call__
    monkeypatch.setattr(kernels.Kernel, "__call__", spy)
    masks = tensor(MASKS)[:, ::2]
    counts, offsets, sizes = torch_ops.rle_encode(masks)
    assert np.shares_memory(seen["masks"], masks.numpy())
    for one, array in zip((counts, offsets, sizes), seen["result"], strict=True):
        assert one.data_ptr() == array.ctypes.data
    flipped = torch_ops.rle_flip(counts, offsets, sizes)
    assert seen["result"][2] is seen["sizes"]  # the kernel returns its input; the op must not
    assert flipped[2].data_ptr() != sizes.data_ptr()


def picture_chain(pixels, offsets, sizes):
    small = torch_ops.image_resize(pixels, offsets, sizes, out_size=(6, 8))
    return torch_ops.image_normalize(small + 1, dtype="bfloat16") * 2


def mask_chain(masks, crowd):
    rles = torch_ops.rle_encode(masks)
    flipped = torch_ops.rle_flip(*rles, axis="vertical")
    pixels, _ = torch_ops.rle_decode(*flipped)
    areas = torch_ops.rle_area(*flipped) + 1
    return (
        pixels.reshape(masks.shape),
        areas,
        torch_ops.rle_bbox(*flipped)[:, 2:],
        torch_ops.rle_iou(*rles, *flipped, crowd).sum(),
    )


def matte_chain(pred, true, stack, front):
    stack = stack * 0.5
    areas = torch_ops.alpha_occlude(stack, front, index=1, position=(2, 3))
    trimap = torch_ops.trimap_from_alpha(true, size=5)
    _, absolute, _ = torch_ops.alpha_errors(pred, true, trimap)
    return stack + 1, areas, absolute / 1000, torch_ops.alpha_quantize(stack)


CHAINS = [
    (picture_chain, IMAGES),
    (mask_chain, (MASKS, CROWD)),
    (matte_chain, (PRED, TRUE, TRUE, SHADES[0])),
]


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
@pytest.mark.parametrize(("chain", "args"), CHAINS, ids=["pictures", "masks", "mattes"])
def test_programs_compile_whole(chain, args, backend):
    torch._dynamo.reset()
    compiled = torch.compile(chain, fullgraph=True, backend=backend)
    assert_same(compiled(*tensors(args)), chain(*tensors(args)))


def test_one_program_for_all_batch_sizes():
    torch._dynamo.reset()
    compiled = torch.compile(mask_chain, fullgraph=True, dynamic=True, backend="aot_eager")
    masks = np.concatenate([MASKS, MASKS, MASKS])
    for count in (3, 2, 7):
        with torch.compiler.set_stance("fail_on_recompile" if count != 3 else "default"):
            args = (masks[:count], np.arange(count, dtype=np.uint8) % 2)
            assert_same(compiled(*tensors(args)), mask_chain(*tensors(args)))


def test_errors_are_the_kernels():
    counts, offsets, sizes = tensors(RLES)
    sizes[1] += 1
    with pytest.raises(RleError) as wanted:
        kernels.rle_area(*(t.numpy() for t in (counts, offsets, sizes)))
    torch._dynamo.reset()
    compiled = torch.compile(torch_ops.rle_area, fullgraph=True, backend="aot_eager")
    for run in (torch_ops.rle_area, overload("rle_area"), compiled):
        with pytest.raises(RleError) as got:
            run(counts, offsets, sizes)
        assert str(got.value) == str(wanted.value)
        assert (got.value.fault, got.value.item) == ("rle_too_short", 1)
    with pytest.raises(TypeError, match="counts: expected dtype uint32, got int64"):
        torch_ops.rle_area(counts.long(), offsets, sizes)
    with pytest.raises(ValueError, match="order"):
        torch_ops.rle_decode(*tensors(RLES), order="K")
    with pytest.raises(RuntimeError, match="out"):
        torch_ops.rle_decode(*tensors(RLES), out=torch.empty(9))


FLOATS = [
    ("alpha_composite", 2),
    ("alpha_connectivity", 0),
    ("alpha_errors", 0),
    ("alpha_gradient", 0),
    ("alpha_temporal", 0),
    ("bbox_iou", 0),
    ("largest_component", 0),
]


@pytest.mark.parametrize(("name", "number"), FLOATS)
def test_a_gradient_is_refused(name, number):
    args, options = (tensors(part) for part in CASES[name][number])
    args[0].requires_grad_()
    result = getattr(torch_ops, name)(*args, **options)
    assert_same(result, getattr(torch_ops, name)(args[0].detach(), *args[1:], **options))
    last = result[-1] if isinstance(result, tuple) else result
    with pytest.raises(NotImplementedError, match=f"refpix::{name} has no gradient"):
        last.sum().backward()
    with torch.no_grad():
        result = getattr(torch_ops, name)(*args, **options)
    assert not any(r.requires_grad for r in (result if isinstance(result, tuple) else [result]))


def test_integers_have_no_gradient():
    result = torch_ops.alpha_quantize(tensor(TRUE).requires_grad_())
    with pytest.raises(RuntimeError, match="does not require grad"):
        result.float().sum().backward()


def test_changes_in_place_are_known_to_autograd():
    stack, front = tensors((TRUE, SHADES[0]))
    options = {"index": 1, "position": (3, -2)}
    weights = torch.ones_like(stack, requires_grad=True)
    product = (weights * stack).sum()
    torch_ops.alpha_occlude(stack, front, **options)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        product.backward()
    with pytest.raises(ValueError, match="'stack' must not require one"):
        torch_ops.alpha_occlude(stack.requires_grad_(), front, **options)


class Areas(torch.utils.data.Dataset):
    def __len__(self):
        return 6

    def __getitem__(self, i):
        masks = tensor(MASKS)[i % 3 :]
        return torch_ops.rle_area(*torch_ops.rle_encode(masks, num_threads=2), num_threads=2).sum()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_in_workers_of_a_data_loader():
    data = pickle.loads(pickle.dumps(Areas()))
    wanted = [int(data[i]) for i in range(len(data))]  # and the pool of threads is started
    loader = torch.utils.data.DataLoader(
        data, batch_size=2, num_workers=2, multiprocessing_context="fork"
    )
    assert torch.cat(list(loader)).tolist() == wanted


def test_results_on_cuda_are_faked_there():
    from torch._subclasses import FakeTensorMode

    with FakeTensorMode(allow_non_fake_inputs=True):
        images = torch.empty(2, 5, 6, 3, dtype=torch.uint8, device="cuda")
        planes = torch_ops.image_normalize(images, dtype="float16")
    assert (planes.shape, planes.dtype) == ((2, 3, 5, 6), torch.float16)
    assert planes.device.type == "cuda"


class OnDevice:
    """A kernel that has a CUDA implementation."""

    name = "identity"

    def implementation(self, backend):
        assert backend == "cuda"

    def exact_backends(self):
        return ("cpu", "cuda")

    def __call__(self, **arguments):
        self.arguments = arguments
        return arguments["values"], arguments["values"] + 1


def test_cuda_tensors_go_to_the_cuda_implementation():
    kernel = OnDevice()
    run = torch_custom_op._implementation(kernel, ("values",), "", torch_custom_op._DEVICES["cuda"])
    values = torch.arange(3.0, requires_grad=True)
    same, other = run(values, size=[3, 4])
    assert kernel.arguments["backend"] == "cuda"
    assert kernel.arguments["size"] == (3, 4)
    assert not kernel.arguments["values"].requires_grad
    assert same.tolist() == [0, 1, 2]
    assert same.data_ptr() != values.data_ptr()
    assert other.tolist() == [1, 2, 3]


@pytest.mark.skipif("cuda" in kernels.rle_area.backends(), reason="it has a CUDA implementation")
def test_where_there_is_no_cuda_implementation():
    check = torch_custom_op._DEVICES["cuda"].check
    with pytest.raises(BackendUnavailableError, match=r"rle_area: no 'cuda'.* move the tensors"):
        check(kernels.rle_area)


def test_what_schemas_have_no_word_for():
    def odd(values: np.ndarray, *, names: dict[str, int], backend: str = "auto") -> np.ndarray: ...

    with pytest.raises(TypeError, match="cannot take"):
        torch_custom_op.op(kernels.Kernel(odd), lambda a: a.empty("uint8", 1))
