"""Label maps to one size, without interpolation."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from refpix.errors import KernelError
from refpix.kernels._registry import Backend, kernel

ZoomRule = Literal["scipy", "torch"]


def _scipy(n_in: int, n_out: int) -> npt.NDArray[np.int64]:
    """Source indices in double; -1 where scipy sees a point outside the map."""
    scale = (n_in - 1) / (n_out - 1) if n_out > 1 else 1.0
    at = np.arange(n_out) * scale
    return np.where(at > n_in - 1, -1, np.floor(at + 0.5).astype(np.int64))


def _torch(n_in: int, n_out: int) -> npt.NDArray[np.int64]:
    """Source indices with the product rounded to float32."""
    scale = np.float32(n_in) / np.float32(n_out)
    at = np.floor(np.arange(n_out, dtype=np.float32) * scale).astype(np.int64)
    held: npt.NDArray[np.int64] = np.minimum(at, n_in - 1)
    return held


@kernel
def label_zoom(
    values: npt.NDArray[Any],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    *,
    out_size: tuple[int, int] = (512, 512),
    rule: ZoomRule = "scipy",
    out: npt.NDArray[np.int32] | None = None,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> npt.NDArray[np.int32]:
    """Resize label maps to one size, every output pixel showing one source pixel.

    Args:
        values: uint8, int16, int32 or int64 (labels,), each map (H, W) in C order, end to end.
        offsets: int64 (n + 1,); map i is ``values[offsets[i]:offsets[i + 1]]``.
        sizes: int64 (n, 2), height and width in pixels.
        out_size: height and width to make.
        rule: ``"scipy"`` is ``scipy.ndimage.zoom(map, ..., order=0)``: source
            ``floor(dst * ((n_in - 1) / (n_out - 1)) + 0.5)`` in double; where the product passes
            the last pixel by rounding the output is 0, as scipy's is (that concerns the last row
            or column of some sizes, never of 512 from less than 3000). ``"torch"`` is
            ``interpolate(mode="nearest")``: source ``floor(dst * (n_in / n_out))`` in float32.
        out: optional int32 (n, *out_size) to fill.
        num_threads: threads to use at most.
        backend: which implementation.

    Returns:
        int32 (n, *out_size).

    Raises:
        KernelError: a map without pixels, offsets that do not match the sizes or lie outside
            ``values``, or a label that does not fit in int32; names the map.

    Source: RefHCM, data/mm_data/rpar_dataset.py (the ``gt`` of an item); scipy, ndimage.zoom.
    """
    zoomed = np.empty((len(sizes), *out_size), np.int32) if out is None else out
    index = {"scipy": _scipy, "torch": _torch}[rule]
    for item, (height, width) in enumerate(sizes.tolist()):
        start, stop = offsets[item], offsets[item + 1]
        if not 0 <= start <= stop <= len(values):
            raise KernelError("span_out_of_bounds", item)
        if height < 1 or width < 1 or height * width != stop - start:
            raise KernelError("bad_size", item)
    for item, (height, width) in enumerate(sizes.tolist()):
        rows, columns = index(height, out_size[0])[:, None], index(width, out_size[1])
        flat = np.where((rows < 0) | (columns < 0), -1, rows * width + columns)
        labels = np.where(flat < 0, 0, values[offsets[item] : offsets[item + 1]][flat])
        large = np.flatnonzero(labels.astype(np.int32) != labels)
        if large.size:
            where = int(flat.reshape(-1)[large[0]]) * values.itemsize
            raise KernelError("label_too_large", item, where)
        zoomed[item] = labels
    return zoomed
