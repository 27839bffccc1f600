"""refpix behind the functions that the golden checks of the referring datasets call.

Thin calls of the public API; see ``../shared/golden/README.md`` for how the checks are run.
"""

from refpix import metrics


def paste_parsing(bins, maps, num_bins, max_image_size):
    return metrics.paste_parsing(bins, maps, num_bins=num_bins, max_image_size=max_image_size)


def confusion_matrix(pred, gt, num_labels, ignore):
    return metrics.count_labels(pred, gt, num_labels=num_labels, ignore=ignore)


def miou(cm):
    return metrics.parsing_scores(cm)[:3]


def nearest(map2d, out_hw):
    return metrics.zoom_labels(map2d, out_hw, rule="torch")


def zoom512(map2d):
    return metrics.zoom_labels(map2d, (512, 512), rule="scipy")


def oks(hyps, refs, bbox):
    return metrics.oks(hyps, refs, bbox)


def box_iou(hyps, refs):
    return metrics.box_iou(hyps, refs)


def box_acc(hyps, refs, thresh):
    return metrics.box_correct(hyps, refs, threshold=thresh)


def bins_to_boxes(bins, w_ratio, h_ratio, num_bins, max_image_size):
    return metrics.bins_to_boxes(
        bins, w_ratio, h_ratio, num_bins=num_bins, max_image_size=max_image_size
    )


def decode_keypoints(pieces):
    return metrics.decode_keypoints(pieces)
