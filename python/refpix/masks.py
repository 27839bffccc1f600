"""Masks in COCO's dicts, and the same as columns of run lengths.

An RLE dict is ``{"size": [height, width], "counts": ...}``; counts are compressed (``bytes`` or
``str``) or a sequence of run lengths. A :class:`~refpix.types.RleBatch` holds many masks as arrays,
which is what the kernels take; every kernel named ``rle_*`` does as ``kernel(*batch, ...)``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from refpix.errors import RleError
from refpix.kernels import (
    mask_boundary,
    rle_decode,
    rle_encode,
    rle_from_polygon,
    rle_merge,
    rle_overlap,
)
from refpix.kernels._registry import cpu_extension
from refpix.types import RleBatch

__all__ = [
    "Rle",
    "RleBatch",
    "boundary",
    "decode",
    "encode",
    "from_coco",
    "overlap",
    "rasterize",
    "to_coco",
]

#: A mask in COCO's form: ``{"size": [height, width], "counts": bytes | str | sequence of int}``.
Rle = Mapping[str, Any]


def from_coco(rles: Sequence[Rle], *, num_threads: int = 1) -> RleBatch:
    """Columns of RLE dicts.

    Args:
        rles: the dicts; counts may be bytes, str or run lengths, mixed as they come.
        num_threads: threads to use at most.

    Whether the runs fill their pictures is checked by the kernels that take the batch.

    Raises:
        RleError: malformed counts; names the item and the byte.
        KeyError, TypeError, ValueError: a dict that is none of a mask; names the item.
    """
    return RleBatch(*cpu_extension.coco_parse(list(rles), num_threads))


def to_coco(batch: RleBatch, *, num_threads: int = 1) -> list[dict[str, Any]]:
    """RLE dicts of columns: ``{"size": [height, width], "counts": bytes}``, compressed."""
    dicts: list[dict[str, Any]] = cpu_extension.coco_dicts(*batch, num_threads)
    return dicts


def decode(
    masks: Sequence[Rle] | RleBatch,
    *,
    order: Literal["C", "F"] = "C",
    dtype: Literal["uint8", "bool"] = "uint8",
    out: npt.NDArray[Any] | None = None,
    num_threads: int = 1,
) -> npt.NDArray[Any]:
    """Masks of one size as pixels.

    Args:
        masks: RLE dicts or columns; for masks of several sizes use the kernel ``rle_decode``.
        order: memory order of each mask.
        dtype: of the result.
        out: optional array to fill, uint8 or bool (n, height, width), C-contiguous (each mask of
            it is, transposed, in Fortran order if ``order`` says so).
        num_threads: threads to use at most.

    Returns:
        (n, height, width), values 0 and 1. No masks give (0, 0, 0).

    Raises:
        RleError: malformed, or of another size than the first; names the item.
    """
    batch = masks if isinstance(masks, RleBatch) else from_coco(masks, num_threads=num_threads)
    sizes = batch.sizes
    differ = np.flatnonzero((sizes != sizes[:1]).any(axis=1))
    if differ.size:
        raise RleError("rle_size_mismatch", int(differ[0]))
    height, width = (int(side) for side in sizes[0]) if len(sizes) else (0, 0)
    if out is not None and (out.shape != (len(sizes), height, width) or not out.flags.c_contiguous):
        raise ValueError(f"out: expected a C-contiguous array {(len(sizes), height, width)}")
    pixels, _ = rle_decode(
        *batch,
        order=order,
        dtype=dtype,
        out=None if out is None else out.reshape(-1),
        num_threads=num_threads,
    )
    planes: npt.NDArray[Any]
    if order == "F":
        planes = pixels.reshape(len(sizes), width, height).transpose(0, 2, 1)
    else:
        planes = pixels.reshape(len(sizes), height, width)
    return planes


def encode(masks: npt.NDArray[Any], *, num_threads: int = 1) -> RleBatch:
    """Columns of dense masks; what is not 0 is foreground.

    Args:
        masks: uint8 or bool (n, height, width), or (height, width) for one; any strides.
        num_threads: threads to use at most.
    """
    stack = masks[np.newaxis] if masks.ndim == 2 else masks
    return RleBatch(*rle_encode(stack, num_threads=num_threads))


def rasterize(segmentation: Any, height: int, width: int) -> dict[str, Any]:
    """One RLE dict of a COCO annotation's ``segmentation``.

    Args:
        segmentation: a list of polygons (x, y, x, y, ... in pixels), united; or one RLE dict,
            compressed or not.
        height: of the picture, in pixels.
        width: likewise.

    Raises:
        RleError: malformed; ``item`` is the polygon. Also an RLE of another size.
        TypeError: neither a list nor a dict.
    """
    if isinstance(segmentation, Mapping):
        batch = from_coco([segmentation])
        if batch.sizes[0].tolist() != [height, width]:
            raise RleError("rle_size_mismatch", 0)
        return to_coco(batch)[0]
    if not isinstance(segmentation, list | tuple | np.ndarray):
        raise TypeError(
            "a segmentation is a list of polygons or an RLE dict, "
            f"not {type(segmentation).__name__}"
        )
    polygons = [np.asarray(polygon, dtype=np.float64).reshape(-1) for polygon in segmentation]
    offsets = np.cumsum([0, *map(len, polygons)], dtype=np.int64)
    coordinates = np.concatenate(polygons) if polygons else np.empty(0)
    sizes = np.array([[height, width]] * len(polygons), dtype=np.int64).reshape(-1, 2)
    if not polygons:
        return to_coco(RleBatch.from_counts([[height * width]], [(height, width)]))[0]
    parts = rle_from_polygon(coordinates, offsets, sizes)
    groups = np.array([0, len(polygons)], dtype=np.int64)
    return to_coco(RleBatch(*rle_merge(*parts, groups)))[0]


def overlap(a: RleBatch, b: RleBatch, *, num_threads: int = 1) -> npt.NDArray[np.int64]:
    """Item i of one batch against item i of the other.

    Returns:
        int64 (n, 3), pixels: intersection, area in ``a``, area in ``b``.

    Raises:
        RleError: malformed, or the sizes of a pair differ; names the item.
    """
    n = len(a.sizes)
    if len(b.sizes) != n:
        raise ValueError(f"batches of different lengths: {n} and {len(b.sizes)}")
    both = RleBatch(
        np.concatenate([a.counts, b.counts]),
        np.concatenate([a.offsets, a.offsets[-1] + b.offsets[1:]]),
        np.concatenate([a.sizes, b.sizes]),
    )
    pairs = np.stack([np.arange(n), np.arange(n, 2 * n)], axis=1)
    return rle_overlap(*both, pairs, num_threads=num_threads)


def boundary(
    masks: Sequence[Rle] | RleBatch, *, ratio: float = 0.02, num_threads: int = 1
) -> RleBatch:
    """The masks' boundaries, for boundary IoU; see the kernel ``mask_boundary``."""
    dense = decode(masks, num_threads=num_threads)
    return encode(mask_boundary(dense, ratio=ratio, num_threads=num_threads))
