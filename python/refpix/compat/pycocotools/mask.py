"""pycocotools.mask, function for function, several times faster.

Signatures, types, memory orders and results are those of pycocotools 2.0.11, byte for byte. What it
crashes on, never returns from, or answers with garbage is an error here that names the item (a
ValueError, unless the type is wrong: TypeError, KeyError); docs/compat-pycocotools.md lists each.
More is taken: counts as bytes, str or run lengths everywhere, masks in any memory order and as
bool, and two keyword arguments, ``out`` of :func:`decode` and ``num_threads``.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import numpy.typing as npt

from refpix.kernels._registry import cpu_extension

__all__ = ["area", "decode", "encode", "frPyObjects", "iou", "merge", "toBbox"]

Rle = dict[str, Any]


def _listed(rles: Any) -> Any:
    """As the extension wants it: a list or a tuple."""
    return rles if isinstance(rles, list | tuple) else list(rles)


def _whole(side: Any) -> int:
    """A height or width, which JSON may give as a float."""
    if isinstance(side, float | np.floating) and float(side).is_integer():
        return int(side)
    return operator.index(side)


def encode(bimask: npt.NDArray[Any], *, num_threads: int = 1) -> Any:
    """Encode masks as run lengths.

    Args:
        bimask: uint8 or bool (height, width) or (height, width, n), any strides. A run ends where
            the byte changes; values other than 0 and 1 are fine as long as there are two.
        num_threads: threads to use at most.

    Returns:
        An RLE dict, ``{"size": [height, width], "counts": bytes}``, or a list of n of them.
    """
    return cpu_extension.coco_encode(bimask, num_threads)


def decode(
    rleObjs: Any, *, out: npt.NDArray[Any] | None = None, num_threads: int = 1
) -> npt.NDArray[Any]:
    """Decode run lengths into masks.

    Args:
        rleObjs: an RLE dict, or a list of them, all of one size.
        out: optional uint8 or bool array to fill, (height, width) or (height, width, n), each mask
            contiguous in C or Fortran order. Fresh memory costs more than the decoding.
        num_threads: threads to use at most.

    Returns:
        uint8 (height, width) or (height, width, n), values 0 and 1, Fortran order; or ``out``.

    Raises:
        RleError: malformed run lengths, or sizes that differ; names the item.
        ValueError: no masks: their size is unknown.
    """
    if isinstance(rleObjs, dict):
        single: npt.NDArray[Any] = cpu_extension.coco_decode(rleObjs, out, 1)
        return single
    stack: npt.NDArray[Any] = cpu_extension.coco_decode(_listed(rleObjs), out, num_threads)
    return stack


def area(rleObjs: Any, *, num_threads: int = 1) -> Any:
    """Foreground pixels: uint32 (n,), or one uint32 for an RLE that is no list.

    Raises:
        RleError: malformed, or the area does not fit in 32 bits; names the item.
    """
    if isinstance(rleObjs, dict):
        return cpu_extension.coco_area((rleObjs,), 1)[0]
    return cpu_extension.coco_area(_listed(rleObjs), num_threads)


def toBbox(rleObjs: Any, *, num_threads: int = 1) -> npt.NDArray[np.float64]:
    """Bounding boxes: float64 (n, 4) x, y, width, height; (4,) for an RLE that is no list.

    An empty mask has 0, 0, 0, 0.
    """
    single = isinstance(rleObjs, dict)
    boxes: npt.NDArray[np.float64] = cpu_extension.coco_bbox(
        (rleObjs,) if single else _listed(rleObjs), num_threads
    )
    return boxes[0] if single else boxes


def merge(rleObjs: Any, intersect: Any = 0) -> Rle:
    """Union, or intersection, of masks of one size. Of none: size [0, 0] and no runs."""
    merged: Rle = cpu_extension.coco_merge(_listed(rleObjs), intersect)
    return merged


def iou(dt: Any, gt: Any, pyiscrowd: Any, *, num_threads: int = 1) -> Any:
    """Intersection over union of every detection with every ground truth.

    Args:
        dt: m RLE dicts, or m boxes (x, y, width, height) as lists or as an array (m, 4).
        gt: n likewise, of the same kind.
        pyiscrowd: n flags; with a crowd the detection's area stands for the union.
        num_threads: threads to use at most.

    Returns:
        float64 (m, n), Fortran order; -1 where masks that might overlap differ in size. An empty
        list if m or n is 0.
    """
    iscrowd = np.array(pyiscrowd, dtype=np.uint8)
    if iscrowd.ndim != 1:
        raise ValueError(f"iscrowd: expected one flag for each of gt, got shape {iscrowd.shape}")
    if len(iscrowd) != len(gt):
        raise AssertionError("iou(iscrowd=) must have the same length as gt")
    if len(dt) == 0 or len(gt) == 0:
        return []
    if _are_rles(dt) and _are_rles(gt):
        return cpu_extension.coco_iou(dt, gt, iscrowd, num_threads)
    if _are_rles(dt) or _are_rles(gt):
        raise ValueError("dt and gt must both be RLEs or both be boxes")
    return cpu_extension.coco_box_iou(_boxes(dt), _boxes(gt), iscrowd, num_threads=num_threads)


def _are_rles(objects: Any) -> bool:
    return isinstance(objects, list | tuple) and isinstance(objects[0], dict)


def _boxes(objects: Any) -> npt.NDArray[np.float64]:
    """Boxes as the extension wants them: float64 (n, 4), C order."""
    if not isinstance(objects, list | tuple | np.ndarray):
        raise TypeError(f"expected RLE dicts or boxes, got {type(objects).__name__}")
    try:
        boxes = np.ascontiguousarray(objects, dtype=np.float64)
    except OverflowError as error:
        raise ValueError(f"boxes: {error}") from error
    if boxes.ndim == 1 and len(boxes) == 4:
        boxes = boxes[np.newaxis]
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"boxes: expected shape (n, 4), got {boxes.shape}")
    return boxes


def frPyObjects(pyobj: Any, h: float, w: float, *, num_threads: int = 1) -> Any:
    """RLE dicts of boxes, polygons or uncompressed RLEs.

    Args:
        pyobj: boxes as an array (n, 4) or lists of 4 numbers; polygons x, y, x, y, ... as lists of
            more than 4; RLE dicts, compressed or not; or one of these alone.
        h: height of the picture in pixels. RLE dicts have their own.
        w: width likewise.
        num_threads: threads to use at most.

    Returns:
        A list of RLE dicts; one dict for a dict, or for a list of numbers.

    Raises:
        RleError: malformed; names the item.
        ValueError: nothing of the kinds above.
    """
    h, w = _whole(h), _whole(w)
    if isinstance(pyobj, np.ndarray) and pyobj.ndim == 2:
        return cpu_extension.coco_from_boxes(_boxes(pyobj), h, w, num_threads=num_threads)
    if isinstance(pyobj, dict):
        return cpu_extension.coco_recode((pyobj,), num_threads)[0]
    if not isinstance(pyobj, list | tuple) or len(pyobj) == 0:
        raise ValueError("expected boxes, polygons or RLE dicts")
    first = pyobj[0]
    if isinstance(first, dict):
        return cpu_extension.coco_recode(pyobj, num_threads)
    if not hasattr(first, "__len__"):
        return frPyObjects([list(pyobj)], h, w)[0]
    if len(first) == 4:
        return cpu_extension.coco_from_boxes(_boxes(pyobj), h, w, num_threads=num_threads)
    if len(first) < 4:
        raise ValueError("item 0: a box has 4 numbers, a polygon more")
    return cpu_extension.coco_from_polygons(list(pyobj), h, w, num_threads=num_threads)
