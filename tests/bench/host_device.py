"""A device of bench/gpu that is none: the CPU, or the emulated `_cuda` where that was built."""

from __future__ import annotations

import time

import numpy as np

import refpix.cuda


def emulated():
    return "emulated" in refpix.cuda.build_info().architectures


class Host:
    """Runs the CUDA code if it is emulated, else the CPU's; its clock is the host's."""

    cache_bytes = 1 << 12

    def __init__(self):
        self.backend = "cuda" if emulated() else "cpu"

    def put(self, value):
        if not isinstance(value, np.ndarray):
            return value
        if not emulated():
            return value.copy()
        import emulated_cuda

        return emulated_cuda.to_device(value)

    def get(self, value):
        host = np.asarray(value).view(np.ndarray)
        return host.view(np.uint16) if host.dtype.kind == "V" else host

    def empty_like(self, value):
        return np.empty_like(value)

    def copy(self, count):
        source, target = np.ones(count, np.uint8), np.zeros(count, np.uint8)
        return lambda: np.copyto(target, source)

    def wait(self):
        if emulated():
            refpix.cuda.raise_faults()

    def enqueue_seconds(self, calls):
        return self.seconds(calls, 0)[0]

    def seconds(self, calls, head_start):
        start = time.perf_counter()
        for call in calls:
            call()
        return time.perf_counter() - start, True
