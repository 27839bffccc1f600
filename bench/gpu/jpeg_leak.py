"""Whether JpegDecoder keeps its memory over many batches: the device's, and the process's.

Usage: python bench/gpu/jpeg_leak.py [--batches 10000] [--size 16] [--engine auto] [--json FILE]

Batches of changing pictures, some progressive, some for the CPU, some damaged. Memory is looked at
ten times; after the first tenth, when pools are warm, it must not grow by more than a small slack.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from refpix.types import BytesBatch

SLACK_BYTES = 64 << 20


def payloads(count: int) -> list[bytes]:
    """JPEGs of many kinds, one in twelve damaged."""
    rng = np.random.default_rng(7)
    made = []
    for i in range(count):
        width, height = (int(side) for side in rng.integers(40, 400, 2))
        image = Image.fromarray(
            rng.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), np.uint8)
        )
        file = io.BytesIO()
        mode = "CMYK" if i % 11 == 5 else "L" if i % 7 == 3 else "RGB"
        image.resize((width, height)).convert(mode).save(file, "JPEG", progressive=i % 5 == 0)
        made.append(file.getvalue()[: -60 if i % 12 == 6 else None])
    return made


def device_bytes() -> int:
    import torch

    if not torch.cuda.is_available():
        return 0
    torch.cuda.synchronize()
    free, total = torch.cuda.mem_get_info()
    return total - free


def resident_bytes() -> int:
    """Of the process, now; the most there has been where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def run(batches: int, size: int, engine: str) -> dict[str, Any]:
    """Memory at ten times, and whether it grew."""
    from refpix.cuda import JpegDecoder

    files = payloads(4 * size)
    order = random.Random(1)
    looks: list[dict[str, int]] = []
    begin = time.perf_counter()
    with JpegDecoder(engine=engine, allow_truncated=True) as decoder:  # type: ignore[arg-type]
        for number in range(1, batches + 1):
            decoder.decode(*BytesBatch.from_items(order.sample(files, size)))
            if number % max(1, batches // 10) == 0:
                looks.append(
                    {"batch": number, "device": device_bytes(), "resident": resident_bytes()}
                )
        engines, library = decoder.engines, decoder.library
    growth = {
        kind: max(look[kind] for look in looks) - looks[0][kind] for kind in ("device", "resident")
    }
    return {
        "batches": batches,
        "pictures": size,
        "engines": engines,
        "library": library,
        "seconds": time.perf_counter() - begin,
        "looks": looks,
        "growth": growth,
        "leaks": any(bytes_ > SLACK_BYTES for bytes_ in growth.values()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batches", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=16)
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    result = run(arguments.batches, arguments.size, arguments.engine)
    for look in result["looks"]:
        print(
            f"{look['batch']:8d} batches: device {look['device'] / 2**20:9.1f} MiB, "
            f"process {look['resident'] / 2**20:9.1f} MiB"
        )
    print(f"{', '.join(result['engines'])}; {result['seconds']:.1f} s; growth {result['growth']}")
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n")
    sys.exit(1 if result["leaks"] else 0)


if __name__ == "__main__":
    main()
