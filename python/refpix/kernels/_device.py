"""What kernels on a device need from Python: memory, the current stream, arrays from the host.

The ``_cuda`` extension calls :func:`empty` and :func:`current_stream`. Neither this module nor the
extension needs torch as long as the caller passes ``out=`` and device arrays of another library.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import ModuleType
from typing import Any

import numpy as np

from refpix.errors import BackendUnavailableError

_stream: ContextVar[int | None] = ContextVar("refpix_stream", default=None)


def current_stream(device: int) -> int | None:
    """Handle of the stream to work on, None to follow the stream that the input names.

    Args:
        device: number of the device.

    Returns:
        What :func:`use_stream` was given, else torch's current stream, if torch is in use.
    """
    chosen = _stream.get()
    if chosen is not None or "torch" not in sys.modules:
        return chosen
    from refpix.kernels import torch_device

    return torch_device.current_stream(device)


@contextmanager
def use_stream(stream: int) -> Iterator[None]:
    """Runs the CUDA kernels of a block on a stream of the caller's. torch's own needs no help.

    Args:
        stream: handle (``cudaStream_t``) as an int; CuPy's ``stream.ptr``, torch's
            ``stream.cuda_stream``. 0 is the legacy default stream.
    """
    token = _stream.set(stream)
    try:
        yield
    finally:
        _stream.reset(token)


def empty(shape: tuple[int, ...], dtype: str, device: int, stream: int) -> Any:
    """New device memory, for use on one stream.

    Args:
        shape: lengths of the axes.
        dtype: torch's name, e.g. ``"bfloat16"``.
        device: number of the device.
        stream: handle of the stream.

    Returns:
        torch.Tensor.

    Raises:
        BackendUnavailableError: torch is not installed.
    """
    memory: Any = _torch_device().empty(shape, dtype, device, stream)
    return memory


def beside(array: Any, small: Any) -> Any:
    """A copy of a small host array on the device where another array lies; needs torch.

    Args:
        array: on a device.
        small: NumPy array.

    Raises:
        BackendUnavailableError: torch is not installed.
    """
    return _torch_device().beside(array, small)


def without_torch() -> str:
    """Why torch cannot be used on a device here, in words; empty if it can."""
    try:
        return "" if _torch_device().is_available() else "torch sees no CUDA device"
    except BackendUnavailableError:
        return "torch is not installed"


def _torch_device() -> ModuleType:
    try:
        from refpix.kernels import torch_device
    except ModuleNotFoundError as error:
        raise BackendUnavailableError(
            "device memory is allocated by torch, which is not installed: pass device arrays, and "
            "out= where the kernel takes it, or pip install 'refpix[torch]'"
        ) from error
    return torch_device


def run(
    native: Callable[..., Any],
    raise_faults: Callable[[int], None],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    changes: tuple[int, str] | None = None,
) -> Any:
    """Calls a function of the ``_cuda`` extension with arrays from wherever they live.

    Device arrays are passed on: the call returns when the kernel is enqueued. Given NumPy arrays
    instead, it copies them to torch's current device, waits, raises faults, and returns NumPy
    arrays: convenient for tests and comparisons, never fast.

    Args:
        native: function of the extension.
        raise_faults: waits for a device and raises the first fault of its kernels.
        args: arguments by position.
        kwargs: arguments by name.
        changes: position and name of the argument that the kernel changes in place, if any.

    Raises:
        TypeError: some arrays are on a device, others are not.
        BackendUnavailableError: NumPy arrays, and torch is not installed.
    """
    given = (*args, *kwargs.values())
    on_device = [hasattr(value, "__cuda_array_interface__") for value in given]
    if not any(
        isinstance(value, np.ndarray) and not placed
        for value, placed in zip(given, on_device, strict=True)
    ):
        return native(*args, **kwargs)
    if any(on_device):
        raise TypeError("NumPy arrays and device arrays are mixed in one call")
    return _run_from_host(native, raise_faults, args, kwargs, changes)


def _run_from_host(
    native: Callable[..., Any],
    raise_faults: Callable[[int], None],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    changes: tuple[int, str] | None,
) -> Any:
    """A NumPy ``out`` is filled and returned, as the first of several results."""
    device = _torch_device()
    placed = {name: device.to_device(value) for name, value in kwargs.items()}
    by_position = [device.to_device(value) for value in args]
    result = native(*by_position, **placed)
    raise_faults(device.current_device())
    if changes is not None:
        position, name = changes
        first = position < len(args)
        changed = args[position] if first else kwargs[name]
        after = device.to_host(by_position[position] if first else placed[name])
        if changed.flags.writeable:
            np.copyto(changed, after)
        elif changed.tobytes() != after.tobytes():
            raise ValueError(f"{name}: array is read-only")
    out = kwargs.get("out")
    if isinstance(result, tuple):
        leading, *others = map(device.to_host, result)
        return (_filled(out, leading), *others)
    return _filled(out, device.to_host(result))


def _filled(out: Any, result: Any) -> Any:
    """``out`` with the result in it, if there is one; else the result."""
    if not isinstance(out, np.ndarray):
        return result
    np.copyto(out, result)
    return out
