"""What a matting model is fed: the published steps from a sample to numbers, in NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from refpix.datasets import _opencv
from refpix.datasets.him_sample import HimSample
from refpix.kernels import trimap_from_alpha

__all__ = [
    "HimItem",
    "HimValidation",
    "Planes",
    "Stack",
    "down_up",
    "numbers",
    "without_faint",
]

#: Arrays under the published names; see `HimValidation`.
HimItem = dict[str, Any]

Planes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

_MULTIPLE = 64
_MEAN = np.array([0.485, 0.456, 0.406], np.float32).reshape(1, 3, 1, 1)
_STD = np.array([0.229, 0.224, 0.225], np.float32).reshape(1, 3, 1, 1)
_FAINT = 5  # resized mattes count from this value on


@dataclass
class Stack:
    """Frames and planes of one size, on their way through the steps.

    Attributes:
        frames: uint8 (T, H, W, 3), or float32 of the same scale.
        alphas: uint8 (T * n, H, W), frame by frame.
        masks: likewise, or None.
        info: what was done, under the published names.
    """

    frames: npt.NDArray[Any]
    alphas: Planes
    masks: Planes | None
    info: list[dict[str, Any]]

    @classmethod
    def of(
        cls,
        frames: list[Planes],
        alphas: Planes,
        masks: Planes | None,
        *,
        short_size: int,
    ) -> Stack:
        """Resizes so that the first frame's short side is ``short_size``, and pads.

        Frames and mattes bilinear, masks nearest, as OpenCV does; zeros at the bottom and on the
        right up to multiples of 64.

        Args:
            frames: uint8 (H, W, 3) each.
            alphas: uint8 (T * n, H, W); their size may be another one.
            masks: likewise, or None.
            short_size: in pixels; the long side is cut off to an integer.
        """
        height, width = frames[0].shape[:2]
        ratio = short_size * 1.0 / min(width, height)
        linear, nearest = _opencv.resize_linear, _opencv.resize_nearest
        if ratio != 1:
            size = int(height * ratio), int(width * ratio)
            frames = [linear(frame, size) for frame in frames]
            alphas = np.stack([linear(alpha, size) for alpha in alphas])
            masks = None if masks is None else np.stack([nearest(mask, size) for mask in masks])
        info = [{"name": "resize", "ori_size": (height, width), "ratio": ratio}]
        height, width = frames[0].shape[:2]
        pad = -height % _MULTIPLE, -width % _MULTIPLE
        info.append({"name": "padding", "pad_size": pad})
        return cls(
            _padded(np.stack(frames), pad),
            _padded(alphas, pad),
            None if masks is None else _padded(masks, pad),
            info,
        )


def _padded(planes: Planes, pad: tuple[int, int]) -> Planes:
    around = [(0, 0), (0, pad[0]), (0, pad[1]), *[(0, 0)] * (planes.ndim - 3)]
    return np.pad(planes, around)


def down_up(mask: Planes) -> Planes:
    """A coarse mask: to an eighth and back, bilinear, above 127. uint8 (H, W), 0 and 255."""
    height, width = mask.shape
    small = _opencv.resize_linear(mask, (round(height / 8), round(width / 8)))
    back = _opencv.resize_linear(small, (height, width))
    coarse: Planes = (back > 127).astype(np.uint8) * np.uint8(255)
    return coarse


@dataclass(frozen=True)
class HimValidation:
    """A transform: the published validation path, to the bit, without random draws.

    Called with a `HimSample` it gives a dict:

    * ``image``: float32 (T, 3, h, w), (x / 255 - mean) / std with ImageNet's, short side
      ``short_size``, padded to multiples of 64;
    * ``mask``: float32 (T, n, h, w), or an eighth of it: the masks, or made of the mattes;
    * ``alpha``: float32 (T, n, H, W), the mattes in their own size, 0 to 1;
    * ``trimap``: float32 (T, n, H, W), 0 background, 1 transition, 2 foreground;
    * ``fg``, ``bg``: float32 (T, n, 3, h, w), colours on either side of each matte, 0 to 1
      (pictures only);
    * ``transform_info``, ``image_names``, ``skip``; ``alpha_names`` (pictures), ``is_first`` and
      ``is_last`` (clips).

    Attributes:
        short_size: of the network's input in pixels.
        downscale_mask: give masks of an eighth of the size. None: of pictures, not of clips.
        colours: give ``fg`` and ``bg``. None: of pictures, not of clips.

    Source: MaGGIe, maggie/dataloader/him.py, vim.py, transforms.py.
    """

    short_size: int = 768
    downscale_mask: bool | None = None
    colours: bool | None = None

    def __call__(self, sample: HimSample) -> HimItem:
        """The item of a sample; errors as for `HimSample`."""
        frames, original, masks = sample.frames, sample.alphas, sample.masks
        flat = original.reshape(-1, *original.shape[2:])
        flat_masks = None if masks is None else masks.reshape(-1, *masks.shape[2:])
        stack = Stack.of(frames, flat, flat_masks, short_size=self.short_size)
        if stack.masks is None:
            coarse = (stack.alphas > 127).astype(np.uint8) * np.uint8(255)
            stack.masks = np.stack([down_up(mask) for mask in coarse])
        picture = not sample.video
        item = numbers(stack, colours=picture if self.colours is None else self.colours)
        if picture if self.downscale_mask is None else self.downscale_mask:
            item["mask"] = np.ascontiguousarray(item["mask"][..., ::8, ::8])
        item["alpha"] = original / np.float32(255)
        trimaps = trimap_from_alpha(flat).reshape(original.shape)
        item["trimap"] = trimaps.astype(np.float32)
        item["image_names"] = list(sample.images)
        item["transform_info"] = stack.info
        item["skip"] = sample.skip
        if picture:
            item["alpha_names"] = sample.alpha_names
        else:
            item["is_first"], item["is_last"] = sample.is_first, sample.is_last
        return item


def numbers(stack: Stack, *, colours: bool) -> HimItem:
    """``image``, ``mask``, ``alpha`` (of the resized mattes) and, if wanted, ``fg`` and ``bg``.

    Values of mattes below 5 become 0 here, as published.
    """
    count = len(stack.frames)
    assert stack.masks is not None
    scaled = np.ascontiguousarray(stack.frames.transpose(0, 3, 1, 2)) / np.float32(255)
    shape = (count, -1, *stack.alphas.shape[1:])
    alphas = without_faint(stack.alphas).reshape(shape) / np.float32(255)
    item: HimItem = {
        "image": (scaled - _MEAN) / _STD,
        "mask": stack.masks.reshape(shape) / np.float32(255),
        "alpha": alphas,
    }
    if colours:
        item["fg"], item["bg"] = _colours(scaled[:, None], alphas[:, :, None])
    return item


def without_faint(alphas: Planes) -> Planes:
    """A copy of mattes in which values below 5 are 0."""
    levels: Planes = np.where(alphas < _FAINT, np.uint8(0), alphas)
    return levels


def _colours(image: Floats, alpha: Floats) -> tuple[Floats, Floats]:
    """Foreground and background that make up the picture; where a side is absent it is 0."""
    shape = np.broadcast_shapes(image.shape, alpha.shape)
    fg, bg = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    np.divide(image, alpha, out=fg, where=alpha > 0)
    np.clip(fg, 0, 1, out=fg)
    np.divide(image - fg * alpha, 1 - alpha, out=bg, where=alpha < 1)
    np.clip(bg, 0, 1, out=bg)
    return fg, bg
