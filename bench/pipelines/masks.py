"""pycocotools.mask and its fast successors against refpix's drop-in, operation by operation.

All contenders take turns in one process over the same masks, results compared first. CPU time of
the whole process and wall time; a ratio is the median over turns of the ratio within a turn, and
the rival is the best of them. "kept": a list holds all results of a turn, so that each lies in
fresh memory; "dropped": each dies before the next; "warm": ours fills one array, in C order.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
from tqdm import tqdm
from turns import Timings, describe, machine, write

sys.path.append(str(Path(__file__).resolve().parents[1] / "kernels"))
import shapes

from refpix import masks
from refpix.compat.pycocotools import mask as ours

RESULTS = Path(__file__).resolve().parent.parent / "results"
RIVALS = {
    "pycocotools": "pycocotools.mask",
    "faster-coco-eval": "faster_coco_eval",
    "hotcoco": "hotcoco.mask",
    "ultrafast-pycocotools": "ultrafast_pycocotools.mask",
}
PACKAGES = ("refpix", "numpy", *RIVALS)
OURS = "refpix"

Work = Callable[[], object]


class Row(NamedTuple):
    """One line of the table: who does it, and how many masks, pairs or polygons they do."""

    operation: str
    scene: str
    items: int
    ways: dict[str, Work]
    target: float | None = None  # best rival / ours, at least
    clock: str = "cpu"
    compare: bool = True  # results must be equal

    @property
    def name(self) -> str:
        return f"{self.operation}: {self.scene}"


class Scene:
    """Masks of one kind, in all the forms that contenders take."""

    def __init__(self, draw: Callable, count: int) -> None:
        self.c = [draw(np.random.default_rng(seed)) for seed in range(count)]
        self.fortran = [np.asfortranarray(mask) for mask in self.c]
        self.rles = [ours.encode(mask) for mask in self.c]
        self.lists = [
            {"size": rle["size"], "counts": masks.from_coco([rle]).counts.tolist()}
            for rle in self.rles
        ]


def rivals() -> dict[str, ModuleType]:
    found = {}
    for name, module in RIVALS.items():
        try:
            api = importlib.import_module(module)
        except ImportError:
            print(f"{name} is not installed: left out", file=sys.stderr)
            continue
        found[name] = getattr(api, "mask", api)
    return found


def kept(work: Callable, items: list) -> Work:
    return lambda: [work(item) for item in items]


def dropped(work: Callable, items: list) -> Work:
    def run() -> None:
        for item in items:
            work(item)

    return run


def from_c_order(api: ModuleType, scene: Scene) -> dict[str, Work]:
    """By way of Fortran order, and, of those who take it, as it is."""
    ways = {"": kept(lambda mask: api.encode(np.asfortranarray(mask)), scene.c)}
    try:
        takes_it = same(api.encode(scene.c[0]), scene.rles[0])
    except (ValueError, TypeError):
        takes_it = False
    return {**ways, " (as it is)": kept(api.encode, scene.c)} if takes_it else ways


def each_mask(apis: dict[str, ModuleType], name: str, scene: Scene, bars: bool) -> Iterator[Row]:
    """Mask by mask, as programs written for pycocotools go. `bars`: the targets apply."""
    count = len(scene.c)
    warm = np.empty_like(scene.c[0])

    def row(operation: str, target: float | None, work: Callable[[ModuleType], Work]) -> Row:
        ways = {contender: work(api) for contender, api in apis.items()}
        return Row(operation, name, count, ways, target if bars else None)

    ways = {
        contender + how: work
        for contender, api in apis.items()
        if contender != OURS
        for how, work in from_c_order(api, scene).items()
    }
    ways[OURS] = kept(ours.encode, scene.c)
    yield Row("encode from C order", name, count, ways, 4.0 if bars else None)
    yield row("encode from Fortran order", None, lambda api: kept(api.encode, scene.fortran))
    ways = {contender: kept(api.decode, scene.rles) for contender, api in apis.items()}
    ways[OURS] = kept(lambda rle: ours.decode(rle, out=warm), scene.rles)
    yield Row("decode: kept / warm", name, count, ways, 5.0 if bars else None, compare=False)
    yield row("decode, kept", 1.0, lambda api: kept(api.decode, scene.rles))
    yield row("decode, dropped", None, lambda api: dropped(api.decode, scene.rles))
    yield row("area", 1.2, lambda api: kept(api.area, scene.rles))
    yield row("area, one call", None, lambda api: partial(api.area, scene.rles))
    yield row("bbox", 1.2, lambda api: kept(api.toBbox, scene.rles))
    yield row("bbox, one call", None, lambda api: partial(api.toBbox, scene.rles))
    yield row(
        "counts to string",
        1.2,
        lambda api: kept(lambda rle: api.frPyObjects(rle, *rle["size"]), scene.lists),
    )
    tens = [scene.rles[at : at + 10] for at in range(0, count - 9, 10)]
    if tens:
        merge = row("merge of 10", 1.2, lambda api: kept(api.merge, tens))
        yield merge._replace(items=len(tens))


def matrix(apis: dict[str, ModuleType], name: str, scene: Scene, target: float) -> Row:
    crowd = [0] * len(scene.rles)
    ways = {
        contender: partial(api.iou, scene.rles, scene.rles, crowd)
        for contender, api in apis.items()
    }
    return Row("IoU 200x200", name, len(crowd) ** 2, ways, target)


def polygons(apis: dict[str, ModuleType]) -> Row:
    lists = [[shapes.polygon(np.random.default_rng(seed))] for seed in range(100)]
    ways = {
        contender: kept(lambda polygon, api=api: api.frPyObjects(polygon, 480, 640), lists)
        for contender, api in apis.items()
    }
    return Row("polygons", "60 points, 640x480", len(lists), ways, 1.2)


def strings(apis: dict[str, ModuleType], name: str, scene: Scene) -> Row:
    """Only hotcoco has a function for it; it gives a list, ours an array."""
    ways: dict[str, Work] = {}
    if "hotcoco" in apis:
        texts = [(rle["counts"].decode(), *rle["size"]) for rle in scene.rles]
        ways["hotcoco"] = kept(lambda text: apis["hotcoco"].rle_from_string(*text), texts)
    ways[OURS] = kept(lambda rle: masks.from_coco([rle]), scene.rles)
    return Row("string to counts", name, len(scene.rles), ways, 1.2, compare=False)


def threads(name: str, scene: Scene) -> Iterator[Row]:
    """One thread against two, by the clock."""
    count = len(scene.c)
    stack = np.stack(scene.c).transpose(1, 2, 0)  # a batch of masks, as pycocotools shapes it
    planes = np.empty((count, *scene.c[0].shape), np.uint8).transpose(1, 2, 0)
    crowd = [0] * count
    for operation, work in {
        "decode": lambda n: ours.decode(scene.rles, out=planes, num_threads=n),
        "encode": lambda n: ours.encode(stack, num_threads=n),
        "IoU": lambda n: ours.iou(scene.rles, scene.rles, crowd, num_threads=n),
    }.items():
        ways = {"1 thread": partial(work, 1), OURS: partial(work, 2)}
        yield Row(f"{operation}: 1 thread / 2", name, count, ways, 1.8, clock="wall")


def rows() -> Iterator[Row]:
    apis = {**rivals(), OURS: ours}
    people, tiny = Scene(shapes.person, 200), Scene(shapes.tiny, 200)
    hair = Scene(shapes.hair, 4)
    yield from each_mask(apis, "people 640x480", people, bars=True)
    yield strings(apis, "people 640x480", people)
    yield polygons(apis)
    yield matrix(apis, "people 640x480", people, 5.0)
    yield matrix(apis, "tiny 640x480", tiny, 1.0)
    yield from threads("people 640x480", people)
    yield from each_mask(apis, "hair 1920x1080", hair, bars=False)
    yield from each_mask(apis, "tiny 640x480", tiny, bars=False)


def same(a: object, b: object) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        counts = [c.encode() if isinstance(c, str) else c for c in (a["counts"], b["counts"])]
        return counts[0] == counts[1] and list(a["size"]) == list(b["size"])
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return np.array_equal(a, b)


def check(row: Row) -> None:
    """Everyone gives what the first does; a rival that does not is left out, ours ends the run."""
    if not row.compare:
        return
    want = next(iter(row.ways.values()))()
    for contender in list(row.ways):
        if not same(row.ways[contender](), want):
            if contender == OURS:
                sys.exit(f"refpix differs in {row.name!r}: nothing is measured")
            print(f"{contender} differs in {row.name!r}: left out", file=sys.stderr)
            del row.ways[contender]


def measure(rounds: int) -> dict[str, object]:
    where = machine(PACKAGES)
    table = list(rows())
    for row in table:
        check(row)
    report = []
    for row in tqdm(table, desc="operations", unit="row"):
        timings = Timings()
        for _ in range(rounds + 1):
            for contender, work in row.ways.items():
                work()  # what the one before left in caches and on the heap is not this one's
                timings.run(contender, work)
        others = [contender for contender in row.ways if contender != OURS]
        best = timings.quickest(others) if others else None
        report.append(
            {
                "operation": row.operation,
                "scene": row.scene,
                "us_per_item": {c: timings.medians(c, 1e6 / row.items) for c in row.ways},
                "best": best,
                "ratio": timings.ratio(best, OURS, row.clock) if best else None,
                "target": row.target,
            }
        )
    return {"machine": where, "rounds": rounds, "rows": report}


def print_report(report: dict) -> None:
    print("\n" + describe(report["machine"]))
    print("CPU us per mask, pair, merge or polygon; ratio: best rival / refpix\n")
    names = [*RIVALS, OURS]
    print(f"{'':40}" + "".join(f"{n[:12]:>13}" for n in names) + f"{'ratio':>9}")
    scene = None
    for row in report["rows"]:
        if scene != row["scene"]:
            scene = row["scene"]
            print(scene)
        cells = []
        for name in names:
            own = [t["cpu"] for c, t in row["us_per_item"].items() if c.partition(" (")[0] == name]
            cells.append(f"{min(own):13.2f}" if own else f"{'-':>13}")
        line = f"  {row['operation']:38}" + "".join(cells)
        if row["ratio"] is not None:
            line += f"{row['ratio']:9.2f}"
        if row["target"] is not None and row["ratio"] is not None:
            met = "met" if row["ratio"] >= row["target"] else "MISSED"
            line += f"  at least {row['target']:<4} {met}"
        print(line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--json", type=Path, default=RESULTS / "masks.json")
    options = parser.parse_args()
    report = measure(options.rounds)
    print_report(report)
    write(report, options.json)


if __name__ == "__main__":
    main()
