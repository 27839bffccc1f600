"""The one place of these benches that needs a device: memory there, and its clock.

Everything else takes a `Device`, so that tests run the benches' comparing half without one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

Calls = Sequence[Callable[[], object]]


class Device(Protocol):
    """What the benches ask of a device.

    Attributes:
        backend: the name under which kernels run there.
        cache_bytes: of its last cache: of inputs of several times this, none is found in it.
    """

    backend: str
    cache_bytes: int

    def put(self, value: Any) -> Any:
        """An array as the kernels take it; all else as it is."""
        ...

    def get(self, value: Any) -> np.ndarray:
        """An array in host memory; bfloat16 as its bits."""
        ...

    def empty_like(self, value: Any) -> Any: ...

    def copy(self, count: int) -> Callable[[], object]:
        """A call that copies so many bytes within the device's memory."""
        ...

    def wait(self) -> None:
        """Until all that was enqueued is done; then faults are raised."""
        ...

    def enqueue_seconds(self, calls: Calls) -> float:
        """What enqueuing them takes the host."""
        ...

    def seconds(self, calls: Calls, head_start: float) -> tuple[float, bool]:
        """What the device takes for the calls, in order, and whether it never waited for the host.

        Args:
            calls: what to do.
            head_start: seconds that the host is given to enqueue them before the device begins;
                0 for calls that wait themselves.
        """
        ...


class Cuda:
    """torch's current CUDA device, timed by events."""

    backend = "cuda"

    def __init__(self) -> None:
        import torch

        self._torch = torch
        properties = torch.cuda.get_device_properties(torch.cuda.current_device())
        self.cache_bytes = int(getattr(properties, "L2_cache_size", 0)) or 64 << 20
        self._sleep = getattr(torch.cuda, "_sleep", None)
        self._ticks_per_second = 2e9
        if self._sleep is not None:
            self._ticks_per_second = self._measure_ticks()

    def put(self, value: Any) -> Any:
        if not isinstance(value, np.ndarray):
            return value
        return self._torch.tensor(value, device="cuda")

    def get(self, value: Any) -> np.ndarray:
        from refpix.kernels import torch_device

        return torch_device.to_host(value) if hasattr(value, "cpu") else np.asarray(value)

    def empty_like(self, value: Any) -> Any:
        return self._torch.empty_like(value)

    def copy(self, count: int) -> Callable[[], object]:
        source = self._torch.ones(count, dtype=self._torch.uint8, device="cuda")
        target = self._torch.zeros_like(source)
        return lambda: target.copy_(source)

    def wait(self) -> None:
        import refpix.cuda

        self._torch.cuda.synchronize()
        refpix.cuda.raise_faults()

    def enqueue_seconds(self, calls: Calls) -> float:
        self._torch.cuda.synchronize()
        start = time.perf_counter()
        for call in calls:
            call()
        seconds = time.perf_counter() - start
        self._torch.cuda.synchronize()
        return seconds

    def seconds(self, calls: Calls, head_start: float) -> tuple[float, bool]:
        start, end = (self._torch.cuda.Event(enable_timing=True) for _ in range(2))
        self._torch.cuda.synchronize()
        if head_start and self._sleep is not None:
            self._sleep(int(head_start * self._ticks_per_second))
        start.record()
        for call in calls:
            call()
        end.record()
        # If the device had come as far as the first event by now, it may have waited for the host.
        ahead = not start.query()
        end.synchronize()
        return start.elapsed_time(end) / 1e3, ahead

    def _measure_ticks(self) -> float:
        """Of torch's sleeping kernel, per second."""
        ticks = 20_000_000
        self._sleep(ticks)
        start, end = (self._torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        self._sleep(ticks)
        end.record()
        end.synchronize()
        return ticks / (start.elapsed_time(end) / 1e3)


def why_not() -> str:
    """Why nothing can be measured here, or nothing."""
    import refpix.cuda

    if refpix.cuda.build_info().unavailable:
        return refpix.cuda.build_info().unavailable
    try:
        import torch
    except ImportError:
        return "torch, which allocates device memory, is not installed"
    return "" if torch.cuda.is_available() else "torch sees no CUDA device"
