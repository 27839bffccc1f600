"""JPEG files to pixels on a device: nvJPEG for what it reads as Pillow does, the CPU for the rest.

``refpix.cuda`` hands out what is here. Which files go where is decided in
``csrc/kernels/jpeg_decode/route.h``.
"""

from __future__ import annotations

import functools
import os
import threading
import weakref
from collections import deque
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import torch

from refpix.errors import BackendUnavailableError
from refpix.kernels import _nvjpeg, _registry
from refpix.kernels._threads import cpu_count
from refpix.kernels.torch_decoded_images import DecodedImages, offsets_of
from refpix.types import PIXEL_LIMIT

__all__ = ["ENGINES", "DecodedImages", "Engine", "JpegDecoder"]

Engine = Literal["auto", "hardware", "hybrid", "cpu"]

#: By number, as the native code has them. What one can decode, those before it can too.
ENGINES: Final = ("none", "cpu", "hybrid", "hardware")
_CPU, _HYBRID, _HARDWARE = 1, 2, 3
#: Pictures that the JPEG engines write before they are copied to where they belong, at once.
STAGING_BYTES: Final = 512 << 20
#: Where pictures are decoded to unless the caller says, and the memory that nvJPEG can write.
DEFAULT_DEVICE = "cuda"
NVJPEG_DEVICES: tuple[str, ...] = ("cuda",)

Int64s = npt.NDArray[np.int64]


