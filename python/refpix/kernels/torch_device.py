"""Device memory, streams and copies by torch, for :mod:`refpix.kernels._device`."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch


def is_available() -> bool:
    """Whether torch sees a device."""
    return torch.cuda.is_available()


def current_stream(device: int) -> int | None:
    """Handle of torch's current stream on a device, None when torch has no CUDA."""
    if not torch.cuda.is_available():
        return None
    return int(torch.cuda.current_stream(device).cuda_stream)


def current_device() -> int:
    """Number of torch's current device."""
    return torch.cuda.current_device()


def empty(shape: tuple[int, ...], dtype: str, device: int, stream: int) -> torch.Tensor:
    """Uninitialised tensor whose memory belongs to a stream in torch's allocator.

    Args:
        shape: lengths of the axes.
        dtype: name of a torch dtype.
        device: number of the device.
        stream: handle of the stream; 0 is the legacy default stream, torch's default too.
    """
    if stream == torch.cuda.current_stream(device).cuda_stream:
        return torch.empty(shape, dtype=getattr(torch, dtype), device=f"cuda:{device}")
    # ExternalStream(0) would be a new stream of torch's own.
    other = (
        torch.cuda.ExternalStream(stream, device=device)  # type: ignore[no-untyped-call]
        if stream
        else torch.cuda.default_stream(device)
    )
    with torch.cuda.stream(other):
        return torch.empty(shape, dtype=getattr(torch, dtype), device=f"cuda:{device}")


def beside(array: Any, small: npt.NDArray[Any]) -> torch.Tensor:
    """A copy of a small host array on the device of an array there.

    Waits for the copy, which may be used on another stream than torch's current one.
    """
    # as_tensor() would bring a tensor of another device to the current one.
    there = array if isinstance(array, torch.Tensor) else torch.as_tensor(array, device="cuda")
    return torch.from_numpy(small).to(there.device)


def to_device(value: Any) -> Any:
    """A copy of a NumPy array on torch's current device, a `Placed`; all else as it is."""
    return Placed(value, torch.cuda.current_device()) if isinstance(value, np.ndarray) else value


class Placed:
    """A NumPy array's copy on a device, of the same type and strides.

    So what a kernel refuses of an array, it refuses of its copy. Tensors are not that faithful:
    they have no negative strides and no foreign byte order.

    Args:
        array: of any strides.
        device: number of the device.
    """

    def __init__(self, array: npt.NDArray[Any], device: int) -> None:
        if array.size == 0:
            array = array.copy()
        reach = [
            (length - 1) * stride
            for length, stride in zip(array.shape, array.strides, strict=True)
            if array.size
        ]
        before = -sum(step for step in reach if step < 0)
        after = sum(step for step in reach if step > 0) + array.itemsize if array.size else 0
        self._layout = (array.shape, array.dtype, before, array.strides)
        memory = np.zeros(before + after, np.uint8)
        self._view(memory)[...] = array
        self._memory = torch.from_numpy(memory).to(f"cuda:{device}")
        self.__cuda_array_interface__ = {
            "shape": array.shape,
            "typestr": array.dtype.str,
            "strides": array.strides,
            "data": (self._memory.data_ptr() + before, False),
            "version": 3,
        }

    def _view(self, memory: npt.NDArray[np.uint8]) -> npt.NDArray[Any]:
        shape, dtype, start, strides = self._layout
        view: npt.NDArray[Any] = np.ndarray(shape, dtype, memory, start, strides)
        return view

    def numpy(self) -> npt.NDArray[Any]:
        """What it holds now, in host memory."""
        return self._view(self._memory.cpu().numpy())


def to_host(tensor: torch.Tensor | Placed) -> Any:
    """A tensor as NumPy array; bfloat16, which NumPy lacks, as its bits in uint16."""
    if isinstance(tensor, Placed):
        return tensor.numpy()
    bits = tensor.view(torch.uint16) if tensor.dtype == torch.bfloat16 else tensor
    return bits.cpu().numpy()
