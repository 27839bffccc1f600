"""The kernels: one name each, a readable reference and native implementations.

Every kernel takes ``backend=`` and lists what can run here with ``kernel.backends()``.
"""

from refpix.kernels._alpha_bbox import alpha_bbox
from refpix.kernels._alpha_composite import alpha_composite
from refpix.kernels._alpha_connectivity import alpha_connectivity
from refpix.kernels._alpha_errors import alpha_errors
from refpix.kernels._alpha_gradient import alpha_gradient
from refpix.kernels._alpha_occlude import alpha_occlude
from refpix.kernels._alpha_quantize import alpha_quantize
from refpix.kernels._alpha_temporal import alpha_temporal
from refpix.kernels._balanced_select import balanced_select
from refpix.kernels._base64_decode import base64_decode
from refpix.kernels._base64_items import base64_decode_each, base64_room
from refpix.kernels._bbox_iou import bbox_iou
from refpix.kernels._confusion_matrix import confusion_matrix
from refpix.kernels._image_batch import image_batch
from refpix.kernels._image_color_jitter import image_color_jitter
from refpix.kernels._image_crop import image_crop
from refpix.kernels._image_flip import image_flip
from refpix.kernels._image_gamma import gamma_tables, image_gamma
from refpix.kernels._image_lookup import image_lookup
from refpix.kernels._image_noise import image_noise
from refpix.kernels._image_normalize import image_normalize
from refpix.kernels._image_resize import image_resize
from refpix.kernels._image_resize_normalize import image_resize_normalize
from refpix.kernels._image_resize_opencv import image_resize_opencv
from refpix.kernels._jpeg_decode import jpeg_decode
from refpix.kernels._jpeg_encode import jpeg_encode
from refpix.kernels._label_zoom import label_zoom
from refpix.kernels._largest_component import largest_component
from refpix.kernels._mask_boundary import mask_boundary
from refpix.kernels._parsing_paste import parsing_paste
from refpix.kernels._parsing_unpack import parsing_unpack
from refpix.kernels._png_unfilter import png_unfilter
from refpix.kernels._registry import Backend, Isa, Kernel, active_isa, fault_name, isas, use_isa
from refpix.kernels._rle_area import rle_area
from refpix.kernels._rle_bbox import rle_bbox
from refpix.kernels._rle_crop import rle_crop
from refpix.kernels._rle_decode import rle_decode
from refpix.kernels._rle_encode import rle_encode
from refpix.kernels._rle_flip import rle_flip
from refpix.kernels._rle_from_bbox import rle_from_bbox
from refpix.kernels._rle_from_polygon import rle_from_polygon
from refpix.kernels._rle_from_string import rle_from_string
from refpix.kernels._rle_iou import rle_iou
from refpix.kernels._rle_merge import rle_merge
from refpix.kernels._rle_overlap import rle_overlap
from refpix.kernels._rle_resize import rle_resize
from refpix.kernels._rle_to_string import rle_to_string
from refpix.kernels._threads import cpu_count
from refpix.kernels._trimap_from_alpha import trimap_from_alpha
from refpix.kernels._tsv_index import tsv_index
from refpix.kernels._tsv_split import tsv_split

__all__ = [
    "Backend",
    "Isa",
    "Kernel",
    "active_isa",
    "alpha_bbox",
    "alpha_composite",
    "alpha_connectivity",
    "alpha_errors",
    "alpha_gradient",
    "alpha_occlude",
    "alpha_quantize",
    "alpha_temporal",
    "balanced_select",
    "base64_decode",
    "base64_decode_each",
    "base64_room",
    "bbox_iou",
    "confusion_matrix",
    "cpu_count",
    "fault_name",
    "gamma_tables",
    "image_batch",
    "image_color_jitter",
    "image_crop",
    "image_flip",
    "image_gamma",
    "image_lookup",
    "image_noise",
    "image_normalize",
    "image_resize",
    "image_resize_normalize",
    "image_resize_opencv",
    "isas",
    "jpeg_decode",
    "jpeg_encode",
    "label_zoom",
    "largest_component",
    "mask_boundary",
    "parsing_paste",
    "parsing_unpack",
    "png_unfilter",
    "rle_area",
    "rle_bbox",
    "rle_crop",
    "rle_decode",
    "rle_encode",
    "rle_flip",
    "rle_from_bbox",
    "rle_from_polygon",
    "rle_from_string",
    "rle_iou",
    "rle_merge",
    "rle_overlap",
    "rle_resize",
    "rle_to_string",
    "trimap_from_alpha",
    "tsv_index",
    "tsv_split",
    "use_isa",
]
