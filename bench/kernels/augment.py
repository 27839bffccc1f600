"""The cheap augmentations against Pillow, as torchvision calls it, and others; one thread, out=."""

import sys

import cv2
import numpy as np
from PIL import Image, ImageEnhance
from timing import compare

from refpix.kernels import image_color_jitter, image_crop, image_flip, image_gamma, image_noise

HEIGHT, WIDTH, COUNT = 480, 640, 8


def pictures():
    """uint8 (COUNT, HEIGHT, WIDTH, 3): soft shapes under noise, of all colours."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (COUNT, 6, 8, 3), np.uint8)
    soft = np.stack([cv2.resize(s, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC) for s in small])
    return (soft + rng.normal(0, 6, soft.shape)).clip(0, 255).astype(np.uint8)


def flip(images):
    mirrored = Image.Transpose.FLIP_LEFT_RIGHT
    pils = [Image.fromarray(image) for image in images]
    out, flips = np.empty_like(images), np.ones(COUNT, np.uint8)
    np.testing.assert_array_equal(image_flip(images, flips), images[:, :, ::-1])
    np.testing.assert_array_equal(
        image_flip(images, flips)[0], np.asarray(pils[0].transpose(mirrored))
    )
    return {
        "Pillow transpose": lambda: [pil.transpose(mirrored) for pil in pils],
        "NumPy": lambda: np.copyto(out, images[:, :, ::-1]),
        "cv2.flip": lambda: [cv2.flip(i, 1, dst=o) for i, o in zip(images, out, strict=True)],
        "image_flip": lambda: image_flip(images, flips, out=out),
    }


def crop(images):
    pils = [Image.fromarray(image) for image in images]
    corners, out = np.full((COUNT, 2), 31), np.empty((COUNT, 384, 384, 3), np.uint8)
    box = (31, 31, 415, 415)
    got = image_crop(images, corners, size=(384, 384))
    np.testing.assert_array_equal(got[0], np.asarray(pils[0].crop(box)))
    return {
        "Pillow crop": lambda: [pil.crop(box) for pil in pils],
        "NumPy": lambda: np.copyto(out, images[:, 31:415, 31:415]),
        "image_crop": lambda: image_crop(images, corners, size=(384, 384), out=out),
    }


def pillow_hue(picture, factor):
    h, s, v = picture.convert("HSV").split()
    turned = np.asarray(h) + np.int32(factor * 255).astype(np.uint8)
    return Image.merge("HSV", (Image.fromarray(turned), s, v)).convert("RGB")


def jitter(images, hue=True):
    pils = [Image.fromarray(image) for image in images]
    factors, out = np.tile([0.8, 1.3, 1.2, 0.1], (COUNT, 1)), np.empty_like(images)
    orders = np.tile(np.array([0, 1, 2, 3 if hue else 4], np.uint8), (COUNT, 1))

    def pillow(picture):
        picture = ImageEnhance.Brightness(picture).enhance(0.8)
        picture = ImageEnhance.Contrast(picture).enhance(1.3)
        picture = ImageEnhance.Color(picture).enhance(1.2)
        return pillow_hue(picture, 0.1) if hue else picture

    got = image_color_jitter(images, factors, orders=orders)
    np.testing.assert_array_equal(got[0], np.asarray(pillow(pils[0])))
    return {
        "Pillow": lambda: [pillow(pil) for pil in pils],
        "image_color_jitter": lambda: image_color_jitter(images, factors, orders=orders, out=out),
    }


def jitter_without_hue(images):
    return jitter(images, hue=False)


def gamma(images):
    pils, gammas, out = [Image.fromarray(i) for i in images], np.full(COUNT, 2.2), images.copy()

    def pillow(picture):  # torchvision's adjust_gamma
        return picture.point([int((255 + 1 - 1e-3) * pow(v / 255.0, 2.2)) for v in range(256)] * 3)

    np.testing.assert_array_equal(image_gamma(images, gammas)[0], np.asarray(pillow(pils[0])))
    return {
        "Pillow point": lambda: [pillow(pil) for pil in pils],
        "image_gamma": lambda: image_gamma(images, gammas, out=out),
    }


def noise(images):
    """The rivals' noise is another, so only its size is compared."""
    rng, out, flat = np.random.default_rng(0), np.empty_like(images), np.full_like(images, 128)
    keys, sigmas = np.stack([np.arange(COUNT)] * 2, 1), np.full(COUNT, 9.0)

    def numpy(pixels):
        drawn = rng.standard_normal(pixels.shape, np.float32)
        return (pixels + drawn * np.float32(9) + np.float32(0.5)).clip(0, 255).astype(np.uint8)

    for made in (numpy(flat), image_noise(flat, sigmas, keys)):
        assert abs((made - 128.0).std() - 9) < 0.02
    return {
        "NumPy, float32": lambda: numpy(images),
        "image_noise": lambda: image_noise(images, sigmas, keys, out=out),
    }


CASES = {
    "image_flip": flip,
    "image_crop": crop,
    "image_color_jitter": jitter,
    "image_color_jitter without hue": jitter_without_hue,
    "image_gamma": gamma,
    "image_noise": noise,
}


def main():
    cv2.setNumThreads(1)
    images = pictures()
    for name in sys.argv[1:] or CASES:
        compare(f"{name}, {COUNT} of {HEIGHT}x{WIDTH}", CASES[name](images))


if __name__ == "__main__":
    main()
