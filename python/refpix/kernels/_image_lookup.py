"""Bytes through tables."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from refpix.kernels._registry import Backend, kernel


@kernel
def image_lookup(
    images: npt.NDArray[np.uint8],
    tables: npt.NDArray[np.uint8],
    *,
    out: npt.NDArray[np.uint8] | None = None,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> npt.NDArray[np.uint8]:
    """Replace every byte of each picture by what the picture's table has for it.

    Args:
        images: uint8 (n, H, W) or (n, H, W, C), C-contiguous.
        tables: uint8 (n, 256), or (n, C, 256) for a table a channel;
            :func:`refpix.kernels.gamma_tables` makes some.
        out: optional array like ``images`` to fill, on other memory.
        num_threads: threads to use at most.
        backend: which implementation. ``cuda``: one pass, nothing is waited for.

    Returns:
        uint8, like ``images``.

    Raises:
        ValueError: wrong shapes.

    Source: Pillow, ``Image.point``.
    """
    result = np.empty_like(images) if out is None else out
    for item, table in enumerate(tables if tables.ndim == 3 else tables[:, None]):
        channels = np.arange(images.shape[-1]) if len(table) > 1 else 0
        result[item] = table[channels, images[item]]
    return result
