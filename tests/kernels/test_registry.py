import inspect
import pickle
import sys
import types

import numpy as np
import pytest

from refpix import kernels
from refpix.errors import BackendUnavailableError
from refpix.kernels import _registry, confusion_matrix, parsing_unpack
from refpix.kernels._registry import kernel
from refpix.types import BytesBatch

# One item, each byte of which depends on those before it: nothing to share out.
SEQUENTIAL = {"png_unfilter"}

every = pytest.mark.parametrize(
    "one",
    [k for k in vars(kernels).values() if isinstance(k, kernels.Kernel)],
    ids=lambda k: k.name,
)


@every
def test_kernels_keep_the_contract(one):
    assert one.backends()[:2] == ("reference", "cpu")
    assert "Source:" in (one.__doc__ or "")
    options = inspect.signature(one).parameters
    assert options["backend"].default == "auto"
    assert ("num_threads" in options) == (one.name not in SEQUENTIAL)
    if one.name not in SEQUENTIAL:
        assert options["num_threads"].default == 1
        assert options["num_threads"].kind is inspect.Parameter.KEYWORD_ONLY
    assert pickle.loads(pickle.dumps(one)) is one
    assert repr(one).startswith(f"<kernel {one.name}: reference, cpu")


@every
def test_backends_are_found_by_name(one):
    for backend in one.backends():
        assert callable(one.implementation(backend))
    if "cuda" not in one.backends():
        with pytest.raises(BackendUnavailableError, match=one.name):
            one.implementation("cuda")


def test_a_device_that_torch_does_not_see(monkeypatch):
    """What is put together by torch cannot run; what is all in ``_cuda`` can."""
    torch = pytest.importorskip("torch")
    extension = types.SimpleNamespace(confusion_matrix=len)
    monkeypatch.setattr(_registry, "cuda_state", lambda: (extension, ""))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.delitem(sys.modules, "refpix.kernels.torch_device", raising=False)
    assert confusion_matrix.backends() == ("reference", "cpu", "cuda")
    assert kernels.jpeg_decode.backends() == ("reference", "cpu")
    with pytest.raises(BackendUnavailableError, match="torch sees no CUDA device"):
        kernels.jpeg_decode.implementation("cuda")


def test_missing_argument_is_named():
    """A keyword without a default is asked for, not filled with a marker."""
    label = np.zeros(3, np.uint8)
    for backend in confusion_matrix.backends():
        with pytest.raises(TypeError, match="num_labels"):
            confusion_matrix(label, label, backend=backend)


def test_auto_looks_at_keyword_arguments_too():
    class OnDevice:
        __cuda_array_interface__ = {}  # noqa: RUF012

    @kernel
    def not_built(a, *, out=None, num_threads=1, backend="auto"):
        """No extension exports it."""
        return a

    for call in (lambda: not_built(OnDevice()), lambda: not_built(1, out=OnDevice())):
        with pytest.raises(BackendUnavailableError, match="'cuda'"):
            call()
    with pytest.raises(BackendUnavailableError, match="'cpu'"):
        not_built(1)
    assert not_built(1, backend="reference") == 1


def test_inexact_backends_are_left_out_where_bits_count():
    for one in (kernels.jpeg_decode, kernels.image_batch):
        assert one.exact_backends() == ("reference", "cpu")
    assert parsing_unpack.exact_backends() == parsing_unpack.backends()


def test_use_isa_puts_back():
    before = kernels.active_isa()
    assert before in kernels.isas()
    assert kernels.isas()[0] == "scalar"

    def fail_on(isa):
        with kernels.use_isa(isa):
            assert kernels.active_isa() == isa
            raise ZeroDivisionError

    for isa in kernels.isas():
        with pytest.raises(ZeroDivisionError):
            fail_on(isa)
        assert kernels.active_isa() == before
    with pytest.raises(ValueError, match="sse9"), kernels.use_isa("sse9"):
        pass


def test_unknown_option_is_refused():
    batch = BytesBatch.from_items(["1"])
    for backend in parsing_unpack.backends():
        with pytest.raises(TypeError):
            parsing_unpack(*batch, lenient=True, backend=backend)
