"""Gamma correction: tables on the host, looked up wherever the pictures are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from refpix.errors import KernelError
from refpix.kernels import _device
from refpix.kernels._image_lookup import image_lookup
from refpix.kernels._registry import Backend


def gamma_tables(gammas: npt.NDArray[np.float64], *, gain: float = 1.0) -> npt.NDArray[np.uint8]:
    """What gamma correction makes of each byte: ``255.999 * gain * (v / 255) ** gamma``, cut off.

    In double precision with the C library's ``pow``, as torchvision has it on Pillow images.

    Args:
        gammas: float64 (n,), not negative; 1 changes nothing, 0 makes all white.
        gain: not negative; what exceeds 255 is 255.

    Returns:
        uint8 (n, 256), for :func:`refpix.kernels.image_lookup`.

    Raises:
        KernelError: a gamma that is not finite (``augment_not_finite``) or negative
            (``augment_out_of_range``); names the item.
        ValueError: such a gain.

    Source: torchvision, ``adjust_gamma`` (transforms/_functional_pil.py).
    """
    full = (255 + 1 - 1e-3) * gain
    if not (math.isfinite(full) and gain >= 0):
        raise ValueError("gain: must be finite and not negative")
    tables = np.empty((len(gammas), 256), np.uint8)
    for item, gamma in enumerate(gammas.tolist()):
        if not math.isfinite(gamma):
            raise KernelError("augment_not_finite", item)
        if gamma < 0:
            raise KernelError("augment_out_of_range", item)
        tables[item] = [int(min(full * (v / 255.0) ** gamma, 255.0)) for v in range(256)]
    return tables


def image_gamma(
    images: npt.NDArray[np.uint8],
    gammas: npt.NDArray[np.float64],
    *,
    gain: float = 1.0,
    out: npt.NDArray[np.uint8] | None = None,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> npt.NDArray[np.uint8]:
    """Correct the gamma of each picture of a batch, as torchvision does it to Pillow images.

    Args:
        images: uint8 (n, H, W) or (n, H, W, C), C-contiguous. On a device, the tables, 256 bytes a
            picture, are copied there by each call; in a CUDA graph, make them before with
            :func:`gamma_tables` and call :func:`refpix.kernels.image_lookup`.
        gammas: float64 (n,), in host memory, not negative.
        gain: factor of all values, not negative.
        out: optional array like ``images`` to fill, on other memory.
        num_threads: threads to use at most.
        backend: which implementation of ``image_lookup``.

    Returns:
        uint8, like ``images``.

    Raises:
        KernelError, ValueError: as :func:`gamma_tables`.
    """
    tables: Any = gamma_tables(gammas, gain=gain)
    if hasattr(images, "__cuda_array_interface__"):
        tables = _device.beside(images, tables)
    return image_lookup(images, tables, out=out, num_threads=num_threads, backend=backend)
