"""image_resize_opencv against OpenCV itself and the reference in NumPy, one thread."""

from functools import partial

import cv2
import numpy as np
from timing import compare

from refpix.kernels import image_resize_opencv

CASES = (
    ("picture", (1080, 1920, 3), (576, 1024)),
    ("matte", (1080, 1920, 1), (576, 1024)),
    ("frame", (720, 1280, 3), (576, 1024)),
    ("mask to an eighth", (512, 512, 1), (64, 64)),
    ("mask back", (64, 64, 1), (512, 512)),
)


def main():
    cv2.setNumThreads(1)
    rng = np.random.default_rng(0)
    for name, (height, width, channels), (h, w) in CASES:
        image = rng.integers(0, 256, (height, width, channels), dtype=np.uint8)
        want = cv2.resize(image, (w, h), interpolation=cv2.INTER_LINEAR).reshape(h, w, channels)
        out = np.empty((1, h, w, channels), np.uint8)
        ways = {"cv2.resize": lambda i=image, d=want: cv2.resize(i, d.shape[1::-1], dst=d)}
        for backend in image_resize_opencv.backends():
            call = partial(image_resize_opencv, image[None], size=(h, w), out=out, backend=backend)
            np.testing.assert_array_equal(call()[0], want)
            ways[f"refpix {backend}"] = call
        compare(f"{name}, {width}x{height}x{channels} to {w}x{h}", ways, 20)


if __name__ == "__main__":
    main()
