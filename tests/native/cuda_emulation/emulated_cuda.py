"""A pytest plugin (``-p emulated_cuda``) for tests with the emulated ``_cuda``.

It stands where torch would be asked for device memory and streams, ``refpix.kernels.torch_device``,
and gives NumPy arrays. And it is ``cuda_first``: where a test leaves the choice of a backend to the
kernel, that is ``cuda``.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np

pytest_plugins = ["cuda_first"]


class DeviceArray(np.ndarray):
    """Claims to lie on a device."""

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """As version 3 of the protocol wants it."""
        interface = dict(self.__array_interface__)
        return {key: interface[key] for key in ("shape", "typestr", "data", "strides")} | {
            "version": 3
        }


_RUBBISH = 0xA5


def empty(shape: tuple[int, ...], dtype: str, device: int, stream: int) -> DeviceArray:
    """New memory, full of rubbish; bfloat16 as NumPy knows it, two bytes of something."""
    kind = np.dtype("V2" if dtype == "bfloat16" else dtype)
    count = int(np.prod(shape, dtype=np.int64)) * kind.itemsize
    return np.full(count, _RUBBISH, np.uint8).view(kind).reshape(shape).view(DeviceArray)


def current_stream(device: int) -> int | None:
    """There is one stream."""
    return 0


def to_device(value: Any) -> Any:
    """A copy of a NumPy array, of the same strides; all else as it is."""
    if not isinstance(value, np.ndarray):
        return value
    if value.size == 0:
        return value.copy().view(DeviceArray)
    first, end = np.lib.array_utils.byte_bounds(value)
    memory = np.frombuffer(bytearray(end - first), np.uint8)
    start = value.__array_interface__["data"][0] - first
    copy = np.ndarray(value.shape, value.dtype, memory, start, value.strides)
    copy[...] = value
    return copy.view(DeviceArray)


def to_host(array: Any) -> Any:
    """The array without its claim; bfloat16 as its bits."""
    host = np.asarray(array).view(np.ndarray)
    return host.view(np.uint16) if host.dtype.kind == "V" else host


def filled(out: Any, result: Any) -> Any:
    """``out`` with the result in it, if there is one; else the result."""
    if not isinstance(out, np.ndarray):
        return result
    np.copyto(out, result)
    return out


def run_from_host(
    native: Callable[..., Any],
    raise_faults: Callable[[int], None],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    changes: tuple[int, str] | None = None,
) -> Any:
    """As ``refpix.kernels.torch_device.run_from_host``."""
    out = kwargs.get("out")
    by_position = [to_device(value) for value in args]
    placed = {name: to_device(value) for name, value in kwargs.items()}
    result = native(*by_position, **placed)
    raise_faults(0)
    if changes is not None:
        position, name = changes
        first = position < len(args)
        changed = args[position] if first else kwargs[name]
        after = to_host(by_position[position] if first else placed[name])
        if changed.flags.writeable:
            np.copyto(changed, after)
        elif changed.tobytes() != after.tobytes():
            raise ValueError(f"{name}: array is read-only")
    if isinstance(result, tuple):
        leading, *others = map(to_host, result)
        return (filled(out, leading), *others)
    return filled(out, to_host(result))


stand_in = types.ModuleType("refpix.kernels.torch_device", __doc__)
for function in (empty, current_stream, run_from_host, to_host):
    setattr(stand_in, function.__name__, function)
sys.modules[stand_in.__name__] = stand_in
