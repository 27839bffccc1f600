"""A DALI pipeline that gives what `refpix.Loader` gives, with DALI's decoder and resize."""

from __future__ import annotations

from typing import Any, Literal

from refpix.dali._extra import require_dali
from refpix.dali.source import Source
from refpix.kernels import cpu_count
from refpix.loader.batch import HALF, Triple, both_sides

__all__ = ["OUTPUT_NAMES", "refhcm_pipeline"]

#: What the outputs of `refhcm_pipeline` are, in order: DALI's iterators take it as ``output_map``.
OUTPUT_NAMES = ("images", "sizes", "rows")


def refhcm_pipeline(
    source: Source,
    *,
    size: int | tuple[int, int] = 512,
    mean: Triple = HALF,
    std: Triple = HALF,
    dtype: Literal["float32", "float16"] = "float32",
    device_id: int | None = None,
    num_threads: int | None = None,
    parallel: bool = False,
    py_num_workers: int = 1,
    prefetch: int = 2,
    **options: Any,
) -> Any:
    """Rows to normalised pictures, on the CPU or, with the same code, on a GPU.

    Decode, resize to ``size`` (cubic with antialiasing), normalise, CHW. DALI decodes JPEGs to
    Pillow's pixels, but its cubic resize is another: at 512 x 512 single values were up to 5 grey
    levels off, see docs/dali.md. For the published pixels take `refpix.Loader`.

    Args:
        source: the rows.
        size: height and width of the results in pixels, or one number for both; the aspect ratio
            is not kept, as in the published pipelines.
        mean: per channel, of values in 0..1.
        std: per channel.
        dtype: of the images.
        device_id: the GPU, whose decoder is ``"mixed"``; None: all on the CPU.
        num_threads: DALI's threads; None is all the CPUs this process may use.
        parallel: read and decode base64 in worker processes.
        py_num_workers: how many.
        prefetch: batches ahead.
        **options: further ones of ``nvidia.dali.Pipeline``; ``py_start_method`` is ``"spawn"``
            unless given.

    Returns:
        A ``nvidia.dali.Pipeline``, not built yet, with outputs `OUTPUT_NAMES`:
        images (n, 3, h, w), on the GPU if one was named; sizes int64 (n, 2), height and width
        before the resize; rows int64 (n,), indices into the dataset.

    Raises:
        MissingExtraError: DALI is not installed.
        ValueError: an impossible option.
    """
    height, width = both_sides(size)
    if dtype not in ("float32", "float16"):
        raise ValueError(f"dtype={dtype!r}: DALI has 'float32' and 'float16'")
    dali = require_dali()
    fn, types = dali.fn, dali.types
    pipe = dali.Pipeline(
        batch_size=source.batch_size,
        num_threads=num_threads or cpu_count(),
        device_id=device_id,
        prefetch_queue_depth=prefetch,
        py_num_workers=py_num_workers,
        **{"py_start_method": "spawn", **options},
    )
    with pipe:
        encoded, rows = source.nodes(
            parallel=parallel, prefetch_queue_depth=max(prefetch, py_num_workers)
        )
        pictures = fn.decoders.image(
            encoded,
            device="cpu" if device_id is None else "mixed",
            output_type=types.RGB,
            adjust_orientation=False,  # the published pipelines do not rotate
        )
        resized = fn.resize(
            pictures, size=(height, width), interp_type=types.INTERP_CUBIC, antialias=True
        )
        images = fn.crop_mirror_normalize(
            resized,
            dtype=types.FLOAT16 if dtype == "float16" else types.FLOAT,
            output_layout="CHW",
            mean=[255 * value for value in mean],
            std=[255 * value for value in std],
        )
        sizes = fn.peek_image_shape(encoded, adjust_orientation=False)[:2]
        pipe.set_outputs(images, sizes, rows)
    return pipe
