"""Scores of referring, pose and parsing tasks: the paper's numbers, and the usual ones.

Every metric takes ``protocol="paper"``, the published code's result with its quirks, or
``"standard"``, the usual definition. Arguments are arrays or whatever NumPy makes arrays of, CPU
tensors included. The classes gather batches: ``update``, ``merge`` between processes, ``compute``.
"""

from refpix.metrics.box import BoxAccuracy, Protocol, bins_to_boxes, box_correct, box_iou
from refpix.metrics.parsing import (
    ParsingAccuracy,
    ParsingScores,
    count_labels,
    parsing_scores,
    paste_parsing,
    zoom_labels,
)
from refpix.metrics.pose import (
    KEYPOINT_SIGMAS,
    PoseAccuracy,
    decode_keypoints,
    oks,
)

__all__ = [
    "KEYPOINT_SIGMAS",
    "BoxAccuracy",
    "ParsingAccuracy",
    "ParsingScores",
    "PoseAccuracy",
    "Protocol",
    "bins_to_boxes",
    "box_correct",
    "box_iou",
    "count_labels",
    "decode_keypoints",
    "oks",
    "parsing_scores",
    "paste_parsing",
    "zoom_labels",
]
