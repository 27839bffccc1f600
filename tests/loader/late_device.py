"""A stand-in for a CUDA device that is as late as a device can be.

Memory is NumPy's, full of rubbish until something is written to it. Copies and kernels are only
noted; they run when somebody waits for an event, and then up to that event. So whatever reads too
early, waits for the wrong event or overwrites what the device has yet to read, gets rubbish.

Kernels are the CPU's, or those of the CUDA extension where that is emulated (`make emulate`).
"""

import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace

import numpy as np

import refpix.cuda
from refpix.errors import KernelError
from refpix.kernels import image_resize_normalize, jpeg_decode, label_zoom
from refpix.kernels._registry import fault_number
from refpix.loader import device as on_device
from refpix.loader import loader

RUBBISH = 0xA5


class Memory(np.ndarray):
    """Device memory, with the one method of a tensor that the loader calls."""

    @property
    def __cuda_array_interface__(self):
        interface = self.__array_interface__
        return {key: interface[key] for key in ("shape", "typestr", "data", "strides", "version")}

    def permute(self, *axes):
        return self.transpose(axes)


def memory(shape, dtype):
    kind = np.dtype(np.uint16 if dtype == "bfloat16" else dtype)
    count = int(np.prod(shape)) * kind.itemsize
    return np.full(count, RUBBISH, np.uint8).view(kind).reshape(shape).view(Memory)


@dataclass(frozen=True)
class Event:
    position: int


class LateStream:
    """Stands for `refpix.loader.torch_side_stream.SideStream`."""

    def __init__(self):
        self._work = []
        self._done = 0
        self._lock = threading.RLock()
        self._here = threading.local()
        self.host_waits = 0  # for work that had not run yet
        self.pinned_blocks = 0
        self.handed_over = []  # per batch: the thread, and how many tensors

    @contextmanager
    def active(self):
        self._here.active = True
        yield
        self._here.active = False

    def enqueue(self, work):
        assert getattr(self._here, "active", False), "enqueued on the consumer's stream"
        with self._lock:
            self._work.append(work)

    def _run_to(self, position):
        with self._lock:
            for work in self._work[self._done : position]:
                work()
            self._done = max(self._done, position)

    def empty(self, shape, dtype):
        assert getattr(self._here, "active", False), "memory of the consumer's stream"
        return memory(shape, dtype)

    def upload(self, pinned):
        copy = memory(pinned.shape, pinned.dtype)
        self.enqueue(lambda: np.copyto(copy, pinned))
        return copy

    def pinned(self, count):
        self.pinned_blocks += 1
        return np.full(count, RUBBISH, np.uint8)

    def record(self):
        with self._lock:
            return Event(len(self._work))

    def wait(self, event):
        self.host_waits += event.position > self._done
        self._run_to(event.position)

    def hand_over(self, event, *tensors):
        """The consumer's stream waits, and gets to its work right away."""
        self.handed_over.append((threading.get_ident(), sum(t is not None for t in tensors)))
        self._run_to(event.position)

    @property
    def idle(self):
        return self._done == len(self._work)


def on_host(value):
    return value.view(np.ndarray) if isinstance(value, Memory) else value


def late(stream, kernel):
    """A kernel that runs when the stream gets there."""
    architectures = refpix.cuda.build_info().architectures
    emulated = architectures == ("emulated",) and "cuda" in kernel.backends()

    def run(args, out, options):
        if emulated:
            assert kernel(*args, out=out, backend="cuda", **options) is out
            refpix.cuda.raise_faults()
        else:
            kernel(*map(on_host, args), out=on_host(out), **options)

    def call(*args, out, **options):
        assert all(isinstance(array, Memory) for array in (*args, out)), "host memory on a device"
        stream.enqueue(lambda: run(args, out, options))

    return call


@dataclass
class Decoded:
    """As `refpix.cuda.JpegDecoder.decode` gives them."""

    pixels: Memory
    offsets: Memory
    sizes: Memory
    host_sizes: np.ndarray
    faults: np.ndarray


class LateDecoder:
    """Stands for `refpix.cuda.JpegDecoder`, on libjpeg-turbo: headers at once, pixels late."""

    def __init__(self, stream, device, *, engine, allow_truncated, pixel_limit, num_threads):
        self._stream = stream
        self._options = {
            "allow_truncated": allow_truncated,
            "pixel_limit": pixel_limit,
        }
        self.engines = ("cpu",) if engine == "cpu" else ("cpu", "hybrid")
        self.calls = 0

    def decode(self, values, spans):
        self.calls += 1
        faults = np.tile(np.array([0, -1], np.int64), (len(spans), 1))
        sizes = np.zeros((len(spans), 2), np.int64)
        for item, span in enumerate(spans):
            try:
                sizes[item] = jpeg_decode(values, span[None], **self._options)[2][0]
            except KernelError as error:
                faults[item] = fault_number(error.fault), error.position
        offsets = np.concatenate([[0], np.cumsum(3 * sizes.prod(axis=1))]).astype(np.int64)
        pixels = memory((int(offsets[-1]),), "uint8")

        def fill():
            good = np.ascontiguousarray(spans[faults[:, 0] == 0])
            pixels[:] = jpeg_decode(values, good, **self._options)[0]

        self._stream.enqueue(fill)
        return Decoded(pixels, offsets.view(Memory), sizes.view(Memory), sizes, faults)


def install(monkeypatch, *, stream=None, decoder=None):
    """Makes ``Loader(device="cuda")`` take a stand-in; returns its stream."""
    stream = stream or LateStream()
    seam = SimpleNamespace(SideStream=lambda device: stream)
    monkeypatch.setitem(sys.modules, "refpix.loader.torch_side_stream", seam)
    monkeypatch.setattr(loader, "device_number", lambda device: 0 if device else None)
    # Not setattr, which would ask for what is there, and that needs torch.
    monkeypatch.setitem(vars(refpix.cuda), "JpegDecoder", decoder or partial(LateDecoder, stream))
    monkeypatch.setattr(on_device, "image_resize_normalize", late(stream, image_resize_normalize))
    monkeypatch.setattr(on_device, "label_zoom", late(stream, label_zoom))
    return stream
