# Written by tools/stubs.py (make stubs) from the built module.
"""
CUDA kernels of refpix. Use refpix.kernels and refpix.cuda.
"""

from __future__ import annotations
import collections.abc
import typing

__all__: list[str] = [
    "NvjpegDecoder",
    "alpha_composite",
    "alpha_occlude",
    "architectures",
    "confusion_matrix",
    "device_count",
    "device_name",
    "image_color_jitter",
    "image_crop",
    "image_flip",
    "image_lookup",
    "image_noise",
    "image_normalize",
    "image_resize",
    "image_resize_normalize",
    "label_zoom",
    "parsing_paste",
    "parsing_unpack",
    "probe",
    "raise_faults",
    "rle_decode",
    "rle_encode",
    "rle_iou",
    "runtime_version",
]

class NvjpegDecoder:
    """
    For refpix.cuda.JpegDecoder.
    """
    def __init__(
        self,
        paths: collections.abc.Sequence[str],
        *,
        device: int,
        hardware: bool,
        threads: int,
        staging_bytes: int,
    ) -> None: ...
    def best_engine(self) -> int: ...
    def close(self) -> None: ...
    def decode(
        self,
        values: typing.Any,
        spans: typing.Any,
        *,
        pictures: typing.Any,
        sizes: typing.Any,
        roi: typing.Any,
        engines: typing.Any,
        offsets: typing.Any,
        pixels: int,
        pixel_bytes: int,
        stream: int,
        done: typing.Any,
    ) -> None: ...
    def library(self) -> str: ...
    def pools(self) -> dict[str, int]: ...

def alpha_composite(
    backgrounds: typing.Any,
    foregrounds: typing.Any,
    mattes: typing.Any,
    *,
    positions: typing.Any,
    mode: str,
    out: typing.Any,
    num_threads: int,
) -> typing.Any: ...
def alpha_occlude(
    stack: typing.Any,
    front: typing.Any,
    *,
    index: int,
    position: tuple[int, int],
    boxes: typing.Any,
    write: bool,
    num_threads: int,
) -> typing.Any: ...
def architectures() -> str: ...
def confusion_matrix(
    pred: typing.Any,
    gt: typing.Any,
    *,
    num_labels: int,
    ignore: int,
    out: typing.Any,
    num_threads: int,
) -> typing.Any: ...
def device_count() -> int: ...
def device_name(index: int) -> str: ...
def image_color_jitter(
    images: typing.Any,
    factors: typing.Any,
    *,
    orders: typing.Any,
    out: typing.Any,
    num_threads: int,
) -> typing.Any: ...
def image_crop(
    images: typing.Any,
    corners: typing.Any,
    *,
    size: tuple[int, int],
    pad: float | None,
    out: typing.Any,
    num_threads: int,
) -> typing.Any: ...
def image_flip(
    images: typing.Any, flips: typing.Any, *, out: typing.Any, num_threads: int
) -> typing.Any: ...
def image_lookup(
    images: typing.Any, tables: typing.Any, *, out: typing.Any, num_threads: int
) -> typing.Any: ...
def image_noise(
    images: typing.Any, sigmas: typing.Any, keys: typing.Any, *, out: typing.Any, num_threads: int
) -> typing.Any: ...
def image_normalize(
    images: typing.Any,
    *,
    mean: typing.Any,
    std: typing.Any,
    dtype: str,
    channels_last: bool,
    out: typing.Any,
    num_threads: int,
) -> typing.Any: ...
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
) -> typing.Any: ...
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
) -> typing.Any: ...
def label_zoom(
    values: typing.Any,
    offsets: typing.Any,
    sizes: typing.Any,
    *,
    out_size: tuple[int, int],
    rule: str,
    out: typing.Any,
    num_threads: int,
) -> typing.Any: ...
def parsing_paste(
    boxes: typing.Any, maps: typing.Any, *, size: tuple[int, int], out: typing.Any, num_threads: int
) -> typing.Any: ...
def parsing_unpack(
    values: typing.Any, spans: typing.Any, *, strict: bool, num_threads: int
) -> tuple[typing.Any, typing.Any]: ...
def probe() -> tuple[int, str]: ...
def raise_faults(index: int) -> None: ...
def rle_decode(
    counts: typing.Any,
    offsets: typing.Any,
    sizes: typing.Any,
    *,
    order: str,
    dtype: str,
    out: typing.Any,
    num_threads: int,
) -> tuple[typing.Any, typing.Any]: ...
def rle_encode(
    masks: typing.Any, *, rule: str, num_threads: int
) -> tuple[typing.Any, typing.Any, typing.Any]: ...
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
) -> typing.Any: ...
def runtime_version() -> int: ...
