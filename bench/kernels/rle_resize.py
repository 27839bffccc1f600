"""rle_crop, rle_flip, rle_resize against decode, NumPy or OpenCV, encode with our own kernels."""

import cv2
import numpy as np
from rle_batches import people
from timing import compare

from refpix.kernels import rle_crop, rle_decode, rle_encode, rle_flip, rle_resize


def compare_size(height, width):
    masks = people(40, height, width, 0.8)
    sizes = masks.sizes
    new = np.full_like(sizes, 512)
    box = (width // 5, height // 10, width * 3 // 4, height * 9 // 10)
    boxes = np.tile(np.array([box]), (len(sizes), 1))

    def dense(change):
        pixels = rle_decode(*masks)[0].reshape(-1, height, width)
        return rle_encode(change(pixels))

    def resized(pixels):
        nearest = cv2.INTER_NEAREST
        return np.stack([cv2.resize(p, (512, 512), interpolation=nearest) for p in pixels])

    ways = {
        "rle_resize": (lambda: rle_resize(*masks, new, rule="opencv"), resized),
        "rle_flip, horizontal": (lambda: rle_flip(*masks), lambda p: p[:, :, ::-1]),
        "rle_flip, vertical": (lambda: rle_flip(*masks, axis="vertical"), lambda p: p[:, ::-1]),
        "rle_crop": (
            lambda: rle_crop(*masks, boxes),
            lambda p: p[:, box[1] : box[3], box[0] : box[2]],
        ),
    }
    for name, (ours, change) in ways.items():
        np.testing.assert_array_equal(ours()[0], dense(change)[0])
        title = f"{name}: {len(sizes)} people, {width}x{height}"
        compare(title, {"decoded": lambda change=change: dense(change), "refpix": ours}, 5)


def main():
    for height, width in ((480, 640), (1080, 1920)):
        compare_size(height, width)


if __name__ == "__main__":
    main()
