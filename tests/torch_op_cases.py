"""Calls of every kernel, as (arguments, options), to compare the custom ops of torch with them.

The first call of each is a plain one, and what `opcheck` gets.
"""

import base64

import numpy as np
from tests.kernels.drawn_mattes import pair, smooth
from tests.kernels.jpeg_files import drawn, encode

from refpix.kernels import rle_encode, rle_to_string
from refpix.types import BytesBatch, ImagesBatch

RNG = np.random.default_rng(7)

TEXTS = BytesBatch.from_items(["aGVsbG8=", "", "d29ybGQ="])
CODES = BytesBatch.from_items([",".join(str(i % 32) for i in range(48))] * 2)
FEW_CODES = BytesBatch.from_items(["1,31", "2"])
FILES = [encode(20, 14), encode(9, 31, "L")]
JPEGS = BytesBatch.from_items(FILES)
JPEG_TEXTS = BytesBatch.from_items(map(base64.b64encode, FILES))
ROWS = b"a\tbc\t1\n\t\t\nd\te\tf"
ROW_SPANS = BytesBatch.from_items(ROWS.splitlines()).spans
NOTHING = BytesBatch.from_items([])
IMAGES = ImagesBatch.from_images([drawn(20, 14), drawn(3, 40)])
NO_IMAGES = ImagesBatch.from_images([])
LABELS = ImagesBatch.from_images([RNG.integers(0, 9, (7, 5)), RNG.integers(0, 9, (1, 12))])

MASKS = smooth(RNG, 3, 13, 17) > 0.5
RLES = rle_encode(MASKS)
NO_RLES = rle_encode(MASKS[:0])
HOLLOW_RLES = rle_encode(np.zeros((2, 0, 4), bool))
STRINGS = BytesBatch.from_offsets(*rle_to_string(*RLES[:2]))
CROWD = np.array([0, 1, 0], np.uint8)
BOXES = np.array([[1, 2, 5, 6], [0, 0, 3.5, 9], [4, 4, 0, 0]], np.float64)

PRED, TRUE, TRIMAP = pair(3, 2, 24, 30)
MATTES = (TRUE * 255).round().astype(np.uint8)
FRAMES = tuple(np.stack([array, array[::-1].copy(), array]) for array in (PRED, TRUE, TRIMAP))
NO_PAIR = (PRED[:0], TRUE[:0])

PLACES = np.array([[3, -2], [-4, 5]])
BACKGROUNDS = RNG.integers(0, 256, (2, 24, 30, 3), np.uint8)
FOREGROUNDS = RNG.integers(0, 256, (2, 9, 11, 3), np.uint8)
SHADES = RNG.integers(0, 256, (2, 9, 11), np.uint8)

TABLES = RNG.integers(0, 256, (2, 3, 256), np.uint8)

ATTRIBUTES = (np.arange(60).reshape(12, 5) % 7 < 3).astype(np.uint8)


def floats(array):
    return array.astype(np.float32) / np.float32(255)


