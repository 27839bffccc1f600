"""Masks out of fuzzing input: mostly whole, sometimes with one thing wrong."""

from __future__ import annotations

from refpix.errors import KernelError
from refpix.types import RleBatch

MAX = 2**32 - 1
RUNS = (0, 1, 2, 2**31 - 1, 2**31, 2**31 + 1, MAX - 1, MAX)
SIDES = (-1, 0, 1, 2**16, 2**31 - 1, 2**31, 2**32, 2**61, 2**62, -(2**63), 2**63 - 1)


class Input:
    """Takes numbers off the front of the input; zeros when it is used up."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.wrong = ""

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1] if self.at <= len(self.data) else 0

    def below(self, n: int) -> int:
        return (self.byte() << 8 | self.byte()) % n if n > 256 else self.byte() % n

    def pick(self, options):
        return options[self.below(len(options))]

    def seldom(self) -> bool:
        """One time in sixteen, and not when the input is used up."""
        return self.byte() % 16 == 15

    def fault(self, kind: str) -> bool:
        """Whether to spoil something: once per input, as kernels check in any order; runs often."""
        if not self.seldom() or self.wrong not in ("", kind):
            return False
        self.wrong = kind if kind == "runs" else "something"
        return True

    def take(self, n: int) -> bytes:
        """The next bytes, fewer at the end."""
        self.at += n
        return self.data[self.at - n : self.at]


def small_size(source: Input) -> tuple[int, int]:
    return source.below(13), source.below(13)


def huge_size(source: Input) -> tuple[int, int]:
    """Many pixels, but not so many that a few runs cannot fill them."""
    return source.pick(((2**16, 2**16), (1, 2**31), (3, 2**31 + 1), (2**32, 2), (65537, 65535)))


def runs_of(source: Input, size: tuple[int, int]) -> list[int]:
    """Run lengths that fill the size, or, seldom, do not."""
    left = max(size[0] * size[1], 0)
    runs = []
    for _ in range(source.below(12)):
        run = source.pick(RUNS) if left > 4096 and source.seldom() else source.below(9)
        runs.append(min(run, left))
        left -= runs[-1]
    while left > 0 and len(runs) < 40:
        runs.append(min(left, MAX))
        left -= runs[-1]
        if left > 0:
            runs.append(0)
    if source.fault("runs") and runs:
        runs[source.below(len(runs))] = source.pick(RUNS)
    if source.fault("runs"):
        runs = runs[: source.below(len(runs) + 1)]
    return runs


def batch(source: Input, *, huge: bool = True, one_size: bool = True) -> RleBatch:
    """Up to five masks. `huge` ones are for kernels whose reference works on runs."""
    any_size = huge_size if huge and source.seldom() else small_size
    size = any_size(source)
    counts, sizes = [], []
    for _ in range(source.below(6)):
        if not one_size or source.fault("sizes"):
            size = any_size(source)
        counts.append(runs_of(source, size))
        sizes.append(size)
        if source.fault("sizes"):
            sizes[-1] = (source.pick(SIDES), source.pick(SIDES))
    made = RleBatch.from_counts(counts, sizes)
    if source.fault("offsets"):
        made.offsets[source.below(len(made.offsets))] += source.pick((-(2**62), -1, 1, 2, 2**62))
    return made


def outcome(kernel, *arguments, **options):
    """What a kernel answers, as lists, or the item at fault."""
    try:
        answer = kernel(*arguments, **options)
    except KernelError as error:
        return error.fault, error.item, error.position
    parts = answer if isinstance(answer, tuple) else (answer,)
    return [(part.dtype.str, part.shape, part.tobytes()) for part in parts]


def check(kernel, *arguments, **options) -> None:
    """Native and readable kernel agree, on one thread and on two."""
    want = outcome(kernel, *arguments, backend="reference", **options)
    for num_threads in (1, 2):
        got = outcome(kernel, *arguments, backend="cpu", num_threads=num_threads, **options)
        assert got == want, (kernel, arguments, options, got, want)
