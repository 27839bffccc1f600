"""``image_batch`` on a device: base64 on the host, decoding, resizing and normalising there."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from refpix.kernels import torch_device
from refpix.kernels._base64_items import base64_decode_each, base64_room
from refpix.kernels._image_resize_normalize import image_resize_normalize
from refpix.kernels.torch_jpeg import JpegDecoder, shared_decoder
from refpix.types import DType, PassOrder, ResizeFilter

Int64s = npt.NDArray[np.int64]


def image_batch(
    values: npt.NDArray[np.uint8],
    spans: Int64s,
    *,
    encoding: str,
    size: tuple[int, int],
    filter: ResizeFilter,
    order: PassOrder,
    mean: tuple[float, float, float],
    std: tuple[float, float, float],
    dtype: DType,
    allow_truncated: bool,
    pixel_limit: int | None,
    out: npt.NDArray[Any] | None,
    num_threads: int,
) -> tuple[npt.NDArray[Any], Int64s, Int64s]:
    """Works on torch's current device, waits, and brings the batch back to host memory.

    Equal pixels give equal batches: the resize and the normalisation are the CPU's to the bit.
    """
    batch = _output(out, (len(spans), 3, *size), dtype)
    decoder = shared_decoder(num_threads)
    text_faults = np.zeros((len(spans), 2), np.int64)
    if encoding == "base64":
        values, spans, text_faults = decode_texts(values, spans, num_threads, decoder)
    elif encoding != "raw":
        raise ValueError(f"encoding: expected base64 or raw, got {encoding}")
    images = decoder.decode_as(
        values,
        spans,
        roi=None,
        allow_truncated=allow_truncated,
        pixel_limit=2**63 - 1 if pixel_limit is None else pixel_limit,
    )
    faults = np.where(text_faults[:, :1] != 0, text_faults, images.faults)
    given: Any = images.sound()
    normal: Any = image_resize_normalize(
        *given,
        out_size=size,
        filter=filter,
        order=order,
        mean=mean,
        std=std,
        dtype=dtype,
        backend="cuda",
    )
    batch[faults[:, 0] == 0] = torch_device.to_host(normal)
    return batch, images.header_sizes, faults


def decode_texts(
    values: npt.NDArray[np.uint8], spans: Int64s, num_threads: int, decoder: JpegDecoder
) -> tuple[npt.NDArray[np.uint8], Int64s, Int64s]:
    """Base64 texts to bytes in pinned memory, where a device's decoder can take them from.

    Args:
        values: uint8 (bytes,).
        spans: int64 (n, 2).
        num_threads: threads to use at most.
        decoder: whose device the bytes are for.

    Returns:
        The bytes uint8 (decoded bytes,), their spans int64 (n, 2), and faults int64 (n, 2), 0 and
        -1 where all is well; the span of a faulty text is empty.

    Raises:
        KernelError: a span outside ``values``.
    """
    memory = decoder.pinned(base64_room(values, spans)).numpy()
    return memory, *base64_decode_each(values, spans, memory, num_threads=num_threads)


def _output(out: npt.NDArray[Any] | None, shape: tuple[int, ...], dtype: str) -> npt.NDArray[Any]:
    if dtype not in ("float32", "float16", "bfloat16"):
        raise ValueError(f"dtype: expected float32, float16 or bfloat16, got {dtype}")
    kind: Any = np.uint16 if dtype == "bfloat16" else np.dtype(dtype)
    if min(shape[2:]) <= 0:
        raise ValueError("size: height and width must be positive")
    if out is None:
        return np.empty(shape, kind)
    if not isinstance(out, np.ndarray) or out.dtype != kind:
        raise TypeError(f"out: expected a NumPy array of dtype {np.dtype(kind)}")
    if out.shape != shape:
        raise ValueError(f"out: expected shape {shape}, got {out.shape}")
    return out
