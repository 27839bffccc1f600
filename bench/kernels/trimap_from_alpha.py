"""trimap_from_alpha against OpenCV, largest_component against scikit-image."""

import cv2
import numpy as np
from mattes import mattes
from skimage.measure import label
from timing import compare

from refpix.kernels import isas, largest_component, trimap_from_alpha, use_isa


def opencv(alpha, size, iterations):
    element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    dilated = cv2.dilate(alpha[0], element, iterations=iterations)
    eroded = cv2.erode(alpha[0], element, iterations=iterations)
    return np.where(dilated - eroded > 0, 1, np.where(alpha[0] > 0.5, 2, 0))


def skimage_largest(alpha):
    parts = label(alpha[0] > 0.05)
    return alpha[0] * (parts == np.argmax(np.bincount(parts.reshape(-1))[1:]) + 1)


def in_turns(title, rival, plain, kernel):
    ways = {rival: plain}
    for isa in isas()[:2]:

        def native(isa=isa):
            with use_isa(isa):
                kernel()

        ways[f"native, {isa}"] = native
    compare(title, ways, rounds=7)


def main():
    cv2.setNumThreads(1)
    _, alpha = mattes(1080, 1920)
    for size, iterations in ((25, 1), (3, 14), (61, 1)):
        rules = {"size": size, "iterations": iterations}
        want = opencv(alpha, size, iterations)
        np.testing.assert_array_equal(trimap_from_alpha(alpha, **rules)[0], want)
        in_turns(
            f"trimap_from_alpha, 1080x1920, size {size}, {iterations} times",
            "OpenCV",
            lambda s=size, i=iterations: opencv(alpha, s, i),
            lambda r=rules: trimap_from_alpha(alpha, **r),
        )
    np.testing.assert_array_equal(largest_component(alpha)[0], skimage_largest(alpha))
    in_turns(
        "largest_component, 1080x1920",
        "scikit-image",
        lambda: skimage_largest(alpha),
        lambda: largest_component(alpha),
    )


if __name__ == "__main__":
    main()
