"""JPEG files to normalised pictures on a device: ours, and those it is measured against.

A contestant is a function that gives a file's pictures batch by batch; which of them are here
depends on what is installed, and what is not is named.
"""

from __future__ import annotations

import importlib.util
import os
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from refpix.cuda import JpegDecoder
from refpix.kernels import image_batch, image_resize_normalize

THREADS = len(os.sched_getaffinity(0))
#: Shares of pictures that DALI is told to give to the JPEG engines: its default, and all.
DALI_LOADS = (0.65, 1.0)


@dataclass(frozen=True, eq=False)
class Files:
    """Encoded pictures, end to end, to be taken in batches.

    Attributes:
        values: uint8 (bytes,), in page-locked memory where there is a device.
        spans: int64 (n, 2).
        batch_size: pictures at a time.
        size: height and width to make.
    """

    values: np.ndarray
    spans: np.ndarray
    batch_size: int
    size: int
    payloads: list[np.ndarray] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.payloads.extend(self.values[start:stop] for start, stop in self.spans)

    def chunks(self) -> Iterator[slice]:
        for at in range(0, len(self.spans), self.batch_size):
            yield slice(at, min(at + self.batch_size, len(self.spans)))

    def take(self, items: slice) -> Files:
        return Files(
            self.values, np.ascontiguousarray(self.spans[items]), self.batch_size, self.size
        )


Batches = Callable[[Files], Iterator[Any]]


def _kernel_arrays(*tensors: torch.Tensor) -> list[Any]:
    """As the kernels take them: tensors on a device, arrays in host memory."""
    return [tensor if tensor.is_cuda else tensor.numpy() for tensor in tensors]


def ours(decoder: JpegDecoder, *, resize: bool = True) -> Batches:
    """JpegDecoder, then resize and normalisation in one kernel."""

    def batches(files: Files) -> Iterator[Any]:
        for chunk in files.chunks():
            decoded = decoder.decode(files.values, np.ascontiguousarray(files.spans[chunk]))
            if decoded.faults[:, 0].any():
                raise RuntimeError(f"faults in sound pictures: {decoded.faults}")
            if not resize:
                yield decoded.pixels
                continue
            yield image_resize_normalize(
                *_kernel_arrays(decoded.pixels, decoded.offsets, decoded.sizes),
                out_size=(files.size, files.size),
            )

    return batches


def on_the_cpu(device: str) -> Batches:
    """Published pixels: libjpeg-turbo and all else on the CPU's threads, then a copy."""
    on_gpu = device != "cpu"
    buffers: deque[tuple[torch.Tensor, Any]] = deque()

    def batches(files: Files) -> Iterator[Any]:
        shape = (files.batch_size, 3, files.size, files.size)
        if not buffers or buffers[0][0].shape != shape:
            buffers.clear()
            for _ in range(2):
                event = torch.cuda.Event() if on_gpu else None
                buffers.append((torch.empty(shape, pin_memory=on_gpu), event))
        for chunk in files.chunks():
            buffer, event = buffers[0]
            buffers.rotate(1)
            if event is not None:
                event.synchronize()  # until it has been copied
            spans = np.ascontiguousarray(files.spans[chunk])
            out = buffer.numpy()[: len(spans)]
            _, _, faults = image_batch(
                files.values,
                spans,
                encoding="raw",
                size=(files.size, files.size),
                out=out,
                num_threads=THREADS,
            )
            if faults[:, 0].any():
                raise RuntimeError(f"faults in sound pictures: {faults}")
            yield buffer[: len(spans)].to(device, non_blocking=True)
            if event is not None:
                event.record()

    return batches


def torchvision_batched(device: str, *, resize: bool = True) -> Batches:
    """decode_jpeg of a list, then torchvision's resize of all pictures of a shape at once."""
    from torchvision.io import ImageReadMode, decode_jpeg
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms.v2.functional import resize as resized

    def batches(files: Files) -> Iterator[Any]:
        for chunk in files.chunks():
            encoded = [torch.from_numpy(payload) for payload in files.payloads[chunk]]
            pictures = decode_jpeg(encoded, mode=ImageReadMode.RGB, device=device)
            if not resize:
                yield pictures
                continue
            shapes: dict[tuple[int, ...], list[int]] = {}
            for i, picture in enumerate(pictures):
                shapes.setdefault(tuple(picture.shape), []).append(i)
            out = torch.empty((len(pictures), 3, files.size, files.size), device=device)
            for members in shapes.values():
                same = torch.stack([pictures[i] for i in members])
                small = resized(same, [files.size] * 2, InterpolationMode.BICUBIC, antialias=True)
                out[members] = small.to(torch.float32).sub_(127.5).div_(127.5)
            yield out

    return batches


def dali(device: str, load: float) -> Batches:
    """DALI's mixed pipeline, prefetching as by default; one for each set of files."""
    from nvidia.dali import Pipeline, fn, types

    on_gpu = device != "cpu"
    decoding = {"device": "cpu"}
    if on_gpu:
        decoding = {"device": "mixed", "hw_decoder_load": load}
        decoding |= {"preallocate_width_hint": 640, "preallocate_height_hint": 640}
    pipes: dict[int, tuple[Files, Any]] = {}

    def build(files: Files) -> Any:
        feed = [files.payloads[chunk] for chunk in files.chunks()]
        pipe = Pipeline(files.batch_size, THREADS, 0 if on_gpu else None, prefetch_queue_depth=2)
        with pipe:
            encoded = fn.external_source(feed, batch=True, cycle="raise", dtype=types.UINT8)
            pictures = fn.decoders.image(
                encoded, output_type=types.RGB, adjust_orientation=False, **decoding
            )
            small = fn.resize(
                pictures, size=(files.size,) * 2, interp_type=types.INTERP_CUBIC, antialias=True
            )
            normal = fn.crop_mirror_normalize(
                small, output_layout="CHW", mean=[127.5] * 3, std=[127.5] * 3
            )
            pipe.set_outputs(normal)
        pipe.build()
        return pipe

    def batches(files: Files) -> Iterator[Any]:
        if id(files) not in pipes:
            pipes[id(files)] = files, build(files)
        pipe = pipes[id(files)][1]
        while True:
            try:
                (out,) = pipe.run()
            except StopIteration:  # nothing is ahead now that would run in another's turn
                pipe.reset()
                return
            yield out

    return batches


def to_host(batch: Any) -> np.ndarray:
    """float32 (n, 3, h, w) of any contestant's batch."""
    if isinstance(batch, torch.Tensor):
        return batch.cpu().numpy()
    if isinstance(batch, np.ndarray):
        return batch
    return batch.as_cpu().as_array()


def rivals(device: str) -> tuple[dict[str, Batches], dict[str, str]]:
    """The contestants of others that run here, and why others do not."""
    found: dict[str, Batches] = {}
    missing: dict[str, str] = {}

    def attempt(name: str, module: str, make: Callable[[], Batches]) -> None:
        if importlib.util.find_spec(module.split(".")[0]) is None:
            missing[name] = f"{module} is not installed"
            return
        try:
            found[name] = make()
        except Exception as error:  # a rival that does not load is no fault of ours
            missing[name] = f"{type(error).__name__}: {error}"

    for load in DALI_LOADS if device != "cpu" else DALI_LOADS[:1]:
        name = "DALI, mixed" if load == DALI_LOADS[0] else f"DALI, mixed, engines {load:g}"
        attempt(name, "nvidia.dali", lambda load=load: dali(device, load))
    attempt("torchvision", "torchvision", lambda: torchvision_batched(device))
    return found, missing
