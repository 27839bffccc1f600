"""How a kernel becomes a custom op of torch: schema, implementations, fake kernel, no gradient.

All but the shapes of the results is read off the kernel's own signature. :mod:`refpix.torch_ops`
has the ops, one function each.
"""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from refpix.errors import BackendUnavailableError
from refpix.kernels import Kernel

__all__ = ["NAMESPACE", "Arguments", "op"]

NAMESPACE = "refpix"

#: Parameters that only kernels have: ops return new tensors, and run where their inputs are.
_KERNELS_OWN = ("out", "backend")

_OPTIONS = {int: "SymInt", float: "float", bool: "bool", str: "str"}

# Without it, the compiler may hand over tensors in another memory order than the program has them.
# Before torch 2.8 there is only the weaker promise: the same order, other strides.
_TAGS = (
    torch.Tag.pt2_compliant_tag,
    getattr(torch.Tag, "needs_exact_strides", torch.Tag.needs_fixed_stride_order),
)

Result = torch.Tensor | tuple[torch.Tensor, ...]
Fake = Callable[["Arguments"], Result]


class Arguments:
    """The arguments of a fake kernel's call, by name: tensors that have no values, and options."""

    def __init__(self, named: dict[str, Any]) -> None:
        self.__dict__.update(named)
        self._device = next(v.device for v in named.values() if isinstance(v, torch.Tensor))

    def __getattr__(self, name: str) -> Any:  # for mypy; arguments are in __dict__
        raise AttributeError(name)

    def empty(self, dtype: str | torch.dtype, *shape: int) -> torch.Tensor:
        """What a result looks like: dtype (by its name, or another tensor's) and shape."""
        kind = getattr(torch, dtype) if isinstance(dtype, str) else dtype
        return torch.empty(shape, dtype=kind, device=self._device)

    def unknown(self) -> Any:
        """A length that only the values tell."""
        return torch.library.get_ctx().new_dynamic_size()


def op(kernel: Kernel[..., Any], fake: Fake) -> Callable[..., Any]:
    """Makes a custom op of a kernel, ``torch.ops.refpix.<its name>``.

    The op has the kernel's name and parameters but for ``out`` and ``backend``, tensors before
    options. On CPU tensors it runs the kernel's CPU implementation, on the memory where they lie;
    on CUDA tensors the CUDA implementation, if there is one.

    Args:
        kernel: of :mod:`refpix.kernels`.
        fake: takes :class:`Arguments` and returns empty tensors like the kernel's results.

    Returns:
        The op as a function with the kernel's docstring.

    Raises:
        TypeError: the kernel takes what torch's schemas have no word for.
    """
    signature = _signature(kernel)
    name = f"{NAMESPACE}::{kernel.name}"
    torch.library.define(name, _schema(signature, kernel.mutates), tags=_TAGS)
    for device, how in _DEVICES.items():
        run = _implementation(kernel, tuple(signature.parameters), kernel.mutates, how)
        torch.library.impl(name, device, run)
    torch.library.register_fake(name, _faked(fake, signature))
    takes_floats = any(_may_be_float(p.annotation) for p in signature.parameters.values())
    if takes_floats and not kernel.mutates:
        torch.library.register_autograd(name, _refuse_gradient(name))
    overload = getattr(getattr(torch.ops, NAMESPACE), kernel.name).default

    def call(*args: Any, **kwargs: Any) -> Any:
        return overload(*args, **kwargs)

    call.__name__ = call.__qualname__ = kernel.name
    call.__module__ = fake.__module__
    call.__doc__ = _docstring(kernel)
    call.__signature__ = _for_tensors(signature)  # type: ignore[attr-defined]
    return call


