"""HimTraining's steps in plain Pillow, OpenCV and NumPy, with the same draws, to measure against.

Without blur and affine map, whose pixels depend on OpenCV's version.
"""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image

from refpix.datasets import HimSample, HimTraining
from refpix.datasets._him_draws import Draws
from refpix.datasets._him_masks import cut, drop

MEAN = np.array([0.485, 0.456, 0.406], np.float32).reshape(1, 3, 1, 1)
STD = np.array([0.229, 0.224, 0.225], np.float32).reshape(1, 3, 1, 1)


def plain_item(training: HimTraining, sample: HimSample) -> dict[str, np.ndarray]:
    """What ``training(sample)`` gives; AssertionError where that would be empty."""
    draws = Draws.of(*sample.key)
    clip = bool(sample.video)
    files = sample.alpha_files
    if clip and draws.happens(0.2) and len(files[0]) > 1:
        gone = draws.number(0, len(files[0]))
        files = tuple(of[:gone] + of[gone + 1 :] for of in files)
    frames = [np.array(Image.open(path).convert("RGB")) for path in sample.images]
    alphas = [np.array(Image.open(path).convert("L")) for of in files for path in of]
    masks = [] if clip else [alpha.copy() for alpha in alphas]
    frames, alphas, masks = resized(training, frames, alphas, masks)
    frames, alphas, masks = window(training, draws, frames, alphas, masks)
    if draws.happens(training.flip_p):
        frames, alphas, masks = (a[:, :, ::-1] for a in (frames, alphas, masks))
    frames = coloured(training, draws, frames, clip)
    masks = (alphas > 127).astype(np.uint8) * 255 if clip else masks
    masks = damaged(training, draws, np.ascontiguousarray(masks), clip)
    return (of_clip if clip else of_picture)(training, draws, frames, alphas, masks)


def resized(training, frames, alphas, masks):
    height, width = frames[0].shape[:2]
    ratio = training.short_size / min(height, width)
    size = int(width * ratio), int(height * ratio)
    frames = [cv2.resize(f, size, interpolation=cv2.INTER_LINEAR) for f in frames]
    alphas = [cv2.resize(a, size, interpolation=cv2.INTER_LINEAR) for a in alphas]
    masks = [cv2.resize(m, size, interpolation=cv2.INTER_NEAREST) for m in masks]
    pad = (0, -size[1] % 64, 0, -size[0] % 64, cv2.BORDER_CONSTANT)
    stacks = [[cv2.copyMakeBorder(a, *pad, value=0) for a in s] for s in (frames, alphas, masks)]
    return [np.stack(s) if s else np.zeros((0, *stacks[1][0].shape), np.uint8) for s in stacks]


def window(training, draws, frames, alphas, masks):
    height, width = alphas.shape[1:]
    rows, columns = training.crop
    ys, xs = np.where(alphas.mean(0) > 127)
    found = (xs.min(), ys.min(), xs.max(), ys.max()) if len(ys) else (0, 0, width, height)
    left, top, right, bottom = (int(v) for v in found)
    if draws.happens(training.padding_crop_p):
        y, x = max(0, (width - height) // 2), max(0, (height - width) // 2)
        out = []
        for stack, how in ((frames, 1), (alphas, 1), (masks, 0)):
            wide = [cv2.copyMakeBorder(a, y, y, x, x, cv2.BORDER_CONSTANT, value=0) for a in stack]
            small = [cv2.resize(a, (columns, rows), interpolation=how) for a in wide]
            out.append(np.stack(small) if small else stack)
        return out
    right, bottom = max(right - columns, left + 1), max(bottom - rows, top + 1)
    for _ in range(3):
        x = min(draws.number(left, right), width - columns)
        y = min(draws.number(top, bottom), height - rows)
        if (alphas[:, y : y + rows, x : x + columns] > 127).sum() > 0:
            break
    return [a[:, y : y + rows, x : x + columns] for a in (frames, alphas, masks)]


def coloured(training, draws, frames, clip):
    frames = np.ascontiguousarray(frames)
    if draws.happens(training.gamma_p):
        gamma = draws.pixels.normal(1.0, 0.2)
        while not 0.5 <= gamma <= 1.5:
            gamma = draws.pixels.normal(1.0, 0.2)
        table = np.linspace(0, 1, 256, dtype=np.float32) ** np.float32(gamma) * np.float32(255)
        frames = np.stack([cv2.LUT(f, table.astype(np.uint8)) for f in frames])
    if clip:
        draws.happens(training.motion_p)
    if draws.happens(training.add_noise_p):
        noise = draws.pixels.normal(0, draws.pixels.uniform(0, 0.03 * 255), frames.shape[1:3])
        noise = np.rint(noise)[..., None]
        frames = np.stack([np.clip(f + noise, 0, 255).astype(np.uint8) for f in frames])
    if draws.happens(training.jpeg_p):
        quality = round(1 + 99 * (1 - int(draws.pixels.uniform(20, 80)) / 101))
        frames = np.stack([through_jpeg(f, quality) for f in frames])
    draws.happens(training.affine_p)
    return frames


def through_jpeg(frame, quality):
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "JPEG", quality=quality)
    return np.array(Image.open(buffer))


