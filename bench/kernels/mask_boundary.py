"""mask_boundary against cv2.erode and the COCO tools that have boundaries, one thread.

The tools go from run lengths to run lengths, so they are met by ours between decode and encode.
"""

import cv2
import numpy as np
from rle_batches import people
from rle_masks import rivals, rles_of
from timing import compare

from refpix.kernels import isas, mask_boundary, rle_decode, rle_encode, use_isa


def eroded(mask, distance):
    padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    kept = cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=distance)
    return mask - kept[1:-1, 1:-1]


def with_isa(isa, masks, distance):
    with use_isa(isa):
        return mask_boundary(masks, distance=distance)


def compare_size(height, width):
    batch = people(20, height, width, 0.8)
    masks = rle_decode(*batch)[0].reshape(-1, height, width)
    distance = round(0.02 * np.hypot(height, width))
    want = np.stack([eroded(mask, distance) for mask in masks])
    ways = {"cv2.erode": lambda: [eroded(mask, distance) for mask in masks]}
    for isa in isas():
        np.testing.assert_array_equal(with_isa(isa, masks, distance), want)
        ways[f"refpix {isa}"] = lambda isa=isa: with_isa(isa, masks, distance)
    compare(f"{len(masks)} dense people, {width}x{height}, distance {distance}", ways, 5)

    rles = rles_of(batch)
    ways = {
        name: lambda rival=rival: [
            np.asarray(rival.rleToBoundary(rle)["counts"])
            if hasattr(rival, "rleToBoundary")
            else rival.toBoundary(rle)
            for rle in rles
        ]
        for name, rival in rivals().items()
        if hasattr(rival, "toBoundary") or hasattr(rival, "rleToBoundary")
    }
    ways["refpix, run lengths"] = lambda: rle_encode(
        mask_boundary(rle_decode(*batch)[0].reshape(masks.shape))
    )
    compare("from run lengths to run lengths", ways, 5)


def main():
    cv2.setNumThreads(1)
    for height, width in ((480, 640), (1080, 1920)):
        compare_size(height, width)


if __name__ == "__main__":
    main()