def _signature(kernel: Kernel[..., Any]) -> inspect.Signature:
    """The kernel's signature without what only kernels have, its annotations resolved.

    Tensors are not keyword-only, as torch knows no gradients of such.
    """
    hints = typing.get_type_hints(inspect.unwrap(kernel))
    whole = inspect.signature(kernel)
    kept = [
        parameter.replace(
            annotation=hints[name],
            kind=parameter.POSITIONAL_OR_KEYWORD if _is_array(hints[name]) else parameter.kind,
        )
        for name, parameter in whole.parameters.items()
        if name not in _KERNELS_OWN
    ]
    kept.sort(key=lambda p: (p.kind, p.kind == p.POSITIONAL_OR_KEYWORD and p.default is None))
    return whole.replace(parameters=kept, return_annotation=hints["return"])


def _for_tensors(signature: inspect.Signature) -> inspect.Signature:
    """The signature as users see it."""
    shown = [
        p.replace(
            annotation=torch.Tensor | None if type(None) in _parts(p.annotation) else torch.Tensor
        )
        if _is_array(p.annotation)
        else p
        for p in signature.parameters.values()
    ]
    count = _result_count(signature.return_annotation)
    tensors: Any = tuple[(torch.Tensor,) * count] if count > 1 else torch.Tensor  # type: ignore[misc]
    return signature.replace(parameters=shown, return_annotation=tensors)


def _parts(hint: Any) -> tuple[Any, ...]:
    """What an annotation allows: the members of a union, else itself."""
    union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return typing.get_args(hint) if union else (hint,)


def _is_array(hint: Any) -> bool:
    return any(typing.get_origin(part) is np.ndarray for part in _parts(hint))


def _may_be_float(hint: Any) -> bool:
    """Whether it is an array that can be of a floating type: a tensor may want a gradient."""
    types_of_items = [
        typing.get_args(typing.get_args(part)[1])[0]
        for part in _parts(hint)
        if typing.get_origin(part) is np.ndarray
    ]
    return any(kind is Any or issubclass(kind, np.floating) for kind in types_of_items)


def _schema(signature: inspect.Signature, mutates: str) -> str:
    """``(Tensor pixels, ..., *, SymInt[2] out_size, str filter="bicubic", ...) -> Tensor``."""
    written = []
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in written:
            written.append("*")
        kind = "Tensor(a!)" if name == mutates else _schema_type(parameter.annotation)
        default = "" if parameter.default is parameter.empty else f"={_literal(parameter.default)}"
        written.append(f"{kind} {name}{default}")
    tensors = ["Tensor"] * _result_count(signature.return_annotation)
    returns = tensors[0] if len(tensors) == 1 else f"({', '.join(tensors)})"
    return f"({', '.join(written)}) -> {returns}"


def _schema_type(hint: Any) -> str:
    """A parameter's annotation in the words of torch's schemas.

    Raises:
        TypeError: there are none.
    """
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    parts = _parts(hint)
    if len(parts) > 1:
        kinds = {_schema_type(part) for part in parts if part is not type(None)}
        if len(kinds) == 1:
            return kinds.pop() + ("?" if type(None) in parts else "")
    elif _is_array(hint):
        return "Tensor"
    elif origin is Literal:
        return _OPTIONS[type(inner[0])]
    elif origin is tuple:
        return f"{_OPTIONS[inner[0]]}[{len(inner)}]"
    elif inner == (int,):
        return "SymInt[]"
    elif hint in _OPTIONS:
        return _OPTIONS[hint]
    raise TypeError(f"a custom op cannot take {hint}")


def _literal(default: Any) -> str:
    """A default value as schemas have it."""
    if isinstance(default, str):
        return f'"{default}"'
    return str(list(default) if isinstance(default, tuple) else default)


def _result_count(hint: Any) -> int:
    """How many tensors a kernel returns: 1, or those of a tuple or named tuple."""
    if typing.get_origin(hint) is tuple:
        return len(typing.get_args(hint))
    return len(getattr(hint, "_fields", (hint,)))


