"""RefCOCO-M's evaluation (5,598 examples, 640x480) against a plain loop over pycocotools.

Contestants take turns in one process, piece by piece, on run lengths in memory; outputs are
compared before anything is timed. Then both from files: parquet and JSON read, and scored.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path

import numpy as np
import people
from pyarrow import parquet
from pycocotools import mask as rival
from tqdm import tqdm
from turns import Timings, describe, machine, write

from refpix import masks
from refpix.datasets import RefCocoM
from refpix.metrics.referring import evaluate

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / "data"
RESULTS = HERE.parent / "results"
PACKAGES = ("refpix", "numpy", "pyarrow", "pycocotools")
PIECES = 12
TARGET = 8.0

Pairs = list[tuple[dict, dict]]


def plain_loop(pairs: Pairs) -> list[tuple[int, int]]:
    """Decode both, and, or, sums: what evaluation scripts do."""
    found = []
    for pred, gt in pairs:
        a, b = rival.decode(pred), rival.decode(gt)
        found.append((int(np.logical_and(a, b).sum()), int(np.logical_or(a, b).sum())))
    return found


def run_length_loop(pairs: Pairs) -> list[float]:
    """The best that pycocotools offers: IoU of run lengths, pair by pair."""
    return [float(rival.iou([pred], [gt], [0])[0, 0]) for pred, gt in pairs]


def plain_from_files(path: Path, predictions: Path) -> float:
    entries = json.loads(predictions.read_text())
    by_name = {(e["sample_id"], e["sentence_index"]): e["segmentation"] for e in entries}
    pairs = []
    for row in parquet.read_table(path, columns=["samples"]).to_pylist():
        for sample in row["samples"]:
            for k in range(len(sample["sentences"])):
                pairs.append((by_name[sample["id"], k], sample["mask"]))
    return float(np.mean([i / u if u else 0.0 for i, u in plain_loop(pairs)]))


def measure(pictures: int, rounds: int) -> dict[str, object]:
    path = DATA / f"refcocom-{pictures}.parquet"
    json_path = path.with_suffix(".json")
    # The dataset's numbers: 2,080 masks and 5,598 sentences on 1,190 pictures.
    sizes = (pictures, pictures * 2080 // 1190, pictures * 5598 // 1190)
    entries = people.write(path, *sizes)
    examples = list(RefCocoM(path).examples)
    pairs = [(e["segmentation"], x.rle) for e, x in zip(entries, examples, strict=True)]

    scores = evaluate(examples, entries)
    want = plain_loop(pairs)
    if list(zip(scores.intersection.tolist(), scores.union.tolist(), strict=True)) != want:
        sys.exit("refpix and pycocotools disagree: nothing is measured")
    if scores.iou.tolist() != run_length_loop(pairs):
        sys.exit("refpix and pycocotools' IoU disagree: nothing is measured")
    if scores.miou != plain_from_files(path, json_path):
        sys.exit("mIoU from files differs: nothing is measured")

    report: dict[str, object] = {
        "machine": machine(PACKAGES),
        "examples": len(pairs),
        "masks": sizes[1],
        "pictures": pictures,
        "mean_runs": {
            name: len(batch.counts) / len(batch.sizes)
            for name, batch in (
                ("predictions", masks.from_coco([pred for pred, _ in pairs])),
                ("ground truth", masks.from_coco([gt for _, gt in pairs])),
            )
        },
        "miou": scores.miou,
    }
    timings, files = Timings(), Timings()
    with tqdm(total=rounds * PIECES, desc="in turns", unit="piece") as bar:
        for _ in range(rounds):
            for piece in np.array_split(np.arange(len(pairs)), PIECES):
                part = slice(int(piece[0]), int(piece[-1]) + 1)
                rles = [pred for pred, _ in pairs[part]]
                timings.run("pycocotools, decoded", partial(plain_loop, pairs[part]))
                timings.run("pycocotools, mask.iou", partial(run_length_loop, pairs[part]))
                timings.run("refpix", partial(evaluate, examples[part], rles))
                timings.run(
                    "refpix, 2 threads", partial(evaluate, examples[part], rles, num_threads=2)
                )
                bar.update()
    for _ in range(rounds):
        files.run("pycocotools, from files", lambda: plain_from_files(path, json_path))
        files.run("refpix, from files", lambda: evaluate(RefCocoM(path), json_path))

    count = len(pairs)
    report["us_per_example"] = {
        **{name: timings.medians(name, 1e6 * PIECES / count) for name in timings.cpu},
        **{name: files.medians(name, 1e6 / count) for name in files.cpu},
    }
    report["ratios"] = {
        "plain loop / refpix": timings.ratio("pycocotools, decoded", "refpix"),
        "mask.iou / refpix": timings.ratio("pycocotools, mask.iou", "refpix"),
        "speed-up of 2 threads": timings.ratio("refpix", "refpix, 2 threads", "wall"),
        "from files: plain loop / refpix": files.ratio(
            "pycocotools, from files", "refpix, from files"
        ),
    }
    return report


def print_report(report: dict) -> None:
    print("\n" + describe(report["machine"]))
    print(f"{report['examples']} examples, {report['masks']} masks, 640x480\n")
    print(f"{'us per example':28}{'CPU':>9}{'wall':>9}")
    for name, times in report["us_per_example"].items():
        print(f"{name:28}{times['cpu']:9.1f}{times['wall']:9.1f}")
    print()
    for name, value in report["ratios"].items():
        met = f"   at least {TARGET:.0f}  {'met' if value >= TARGET else 'MISSED'}"
        print(f"{name:34}{value:8.2f}{met if name == 'plain loop / refpix' else ''}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=1190)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, default=RESULTS / "refcocom.json")
    options = parser.parse_args()
    report = measure(options.pictures, options.rounds)
    print_report(report)
    write(report, options.json)


if __name__ == "__main__":
    main()
