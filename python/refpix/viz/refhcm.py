"""Samples of RefHCM, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from refpix.datasets import RefHCM, RefHCMSample
from refpix.datasets.refhcm_text import HOI_ACTIONS, HOI_OBJECTS, NO_TEXT, Interaction
from refpix.loader import Batch
from refpix.viz.sample import draw_sample
from refpix.viz.sheet import sheet_of

__all__ = ["draw_batch", "draw_refhcm", "draw_rows", "unnormalise"]

_HALF = (0.5, 0.5, 0.5)


def draw_refhcm(
    sample: RefHCMSample,
    *,
    image: npt.NDArray[np.uint8] | None = None,
    image_size: tuple[int, int] | None = None,
    side: int | None = None,
    codes: bool = False,
) -> Image.Image:
    """Draw a sample: box, and whichever it has of pose, parsing, objects and text.

    Args:
        sample: a sample.
        image: uint8 (H, W, 3), drawn instead of the sample's own picture.
        image_size: height and width in pixels of the picture that the coordinates are of, to
            which ``image`` is stretched; None when it has that size.
        side: as for `draw_sample`.
        codes: draw parsing codes as a grid instead of the label map.

    Raises:
        ValueError: there is no picture.
    """
    pixels = sample.image if image is None else image
    if pixels is None:
        raise ValueError("a record has no picture to draw on: give image=")
    picture = Image.fromarray(pixels)
    if image_size is not None:
        picture = picture.resize(image_size[::-1], Image.Resampling.BICUBIC)
    boxes = [sample.box_xyxy.tolist()]
    labels = [""]
    for action in sample.actions or ():
        if action.object < 0:  # done without an object
            labels[0] = _interaction(action)
        else:
            boxes.append(list(action.box))
            labels.append(_interaction(action))
    grid = codes and sample.codes is not None
    return draw_sample(
        picture,
        box=np.array(boxes),
        box_labels=labels,
        keypoints=sample.keypoints,
        label_map=None if grid else sample.label_map,
        codes=sample.codes if grid else None,
        text=_title(sample),
        note=f"{sample.task} row {sample.row}, id {sample.id}",
        side=side,
    )


def draw_batch(
    batch: Batch,
    *,
    dataset: RefHCM | None = None,
    mean: Sequence[float] = _HALF,
    std: Sequence[float] = _HALF,
    side: int = 360,
    codes: bool = False,
) -> list[Image.Image]:
    """Draw the images of a batch, each stretched back to its picture's proportions.

    Args:
        batch: from `refpix.Loader` over a `RefHCM`; float32 or float16, on the CPU.
        dataset: that dataset, for the label maps of rpar, which batches do not hold.
        mean: that the loader took off.
        std: that it divided by.
        side: longer side of each picture in pixels.
        codes: as for `draw_refhcm`.

    Returns:
        One picture each; `contact_sheet` lays them out.
    """
    images = unnormalise(np.asarray(batch.images), mean=mean, std=std)
    samples = list(batch.samples)
    if dataset is not None and dataset.task == "rpar":
        maps = dataset.label_maps(batch.rows)
        samples = [replace(s, label_map=m) for s, m in zip(samples, maps, strict=True)]
    return [
        draw_refhcm(sample, image=image, image_size=(height, width), side=side, codes=codes)
        for sample, image, (height, width) in zip(
            samples, images, batch.sizes.tolist(), strict=True
        )
    ]


def unnormalise(
    images: npt.NDArray[np.floating[Any]],
    *,
    mean: Sequence[float] = _HALF,
    std: Sequence[float] = _HALF,
) -> npt.NDArray[np.uint8]:
    """Pictures from normalised tensors: the very pixels, where these came from float32.

    Args:
        images: float32 or float16 (n, 3, h, w).
        mean: per channel, of values in 0..1.
        std: per channel.

    Returns:
        uint8 (n, h, w, 3).

    Raises:
        ValueError: another shape or kind of numbers, such as bfloat16's bit patterns.
    """
    if images.ndim != 4 or images.shape[1] != 3 or images.dtype.kind != "f":
        raise ValueError(f"expected floats (n, 3, h, w), got {images.dtype} {images.shape}")
    scale = np.array(std, np.float32).reshape(3, 1, 1)
    shift = np.array(mean, np.float32).reshape(3, 1, 1)
    values = np.rint((images.astype(np.float32) * scale + shift) * 255).clip(0, 255)
    return np.ascontiguousarray(values.astype(np.uint8).transpose(0, 2, 3, 1))


def draw_rows(
    dataset: RefHCM,
    rows: Sequence[int],
    *,
    columns: int | None = None,
    side: int = 360,
    codes: bool = False,
) -> Image.Image:
    """Draw rows of a file on one sheet; a bad row is shown as its error.

    Args:
        dataset: the file.
        rows: indices into it.
        columns: of the sheet; None chooses.
        side: longer side of each picture in pixels.
        codes: as for `draw_refhcm`.

    Raises:
        IndexError: no such row.
        ValueError: no rows.
    """
    return sheet_of(
        lambda row: draw_refhcm(dataset[row], side=side, codes=codes), rows, columns, side
    )


def _title(sample: RefHCMSample) -> str | None:
    if sample.text is None:
        return None
    return "(the person in the box)" if sample.text == NO_TEXT else sample.text


def _interaction(action: Interaction) -> str:
    doing = _name(HOI_ACTIONS, action.action).split()[0]
    return doing if action.object < 0 else f"{doing} {_name(HOI_OBJECTS, action.object)}"


def _name(names: Sequence[str], number: Any) -> str:
    return names[number] if 0 <= number < len(names) else str(number)
