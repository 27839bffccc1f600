"""Parsers of JSON on COCO's annotations: time and memory to get four fields of a fifth of them.

Each in a process of its own; the inputs are those of ``glt.py``. orjson, ijson and pysimdjson are
measured where they are installed.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

from glt import DATA, OBJECTS
from glt_inputs import make_inputs

from refpix.io.coco_json import read_instances
from refpix.io.glt_pickle import load_pickle


def whole(parse):
    def read(path, ids):
        with open(path, "rb") as file:
            found = parse(file.read())
        kept = [one for one in found["annotations"] if one["id"] in ids]
        return [(one["id"], one["image_id"], one["category_id"], *one["bbox"]) for one in kept]

    return read


def use_orjson(path, ids):
    import orjson

    return whole(orjson.loads)(path, ids)


def use_pysimdjson(path, ids):
    import simdjson

    return whole(simdjson.Parser().parse)(path, ids)


def use_ijson(path, ids):
    import ijson

    with open(path, "rb") as file:
        return [
            (one["id"], one["image_id"], one["category_id"], *map(float, one["bbox"]))
            for one in ijson.items(file, "annotations.item")
            if one["id"] in ids
        ]


def use_msgspec(path, ids):
    """What refpix does."""
    found = read_instances(path, ids=ids)
    columns = (found.id, found.image_id, found.category_id, *found.bbox.T)
    return list(zip(*(column.tolist() for column in columns), strict=True))


WAYS = {
    "json": whole(json.loads),
    "orjson": use_orjson,
    "pysimdjson": use_pysimdjson,
    "ijson": use_ijson,
    "msgspec (refpix)": use_msgspec,
}


def child(name: str, path: str, ids_file: str) -> None:
    ids = set(json.loads(Path(ids_file).read_text()))
    try:
        started = time.process_time()
        rows = WAYS[name](path, ids)
    except ImportError:
        print(f"{name:20}not installed")
        return
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    check = f"{len(rows)} rows, {sum(map(sum, rows)):.6g}"
    print(f"{name:20}{seconds:8.1f} s CPU{peak:8.0f} MB peak  {check}")


def main() -> None:
    if len(sys.argv) > 1:
        child(*sys.argv[1:])
        return
    attributes, annotations = make_inputs(DATA / f"glt-{OBJECTS}", OBJECTS)
    ids_file = DATA / f"glt-{OBJECTS}" / "ids.json"
    ids_file.write_text(json.dumps(list(load_pickle(attributes)["patch_id_to_ann_id"].values())))
    path = annotations / "instances_train2014.json"
    print(f"{path.name}, {path.stat().st_size / 1e6:.0f} MB")
    for name in WAYS:
        subprocess.run([sys.executable, __file__, name, str(path), str(ids_file)], check=True)


if __name__ == "__main__":
    main()
