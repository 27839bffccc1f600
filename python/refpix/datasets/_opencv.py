"""What the published matting loaders have OpenCV do, to the bit, without OpenCV.

8-bit pictures only, all that the loaders need.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from refpix.kernels import image_resize_opencv

__all__ = ["resize_linear", "resize_nearest"]

Pixels = npt.NDArray[np.uint8]


def resize_linear(image: Pixels, size: tuple[int, int]) -> Pixels:
    """OpenCV's ``resize`` with ``INTER_LINEAR``: two taps each way, no antialiasing.

    Args:
        image: uint8 (H, W) or (H, W, C).
        size: height and width of the result in pixels.

    Returns:
        uint8, (h, w) or (h, w, C). Halving both sides averages four pixels, as OpenCV does.
    """
    batch = np.ascontiguousarray(image).reshape(1, *image.shape[:2], -1)
    resized = image_resize_opencv(batch, size=size)
    return resized.reshape(*size, *image.shape[2:])


def resize_nearest(image: Pixels, size: tuple[int, int]) -> Pixels:
    """OpenCV's ``resize`` with ``INTER_NEAREST``: of uint8 (H, W) or (H, W, C)."""
    steps = []
    for old, new in zip(image.shape, size, strict=False):
        at = np.floor(np.arange(new) * (1 / (new / old))).astype(np.int64)
        steps.append(np.minimum(at, old - 1))
    picked: Pixels = image[steps[0]][:, steps[1]]
    return picked
