"""What a matting model is trained on: the published augmentation, seeded per sample."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from refpix.datasets import _him_geometry as geometry
from refpix.datasets import _him_pixels as pixels
from refpix.datasets._him_draws import Draws
from refpix.datasets._him_masks import perturbed
from refpix.datasets.him_item import HimItem, Planes, Stack, numbers, without_faint
from refpix.datasets.him_sample import HimSample
from refpix.errors import EmptySampleError
from refpix.kernels import trimap_from_alpha

__all__ = ["HimTraining"]

_OPAQUE = 127  # greater values of a matte are foreground
_LEAST_AREA = 0.001  # of the window, of a matte that stays
_LEAST_CHANGE = 5  # greater ones, from frame to frame, are transition
_DROPPED_MASK, _DROPPED_MATTE = 0.05, 0.2  # how likely one instance is left out: pictures, clips
_STRIDE = 8  # of small masks, and with it of crops
_LEAST_CROP = 32  # blur is reflected up to 24 pixels beyond the edge


@dataclass(frozen=True)
class HimTraining:
    """A transform: the published training path, seeded by ``sample.key`` alone.

    Called with a `HimSample` it gives a dict, with ``n = max_inst`` places for instances, whose
    order is random and of which those without an instance are zero:

    * ``image``: float32 (T, 3, h, w), (x / 255 - mean) / std with ImageNet's, ``(h, w) = crop``;
    * ``alpha``: float32 (T, n, h, w), 0 to 1;
    * ``mask``: float32 (T, n, h, w), 0 and 1, made of the mattes and damaged; of pictures an
      eighth of the size, unless ``downscale_mask_p`` is 0;
    * ``transition``: float32 (T, n, h, w), 0 and 1: around the edges of each matte of a picture;
      of a clip where any matte changes from frame to frame, all of the first frame;
    * ``fg``, ``bg``: float32 (T, n, 3, h, w), colours on either side of each matte, 0 to 1
      (pictures only).

    Steps in order, each with its probability: a window of size ``crop`` around the mattes
    (``padding_crop_p``: all of the picture instead), flip, gamma, blur along a line (clips only),
    noise, JPEG, affine map and brightness, masks. A clip's frames are treated alike. Mattes of
    less than 0.1 % of the window are left out (pictures), and sometimes one instance more.

    Masks of the sample, if it has any, are not used.

    Attributes:
        crop: height and width of the window in pixels, multiples of 8 of at least 32.
        short_size: the picture is resized to that first, and padded to multiples of 64.
        max_inst: places for instances; at least as many as samples have.
        padding_crop_p: of the whole picture, padded to a square and resized to ``crop``.
        flip_p: of left for right.
        gamma_p: of a gamma of 0.5 to 1.5.
        motion_p: of blur along a line, of clips.
        add_noise_p: of normal noise.
        jpeg_p: of JPEG artefacts.
        affine_p: of a rotation, shear, zoom and shift in brightness.
        binarized_kernel: masks are dilated and eroded by squares of less than that.
        downscale_mask_p: of a mask that goes down to an eighth and back.
        colours: give ``fg`` and ``bg``. None: of pictures, not of clips.
        affine_masks: the affine map moves a picture's masks too. (Published: mattes only.)
        fill_places: False leaves ``max_inst`` places out, as published for clips of at least so
            many frames.

    Source: MaGGIe, maggie/dataloader/him.py, vim.py, transforms.py, utils.py.
    """

    crop: tuple[int, int] = (512, 512)
    short_size: int = 768
    max_inst: int = 10
    padding_crop_p: float = 0.1
    flip_p: float = 0.5
    gamma_p: float = 0.3
    motion_p: float = 0.3
    add_noise_p: float = 0.3
    jpeg_p: float = 0.1
    affine_p: float = 0.1
    binarized_kernel: int = 30
    downscale_mask_p: float = 0.5
    colours: bool | None = None
    affine_masks: bool = False
    fill_places: bool = True

    def __post_init__(self) -> None:
        if len(self.crop) != 2 or any(n < _LEAST_CROP or n % _STRIDE for n in self.crop):
            expected = f"two multiples of {_STRIDE} of at least {_LEAST_CROP}"
            raise ValueError(f"crop={self.crop}: expected {expected}")
        for name, least in (("short_size", 1), ("max_inst", 1), ("binarized_kernel", 2)):
            if getattr(self, name) < least:
                raise ValueError(f"{name}={getattr(self, name)}: expected at least {least}")
        for name, value in vars(self).items():
            if name.endswith("_p") and not 0 <= value <= 1:
                raise ValueError(f"{name}={value}: expected a probability, 0 to 1")

    def __call__(self, sample: HimSample) -> HimItem:
        """The item of a sample.

        Raises:
            EmptySampleError: nothing is left in the window. `HimImages` and `HimVideo` take
                another sample then.
            RecordError: a file cannot be read, or its picture is smaller than the window; names it.
            ValueError: the sample has more than ``max_inst`` instances.
        """
        return self.item(sample, Draws.of(*sample.key))

    def item(self, sample: HimSample, draws: Draws) -> HimItem:
        """The item of a sample, drawn with given generators; as ``__call__`` otherwise."""
        if sample.video:
            sample = _without_one(sample, draws)
        count = len(sample.alpha_files[0])
        if count > self.max_inst:
            raise ValueError(
                f"{sample.images[0]} has {count} mattes, HimTraining places for "
                f"{self.max_inst}: raise its max_inst, or lower the dataset's"
            )
        stack = geometry.crop_by_alpha(self._load(sample), draws, self.crop, self.padding_crop_p)
        if draws.happens(self.flip_p):
            stack = geometry.flip(stack)
        stack = self._augmented(stack, draws, clip=bool(sample.video))
        return (self._clip if sample.video else self._picture)(stack, sample, draws)

    def _load(self, sample: HimSample) -> Stack:
        """Frames and mattes resized and padded; a picture's masks are its mattes."""
        alphas = sample.alphas.reshape(-1, *sample.alphas.shape[2:])
        masks = None if sample.video else alphas
        stack = Stack.of(sample.frames, alphas, masks, short_size=self.short_size)
        size = stack.frames.shape[1:3]
        if stack.alphas.shape[1:] != size:
            raise sample.error(sample.alpha_files[0][0], "matte and picture differ in size")
        if size[0] < self.crop[0] or size[1] < self.crop[1]:
            reason = (
                f"resized to a short side of {self.short_size} the picture is {size[0]}x{size[1]} "
                f"(height x width), less than the crop of {self.crop[0]}x{self.crop[1]}"
            )
            raise sample.error(sample.images[0], reason)
        return stack

    def _augmented(self, stack: Stack, draws: Draws, *, clip: bool) -> Stack:
        """Colours, the affine map, masks; each probability is drawn whatever became of others."""
        frames = stack.frames
        if draws.happens(self.gamma_p):
            frames = pixels.change_gamma(frames, draws)
        if clip and draws.happens(self.motion_p):
            draws.own.random_sample()  # published: whether to blur a background, which is not there
            if draws.happens(0.9):
                steps = pixels.draw_line(draws)
                frames = pixels.blur(frames, steps)
                stack = replace(stack, alphas=pixels.blur(stack.alphas, steps))
            draws.own.random_sample()  # likewise
        if draws.happens(self.add_noise_p):
            frames = pixels.make_noisy(frames, draws)
        if draws.happens(self.jpeg_p):
            frames = pixels.compress(frames, draws)
        stack = replace(stack, frames=frames)
        if draws.happens(self.affine_p):
            stack = geometry.warp(stack, draws, masks_too=self.affine_masks)
        masks = _binary(stack.alphas) if stack.masks is None else stack.masks
        masks = perturbed(
            masks,
            draws,
            kernel=self.binarized_kernel,
            coarse_p=self.downscale_mask_p,
            holes=clip,
        )
        return replace(stack, masks=masks)

    def _picture(self, stack: Stack, sample: HimSample, draws: Draws) -> HimItem:
        assert stack.masks is not None
        areas = np.count_nonzero(stack.alphas > _OPAQUE, axis=(1, 2))
        kept = np.flatnonzero(areas > _LEAST_AREA * stack.alphas[0].size)
        if not kept.size:
            raise _empty(sample, "no matte is left")
        if len(kept) > 1 and draws.happens(_DROPPED_MASK):
            kept = kept[draws.own.choice(len(kept), len(kept) - 1, replace=False)]
        stack = replace(stack, alphas=stack.alphas[kept], masks=stack.masks[kept])
        assert stack.masks is not None
        if not stack.masks.any():
            raise _empty(sample, "no mask is left")
        item = numbers(stack, colours=self.colours is not False)
        if self.downscale_mask_p > 0:
            item["mask"] = np.ascontiguousarray(item["mask"][..., ::_STRIDE, ::_STRIDE])
        places = self._places(len(kept), draws)
        size = int(draws.own.choice(range(2, 5)))
        levels = np.ascontiguousarray(without_faint(stack.alphas))
        edges = trimap_from_alpha(levels, size=size, iterations=draws.number(5, 15))
        item["transition"] = (edges == 1).astype(np.float32)[None]
        return self._placed(item, places)

    def _clip(self, stack: Stack, sample: HimSample, draws: Draws) -> HimItem:
        assert stack.masks is not None
        count, window = len(stack.frames), stack.alphas.shape[1:]
        levels = without_faint(stack.alphas).reshape(count, -1, *window)
        if not stack.masks.reshape(count, -1).any(axis=1).all() or not levels.any():
            raise _empty(sample, "a frame has no mask left")
        places = self._places(levels.shape[1], draws)
        size = int(draws.own.choice(range(2, 5)))
        iterations = int(draws.shared.randint(3, 7))
        item = self._placed(numbers(stack, colours=bool(self.colours)), places)
        changed = trimap_from_alpha(_changes(levels), size=size, iterations=iterations) != 0
        transition = np.ones((count, 1, *window), np.float32)
        transition[1:, 0] = changed
        item["transition"] = np.repeat(transition, item["alpha"].shape[1], axis=1)
        return item

    def _places(self, count: int, draws: Draws) -> npt.NDArray[np.int64] | None:
        """Random ones out of ``max_inst``; None when all are taken."""
        if not self.fill_places or count == self.max_inst:
            return None
        places: npt.NDArray[np.int64] = draws.own.choice(self.max_inst, count, replace=False)
        return places

    def _placed(self, item: HimItem, places: npt.NDArray[np.int64] | None) -> HimItem:
        """Every instance in its place, zeros in the others."""
        for key in ("mask", "alpha", "fg", "bg", "transition"):
            if places is not None and key in item:
                given = item[key]
                item[key] = np.zeros((len(given), self.max_inst, *given.shape[2:]), np.float32)
                for i, place in enumerate(places.tolist()):  # slices: an index copies in pieces
                    item[key][:, place] = given[:, i]
        return item


def _without_one(clip: HimSample, draws: Draws) -> HimSample:
    """Sometimes one instance less, of clips with two or more."""
    count = len(clip.alpha_files[0])
    if not draws.happens(_DROPPED_MATTE) or count < 2:
        return clip
    gone = draws.number(0, count)
    files = tuple(f[:gone] + f[gone + 1 :] for f in clip.alpha_files)
    return replace(clip, alpha_files=files, mask_files=None)


def _binary(alphas: Planes) -> Planes:
    mask: Planes = (alphas > _OPAQUE).astype(np.uint8) * np.uint8(255)
    return mask


def _changes(levels: Planes) -> Planes:
    """Where any matte differs from the frame before: uint8 (T - 1, H, W), 0 and 255."""
    changed = (np.abs(np.diff(levels.astype(np.int16), axis=0)) > _LEAST_CHANGE).any(axis=1)
    planes: Planes = changed.astype(np.uint8) * np.uint8(255)
    return planes


def _empty(sample: HimSample, reason: str) -> EmptySampleError:
    return EmptySampleError(sample.images[0], "", "", f"{reason} in the window", sample.row)
