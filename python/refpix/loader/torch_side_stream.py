"""A stream of the loader's own on a device: the one place where the loader meets ``torch.cuda``."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from refpix.loader.torch_tensors import pinned_empty

__all__ = ["SideStream", "current_device", "unavailable"]


def unavailable() -> str:
    """Why torch has no CUDA here, in words; empty if it has."""
    if torch.cuda.is_available():
        return ""
    if torch.version.cuda is None:
        return f"torch {torch.__version__} was built without CUDA"
    return "torch sees no CUDA device"


def current_device() -> int:
    """Number of torch's current device."""
    return torch.cuda.current_device()


class SideStream:
    """Work on a device beside the consumer's.

    Args:
        device: number of the device.
    """

    def __init__(self, device: int) -> None:
        self._device = torch.device("cuda", device)
        self._stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]

    def active(self) -> AbstractContextManager[Any]:
        """Makes this stream and its device torch's current ones, for a block on this thread.

        Our kernels and torch's allocator follow these, so work and memory belong to the stream.
        """
        return torch.cuda.stream(self._stream)

    def empty(self, shape: tuple[int, ...], dtype: str) -> torch.Tensor:
        """Device memory, for a block of `active`."""
        return torch.empty(shape, dtype=getattr(torch, dtype), device=self._device)

    def upload(self, pinned: npt.NDArray[Any]) -> torch.Tensor:
        """A copy on the device, enqueued: the host's memory is read some time before `record`."""
        return torch.from_numpy(pinned).to(self._device, non_blocking=True)

    @staticmethod
    def pinned(count: int) -> npt.NDArray[np.uint8]:
        """Page-locked host memory, uint8 (count,)."""
        return pinned_empty((count,), np.uint8)

    def record(self) -> torch.cuda.Event:
        """An event behind all that was enqueued so far."""
        # Who waits for it sleeps, and needs no core.
        event = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
        event.record(self._stream)
        return event

    @staticmethod
    def wait(event: torch.cuda.Event) -> None:
        """The host waits for an event; without the GIL."""
        event.synchronize()

    def hand_over(self, event: torch.cuda.Event, *tensors: torch.Tensor | None) -> None:
        """Gives tensors to the consumer: its current stream waits for the event, not the host.

        The memory belongs to this stream in torch's allocator. Told of the other stream, the
        allocator will not give it out again, when the last reference dies, before what the
        consumer had enqueued by then is done. So no buffers need to be kept and counted here.
        """
        stream = torch.cuda.current_stream(self._device)
        stream.wait_event(event)
        for tensor in tensors:
            if tensor is not None:
                tensor.record_stream(stream)
