"""One name, several implementations: the only file that touches the extension modules."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Generic, Literal, ParamSpec, TypeVar, cast, overload

from refpix import _cpu
from refpix.errors import BackendUnavailableError
from refpix.kernels import _device

P = ParamSpec("P")
R = TypeVar("R")

#: ``auto`` runs where the input lives. ``reference`` is the readable Python implementation.
Backend = Literal["auto", "reference", "cpu", "cuda"]
Isa = Literal["scalar", "avx2", "avx512", "avx512_vbmi"]

#: For what is no kernel: the masks' edge to COCO's dicts (``refpix.masks``).
cpu_extension = _cpu

_ISAS: tuple[Isa, ...] = ("scalar", "avx2", "avx512", "avx512_vbmi")


@functools.cache
def cuda_state() -> tuple[ModuleType | None, str]:
    """The ``_cuda`` extension, if it was built, and why it cannot be used here, if so."""
    try:
        module = importlib.import_module("refpix._cuda")
    except ModuleNotFoundError:
        return None, "refpix was built without CUDA"
    except ImportError as error:
        return None, f"the CUDA extension does not load: {error}"
    return module, module.probe()[1]


def cuda_module() -> ModuleType | None:
    """The ``_cuda`` extension, or None when it was not built or there is no device."""
    module, unavailable = cuda_state()
    return None if unavailable else module


def require_cuda() -> ModuleType:
    """The ``_cuda`` extension.

    Raises:
        BackendUnavailableError: it was not built, or there is no driver or device; says which.
    """
    module, unavailable = cuda_state()
    if module is None or unavailable:
        raise BackendUnavailableError(unavailable)
    return module


def _run_on_device(
    native: Callable[..., R], changes: tuple[int, str] | None, *args: Any, **kwargs: Any
) -> R:
    result: R = _device.run(native, require_cuda().raise_faults, args, kwargs, changes)
    return result


@functools.cache
def _has_torch_side(name: str) -> bool:
    """Whether there is a ``torch_<kernel>`` module, which is not imported."""
    return importlib.util.find_spec(f"refpix.kernels.torch_{name}") is not None


def _cuda_function(name: str) -> tuple[Callable[..., Any] | None, str]:
    """A kernel's function for a device, that of ``_cuda`` or a ``torch_<kernel>`` module's.

    Returns:
        The function, and why there is none: in words, or empty if there is no CUDA code.
    """
    module, unavailable = cuda_state()
    if module is None or unavailable:
        return None, unavailable
    native = getattr(module, name, None)
    if native is not None or not _has_torch_side(name):
        return native, ""
    unavailable = _device.without_torch()
    if unavailable:
        return None, unavailable
    return getattr(importlib.import_module(f"refpix.kernels.torch_{name}"), name), ""


class Kernel(Generic[P, R]):
    """A kernel: call it, or pick an implementation by name.

    The decorated function is the reference: its signature, its defaults and its docstring are
    those of every implementation. An extension module implements it by exporting a function of
    the same name that takes all keyword arguments but ``backend``, none of them with a default.
    Where ``_cuda`` has none, a function of that name in ``refpix.kernels.torch_<kernel>`` serves,
    which takes and returns NumPy arrays: work that is put together from several parts.

    Attributes:
        mutates: name of the positional parameter that it changes in place; empty if none.
    """

    def __init__(
        self, reference: Callable[P, R], inexact: tuple[Backend, ...] = (), mutates: str = ""
    ) -> None:
        functools.update_wrapper(self, reference)
        self.name = reference.__name__
        self._reference = reference
        self._inexact = inexact
        self.mutates = mutates
        signature = inspect.signature(reference).parameters
        self._changes = (list(signature).index(mutates), mutates) if mutates else None
        parameters = signature.values()
        self._defaults = {
            p.name: p.default
            for p in parameters
            if p.kind is p.KEYWORD_ONLY and p.name != "backend" and p.default is not p.empty
        }

    def __repr__(self) -> str:
        return f"<kernel {self.name}: {', '.join(self.backends())}>"

    def __reduce__(self) -> str:
        return self.name

    def backends(self) -> tuple[Backend, ...]:
        """Names of the implementations that can run here."""
        names: list[Backend] = ["reference"]
        if hasattr(_cpu, self.name):
            names.append("cpu")
        if _cuda_function(self.name)[0] is not None:
            names.append("cuda")
        return tuple(names)

    def exact_backends(self) -> tuple[Backend, ...]:
        """Those of ``backends()`` that give the reference's result to the bit."""
        return tuple(name for name in self.backends() if name not in self._inexact)

    def implementation(self, backend: Backend) -> Callable[..., R]:
        """The function behind a backend's name.

        Raises:
            BackendUnavailableError: it was not built, or there is no device.
        """
        if backend == "reference":
            return self._reference
        found: Callable[..., R] | None
        if backend == "cuda":
            found, why = _cuda_function(self.name)
        else:
            found, why = getattr(_cpu, self.name, None) if backend == "cpu" else None, ""
        if found is None:
            raise BackendUnavailableError(
                f"{self.name}: no {backend!r} backend here{f' ({why})' if why else ''}; "
                f"there are: {', '.join(self.backends())}"
            )
        if backend == "cuda" and hasattr(cuda_module(), self.name):
            return functools.partial(_run_on_device, found, self._changes)
        return found

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        backend: Any = kwargs.pop("backend", "auto")
        if backend == "auto":
            given = (*args, *kwargs.values())
            on_device = any(hasattr(a, "__cuda_array_interface__") for a in given)
            backend = "cuda" if on_device else "cpu"
        return self.implementation(backend)(*args, **{**self._defaults, **kwargs})


@overload
def kernel(reference: Callable[P, R]) -> Kernel[P, R]: ...
@overload
def kernel(
    *, inexact: tuple[Backend, ...] = (), mutates: str = ""
) -> Callable[[Callable[P, R]], Kernel[P, R]]: ...
def kernel(
    reference: Callable[P, R] | None = None,
    *,
    inexact: tuple[Backend, ...] = (),
    mutates: str = "",
) -> Kernel[P, R] | Callable[[Callable[P, R]], Kernel[P, R]]:
    """Makes a kernel of its reference implementation.

    Args:
        reference: the function.
        inexact: backends whose results are not the reference's to the bit.
        mutates: name of the positional parameter that it changes in place.
    """
    if reference is None:
        return functools.partial(Kernel, inexact=inexact, mutates=mutates)
    return Kernel(reference, inexact, mutates)


def isas() -> tuple[Isa, ...]:
    """The instruction sets this machine can run, least first."""
    return _ISAS[: _ISAS.index(cast(Isa, _cpu.machine_isa())) + 1]


def active_isa() -> Isa:
    """The instruction set in use: the machine's best, or what REFPIX_ISA caps it to."""
    return cast(Isa, _cpu.active_isa())


@contextmanager
def use_isa(isa: Isa) -> Iterator[None]:
    """Runs a block on another instruction set. For tests and benches: it is process-wide."""
    before = active_isa()
    _cpu.set_isa(isa)
    try:
        yield
    finally:
        _cpu.set_isa(before)


def fault_name(fault: int) -> str:
    """Name of a fault number as it stands in a status array."""
    return _cpu.fault_name(fault)


@functools.cache
def fault_number(name: str) -> int:
    """Number of a fault in a status array, by its name."""
    return next(number for number in range(256) if fault_name(number) == name)
