"""rle_merge of ten masks against COCO tools, one thread. Ours reads and writes the texts too."""

import numpy as np
from rle_batches import people, spans_of, specks
from rle_masks import rivals, rles_of
from timing import compare

from refpix.kernels import rle_from_string, rle_merge, rle_to_string

GROUP = 10


def merge(rles, sizes, groups):
    merged = rle_merge(*rle_from_string(*spans_of(rles)), sizes, groups)
    return rle_to_string(*merged[:2])


def run(title, masks):
    rles = rles_of(masks)
    groups = np.arange(0, len(rles) + 1, GROUP)
    text, ends = merge(rles, masks.sizes, groups)
    parts = [rles[i : i + GROUP] for i in groups[:-1]]
    ways = {}
    for name, rival in rivals().items():
        for i, part in enumerate(parts):
            assert rival.merge(part)["counts"] == text[ends[i] : ends[i + 1]].tobytes()
        ways[name] = lambda rival=rival: [rival.merge(part) for part in parts]
    ways["refpix, run lengths"] = lambda: rle_merge(*masks, groups)
    ways["refpix, texts"] = lambda: merge(rles, masks.sizes, groups)
    compare(f"{title}: {len(parts)} groups of {GROUP}", ways, rounds=50)


def main():
    run("people, 640x480", people(50, 480, 640, 0.8))
    run("specks, 640x480", specks(50, 480, 640))


if __name__ == "__main__":
    main()
