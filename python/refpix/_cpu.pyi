# Written by tools/stubs.py (make stubs) from the built module.
"""
CPU kernels of refpix. Use refpix.kernels, which documents them.
"""

from __future__ import annotations
import numpy
import numpy.typing
import typing

__all__: list[str] = [
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
    "bbox_iou",
    "coco_area",
    "coco_bbox",
    "coco_box_iou",
    "coco_decode",
    "coco_dicts",
    "coco_encode",
    "coco_from_boxes",
    "coco_from_polygons",
    "coco_iou",
    "coco_merge",
    "coco_parse",
    "coco_recode",
    "confusion_matrix",
    "fault_name",
    "image_batch",
    "image_color_jitter",
    "image_crop",
    "image_flip",
    "image_lookup",
    "image_noise",
    "image_normalize",
    "image_resize",
    "image_resize_normalize",
    "image_resize_opencv",
    "jpeg_decode",
    "jpeg_decode_items",
    "jpeg_encode",
    "jpeg_routes",
    "label_zoom",
    "largest_component",
    "machine_isa",
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
    "set_isa",
    "trimap_from_alpha",
    "tsv_index",
    "tsv_split",
]

def active_isa() -> str: ...
def alpha_bbox(mattes: typing.Any, *, num_threads: int) -> numpy.typing.NDArray[numpy.int64]: ...
def alpha_composite(
    backgrounds: typing.Any,
    foregrounds: typing.Any,
    mattes: typing.Any,
    *,
    positions: typing.Any,
    mode: str,
    out: typing.Any,
    num_threads: int,
) -> numpy.ndarray: ...
def alpha_connectivity(
    pred: typing.Any, gt: typing.Any, *, trimap: typing.Any, num_threads: int
) -> numpy.typing.NDArray[numpy.float64]: ...
def alpha_errors(
    pred: typing.Any, gt: typing.Any, *, trimap: typing.Any, num_threads: int
) -> tuple[
    numpy.typing.NDArray[numpy.int64],
    numpy.typing.NDArray[numpy.float64],
    numpy.typing.NDArray[numpy.float64],
]: ...
def alpha_gradient(
    pred: typing.Any,
    gt: typing.Any,
    *,
    trimap: typing.Any,
    normalize: str,
    padding: str,
    num_threads: int,
) -> numpy.typing.NDArray[numpy.float64]: ...
def alpha_occlude(
    stack: typing.Any,
    front: typing.Any,
    *,
    index: int,
    position: tuple[int, int],
    boxes: typing.Any,
    write: bool,
    num_threads: int,
) -> numpy.typing.NDArray[numpy.float64]: ...
def alpha_quantize(
    planes: typing.Any, *, boxes: typing.Any, out: typing.Any, num_threads: int
) -> numpy.typing.NDArray[numpy.uint8]: ...
def alpha_temporal(
    pred: typing.Any, gt: typing.Any, *, trimap: typing.Any, num_threads: int
) -> tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.float64]]: ...
def balanced_select(
    vectors: typing.Any, rows: typing.Any, offsets: typing.Any, *, count: int, num_threads: int
) -> numpy.typing.NDArray[numpy.int64]: ...
def base64_decode(
    values: typing.Any,
    spans: typing.Any,
    *,
    strict: bool,
    repair_padding: bool,
    out: typing.Any,
    num_threads: int,
) -> tuple[numpy.typing.NDArray[numpy.uint8], numpy.typing.NDArray[numpy.int64]]: ...
def bbox_iou(
    dt: typing.Any, gt: typing.Any, iscrowd: typing.Any, *, num_threads: int
) -> numpy.typing.NDArray[numpy.float64]: ...
def coco_area(rles: typing.Any, num_threads: typing.Any, /) -> typing.Any: ...
def coco_bbox(rles: typing.Any, num_threads: typing.Any, /) -> typing.Any: ...
def coco_box_iou(
    dt: typing.Any, gt: typing.Any, iscrowd: typing.Any, *, num_threads: int
) -> numpy.typing.NDArray[numpy.float64]: ...
def coco_decode(rles: typing.Any, out: typing.Any, num_threads: typing.Any, /) -> typing.Any: ...
def coco_dicts(
    counts: typing.Any, offsets: typing.Any, sizes: typing.Any, num_threads: typing.Any, /
) -> typing.Any: ...
def coco_encode(masks: typing.Any, num_threads: typing.Any, /) -> typing.Any: ...
def coco_from_boxes(
    boxes: typing.Any, height: int, width: int, *, num_threads: int
) -> typing.Any: ...
def coco_from_polygons(
    polygons: typing.Any, height: int, width: int, *, num_threads: int
) -> typing.Any: ...
def coco_iou(
    dt: typing.Any, gt: typing.Any, iscrowd: typing.Any, num_threads: typing.Any, /
) -> typing.Any: ...
def coco_merge(rles: typing.Any, intersect: typing.Any, /) -> typing.Any: ...
def coco_parse(rles: typing.Any, num_threads: typing.Any, /) -> typing.Any: ...
def coco_recode(rles: typing.Any, num_threads: typing.Any, /) -> typing.Any: ...
def confusion_matrix(
    pred: typing.Any,
    gt: typing.Any,
    *,
    num_labels: int,
    ignore: int,
    out: typing.Any,
    num_threads: int,
) -> numpy.typing.NDArray[numpy.int64]: ...
def fault_name(arg0: int) -> str: ...
def image_batch(
    values: typing.Any,
    spans: typing.Any,
    *,
    encoding: str,
    size: tuple[int, int],
    filter: str,
    order: str,
    mean: typing.Any,
    std: typing.Any,
    dtype: str,
    allow_truncated: bool,
    pixel_limit: int | None,
    out: typing.Any,
    num_threads: int,
) -> tuple[numpy.ndarray, numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int64]]: ...
def image_color_jitter(
    images: typing.Any,
    factors: typing.Any,
    *,
    orders: typing.Any,
    out: typing.Any,
    num_threads: int,
) -> numpy.ndarray: ...
def image_crop(
    images: typing.Any,
    corners: typing.Any,
    *,
    size: tuple[int, int],
    pad: float | None,
    out: typing.Any,
    num_threads: int,
) -> numpy.ndarray: ...
def image_flip(
    images: typing.Any, flips: typing.Any, *, out: typing.Any, num_threads: int
) -> numpy.ndarray: ...
def image_lookup(
    images: typing.Any, tables: typing.Any, *, out: typing.Any, num_threads: int
) -> numpy.ndarray: ...
def image_noise(
    images: typing.Any, sigmas: typing.Any, keys: typing.Any, *, out: typing.Any, num_threads: int
) -> numpy.ndarray: ...
def image_normalize(
    images: typing.Any,
    *,
    mean: typing.Any,
    std: typing.Any,
    dtype: str,
    channels_last: bool,
    out: typing.Any,
    num_threads: int,
) -> numpy.ndarray: ...
def image_resize(
    pixels: typing.Any,
    offsets: typing.Any,
    sizes: typing.Any,
    *,
    out_size: tuple[int, int],
    channels: int,
    filter: str,
    order: str,
    out: typing.Any,
    num_threads: int,
) -> numpy.typing.NDArray[numpy.uint8]: ...
def image_resize_normalize(
    pixels: typing.Any,
    offsets: typing.Any,
    sizes: typing.Any,
    *,
    out_size: tuple[int, int],
    filter: str,
    order: str,
    mean: typing.Any,
    std: typing.Any,
    dtype: str,
    channels_last: bool,
    out: typing.Any,
    num_threads: int,
) -> numpy.ndarray: ...
def image_resize_opencv(
    images: typing.Any, *, size: tuple[int, int], out: typing.Any, num_threads: int
) -> numpy.typing.NDArray[numpy.uint8]: ...
def jpeg_decode(
    values: typing.Any,
    spans: typing.Any,
    *,
    roi: typing.Any,
    scale_denom: int,
    allow_truncated: bool,
    pixel_limit: int,
    scan_limit: int,
    out: typing.Any,
    num_threads: int,
) -> typing.Any: ...
def jpeg_decode_items(
    values: typing.Any,
    spans: typing.Any,
    sizes: typing.Any,
    offsets: typing.Any,
    out: typing.Any,
    *,
    roi: typing.Any,
    allow_truncated: bool,
    pixel_limit: int,
    num_threads: int,
) -> numpy.typing.NDArray[numpy.int64]: ...
def jpeg_encode(
    images: typing.Any, *, quality: int, canvas: typing.Any, positions: typing.Any, num_threads: int
) -> tuple[numpy.typing.NDArray[numpy.uint8], numpy.typing.NDArray[numpy.int64]]: ...
def jpeg_routes(
    values: typing.Any,
    spans: typing.Any,
    *,
    roi: typing.Any,
    allow_truncated: bool,
    pixel_limit: int,
    num_threads: int,
) -> tuple[
    numpy.typing.NDArray[numpy.int64],
    numpy.typing.NDArray[numpy.int64],
    numpy.typing.NDArray[numpy.int64],
    numpy.typing.NDArray[numpy.uint8],
    numpy.typing.NDArray[numpy.uint8],
    numpy.typing.NDArray[numpy.int64],
]: ...
def label_zoom(
    values: typing.Any,
    offsets: typing.Any,
    sizes: typing.Any,
    *,
    out_size: tuple[int, int],
    rule: str,
    out: typing.Any,
    num_threads: int,
) -> numpy.typing.NDArray[numpy.int32]: ...
def largest_component(
    alpha: typing.Any, *, threshold: float, connectivity: int, out: typing.Any, num_threads: int
) -> numpy.ndarray: ...
def machine_isa() -> str: ...
def mask_boundary(
    masks: typing.Any, *, distance: typing.Any, ratio: float, out: typing.Any, num_threads: int
) -> numpy.typing.NDArray[numpy.uint8]: ...
def parsing_paste(
    boxes: typing.Any, maps: typing.Any, *, size: tuple[int, int], out: typing.Any, num_threads: int
) -> numpy.typing.NDArray[numpy.uint8]: ...
def parsing_unpack(
    values: typing.Any, spans: typing.Any, *, strict: bool, num_threads: int
) -> tuple[numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.int64]]: ...
def png_unfilter(
    rows: typing.Any, *, pixel_bytes: int, out: typing.Any
) -> numpy.typing.NDArray[numpy.uint8]: ...
def rle_area(
    counts: typing.Any, offsets: typing.Any, sizes: typing.Any, *, num_threads: int
) -> numpy.typing.NDArray[numpy.int64]: ...
def rle_bbox(
    counts: typing.Any, offsets: typing.Any, sizes: typing.Any, *, num_threads: int
) -> numpy.typing.NDArray[numpy.int64]: ...
def rle_crop(
    counts: typing.Any,
    offsets: typing.Any,
    sizes: typing.Any,
    boxes: typing.Any,
    *,
    num_threads: int,
) -> tuple[
    numpy.typing.NDArray[numpy.uint32],
    numpy.typing.NDArray[numpy.int64],
    numpy.typing.NDArray[numpy.int64],
]: ...
def rle_decode(
    counts: typing.Any,
    offsets: typing.Any,
    sizes: typing.Any,
    *,
    order: str,
    dtype: str,
    out: typing.Any,
    num_threads: int,
) -> tuple[numpy.ndarray, numpy.typing.NDArray[numpy.int64]]: ...
def rle_encode(
    masks: typing.Any, *, rule: str, num_threads: int
) -> tuple[
    numpy.typing.NDArray[numpy.uint32],
    numpy.typing.NDArray[numpy.int64],
    numpy.typing.NDArray[numpy.int64],
]: ...
def rle_flip(
    counts: typing.Any, offsets: typing.Any, sizes: typing.Any, *, axis: str, num_threads: int
) -> tuple[
    numpy.typing.NDArray[numpy.uint32],
    numpy.typing.NDArray[numpy.int64],
    numpy.typing.NDArray[numpy.int64],
]: ...
def rle_from_bbox(
    boxes: typing.Any, sizes: typing.Any, *, num_threads: int
) -> tuple[
    numpy.typing.NDArray[numpy.uint32],
    numpy.typing.NDArray[numpy.int64],
    numpy.typing.NDArray[numpy.int64],
]: ...
def rle_from_polygon(
    coordinates: typing.Any, offsets: typing.Any, sizes: typing.Any, *, num_threads: int
) -> tuple[
    numpy.typing.NDArray[numpy.uint32],
    numpy.typing.NDArray[numpy.int64],
    numpy.typing.NDArray[numpy.int64],
]: ...
def rle_from_string(
    values: typing.Any, spans: typing.Any, *, num_threads: int
) -> tuple[numpy.typing.NDArray[numpy.uint32], numpy.typing.NDArray[numpy.int64]]: ...
def rle_iou(
    dt_counts: typing.Any,
    dt_offsets: typing.Any,
    dt_sizes: typing.Any,
    gt_counts: typing.Any,
    gt_offsets: typing.Any,
    gt_sizes: typing.Any,
    iscrowd: typing.Any,
    *,
    strict: bool,
    num_threads: int,
) -> numpy.typing.NDArray[numpy.float64]: ...
def rle_merge(
    counts: typing.Any,
    offsets: typing.Any,
    sizes: typing.Any,
    groups: typing.Any,
    *,
    intersect: bool,
    num_threads: int,
) -> tuple[
    numpy.typing.NDArray[numpy.uint32],
    numpy.typing.NDArray[numpy.int64],
    numpy.typing.NDArray[numpy.int64],
]: ...
def rle_overlap(
    counts: typing.Any,
    offsets: typing.Any,
    sizes: typing.Any,
    pairs: typing.Any,
    *,
    num_threads: int,
) -> numpy.typing.NDArray[numpy.int64]: ...
def rle_resize(
    counts: typing.Any,
    offsets: typing.Any,
    sizes: typing.Any,
    new_sizes: typing.Any,
    *,
    rule: str,
    num_threads: int,
) -> tuple[
    numpy.typing.NDArray[numpy.uint32],
    numpy.typing.NDArray[numpy.int64],
    numpy.typing.NDArray[numpy.int64],
]: ...
def rle_to_string(
    counts: typing.Any, offsets: typing.Any, *, num_threads: int
) -> tuple[numpy.typing.NDArray[numpy.uint8], numpy.typing.NDArray[numpy.int64]]: ...
def set_isa(arg0: str) -> None: ...
def trimap_from_alpha(
    alpha: typing.Any,
    *,
    size: int,
    iterations: int,
    foreground: float | None,
    out: typing.Any,
    num_threads: int,
) -> numpy.typing.NDArray[numpy.uint8]: ...
def tsv_index(values: typing.Any, *, num_threads: int) -> numpy.typing.NDArray[numpy.int64]: ...
def tsv_split(
    values: typing.Any, spans: typing.Any, *, columns: typing.Any, allow_cr: bool, num_threads: int
) -> numpy.typing.NDArray[numpy.int64]: ...
