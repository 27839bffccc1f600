"""Reading and writing compressed run lengths, one thread, and area and box of what was read.

Rivals read texts inside of what they compute, so that area and box are compared from texts on.
"""

import numpy as np
from rle_batches import people, spans_of, specks
from rle_masks import rivals, rles_of
from timing import compare

from refpix.kernels import rle_area, rle_bbox, rle_from_string, rle_to_string


def compare_from_texts(name, function, masks, rles):
    want = function(*masks)
    ways = {}
    for rival_name, rival in rivals().items():
        way = getattr(rival, name)
        np.testing.assert_array_equal(np.asarray(way(rles)), want)
        ways[rival_name] = lambda way=way: way(rles)
    ways["refpix, run lengths"] = lambda: function(*masks)
    ways["refpix, texts"] = lambda: function(*rle_from_string(*spans_of(rles)), masks.sizes)
    compare(name, ways, rounds=50)


def run(title, masks):
    rles = rles_of(masks)
    values, spans = spans_of(rles)
    print(f"{title}: {len(rles)} masks, {len(masks.counts)} runs, {len(values)} characters")
    compare_from_texts("area", rle_area, masks, rles)
    compare_from_texts("toBbox", rle_bbox, masks, rles)
    ways = {}
    lists = [{**rle, "counts": masks.runs(i).tolist()} for i, rle in enumerate(rles)]
    for name, rival in rivals().items():
        if name == "hotcoco":
            ways["hotcoco, runs to text"] = lambda rival=rival: [
                rival.frPyObjects(one, *one["size"]) for one in lists
            ]
    ways["refpix, runs to text"] = lambda: rle_to_string(masks.counts, masks.offsets)
    ways["refpix, text to runs"] = lambda: rle_from_string(values, spans)
    compare("texts", ways, rounds=50)


def main():
    run("people, 640x480", people(50, 480, 640, 0.8))
    run("specks, 640x480", specks(200, 480, 640))


if __name__ == "__main__":
    main()
