"""refpix behind the functions that the golden checks of the matting datasets call.

Thin calls of the public API; see ``../shared/golden/README.md`` for how the checks are run.
``--resize`` reaches the checks only: it is read from their command line here.
"""

import json
import sys
import warnings
from pathlib import Path
from random import Random

from refpix import datasets, metrics, synthesis
from refpix.datasets.him_item import HimValidation
from refpix.datasets.him_layout import find_images, index_images
from refpix.io.glt_splits_file import read_splits


def pass_order():
    """The check's ``--resize``, which it does not hand over."""
    arguments = sys.argv
    for i, argument in enumerate(arguments):
        if argument == "--resize":
            return arguments[i + 1]
        if argument.startswith("--resize="):
            return argument.partition("=")[2]
    return "auto"


def image_him(sample_id, fg_paths, bg_paths):
    made = synthesis.him_image(sample_id, fg_paths, bg_paths, order=pass_order())
    return made and {
        "image": made.image,
        "bg": made.background,
        "alphas": made.alphas,
        "fgs": made.foregrounds,
    }


def video_him(name, level, data_dir, valid_videos, bg_files, bg_videos, clip_len):
    made = synthesis.him_video(
        name,
        level,
        data_dir=data_dir,
        videos=valid_videos,
        pictures=bg_files,
        folders=bg_videos,
        clip_len=clip_len,
        order=pass_order(),
    )
    return made and {"frames": made.frames, "alphas": made.alphas}


def metric(name, batches):
    gathered = metrics.MATTING_METRICS[name](protocol="paper")
    with warnings.catch_warnings():  # of clips that the published code drops in silence
        warnings.simplefilter("ignore")
        updates = [gathered.update(pred, gt, trimap) for pred, gt, trimap in batches]
    return {
        "updates": updates,
        "score": gathered.score,
        "count": gathered.count,
        "average": gathered.average(),
    }


def transition(kind, alpha, masks, k_size, iterations):
    if kind == "gen_diff_mask":
        return metrics.dilated_changes(alpha, size=k_size, iterations=iterations)
    made = {
        "gen_transition_gt": metrics.transition,
        "gen_transition_temporal_gt": metrics.temporal_transition,
    }[kind]
    return made(alpha, masks, size=k_size, iterations=iterations)


def largest_component(alpha):
    return metrics.keep_largest(alpha)


def reverse_transform(x, pad_hw, ori_hw, backend):
    done = [{"name": "resize", "ori_size": ori_hw}, {"name": "padding", "pad_size": pad_hw}]
    return metrics.undo_transforms(x, done, rule={"numpy": "opencv", "tensor": "torch"}[backend])


def him_index(root, split, is_train):
    try:
        folders = find_images(root, split, layout="train" if is_train else "val")
    except FileNotFoundError:  # an empty dataset, as published
        return []
    return [(entry.image, list(entry.alphas)) for entry in index_images(folders)[0]]


def him_items(root, split, *, short_size, downscale_mask_p=0.5, **args):
    validation = HimValidation(short_size, downscale_mask=downscale_mask_p > 0)
    return list(datasets.HimImages(root, split, transforms=validation, **args))


def vim_items(root, split, indices, *, short_size, **args):
    clips = datasets.HimVideo(root, split, transforms=HimValidation(short_size), **args)
    return clips.clips, {i: clips[i] for i in indices}


def glt_generate(attribute_path, anno_path, runs, seed, category_orders):
    random = Random(seed)
    results = []
    for run, order in zip(runs, category_orders, strict=True):
        objects = synthesis.read_objects(attribute_path, anno_path)
        train = {"bl": "bl", "lt": "exp"}[run["inter_type"]]
        sizes = synthesis.GltRun("golden", train, run["TEST_SIZE"], run["VAL_SIZE"])
        made = synthesis.glt_splits(objects, sizes, random, order=order)
        splits = {
            name: {
                "keys": split.keys,
                "label": split.label.tolist(),
                "frequency": split.frequency.tolist(),
            }
            for name, split in made.splits.items()
        }
        results.append({"cat2id": made.cat2id, "splits": splits, "leftover_keys": made.leftover})
    return results


def glt_crop(annotation_jbl, data_path, out_dir):
    splits = read_splits(annotation_jbl)
    folder = synthesis.CROP_SETS[splits.name]
    synthesis.generate_crops(out_dir, data_path=data_path, sets={folder: splits}, strict=True)
    annotation = json.loads((Path(out_dir) / folder / "annotation.json").read_text())
    pictures = synthesis.coco_pictures(data_path)
    columns = splits.annotations
    rows = {str(key): row for row, key in enumerate(columns.keys)}
    pixels = {}
    for file in sorted((Path(out_dir) / folder / "images").iterdir()):
        row = rows[file.stem]
        picture = pictures[int(columns.image_id[row])]
        pixels[file.stem] = synthesis.glt_crop(picture, columns.bbox[row])
    return pixels, annotation
