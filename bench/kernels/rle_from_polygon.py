"""rle_from_polygon and rle_from_bbox against COCO tools, one thread.

Rivals give compressed text. Ours is timed from arrays to columns, and as they are called: from
lists of numbers to text.
"""

import itertools

import numpy as np
from rle_batches import outlines, spans_of
from rle_masks import rivals
from timing import compare

from refpix.kernels import rle_from_bbox, rle_from_polygon, rle_from_string, rle_to_string


def texts(counts, offsets):
    values, ends = rle_to_string(counts, offsets)
    flat = values.tobytes()
    return [flat[a:b] for a, b in itertools.pairwise(ends.tolist())]


def draw_lists(polygons, sizes):
    coordinates = np.array(list(itertools.chain.from_iterable(polygons)))
    offsets = np.cumsum([0, *map(len, polygons)], dtype=np.int64)
    counts, offsets, _ = rle_from_polygon(coordinates, offsets, sizes)
    return texts(counts, offsets)


def compare_polygons(title, height, width, scale, points):
    polygons = outlines(200, height, width, scale, points)
    coordinates = np.concatenate(polygons)
    offsets = np.cumsum([0, *map(len, polygons)], dtype=np.int64)
    sizes = np.tile(np.array([[height, width]]), (len(polygons), 1))
    lists = [polygon.tolist() for polygon in polygons]
    counts, ends, _ = rle_from_polygon(coordinates, offsets, sizes)
    ways = {}
    for name, rival in rivals().items():
        made = rle_from_string(*spans_of(rival.frPyObjects(lists, height, width)))
        np.testing.assert_array_equal(made[0], counts)
        np.testing.assert_array_equal(made[1], ends)
        ways[name] = lambda rival=rival: rival.frPyObjects(lists, height, width)
    ways["refpix, lists to texts"] = lambda: draw_lists(lists, sizes)
    ways["refpix, arrays"] = lambda: rle_from_polygon(coordinates, offsets, sizes)
    runs = np.diff(ends).mean()
    compare(f"{title}: {len(polygons)} polygons of {runs:.0f} runs", ways)


def compare_boxes():
    boxes = np.random.default_rng(0).uniform(0, 300, (200, 4))
    sizes = np.tile(np.array([[480, 640]]), (len(boxes), 1))
    counts = rle_from_bbox(boxes, sizes)[0]
    ways = {}
    for name, rival in rivals().items():
        made = rle_from_string(*spans_of(rival.frPyObjects(boxes, 480, 640)))
        np.testing.assert_array_equal(made[0], counts)
        ways[name] = lambda rival=rival: rival.frPyObjects(boxes, 480, 640)
    ways["refpix, to texts"] = lambda: texts(*rle_from_bbox(boxes, sizes)[:2])
    ways["refpix, arrays"] = lambda: rle_from_bbox(boxes, sizes)
    compare("200 boxes, 640x480", ways)


def main():
    for title, height, width, scale, points in (
        ("people, 640x480", 480, 640, 0.8, 60),
        ("people of 400 corners, 640x480", 480, 640, 0.8, 400),
        ("small people, 640x480", 480, 640, 0.15, 25),
        ("people, 1920x1080", 1080, 1920, 0.8, 150),
    ):
        compare_polygons(title, height, width, scale, points)
    compare_boxes()


if __name__ == "__main__":
    main()
