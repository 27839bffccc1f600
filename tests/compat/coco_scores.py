"""COCOeval on a small made-up dataset, with pycocotools' masks or ours under it.

python -m tests.compat.coco_scores STATE prints scores as JSON. A program, as installing changes
modules for the whole process.
"""

import contextlib
import io
import json
import sys

import numpy as np

SIZE = (96, 128)
SEED = 5


def box_polygon(x, y, w, h):
    return [x, y, x + w, y, x + w, y + h / 2, x + w / 2, y + h, x, y + h]


def uncompressed(mask):
    ends = np.flatnonzero(np.diff(np.concatenate([[0], mask.T.reshape(-1)])))
    return {"size": list(mask.shape), "counts": np.diff([0, *ends, mask.size]).tolist()}


def ground_truth(rng):
    images, annotations = [], []
    for image in range(1, 9):
        images.append({"id": image, "height": SIZE[0], "width": SIZE[1], "file_name": "x"})
        for _ in range(rng.integers(1, 6)):
            x, y, w, h = (rng.random(4) * [90, 70, 70, 60]).round(2).tolist()
            w, h = w + 6, h + 6
            crowd = int(rng.random() < 0.2)
            polygons = [box_polygon(x, y, w, h), box_polygon(x + 3, y + 3, w / 2, h)]
            dense = np.zeros(SIZE, np.uint8)
            dense[int(y) : int(y + h), int(x) : int(x + w)] = 1
            points = (rng.random((17, 2)) * [w, h] + [x, y]).round(1)
            seen = rng.integers(0, 3, 17)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image,
                    "category_id": int(rng.integers(1, 4)),
                    "iscrowd": crowd,
                    "bbox": [x, y, w, h],
                    "area": w * h,
                    "segmentation": uncompressed(dense) if crowd else polygons,
                    "keypoints": np.column_stack([points, seen]).reshape(-1).tolist(),
                    "num_keypoints": int((seen > 0).sum()),
                }
            )
    categories = [{"id": i, "name": str(i)} for i in (1, 2, 3)]
    return {"images": images, "annotations": annotations, "categories": categories}


def detections(rng, coco, kind):
    """Moved copies of the ground truth, and some that hit nothing."""
    found = []
    for annotation in coco.dataset["annotations"] * 2:
        entry = {
            "image_id": annotation["image_id"],
            "category_id": annotation["category_id"],
            "score": round(float(rng.random()), 3),
        }
        shift = rng.integers(-6, 7, 2)
        if kind == "bbox":
            x, y, w, h = annotation["bbox"]
            entry["bbox"] = [x + float(shift[0]), y + float(shift[1]), w, h]
        elif kind == "keypoints":
            points = np.array(annotation["keypoints"]).reshape(17, 3)
            points[:, :2] += rng.normal(0, 3, (17, 2))
            entry["keypoints"] = points.reshape(-1).tolist()
        else:
            from pycocotools import mask

            moved = np.roll(coco.annToMask(annotation), shift, (0, 1))
            rle = mask.encode(np.asfortranarray(moved))
            entry["segmentation"] = {**rle, "counts": rle["counts"].decode()}
        found.append(entry)
    return found


def scores():
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    results = {}
    for kind in ("segm", "bbox", "keypoints"):
        rng = np.random.default_rng(SEED)
        coco = COCO()
        coco.dataset = ground_truth(rng)
        with contextlib.redirect_stdout(io.StringIO()):
            coco.createIndex()
            evaluation = COCOeval(coco, coco.loadRes(detections(rng, coco, kind)), kind)
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        precision = evaluation.eval["precision"]
        results[kind] = [*evaluation.stats.tolist(), float(precision.sum())]
        # To the bit: repr, which JSON uses, tells floats apart.
        ious = [evaluation.ious[key] for key in sorted(evaluation.ious)]
        results[kind].append(float(sum(np.sum(iou) for iou in ious)))
    return results


def run(state):
    import refpix.compat.pycocotools as compat

    if state == "ours, installed late":
        import pycocotools.coco
        import pycocotools.cocoeval
    if state != "theirs":
        compat.install()
        compat.install()  # the second time does nothing
    if state == "uninstalled":
        import pycocotools.cocoeval

        compat.uninstall()
        compat.uninstall()
    results = scores()
    import pycocotools.cocoeval as users
    import pycocotools.mask
    from pycocotools import coco
    from pycocotools import mask as imported

    modules = {imported, pycocotools.mask, users.maskUtils, coco.maskUtils}
    results["modules"] = sorted(module.__name__ for module in modules)
    return results


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1])))
