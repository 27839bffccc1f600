"""Encoded payloads to a normalised batch, fused."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from refpix.errors import KernelError
from refpix.kernels._base64_decode import base64_decode
from refpix.kernels._image_normalize import image_normalize
from refpix.kernels._image_resize import image_resize
from refpix.kernels._jpeg_decode import jpeg_decode
from refpix.kernels._registry import Backend, fault_number, kernel
from refpix.types import PIXEL_LIMIT, BytesBatch, DType, ImagesBatch, PassOrder, ResizeFilter

_NORMAL = (0.5, 0.5, 0.5)


@kernel(inexact=("cuda",))
def image_batch(
    values: npt.NDArray[np.uint8],
    spans: npt.NDArray[np.int64],
    *,
    encoding: Literal["base64", "raw"] = "base64",
    size: tuple[int, int] = (512, 512),
    filter: ResizeFilter = "bicubic",
    order: PassOrder = "auto",
    mean: tuple[float, float, float] = _NORMAL,
    std: tuple[float, float, float] = _NORMAL,
    dtype: DType = "float32",
    allow_truncated: bool = True,
    pixel_limit: int | None = PIXEL_LIMIT,
    out: npt.NDArray[Any] | None = None,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Decode, resize and normalise JPEG payloads into a batch, without a step per image in Python.

    The result is that of ``base64_decode``, ``jpeg_decode``, ``image_resize`` and
    ``image_normalize`` one after the other, to the bit. ``backend="cuda"`` decodes as that of
    ``jpeg_decode``, inexactly, and does the rest to the bit; NumPy arrays in and out, so it is for
    comparisons: a trainer's batches stay on the device with ``Loader(device="cuda")``.

    Args:
        values: uint8 (bytes,), e.g. a memory-mapped TSV file.
        spans: int64 (n, 2); payload i is ``values[spans[i, 0]:spans[i, 1]]``.
        encoding: payloads are ``base64`` text, or the ``raw`` bytes of image files.
        size: height and width of the results in pixels; the aspect ratio is not kept.
        filter: as ``image_resize``.
        order: as ``image_resize``.
        mean: as ``image_normalize``.
        std: as ``image_normalize``.
        dtype: ``float32``, ``float16`` or ``bfloat16`` (as uint16 bit patterns).
        allow_truncated: decode what is there of a JPEG that ends early, as Pillow does with
            ``LOAD_TRUNCATED_IMAGES``.
        pixel_limit: most pixels an image may have, None for no limit. (The published pipelines
            have none.)
        out: optional (n, 3, h, w) array of that type to fill.
        num_threads: threads to use at most; each takes whole images.
        backend: which implementation.

    Returns:
        batch: (n, 3, h, w).
        sizes: int64 (n, 2), height and width of the decoded images, 0 where the header is broken.
        faults: int64 (n, 2), per item a fault (``refpix.kernels.fault_name``), 0 where all is
            well, and a position (byte of the base64 text, or of the decoded payload), -1 when
            unknown. The slot of a faulty item is undefined. A payload that is no JPEG, or one of a
            kind that is left to Pillow, has ``image_unrecognised`` or ``jpeg_unsupported``.

    Raises:
        ValueError: wrong arrays or options; a span outside ``values``.

    Source: RefHCM, data/mm_data/*_dataset.py (``__getitem__`` up to the patch image).
    """
    count = len(spans)
    shape = (count, 3, *size)
    kind: Any = np.uint16 if dtype == "bfloat16" else dtype
    batch = np.empty(shape, kind) if out is None else out
    sizes = np.zeros((count, 2), np.int64)
    faults = np.stack([np.zeros(count, np.int64), np.full(count, -1, np.int64)], axis=1)
    for item in range(count):
        try:
            payload = BytesBatch(values, spans[item : item + 1])
            if encoding == "base64":
                decoded, offsets = base64_decode(*payload, backend="reference")
                payload = BytesBatch.from_offsets(decoded, offsets)
            image = ImagesBatch(
                *jpeg_decode(
                    *payload,
                    allow_truncated=allow_truncated,
                    pixel_limit=2**63 - 1 if pixel_limit is None else pixel_limit,
                    backend="reference",
                )
            )
        except KernelError as error:
            faults[item] = fault_number(error.fault), error.position
            continue
        sizes[item] = image.sizes[0]
        resized = image_resize(
            *image, out_size=size, filter=filter, order=order, backend="reference"
        )
        batch[item] = image_normalize(
            resized, mean=mean, std=std, dtype=dtype, backend="reference"
        )[0]
    return batch, sizes, faults