class JpegDecoder:
    """Decodes batches of JPEG files to pixels on a device. Inexact where nvJPEG decodes.

    One object serves any number of threads and streams; its decoder states and buffers are pooled
    and given back by :meth:`close`, at the latest when the object or the process goes.

    Of each file the markers are walked on the host. Plainly sound baseline files of usual sampling
    go to the GPU's JPEG engines, where there are some; progressive ones and what the engines do
    not take to nvJPEG's hybrid decoder (Huffman codes on CPU threads or on CUDA cores, the rest on
    CUDA cores). CMYK, RGB, arithmetic coding, unusual sampling, whatever is damaged or cut, and
    what nvJPEG refuses or fails on is decoded by libjpeg-turbo on CPU threads and copied; there,
    pixels and faults are those of ``jpeg_decode``, exactly. Damage that leaves the markers in order
    is not seen: what nvJPEG makes of it is not Pillow's.

    Args:
        device: torch's name or number of a CUDA device, None for the current one. ``"cpu"`` keeps
            the pixels in host memory and decodes them there, for tests of what comes after.
        engine: ``auto`` takes the best there is, the CPU at worst. ``hardware`` and ``hybrid``
            insist on nvJPEG for what it reads; ``hybrid`` leaves the JPEG engines alone, ``cpu``
            leaves nvJPEG alone and is exact.
        allow_truncated: as ``jpeg_decode``.
        pixel_limit: as ``jpeg_decode``.
        num_threads: threads at most, for host work of all engines; None for one a CPU core.
        library: path of nvJPEG's library; None: see ``refpix.kernels._nvjpeg.candidates``.

    Attributes:
        device: torch.device.
        engines: what is there, e.g. ``("cpu", "hybrid")``.
        library: path and version of nvJPEG, None if it is not used.
        unavailable: why nvJPEG cannot be used here, in words; empty if it can.

    Raises:
        BackendUnavailableError: no CUDA device, or the engine that was asked for is not there.
        ValueError: an unknown engine or device.
    """

    def __init__(
        self,
        device: torch.device | str | int | None = None,
        *,
        engine: Engine = "auto",
        allow_truncated: bool = False,
        pixel_limit: int = PIXEL_LIMIT,
        num_threads: int | None = None,
        library: str | None = None,
    ) -> None:
        if engine not in ("auto", "hardware", "hybrid", "cpu"):
            raise ValueError(f"engine={engine!r}: expected auto, hardware, hybrid or cpu")
        self.device = _device(device)
        self.allow_truncated = allow_truncated
        self.pixel_limit = pixel_limit
        self.num_threads = cpu_count() if num_threads is None else num_threads
        self._native, self.unavailable = self._open(engine, library)
        best = _CPU if self._native is None else self._native.best_engine()
        if engine not in ("auto", "cpu") and ENGINES.index(engine) > best:
            reason = self.unavailable or "this GPU has no JPEG engine that nvJPEG can use"
            self.close()
            raise BackendUnavailableError(f"no {engine!r} JPEG decoder: {reason}")
        self._best = min(best, _HYBRID) if engine == "hybrid" else best
        self.engines = ENGINES[1 : self._best + 1]
        self.library = self._native.library() if self._native is not None else None
        self._in_flight: deque[tuple[torch.cuda.Event, object]] = deque()
        self._lock = threading.Lock()

    def __enter__(self) -> JpegDecoder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<JpegDecoder on {self.device}: {', '.join(self.engines)}>"

    def close(self) -> None:
        """Waits for what is enqueued and gives back states and buffers. Calling it twice is fine.

        Decoding goes on to work, on the CPU.
        """
        if self._native is not None:
            self._native.close()
            self._native = None
            self._best, self.engines = _CPU, ENGINES[1:2]

    def _open(self, engine: str, library: str | None) -> tuple[Any, str]:
        module, unavailable = _registry.cuda_state()
        if engine == "cpu":
            return None, "engine='cpu' was asked for"
        if module is None or unavailable:
            return None, unavailable
        if self.device.type not in NVJPEG_DEVICES:
            return None, "the pixels stay in host memory"
        try:
            native = module.NvjpegDecoder(
                _nvjpeg.candidates(library),
                device=self.device.index or 0,
                hardware=engine != "hybrid",
                threads=self.num_threads,
                staging_bytes=STAGING_BYTES,
            )
        except RuntimeError as error:
            return None, str(error)
        # At the latest before the interpreter takes CUDA's context with it.
        weakref.finalize(self, native.close)
        return native, ""

    def decode(
        self,
        values: npt.NDArray[np.uint8],
        spans: Int64s,
        *,
        roi: Int64s | None = None,
    ) -> DecodedImages:
        """Decodes a batch. Returns when the host's part is done and the device's is enqueued.

        Sizes come from the headers, so nothing is read back. The host waits for the stream only to
        use a buffer again: when three calls with pictures for the JPEG engines are under way, or
        more than 512 MiB of pictures, or, of those that nvJPEG decodes without the engines, two
        for each thread. It cannot be part of a CUDA graph.

        Args:
            values: uint8 (bytes,) in host memory, pinned or not. Must not change before the stream
                has come past the decoding; the result and this object hold it until then.
            spans: int64 (n, 2); item i is the file ``values[spans[i, 0]:spans[i, 1]]``.
            roi: int64 (n, 4), x0, y0, x1, y1 in pixels: only this box of each picture.

        Returns:
            DecodedImages. A faulty item is reported in ``faults`` and has no pixels; it does not
            touch the others.

        Raises:
            TypeError, ValueError: wrong arrays.
            KernelError: a span outside ``values``.
        """
        return self.decode_as(
            values,
            spans,
            roi=roi,
            allow_truncated=self.allow_truncated,
            pixel_limit=self.pixel_limit,
        )

    def decode_as(
        self,
        values: npt.NDArray[np.uint8],
        spans: Int64s,
        *,
        roi: Int64s | None,
        allow_truncated: bool,
        pixel_limit: int,
    ) -> DecodedImages:
        """As :meth:`decode`, with options of this call's own."""
        options: dict[str, Any] = {
            "allow_truncated": allow_truncated,
            "pixel_limit": pixel_limit,
            "num_threads": self.num_threads,
        }
        cpu = _registry.cpu_extension
        sizes, pictures, lengths, wanted, _, faults = cpu.jpeg_routes(
            values, spans, roi=roi, **options
        )
        wanted = np.minimum(wanted, self._best)
        offsets = offsets_of(sizes)
        done = np.zeros(len(sizes), np.uint8)
        with torch.cuda.device(self.device) if self._on_gpu else _nothing():
            pixels = torch.empty(int(offsets[-1]), dtype=torch.uint8, device=self.device)
            native = self._native
            if native is not None and (wanted >= _HYBRID).any():
                stops = spans[:, :1] + lengths[:, None]
                native.decode(
                    values,
                    np.concatenate([spans[:, :1], stops], axis=1),
                    pictures=pictures,
                    sizes=sizes,
                    roi=roi,
                    engines=wanted,
                    offsets=offsets,
                    pixels=pixels.data_ptr(),
                    pixel_bytes=pixels.numel(),
                    stream=self._stream(),
                    done=done,
                )
                self._hold((values, spans))
            items = np.flatnonzero((wanted >= _CPU) & (done == 0))
            if len(items):
                self._on_cpu(values, spans, roi, items, sizes, offsets, pixels, faults, options)
                done[items] = _CPU
            bad = faults[:, 0] != 0
            if sizes[bad].any():
                pixels = _without(pixels, offsets, bad)
                sizes[bad] = 0
                offsets = offsets_of(sizes)
            done[bad] = 0
            return DecodedImages(
                pixels,
                self._upload(offsets),
                self._upload(sizes),
                sizes,
                faults,
                tuple(ENGINES[engine] for engine in done),
                pictures,
                (values, spans),
            )

    @property
    def _on_gpu(self) -> bool:
        return self.device.type == "cuda"

    def _stream(self) -> int:
        return int(torch.cuda.current_stream().cuda_stream) if self._on_gpu else 0

    def pinned(self, count: int) -> torch.Tensor:
        """Host memory that the device copies from: uint8 (count,).

        torch's allocator keeps a block until its own copies out of it are done.
        """
        return torch.empty(count, dtype=torch.uint8, pin_memory=self._on_gpu)

    def _upload(self, numbers: Int64s) -> torch.Tensor:
        host = self.pinned(numbers.nbytes).view(torch.int64).view(numbers.shape)
        host.numpy()[...] = numbers
        return host.to(self.device, non_blocking=True)

    def _on_cpu(
        self,
        values: npt.NDArray[np.uint8],
        spans: Int64s,
        roi: Int64s | None,
        items: Int64s,
        sizes: Int64s,
        offsets: Int64s,
        pixels: torch.Tensor,
        faults: Int64s,
        options: dict[str, Any],
    ) -> None:
        """Decodes some items into pinned memory and enqueues the copies, a run of items in one."""
        lengths = offsets[items + 1] - offsets[items]
        starts = np.cumsum(lengths) - lengths
        staging = self.pinned(int(lengths.sum()))
        faults[items] = _registry.cpu_extension.jpeg_decode_items(
            values,
            np.ascontiguousarray(spans[items]),
            np.ascontiguousarray(sizes[items]),
            starts,
            staging.numpy(),
            roi=None if roi is None else np.ascontiguousarray(roi[items]),
            **options,
        )
        ends = np.flatnonzero(np.append(offsets[items[1:]] != offsets[items[:-1] + 1], True))
        first = 0
        for last in ends:
            start, stop = int(starts[first]), int(starts[last] + lengths[last])
            to = int(offsets[items[first]])
            pixels[to : to + stop - start].copy_(staging[start:stop], non_blocking=True)
            first = last + 1

    def _hold(self, held: object) -> None:
        """Keeps the encoded bytes until the stream is past their decoding."""
        if not self._on_gpu:
            return
        event = torch.cuda.Event()  # type: ignore[no-untyped-call]
        event.record(torch.cuda.current_stream())
        with self._lock:
            while self._in_flight and self._in_flight[0][0].query():  # type: ignore[no-untyped-call]
                self._in_flight.popleft()
            self._in_flight.append((event, held))


