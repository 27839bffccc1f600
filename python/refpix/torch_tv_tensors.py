"""Between the kernels' conventions and torchvision's tv_tensors, copying no pixels.

The ops of :mod:`refpix.torch_ops` take tv_tensors as the tensors they are. Kernels have pictures
with channels last and boxes as x, y, width, height; tv_tensors have channels first and boxes that
name their format. Importing this module needs torchvision.
"""

from __future__ import annotations

import torch
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional

from refpix.errors import RleError
from refpix.torch_ops import rle_decode

__all__ = ["boxes_to_xywh", "image_to_pixels", "rle_to_mask", "to_boxes", "to_image", "to_mask"]


def to_image(pixels: torch.Tensor, *, channels_last: bool = True) -> tv_tensors.Image:
    """Pictures as a tv_tensor.

    Args:
        pixels: (..., H, W, C) as of ``image_resize``, or (..., C, H, W) as of ``image_normalize``.
        channels_last: which of the two.

    Returns:
        (..., C, H, W), a view.
    """
    return tv_tensors.Image(pixels.movedim(-1, -3) if channels_last else pixels)


def image_to_pixels(image: torch.Tensor) -> torch.Tensor:
    """The other way round: (..., C, H, W) to (..., H, W, C), contiguous as kernels want it.

    Args:
        image: as :func:`to_image` gives it (then this is a view), or any other (then a copy).
    """
    return image.as_subclass(torch.Tensor).movedim(-3, -1).contiguous()


def to_mask(masks: torch.Tensor) -> tv_tensors.Mask:
    """Masks, mattes, trimaps or label maps as a tv_tensor over the same memory.

    Args:
        masks: (..., H, W).
    """
    return tv_tensors.Mask(masks)


def rle_to_mask(
    counts: torch.Tensor, offsets: torch.Tensor, sizes: torch.Tensor, *, num_threads: int = 1
) -> tv_tensors.Mask:
    """Decodes run lengths of masks of one size.

    Args:
        counts: uint32 (runs,), as of ``rle_encode``.
        offsets: int64 (n + 1,).
        sizes: int64 (n, 2), height and width in pixels, the same of all.
        num_threads: threads to use at most.

    Returns:
        bool (n, H, W); without masks (0, 0, 0).

    Raises:
        RleError: a mask differs in size from the first, or is malformed; names it.
    """
    other = (sizes != sizes[:1]).any(dim=1).nonzero()
    if len(other):
        raise RleError("rle_size_mismatch", int(other[0, 0]))
    height, width = sizes[0].tolist() if len(sizes) else (0, 0)
    pixels, _ = rle_decode(counts, offsets, sizes, dtype="bool", num_threads=num_threads)
    return tv_tensors.Mask(pixels.reshape(len(sizes), height, width))


def to_boxes(
    boxes: torch.Tensor, canvas_size: tuple[int, int], *, format: str = "XYWH"
) -> tv_tensors.BoundingBoxes:
    """Boxes as a tv_tensor over the same memory.

    Args:
        boxes: (n, 4), as of ``rle_bbox`` or ``alpha_bbox``.
        canvas_size: height and width of their picture in pixels.
        format: ``"XYWH"`` as the kernels have it, ``"XYXY"`` or ``"CXCYWH"``.
    """
    return tv_tensors.BoundingBoxes(boxes, format=format, canvas_size=canvas_size)


def boxes_to_xywh(boxes: tv_tensors.BoundingBoxes) -> torch.Tensor:
    """Boxes as ``bbox_iou`` and ``rle_from_bbox`` take them: float64 (n, 4) x, y, width, height."""
    target = tv_tensors.BoundingBoxFormat.XYWH
    plain = boxes.as_subclass(torch.Tensor).double()
    converted: torch.Tensor = functional.convert_bounding_box_format(plain, boxes.format, target)
    return converted
