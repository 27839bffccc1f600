"""Runs a fuzz target: under atheris where it is installed, else by mutating the corpus.

A target is a function `one_input(data)` that raises (or crashes) on a finding; `run` is its main.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

_INTERESTING = [0, 1, 9, 10, 13, 32, 61, 127, 128, 255]


def mutate(
    data: bytes, rng: random.Random, corpus: list[bytes], max_length: int = 1 << 16
) -> bytes:
    """A few random edits: bytes changed, cut, repeated, inserted, or spliced with other input."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 8))):
        at = rng.randrange(len(out) + 1)
        end = min(len(out), at + rng.choice((1, 1, 2, 8, 64, 512)))
        match rng.randrange(6):
            case 0:
                out[at:end] = bytes(rng.randrange(256) for _ in range(end - at))
            case 1:
                out[at:at] = bytes([rng.choice(_INTERESTING)]) * rng.choice((1, 1, 2, 3, 64))
            case 2:
                del out[at:end]
            case 3:
                out[at:at] = out[at:end] * rng.choice((1, 2, 16))
            case 4:
                if at < len(out):
                    out[at] ^= 1 << rng.randrange(8)
            case _:
                other = rng.choice(corpus)
                cut = rng.randrange(len(other) + 1)
                out[at:] = other[cut:]
    return bytes(out[:max_length])


def run(one_input: Callable[[bytes], None], corpus: list[bytes]) -> None:
    """Main of a fuzz target: the corpus as it is, then mutations for --seconds.

    The mutations depend on --seed and their number alone; a finding is written to the current
    folder as finding-<target>.bin and reported with its number. `--atheris` hands the target to
    atheris (coverage-guided); without it nothing but Python is needed.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--iterations", type=int, default=None, help="instead of --seconds")
    parser.add_argument("--atheris", action="store_true")
    args = parser.parse_args()
    if args.atheris:
        _run_atheris(one_input, args.seconds, args.seed)
        return
    corpus = corpus or [b""]
    rng = random.Random(args.seed)
    stop = time.monotonic() + args.seconds
    done = 0
    while done < args.iterations if args.iterations is not None else time.monotonic() < stop:
        data = corpus[done] if done < len(corpus) else mutate(rng.choice(corpus), rng, corpus)
        try:
            one_input(data)
        except BaseException:
            name = f"finding-{Path(sys.argv[0]).stem}.bin"
            with open(name, "wb") as file:
                file.write(data)
            print(f"finding at input {done} of seed {args.seed}, kept as {name}", file=sys.stderr)
            raise
        done += 1
    print(f"{done} inputs, no finding")


def _run_atheris(one_input: Callable[[bytes], None], seconds: float, seed: int) -> None:
    import atheris

    arguments = [sys.argv[0], f"-max_total_time={max(1, int(seconds))}", f"-seed={seed + 1}"]
    atheris.Setup(arguments, one_input)
    atheris.Fuzz()