def _implementation(
    kernel: Kernel[..., Any], names: tuple[str, ...], mutates: str, device: _Device
) -> Callable[..., Result]:
    """What runs for tensors of a device: the kernel, between conversions that copy nothing."""

    def run(*args: Any, **kwargs: Any) -> Result:
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        device.check(kernel)
        if mutates:
            _announce_change(given[mutates], kernel.name, mutates)
        arguments = {name: _argument(value, device) for name, value in given.items()}
        results = kernel(**arguments, backend=device.backend)
        if not isinstance(results, tuple):
            return _result(results, arguments, device)
        return tuple(_result(result, arguments, device) for result in results)

    return run


def _argument(value: Any, device: _Device) -> Any:
    if isinstance(value, torch.Tensor):
        # A tensor that requires a gradient does not tell where it lies.
        return device.array(value.detach() if value.requires_grad else value)
    return tuple(value) if isinstance(value, list) else value


def _result(value: Any, arguments: dict[str, Any], device: _Device) -> torch.Tensor:
    tensor = device.tensor(value)
    # Some kernels return an array that they were given; an op must not.
    given = any(value is argument for argument in arguments.values())
    return tensor.clone() if given else tensor


class _Device(NamedTuple):
    """How tensors of a device become arrays of its kernels, and back.

    Attributes:
        backend: name of the kernels' implementation.
        check: raises if a kernel cannot run there.
        array: of a tensor.
        tensor: of an array.
    """

    backend: str
    check: Callable[[Kernel[..., Any]], None]
    array: Callable[[torch.Tensor], Any]
    tensor: Callable[[Any], torch.Tensor]


def _host_tensor(array: npt.NDArray[Any]) -> torch.Tensor:
    tensor = torch.from_numpy(array)
    # NumPy has no bfloat16: kernels give its bits, and no kernel gives uint16 for anything else.
    return tensor.view(torch.bfloat16) if tensor.dtype == torch.uint16 else tensor


def _require_cuda(kernel: Kernel[..., Any]) -> None:
    try:
        kernel.implementation("cuda")
    except BackendUnavailableError as error:
        raise BackendUnavailableError(f"{error}; move the tensors to the CPU first") from None
    if "cuda" not in kernel.exact_backends():
        raise BackendUnavailableError(
            f"{kernel.name} reads files in host memory; move the tensors to the CPU first"
        )


_DEVICES = {
    "cpu": _Device("cpu", lambda kernel: None, torch.Tensor.numpy, _host_tensor),
    "cuda": _Device("cuda", _require_cuda, lambda tensor: tensor, lambda tensor: tensor),
}


def _announce_change(tensor: torch.Tensor, op_name: str, name: str) -> None:
    """Lets autograd know of a change in place, or refuses it where a gradient would be wrong."""
    if tensor.requires_grad:
        raise ValueError(
            f"{NAMESPACE}::{op_name} changes {name!r} in place and has no gradient: "
            f"{name!r} must not require one"
        )
    torch.autograd.graph.increment_version(tensor)


def _faked(fake: Fake, signature: inspect.Signature) -> Callable[..., Result]:
    def run(*args: Any, **kwargs: Any) -> Result:
        bound = signature.bind(*args, **kwargs)  # torch leaves out what equals its default
        bound.apply_defaults()
        return fake(Arguments(bound.arguments))

    return run


def _refuse_gradient(name: str) -> Callable[..., Any]:
    def backward(context: Any, *gradients: Any) -> Any:
        raise NotImplementedError(
            f"{name} has no gradient: give it tensors that require none "
            "(detach() them, or call it under torch.no_grad())"
        )

    return backward


def _docstring(kernel: Kernel[..., Any]) -> str:
    """The kernel's, without the arguments that an op does not have."""
    text = inspect.getdoc(kernel) or ""
    own = "|".join(_KERNELS_OWN)
    text = re.sub(rf"^    (?:{own}): .*\n(?:        .*\n)*", "", text, flags=re.MULTILINE)
    return f"{text}\n\nAs a custom op: tensors for arrays, bfloat16 for its bits.\n"
