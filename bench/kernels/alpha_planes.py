"""alpha_bbox, alpha_occlude and alpha_quantize against NumPy's whole planes, on 1080p mattes."""

from functools import partial

import numpy as np
from timing import compare

from refpix.kernels import alpha_bbox, alpha_occlude, alpha_quantize

HEIGHT, WIDTH = 1080, 1920
BOX = (700, 200, 430, 760)


def person(height, width):
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return (np.clip((0.9 - np.hypot(x, y)) * 20 + 0.5, 0, 1) * 255).astype(np.uint8)


def published_trial(stack, matte, index, x, y):
    trial = stack.copy()
    height, width = matte.shape
    trial[index, y : y + height, x : x + width] = matte / 255.0
    for j in range(index):
        trial[j] *= 1 - trial[index]
    return trial, stack.sum((1, 2)), trial.sum((1, 2))


def main():
    x, y, w, h = BOX
    matte = person(h, w)
    whole = np.zeros((1, HEIGHT, WIDTH), np.uint8)
    whole[0, y : y + h, x : x + w] = matte

    def numpy_box():
        rows, columns = whole[0].any(axis=1).nonzero()[0], whole[0].any(axis=0).nonzero()[0]
        return rows[0], rows[-1], columns[0], columns[-1]

    compare("box of a 1080p matte", {"NumPy": numpy_box, "alpha_bbox": lambda: alpha_bbox(whole)})

    boxes = np.array([[x - 300, y, w, h], [x - 120, y + 30, w, h], [0, 0, 0, 0]], np.int64)
    for dtype in (np.float32, np.float64):
        stack = np.zeros((3, HEIGHT, WIDTH), dtype)
        for plane, (bx, by, bw, bh) in zip(stack, boxes, strict=True):
            plane[by : by + bh, bx : bx + bw] = matte[:bh, :bw] / 255.0
        trial, before, after = published_trial(stack, matte, 2, x, y)
        got = stack.copy()
        areas = alpha_occlude(got, matte, index=2, position=(x, y), boxes=boxes)
        np.testing.assert_array_equal(got, trial)
        np.testing.assert_allclose(areas, np.stack([before, after], 1), rtol=1e-4)

        def occlude(work=got):
            alpha_occlude(work, matte, index=2, position=(x, y), boxes=boxes, write=False)

        ways = {"NumPy, whole planes": lambda s=stack: published_trial(s, matte, 2, x, y)}
        compare(f"trial in front of two, {dtype.__name__}", ways | {"alpha_occlude": occlude})

        placed = np.array([*boxes[:2], [x, y, w, h]], np.int64)
        np.testing.assert_array_equal(
            alpha_quantize(got, boxes=placed), (got * 255).astype(np.uint8)
        )
        ways = {"NumPy, whole planes": lambda s=got: (s * 255).astype(np.uint8)}
        compare(
            f"three planes to bytes, {dtype.__name__}",
            ways | {"alpha_quantize": partial(alpha_quantize, got, boxes=placed)},
        )


if __name__ == "__main__":
    main()
