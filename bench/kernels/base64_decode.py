"""base64_decode against pybase64, the standard library and the reference.

CPU time of one thread, all contenders in turns, outputs compared first. Ratios are to
pybase64.b64decode_as_bytearray(validate=True), the fastest decoder that checks its input.
"""

from __future__ import annotations

import argparse
import base64
import statistics
import time
from collections.abc import Callable

import numpy as np
import pybase64

from refpix.kernels import Isa, base64_decode, isas, use_isa
from refpix.types import BytesBatch


def contenders(texts: list[bytes]) -> dict[str, Callable[[], object]]:
    """Each decodes all texts; the standard library's and pybase64's item by item."""
    batch = BytesBatch.from_items(texts)
    out = np.empty(sum(len(text) for text in texts), np.uint8)
    joined = [text.decode() for text in texts]

    def ours(text_batch: BytesBatch = batch, **options: object) -> Callable[[], object]:
        return lambda: base64_decode(*text_batch, out=out, **options)[0]

    folded = [b"\n".join(t[i : i + 76] for i in range(0, len(t), 76)) for t in texts]
    best = isas()[-1]
    return {
        "pybase64": lambda: [pybase64.b64decode_as_bytearray(t, validate=True) for t in texts],
        "stdlib urlsafe": lambda: [base64.urlsafe_b64decode(t) for t in joined],
        **{f"refpix {isa}": ours() for isa in isas()},
        f"refpix {best} strict": ours(strict=True),
        f"refpix {best} in lines of 76": ours(BytesBatch.from_items(folded)),
    }


def isa_of(name: str) -> Isa:
    """The instruction set that a contender's name asks for; the others do not care."""
    return name.split()[1] if name.startswith("refpix") else isas()[-1]


def flat(decoded: object) -> bytes:
    return decoded.tobytes() if isinstance(decoded, np.ndarray) else b"".join(decoded)


def measure(
    runs: dict[str, Callable[[], object]], rounds: int, seconds: float
) -> dict[str, list[float]]:
    """CPU seconds per call, a list of one number a round for each contender."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    repeats = {}
    for name, run in runs.items():
        start = time.process_time()
        run()
        repeats[name] = max(1, int(seconds / max(time.process_time() - start, 1e-6)))
    for _ in range(rounds):
        for name, run in runs.items():
            with use_isa(isa_of(name)):
                start = time.process_time()
                for _ in range(repeats[name]):
                    run()
                times[name].append((time.process_time() - start) / repeats[name])
    return times


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kilobytes", type=int, default=200, help="of text per item")
    parser.add_argument("--items", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.02, help="per contender and round")
    args = parser.parse_args()
    size = args.kilobytes * 1000 // 4 * 3
    raw = np.random.default_rng(0).integers(0, 256, (args.items, size), np.uint8)
    runs = contenders([base64.b64encode(row.tobytes()) for row in raw])
    for name, run in runs.items():
        with use_isa(isa_of(name)):
            assert flat(run()) == raw.tobytes(), name
    times = measure(runs, args.rounds, args.seconds)
    print(f"{args.items} items of {args.kilobytes} KB, CPU time of one thread")
    print(f"{'':28}{'us/item':>10}{'GB/s':>8}{'ratio':>8}")
    for name, found in times.items():
        ratio = statistics.median(
            ours / theirs for ours, theirs in zip(found, times["pybase64"], strict=True)
        )
        item = min(found) / args.items
        print(f"{name:28}{item * 1e6:10.1f}{args.kilobytes * 1e-6 / item:8.1f}{ratio:8.2f}")


if __name__ == "__main__":
    main()
