"""jpeg_encode and png_unfilter against Pillow, at 1080p."""

import io

import numpy as np
from PIL import Image
from timing import compare

from refpix.kernels import jpeg_encode, png_unfilter

HEIGHT, WIDTH = 1080, 1920


def picture():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    planes = [128 + 60 * np.sin(x / k) * np.cos(y / (k + 7)) for k in (31, 47, 90)]
    noisy = np.stack(planes, -1) + rng.normal(0, 7, (HEIGHT, WIDTH, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8)


def saved(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()


def main():
    pixels = picture()
    same = jpeg_encode(pixels[None])[0].tobytes() == saved(pixels)
    print("files are Pillow's, byte for byte" if same else "files differ from Pillow's")
    ways = {"Pillow": lambda: saved(pixels), "ours": lambda: jpeg_encode(pixels[None])}
    compare("1080p RGB", ways)
    patch = np.ascontiguousarray(pixels[200:960, 700:1130])
    canvas = np.zeros_like(pixels)
    canvas[200:960, 700:1130] = patch
    at = np.array([[700, 200]], np.int64)
    compare(
        "a person's rectangle on black 1080p",
        {
            "Pillow": lambda: saved(canvas),
            "ours": lambda: jpeg_encode(patch[None], canvas=(HEIGHT, WIDTH), positions=at),
        },
    )
    for name, kind in (("up", 2), ("Paeth", 4)):
        rows = np.zeros((HEIGHT, WIDTH + 1), np.uint8)
        rows[::3, 500:900] = 1
        rows[:, 0] = kind
        compare(f"unfilter 1080p, {name}", {"ours": lambda rows=rows: png_unfilter(rows)})


if __name__ == "__main__":
    main()
