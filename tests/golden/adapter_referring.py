"""refpix behind the functions that the golden checks of the referring datasets call.

Thin calls of the public API; see ``../shared/golden/README.md`` for how the checks are run.
"""

import os
import sys
from types import SimpleNamespace

from refpix import kernels, masks, metrics
from refpix.compat import ofa
from refpix.compat import refhuman as compat_refhuman
from refpix.datasets import RefCocoM, refhcm_targets
from refpix.metrics import referring
from refpix.types import BytesBatch, ImagesBatch

PASS_ORDERS = {"13": "pillow13", "12": "pillow12"}


def urlsafe_b64decode(text):
    return kernels.base64_decode(*BytesBatch.from_items([text]))[0].tobytes()


def resize(img, out_hw, filter, rule):
    return kernels.image_resize(
        *ImagesBatch.from_images([img]),
        out_size=out_hw,
        channels=img[0, 0].size,
        filter=filter,
        order=PASS_ORDERS[rule],
    ).reshape(*out_hw, *img.shape[2:])


def open_file_dataset(path, selected_cols, dtypes, world_size, rank, cached_index=False):
    return ofa.FileDataset(
        path,
        selected_cols,
        dtypes,
        cached_index=cached_index,
        slice_id=rank,
        slice_count=world_size,
    )


def batches(length, total_rows, num_shards, max_sentences):
    return ofa.batches(length, total_rows, num_shards, max_sentences)


class Described:
    """Rows as ``describe`` gives them."""

    def __init__(self, builder):
        self.builder = builder

    def __getitem__(self, index):
        return self.builder.describe(index)


def dataset(task, path, selected_cols, config, split, anno_root, rule):
    options = dict(config, pass_order=PASS_ORDERS[rule])
    if task == "rhrc":  # always divides by the patch size
        options.pop("max_image_size")
    if task.startswith("rpar"):
        options["anno_root"] = anno_root
    return Described(ofa.open_dataset(task, path, selected_cols, split=split, **options))


def pre_caption(text, max_words):
    return refhcm_targets.pre_caption(text, max_words)


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


def refcocom_records(path):
    dataset = RefCocoM(path)
    return dataset.raw(range(len(dataset)))


def rle_decode(rle):
    return masks.decode([rle])[0]


def rle_iou(pred, gt):
    return referring.mask_overlap([pred], [gt])[0].tolist()


def refcocom_miou(pairs, empty_union):
    scores = referring.ReferringAccuracy(empty_union=empty_union)
    scores.update([pred for pred, _ in pairs], [gt for _, gt in pairs])
    return scores.compute().miou


def refhuman(root, split):
    # The check tells its script, not this function, which pass order it holds the package to.
    words = " ".join(sys.argv).replace("--rule=", "--rule ").split()
    rule = words[words.index("--rule") + 1] if "--rule" in words else "13"
    return compat_refhuman.build(
        split,
        SimpleNamespace(coco_path=os.fspath(root)),
        order=PASS_ORDERS[rule],
        published_errors=True,
        cache="memory",
    )
