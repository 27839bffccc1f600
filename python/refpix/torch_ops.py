"""The kernels as custom ops of torch: ``torch.ops.refpix.<kernel>``, and here as functions.

An op takes what its kernel takes, tensors for arrays, and gives tensors; CPU tensors are read where
they lie, and results are not copied. All return new tensors: there is no ``out=``, and only
``alpha_occlude`` changes an argument, as it says in its schema. Fake kernels let torch trace and
compile programs whole (``torch.compile(fullgraph=True)``). None has a gradient.

A line here says what an op's results look like; :func:`refpix.torch_custom_op.op` reads the rest
off the kernel. To add a kernel, add its line.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from refpix import kernels
from refpix.torch_custom_op import Arguments, op

Tensors = tuple[torch.Tensor, ...]


def _masks(a: Arguments, count: int) -> Tensors:
    """Masks as columns: counts, offsets, sizes."""
    return *_items(a, "uint32", count), a.empty("int64", count, 2)


def _items(a: Arguments, dtype: str, count: int) -> Tensors:
    """Ragged items end to end, and their offsets."""
    return a.empty(dtype, a.unknown()), a.empty("int64", count + 1)


def _sums(a: Arguments, *shape: int) -> torch.Tensor:
    """Sums by region: background, transition, foreground."""
    return a.empty("float64", *shape, 3)


def _pictures(a: Arguments, count: int, size: Sequence[int]) -> torch.Tensor:
    """Normalised pictures of one size."""
    return a.empty(a.dtype, count, *((*size, 3) if a.channels_last else (3, *size)))


# Pictures and bytes

base64_decode = op(kernels.base64_decode, lambda a: _items(a, "uint8", a.spans.shape[0]))
image_batch = op(
    kernels.image_batch,
    lambda a: (
        a.empty(a.dtype, a.spans.shape[0], 3, *a.size),
        a.empty("int64", a.spans.shape[0], 2),
        a.empty("int64", a.spans.shape[0], 2),
    ),
)
image_color_jitter = op(kernels.image_color_jitter, lambda a: a.empty("uint8", *a.images.shape))
image_crop = op(
    kernels.image_crop,
    lambda a: a.empty(a.images.dtype, a.images.shape[0], *a.size, *a.images.shape[3:]),
)
image_flip = op(kernels.image_flip, lambda a: a.empty(a.images.dtype, *a.images.shape))
image_lookup = op(kernels.image_lookup, lambda a: a.empty("uint8", *a.images.shape))
image_noise = op(kernels.image_noise, lambda a: a.empty("uint8", *a.images.shape))
image_normalize = op(
    kernels.image_normalize,
    lambda a: _pictures(a, a.images.shape[0], a.images.shape[1:3]),
)
image_resize = op(
    kernels.image_resize,
    lambda a: a.empty("uint8", a.sizes.shape[0], *a.out_size, a.channels),
)
image_resize_normalize = op(
    kernels.image_resize_normalize,
    lambda a: _pictures(a, a.sizes.shape[0], a.out_size),
)
image_resize_opencv = op(
    kernels.image_resize_opencv,
    lambda a: a.empty("uint8", a.images.shape[0], *a.size, a.images.shape[3]),
)
jpeg_decode = op(
    kernels.jpeg_decode,
    lambda a: (*_items(a, "uint8", a.spans.shape[0]), a.empty("int64", a.spans.shape[0], 2)),
)
jpeg_encode = op(kernels.jpeg_encode, lambda a: _items(a, "uint8", a.images.shape[0]))
png_unfilter = op(
    kernels.png_unfilter,
    lambda a: a.empty("uint8", a.rows.shape[0], a.rows.shape[1] - 1),
)
tsv_index = op(kernels.tsv_index, lambda a: a.empty("int64", a.unknown()))
tsv_split = op(
    kernels.tsv_split,
    lambda a: a.empty(
        "int64", a.spans.shape[0], a.unknown() if a.columns is None else len(a.columns), 2
    ),
)

# Parsing

confusion_matrix = op(
    kernels.confusion_matrix, lambda a: a.empty("int64", a.num_labels, a.num_labels)
)
label_zoom = op(kernels.label_zoom, lambda a: a.empty("int32", a.sizes.shape[0], *a.out_size))
parsing_paste = op(kernels.parsing_paste, lambda a: a.empty("uint8", a.boxes.shape[0], *a.size))
parsing_unpack = op(
    kernels.parsing_unpack,
    lambda a: (
        a.empty("int32", 48 * a.spans.shape[0] if a.strict else a.unknown()),
        a.empty("int64", a.spans.shape[0] + 1),
    ),
)

# Mattes

alpha_bbox = op(kernels.alpha_bbox, lambda a: a.empty("int64", a.mattes.shape[0], 4))
alpha_composite = op(
    kernels.alpha_composite, lambda a: a.empty(a.backgrounds.dtype, *a.backgrounds.shape)
)
alpha_connectivity = op(kernels.alpha_connectivity, lambda a: _sums(a, a.pred.shape[0]))
alpha_errors = op(
    kernels.alpha_errors,
    lambda a: (
        a.empty("int64", a.pred.shape[0], 3),
        _sums(a, a.pred.shape[0]),
        _sums(a, a.pred.shape[0]),
    ),
)
alpha_gradient = op(kernels.alpha_gradient, lambda a: _sums(a, a.pred.shape[0]))
alpha_occlude = op(kernels.alpha_occlude, lambda a: a.empty("float64", a.index + 1, 2))
alpha_quantize = op(kernels.alpha_quantize, lambda a: a.empty("uint8", *a.planes.shape))
alpha_temporal = op(
    kernels.alpha_temporal,
    lambda a: (
        a.empty("int64", a.pred.shape[0] - 1, a.pred.shape[1], 3),
        _sums(a, a.pred.shape[0] - 1, a.pred.shape[1]),
    ),
)
largest_component = op(kernels.largest_component, lambda a: a.empty(a.alpha.dtype, *a.alpha.shape))
trimap_from_alpha = op(kernels.trimap_from_alpha, lambda a: a.empty("uint8", *a.alpha.shape))

# Masks and boxes

bbox_iou = op(kernels.bbox_iou, lambda a: a.empty("float64", a.dt.shape[0], a.gt.shape[0]))
mask_boundary = op(kernels.mask_boundary, lambda a: a.empty("uint8", *a.masks.shape))
rle_area = op(kernels.rle_area, lambda a: a.empty("int64", a.sizes.shape[0]))
rle_bbox = op(kernels.rle_bbox, lambda a: a.empty("int64", a.sizes.shape[0], 4))
rle_crop = op(kernels.rle_crop, lambda a: _masks(a, a.sizes.shape[0]))
rle_decode = op(kernels.rle_decode, lambda a: _items(a, a.dtype, a.sizes.shape[0]))
rle_encode = op(kernels.rle_encode, lambda a: _masks(a, a.masks.shape[0]))
rle_flip = op(kernels.rle_flip, lambda a: _masks(a, a.sizes.shape[0]))
rle_from_bbox = op(kernels.rle_from_bbox, lambda a: _masks(a, a.sizes.shape[0]))
rle_from_polygon = op(kernels.rle_from_polygon, lambda a: _masks(a, a.sizes.shape[0]))
rle_from_string = op(kernels.rle_from_string, lambda a: _items(a, "uint32", a.spans.shape[0]))
rle_iou = op(
    kernels.rle_iou, lambda a: a.empty("float64", a.dt_sizes.shape[0], a.gt_sizes.shape[0])
)
rle_merge = op(kernels.rle_merge, lambda a: _masks(a, a.groups.shape[0] - 1))
rle_overlap = op(kernels.rle_overlap, lambda a: a.empty("int64", a.pairs.shape[0], 3))
rle_resize = op(kernels.rle_resize, lambda a: _masks(a, a.sizes.shape[0]))
rle_to_string = op(kernels.rle_to_string, lambda a: _items(a, "uint8", a.offsets.shape[0] - 1))

# Long-tailed sets

balanced_select = op(
    kernels.balanced_select, lambda a: a.empty("int64", a.offsets.shape[0] - 1, a.count)
)