CASES = {
    "alpha_bbox": [((MATTES,), {}), ((MATTES[:0],), {}), ((MATTES,), {"num_threads": 2})],
    "alpha_composite": [
        ((BACKGROUNDS, FOREGROUNDS, SHADES), {"positions": PLACES}),
        ((BACKGROUNDS[:0], FOREGROUNDS[:0], SHADES[:0]), {"positions": PLACES[:0]}),
        (
            (floats(BACKGROUNDS), floats(FOREGROUNDS), floats(SHADES)),
            {"positions": PLACES, "mode": "float"},
        ),
        (
            (*(np.concatenate([a, a[..., :1]], -1) for a in (BACKGROUNDS, FOREGROUNDS)), None),
            {"positions": PLACES, "mode": "rgba"},
        ),
    ],
    "alpha_connectivity": [((PRED, TRUE), {"trimap": TRIMAP}), (NO_PAIR, {}), ((PRED, TRUE), {})],
    "alpha_errors": [((PRED, TRUE), {"trimap": TRIMAP}), (NO_PAIR, {}), ((PRED, TRUE), {})],
    "alpha_gradient": [
        ((PRED, TRUE), {"trimap": TRIMAP}),
        (NO_PAIR, {}),
        ((PRED, TRUE), {"normalize": "batch", "padding": "zero"}),
    ],
    "alpha_occlude": [
        ((TRUE, SHADES[0]), {"index": 1, "position": (3, -2)}),
        ((TRUE.astype(np.float64), SHADES[0]), {"index": 0, "position": (0, 40), "write": False}),
        (
            (TRUE, SHADES[0]),
            {"index": 1, "position": (3, -2), "boxes": np.array([[0, 0, 30, 24]] * 2)},
        ),
    ],
    "alpha_quantize": [
        ((TRUE,), {}),
        ((TRUE[:0],), {}),
        ((TRUE.astype(np.float64),), {"boxes": np.array([[0, 0, 3, 4], [1, 1, 8, 2]])}),
    ],
    "alpha_temporal": [
        (FRAMES[:2], {"trimap": FRAMES[2]}),
        ((FRAMES[0][:, :0], FRAMES[1][:, :0]), {}),
        ((FRAMES[0][:1], FRAMES[1][:1]), {}),
    ],
    "balanced_select": [
        ((ATTRIBUTES, np.arange(12), np.array([0, 5, 12])), {"count": 3}),
        ((ATTRIBUTES, np.arange(12)[:0], np.array([0])), {"count": 3}),
        (
            (ATTRIBUTES.astype(np.float32), np.arange(12)[::-1].copy(), np.array([0, 12])),
            {"count": 2},
        ),
    ],
    "base64_decode": [(TEXTS, {}), (NOTHING, {}), (TEXTS, {"strict": True})],
    "bbox_iou": [
        ((BOXES[:2], BOXES, CROWD), {}),
        ((BOXES[:0], BOXES, CROWD), {}),
        ((BOXES, BOXES[:0], CROWD[:0]), {}),
    ],
    "confusion_matrix": [
        ((MATTES % 5, MATTES % 4), {"num_labels": 5}),
        ((MATTES[:0].astype(np.int32), MATTES[:0]), {"num_labels": 1}),
        (((MATTES % 5).astype(np.int32), MATTES % 4), {"num_labels": 5, "ignore": 2}),
    ],
    "image_batch": [
        (JPEGS, {"encoding": "raw", "size": (8, 6)}),
        (NOTHING, {}),
        (JPEGS, {"encoding": "raw", "size": (5, 5), "dtype": "bfloat16", "pixel_limit": None}),
        (JPEG_TEXTS, {"size": (4, 4), "dtype": "float16"}),
    ],
    "image_color_jitter": [
        ((BACKGROUNDS, np.array([[0.8, 1.3, 0.5, -0.2], [1.1, 0.4, 2.0, 0.1]])), {}),
        ((BACKGROUNDS[:0], np.ones((0, 4), np.float32)), {}),
        (
            (BACKGROUNDS, np.array([[0.8, 1.3, 0.5, -0.2], [1.1, 0.4, 2.0, 0.1]], np.float32)),
            {"orders": np.array([[3, 1, 0, 2], [4, 4, 1, 3]], np.uint8)},
        ),
    ],
    "image_crop": [
        ((BACKGROUNDS, np.array([[0, 0], [4, 9]])), {"size": (20, 21)}),
        ((SHADES[:0], np.zeros((0, 2), np.int64)), {"size": (3, 4)}),
        ((TRUE, np.array([[-3, 4], [20, 29]])), {"size": (9, 8), "pad": 0.5}),
    ],
    "image_flip": [
        ((BACKGROUNDS, np.array([1, 2], np.uint8)), {}),
        ((BACKGROUNDS[:0], np.zeros(0, np.uint8)), {}),
        ((TRUE, np.array([3, 0], np.uint8)), {"num_threads": 2}),
    ],
    "image_lookup": [
        ((BACKGROUNDS, TABLES[:, 0].copy()), {}),
        ((SHADES[:0], TABLES[:0, 0].copy()), {}),
        ((BACKGROUNDS, TABLES), {"num_threads": 2}),
    ],
    "image_noise": [
        ((BACKGROUNDS, np.array([3.0, 20.5]), np.array([[1, 2], [3, -4]])), {}),
        ((SHADES[:0], np.zeros(0, np.float32), np.zeros((0, 2), np.int64)), {}),
        ((SHADES, np.array([0, 9], np.float32), np.array([[7, 7], [7, 8]])), {}),
    ],
    "image_normalize": [
        ((BACKGROUNDS,), {}),
        ((BACKGROUNDS[:0],), {}),
        ((BACKGROUNDS[:, 1:, 2:9],), {"dtype": "bfloat16", "mean": (0.1, 0.2, 0.3)}),
        ((BACKGROUNDS,), {"dtype": "float16", "std": (0.25, 0.3, 1.5)}),
        ((BACKGROUNDS,), {"channels_last": True}),
    ],
    "image_resize": [
        (IMAGES, {"out_size": (7, 9)}),
        (NO_IMAGES, {"out_size": (7, 9), "filter": "box"}),
        (ImagesBatch.from_images([MATTES[0]]), {"out_size": (40, 3), "channels": 1}),
    ],
    "image_resize_normalize": [
        (IMAGES, {"out_size": (7, 9)}),
        (NO_IMAGES, {"out_size": (7, 9), "channels_last": True}),
        (IMAGES, {"out_size": (40, 3), "dtype": "bfloat16", "channels_last": True}),
    ],
    "image_resize_opencv": [
        ((BACKGROUNDS,), {"size": (12, 15)}),
        ((BACKGROUNDS[:0],), {"size": (3, 4)}),
        ((MATTES[..., None],), {"size": (31, 7)}),
    ],
    "jpeg_decode": [
        (JPEGS, {}),
        (NOTHING, {}),
        (JPEGS, {"roi": np.array([[1, 2, 5, 9], [0, 0, 9, 31]])}),
        (JPEGS, {"scale_denom": 2}),
    ],
    "jpeg_encode": [
        ((BACKGROUNDS,), {}),
        ((BACKGROUNDS[:0],), {"quality": 90}),
        ((BACKGROUNDS,), {"canvas": (40, 50), "positions": np.array([[0, 0], [3, 4]])}),
    ],
    "label_zoom": [
        (LABELS, {"out_size": (9, 6)}),
        (NO_IMAGES, {"out_size": (2, 3)}),
        (LABELS, {"out_size": (3, 20), "rule": "torch"}),
    ],
    "largest_component": [
        ((TRUE,), {}),
        ((MATTES[:0],), {}),
        ((MATTES,), {"threshold": 0.5, "connectivity": 4}),
    ],
    "mask_boundary": [
        ((MASKS,), {}),
        ((MASKS[:0],), {}),
        ((MASKS.view(np.uint8),), {"distance": 2}),
    ],
    "parsing_paste": [
        ((BOXES.astype(np.float32), (MATTES[0] % 9)[None].repeat(3, 0)), {"size": (20, 16)}),
        ((BOXES[:0].astype(np.float32), MATTES[:0]), {}),
    ],
    "parsing_unpack": [(FEW_CODES, {}), (NOTHING, {}), (CODES, {"strict": True})],
    "png_unfilter": [
        ((RNG.integers(0, 5, (6, 10), np.uint8),), {"pixel_bytes": 3}),
        ((np.zeros((0, 4), np.uint8),), {}),
        ((RNG.integers(0, 5, (3, 8), np.uint8),), {}),
    ],
    "rle_area": [(RLES, {}), (NO_RLES, {}), (HOLLOW_RLES, {"num_threads": 2})],
    "rle_bbox": [(RLES, {}), (NO_RLES, {}), (HOLLOW_RLES, {})],
    "rle_crop": [
        ((*RLES, np.array([[0, 0, 4, 5], [3, 1, 9, 13], [16, 12, 17, 13]])), {}),
        ((*NO_RLES, np.zeros((0, 4), np.int64)), {}),
    ],
    "rle_decode": [
        (RLES, {}),
        (NO_RLES, {}),
        (HOLLOW_RLES, {}),
        (RLES, {"order": "F", "dtype": "bool"}),
    ],
    "rle_encode": [
        ((MASKS,), {}),
        ((MASKS[:0],), {}),
        ((MASKS[:, :0],), {}),
        ((MATTES[:, ::2, ::3],), {"rule": "change"}),
    ],
    "rle_flip": [(RLES, {}), (NO_RLES, {}), (RLES, {"axis": "vertical"})],
    "rle_from_bbox": [((BOXES, RLES[2]), {}), ((BOXES[:0], RLES[2][:0]), {})],
    "rle_from_polygon": [
        ((np.array([1, 1, 9, 1, 4, 8.5, 2, 2, 5, 5, 2, 5]), np.array([0, 6, 12]), RLES[2][:2]), {}),
        ((BOXES.ravel()[:0], np.array([0]), RLES[2][:0]), {}),
    ],
    "rle_from_string": [(STRINGS, {}), (NOTHING, {})],
    "rle_iou": [
        ((*RLES, *RLES, CROWD), {}),
        ((*NO_RLES, *RLES, CROWD), {}),
        ((*RLES, *HOLLOW_RLES, CROWD[:2]), {"strict": False}),
    ],
    "rle_merge": [
        ((*RLES, np.array([0, 2, 3])), {}),
        ((*NO_RLES, np.array([0])), {}),
        ((*RLES, np.array([0, 0, 3])), {"intersect": True}),
    ],
    "rle_overlap": [
        ((*RLES, np.array([[0, 1], [2, 2]])), {}),
        ((*NO_RLES, np.zeros((0, 2), np.int64)), {}),
    ],
    "rle_resize": [
        ((*RLES, np.array([[5, 6], [26, 34], [13, 1]])), {}),
        ((*NO_RLES, np.zeros((0, 2), np.int64)), {}),
        ((*RLES, np.array([[5, 6], [26, 34], [13, 1]])), {"rule": "pillow"}),
    ],
    "rle_to_string": [(RLES[:2], {}), (NO_RLES[:2], {})],
    "trimap_from_alpha": [
        ((TRUE,), {"size": 3}),
        ((MATTES[:0],), {}),
        ((MATTES,), {"size": 4, "iterations": 2, "foreground": 99.5}),
    ],
    "tsv_index": [
        ((np.frombuffer(ROWS, np.uint8).copy(),), {}),
        ((np.zeros(0, np.uint8),), {}),
    ],
    "tsv_split": [
        ((np.frombuffer(ROWS.replace(b"\n", b""), np.uint8).copy(), ROW_SPANS), {}),
        (
            (np.frombuffer(ROWS.replace(b"\n", b""), np.uint8).copy(), ROW_SPANS),
            {"columns": [0, -1]},
        ),
        (NOTHING, {"columns": [1]}),
    ],
}
