"""Masks to other sizes, without interpolation."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from refpix.errors import KernelError, RleError
from refpix.kernels._registry import Backend, kernel
from refpix.kernels._rle import Columns, checked_runs, columns, pixels, run_lengths

MaskResizeRule = Literal["torch", "opencv", "pillow"]


def _torch(n_in: int, n_out: int) -> npt.NDArray[np.int64]:
    """The product is rounded to float32."""
    scale = np.float32(n_in) / np.float32(n_out)
    sources: npt.NDArray[np.int64] = (np.arange(n_out, dtype=np.float32) * scale).astype(np.int64)
    return sources


def _opencv(n_in: int, n_out: int) -> npt.NDArray[np.int64]:
    """The scale is the rounded inverse of the rounded factor."""
    return (np.arange(n_out) * (1 / (n_out / n_in))).astype(np.int64)


def _pillow(n_in: int, n_out: int) -> npt.NDArray[np.int64]:
    """Middles of output pixels, each the sum of the one before and the scale."""
    steps = np.full(n_out, n_in / n_out)
    steps[0] *= 0.5
    return np.add.accumulate(steps).astype(np.int64)


_RULES = {"torch": _torch, "opencv": _opencv, "pillow": _pillow}


@kernel
def rle_resize(
    counts: npt.NDArray[np.uint32],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    new_sizes: npt.NDArray[np.int64],
    *,
    rule: MaskResizeRule = "torch",
    num_threads: int = 1,
    backend: Backend = "auto",
) -> Columns:
    """Resize masks, every output pixel showing the nearest source pixel of a library.

    Args:
        counts: uint32 (runs,), all items end to end, background run first.
        offsets: int64 (n + 1,); item i is ``counts[offsets[i]:offsets[i + 1]]``.
        sizes: int64 (n, 2), height and width in pixels.
        new_sizes: int64 (n, 2), height and width to make.
        rule: whose nearest pixel. ``"torch"`` is ``interpolate(size=..., mode="nearest")``: source
            ``floor(dst * (n_in / n_out))`` in float32. ``"opencv"`` is ``cv2.INTER_NEAREST``:
            ``floor(dst * (1 / (n_out / n_in)))`` in double. ``"pillow"`` is ``Image.NEAREST``:
            ``floor((dst + 0.5) * (n_in / n_out))``, the product summed up step by step in double.
            Held to the last source pixel.
        num_threads: threads to use at most.
        backend: which implementation. There is no CUDA one: run lengths live on the host.

    Returns:
        Masks as columns: counts uint32 (runs,), offsets int64 (n + 1,), sizes (new_sizes). Runs are
        never empty but for the first.

    Raises:
        RleError: runs of an item do not sum to height * width, or its new size is out of range;
            names the item.
        KernelError: the old or new size of an item has no pixels; names the item.

    Source: torch 2.13 (interpolate), OpenCV 5.0 (resize), Pillow 13.0 (Image.resize).
    """
    runs = checked_runs(counts, offsets, sizes)
    items = []
    shapes = zip(runs, sizes.tolist(), new_sizes.tolist(), strict=True)
    for item, (item_runs, (height, width), new) in enumerate(shapes):
        if min(new) < 0 or new[0] * new[1] >= 2**62:
            raise RleError("rle_bad_size", item)
        if height * width * new[0] * new[1] == 0:
            raise KernelError("bad_size", item)
        rows, cols = (
            np.minimum(_RULES[rule](n_in, n_out), n_in - 1)
            for n_in, n_out in zip((height, width), new, strict=True)
        )
        mask = pixels(item_runs, height, width)[np.ix_(rows, cols)]
        items.append(run_lengths(mask.astype(np.bool_)))
    return columns(items, new_sizes)
