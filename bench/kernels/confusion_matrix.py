"""confusion_matrix against the published np.bincount, on 8 label maps of 512x512."""

import numpy as np
from timing import compare, label_maps

from refpix.kernels import confusion_matrix

LABELS = 20


def published(pred, gt):
    valid = gt != -1
    index = (gt[valid] * LABELS + pred[valid]).astype("int32")
    count = np.bincount(index, minlength=LABELS * LABELS)
    return count.reshape(LABELS, LABELS)


def count(pred, gt, out):
    return confusion_matrix(pred, gt, num_labels=LABELS, out=out)


def main():
    rng = np.random.default_rng(0)
    gt = label_maps(rng, 8, 512, 512).astype(np.int32)
    pred = np.roll(gt, 5, axis=2)
    gt[rng.random(8) < 0.3, :40] = -1
    noise = rng.integers(0, LABELS, gt.shape, dtype=np.int32)
    out = np.empty((LABELS, LABELS), np.int64)
    for title, labels in (("label maps", pred), ("noise as prediction", noise)):
        np.testing.assert_array_equal(
            confusion_matrix(labels, gt, num_labels=LABELS), published(labels, gt)
        )
        ways = {"np.bincount (published)": lambda a=labels: published(a, gt)}
        small = labels.astype(np.uint8)
        ways["uint8 prediction"] = lambda a=small: count(a, gt, out)
        ways["int32"] = lambda a=labels: count(a, gt, out)
        compare(title, ways)


if __name__ == "__main__":
    main()