def damaged(training, draws, masks, clip):
    rough = []
    for mask in masks:
        level = draws.own.uniform(0.1, 0.95) * 255
        mask = cv2.threshold(mask, level, 1, cv2.THRESH_BINARY)[1]
        kernels = {
            name: np.ones((n, n), np.uint8)
            for name in ("dilate", "erode")
            for n in [draws.number(1, training.binarized_kernel)]
        }
        for step in draws.one_of(("dilate_erode", "erode_dilate", "dilate", "erode")).split("_"):
            mask = getattr(cv2, step)(mask, kernels[step])
        rough.append(mask * 255)
    for i, mask in enumerate(rough):
        if draws.happens(training.downscale_mask_p):
            size = mask.shape[::-1]
            coarse = cv2.resize(cv2.resize(mask, (0, 0), fx=0.125, fy=0.125), size)
            rough[i] = (coarse > 127).astype(np.uint8) * 255
    masks = np.stack(rough)
    cut(masks, draws)
    if clip:
        drop(masks, draws)
    return masks


def numbers(frames, alphas, masks):
    shape = (len(frames), -1, *alphas.shape[1:])
    image = np.ascontiguousarray(frames.transpose(0, 3, 1, 2)).astype(np.float32)
    levels = np.where(alphas < 5, np.uint8(0), alphas).reshape(shape)
    return image, levels, masks.reshape(shape)


def placed(training, places, planes):
    out = np.zeros((len(planes), training.max_inst, *planes.shape[2:]), np.float32)
    out[:, places] = planes
    return out


def ellipse(size):
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))


def of_picture(training, draws, frames, alphas, masks):
    kept = np.flatnonzero((alphas > 127).sum((1, 2)) > 0.001 * alphas[0].size)
    assert len(kept)
    if len(kept) > 1 and draws.happens(0.05):
        kept = kept[draws.own.choice(len(kept), len(kept) - 1, replace=False)]
    assert masks[kept].any()
    image, levels, masks = numbers(frames, alphas[kept], masks[kept])
    alpha, scaled = levels[:, :, None] / np.float32(255), image[:, None] / np.float32(255)
    with np.errstate(divide="ignore", invalid="ignore"):
        fg = np.clip(np.nan_to_num(scaled / alpha, nan=0.0, posinf=0.0), 0, 1)
        bg = np.clip(np.nan_to_num((scaled - fg * alpha) / (1 - alpha), nan=0.0), 0, 1)
    places = draws.own.choice(training.max_inst, len(kept), replace=False)
    size, repeats = int(draws.own.choice(range(2, 5))), draws.number(5, 15)
    edges = [
        cv2.dilate(a, ellipse(size), iterations=repeats)
        - cv2.erode(a, ellipse(size), iterations=repeats)
        for a in levels[0] / np.float32(255)
    ]
    planes = {"mask": masks[:, :, ::8, ::8] / np.float32(255), "alpha": levels / np.float32(255)}
    planes |= {"fg": fg, "bg": bg, "transition": (np.stack(edges) > 0)[None]}
    item = {key: placed(training, places, value) for key, value in planes.items()}
    return item | {"image": (image / np.float32(255) - MEAN) / STD}


def of_clip(training, draws, frames, alphas, masks):
    image, levels, masks = numbers(frames, alphas, masks)
    assert masks.any(axis=(1, 2, 3)).all()
    places = draws.own.choice(training.max_inst, levels.shape[1], replace=False)
    size, repeats = int(draws.own.choice(range(2, 5))), int(draws.shared.randint(3, 7))
    changed = (np.abs(np.diff(levels.astype(np.float32), axis=0)) > 5).astype(np.uint8) * 255
    grown = [
        [cv2.dilate(plane, ellipse(size), iterations=repeats) for plane in of] for of in changed
    ]
    any_change = np.stack(grown).any(axis=1, keepdims=True)
    transition = np.concatenate([np.ones_like(any_change[:1]), any_change])
    item = {
        "mask": placed(training, places, masks / np.float32(255)),
        "alpha": placed(training, places, levels / np.float32(255)),
        "image": (image / np.float32(255) - MEAN) / STD,
    }
    item["transition"] = np.repeat(transition, training.max_inst, axis=1).astype(np.float32)
    return item
