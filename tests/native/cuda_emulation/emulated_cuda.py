"""A pytest plugin (``-p emulated_cuda``) for tests with the emulated ``_cuda``.

It stands where torch would be asked for device memory and streams, ``refpix.kernels.torch_device``,
and gives NumPy arrays; the JPEG decoder takes host memory for a device's. And it is ``cuda_first``:
where a test leaves the choice of a backend to the kernel, that is ``cuda``.
"""

from __future__ import annotations

import importlib.util
import sys
import types
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


def is_available() -> bool:
    """Whether there is torch, without which what is put together by it cannot be."""
    return importlib.util.find_spec("torch") is not None


def current_device() -> int:
    """There is one device."""
    return 0


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


stand_in = types.ModuleType("refpix.kernels.torch_device", __doc__)
for function in (empty, is_available, current_device, current_stream, to_device, to_host):
    setattr(stand_in, function.__name__, function)
sys.modules[stand_in.__name__] = stand_in


def decode_on_the_host() -> None:
    """Makes the decoder take the CPU for the device, and give the kernels what they take there."""
    from refpix.kernels import torch_jpeg

    torch_jpeg.DEFAULT_DEVICE, torch_jpeg.NVJPEG_DEVICES = "cpu", ("cuda", "cpu")
    sound = torch_jpeg.DecodedImages.sound
    torch_jpeg.DecodedImages.sound = lambda images: tuple(one.numpy() for one in sound(images))


if importlib.util.find_spec("torch") is not None:
    decode_on_the_host()
