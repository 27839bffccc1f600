"""Scores: the papers' numbers, and the usual ones.

Every metric takes ``protocol="paper"``, the published code's result with its quirks, or
``"standard"``, the usual definition. Arguments are arrays or whatever NumPy makes arrays of, CPU
tensors included. The classes gather batches: ``update``, ``merge`` between processes, ``compute``.
"""

from refpix.metrics._mattes import Region
from refpix.metrics.box import BoxAccuracy, Protocol, bins_to_boxes, box_correct, box_iou
from refpix.metrics.long_tail import GroupScores, LongTailAccuracy, LongTailScores
from refpix.metrics.matting import (
    MAD,
    MATTING_METRICS,
    MSE,
    SAD,
    Conn,
    Grad,
    MattingMetric,
    MESSDdt,
    dtSSD,
)
from refpix.metrics.matting_functions import conn, dtssd, grad, mad, messddt, mse, sad
from refpix.metrics.matting_postprocess import (
    keep_largest,
    resize_mattes,
    snap_extremes,
    undo_transforms,
)
from refpix.metrics.matting_regions import (
    dilated_changes,
    temporal_transition,
    transition,
    trimap,
)
from refpix.metrics.matting_scores import MattingScores
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
    "MAD",
    "MATTING_METRICS",
    "MSE",
    "SAD",
    "BoxAccuracy",
    "Conn",
    "Grad",
    "GroupScores",
    "LongTailAccuracy",
    "LongTailScores",
    "MESSDdt",
    "MattingMetric",
    "MattingScores",
    "ParsingAccuracy",
    "ParsingScores",
    "PoseAccuracy",
    "Protocol",
    "Region",
    "bins_to_boxes",
    "box_correct",
    "box_iou",
    "conn",
    "count_labels",
    "decode_keypoints",
    "dilated_changes",
    "dtSSD",
    "dtssd",
    "grad",
    "keep_largest",
    "mad",
    "messddt",
    "mse",
    "oks",
    "parsing_scores",
    "paste_parsing",
    "resize_mattes",
    "sad",
    "snap_extremes",
    "temporal_transition",
    "transition",
    "trimap",
    "undo_transforms",
    "zoom_labels",
]