@functools.cache
def _shared(device: torch.device, num_threads: int, library: str | None) -> JpegDecoder:
    return JpegDecoder(device, num_threads=num_threads, library=library)


def shared_decoder(num_threads: int) -> JpegDecoder:
    """The process's own decoder on the current device, for the kernels' ``backend="cuda"``.

    Raises:
        BackendUnavailableError: torch has no CUDA device.
    """
    return _shared(_device(None), num_threads, os.environ.get(_nvjpeg.VARIABLE))


class _nothing:
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


def _device(device: torch.device | str | int | None) -> torch.device:
    """A device with its number.

    Raises:
        BackendUnavailableError: torch has no CUDA device.
        ValueError: neither a CUDA device nor the CPU, or there is none of this number.
    """
    if device is None:
        device = DEFAULT_DEVICE
    wrong = f"device={device!r}: expected a CUDA device, or 'cpu'"
    try:
        chosen = torch.device("cuda", device) if isinstance(device, int) else torch.device(device)
    except RuntimeError as error:
        raise ValueError(wrong) from error
    if chosen.type == "cpu":
        return chosen
    if chosen.type != "cuda":
        raise ValueError(wrong)
    if not torch.cuda.is_available():
        raise BackendUnavailableError(
            "JpegDecoder: torch has no CUDA device here; device='cpu' decodes into host memory"
        )
    index = torch.cuda.current_device() if chosen.index is None else chosen.index
    if index >= torch.cuda.device_count():
        raise ValueError(f"device={device!r}: there are {torch.cuda.device_count()} devices")
    return torch.device("cuda", index)


def _without(pixels: torch.Tensor, offsets: Int64s, bad: npt.NDArray[np.bool_]) -> torch.Tensor:
    """The pixels of the good items, end to end."""
    edges = np.flatnonzero(np.diff(np.concatenate([[True], bad, [True]]).astype(np.int8)))
    runs = edges.reshape(-1, 2)
    parts = [pixels[int(offsets[first]) : int(offsets[last])] for first, last in runs]
    return torch.cat(parts) if parts else pixels[:0]
