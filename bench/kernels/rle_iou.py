"""rle_iou against COCO tools, one thread. Ours reads the texts too, as the rivals do."""

import numpy as np
from rle_batches import people, spans_of, specks
from rle_masks import rivals, rles_of
from timing import compare

from refpix.kernels import rle_from_string, rle_iou, rle_overlap


def iou(dt, gt, sizes, crowd):
    def read(rles):
        counts, offsets = rle_from_string(*spans_of(rles))
        return counts, offsets, sizes

    return rle_iou(*read(dt), *read(gt), crowd)


def run(title, masks):
    half = len(masks.sizes) // 2
    rles = rles_of(masks)
    dt, gt = rles[:half], rles[half:]
    crowd = np.zeros(half, np.uint8)
    sizes = masks.sizes[:half]
    want = iou(dt, gt, sizes, crowd)
    ways = {}
    for name, rival in rivals().items():
        np.testing.assert_array_equal(rival.iou(dt, gt, crowd.tolist()), want)
        ways[name] = lambda rival=rival: rival.iou(dt, gt, crowd.tolist())
    a, b = masks.take(range(half)), masks.take(range(half, 2 * half))
    ways["refpix, run lengths"] = lambda: rle_iou(*a, *b, crowd)
    ways["refpix, texts"] = lambda: iou(dt, gt, sizes, crowd)
    runs = np.diff(masks.offsets).mean()
    compare(f"{title}: {half} x {half}, {runs:.0f} runs", ways, rounds=3)
    pairs = np.stack([np.arange(half), np.arange(half, 2 * half)], axis=1)
    compare(f"rle_overlap, {half} pairs", {"refpix": lambda: rle_overlap(*masks, pairs)})


def main():
    run("people, 640x480", people(400, 480, 640, 0.8))
    run("small people, 640x480", people(400, 480, 640, 0.2))
    run("specks, 640x480", specks(400, 480, 640))
    run("people, 1920x1080", people(40, 1080, 1920, 0.8))


if __name__ == "__main__":
    main()
