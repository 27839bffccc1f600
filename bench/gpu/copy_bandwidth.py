"""Contenders in turns on a device's clock, and what a copy within its memory takes beside them.

As a program: the bandwidth of copies by size, counting what is read and what is written.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

from devices import Calls, Cuda, Device, why_not

#: Of a turn, about: long against the clock's resolution, short against a machine's moods.
TURN_SECONDS = 2e-3
#: Calls a turn at most: with a few launches each they must fit the queue of a stream.
MOST_CALLS = 128
#: Times the last cache that the memory of a contender's turn adds up to, so that all of it is cold.
CACHES = 4
LARGE = 1 << 30


@dataclass
class Contender:
    """A way to do something.

    Attributes:
        calls: on different memory each, taken in rotation.
        moved: bytes that a call reads and writes.
        waits: whether a call waits for the device, so that no others can be enqueued behind it.
        seconds: per call, one number a round.
        ahead: per round, whether the host was ahead of the device all the time.
    """

    calls: Calls
    moved: int
    waits: bool = False
    seconds: list[float] = field(default_factory=list)
    ahead: list[bool] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def gb_per_second(self) -> float:
        return self.moved / self.median / 1e9

    def share_of(self, other: Contender) -> float:
        """Median over rounds of this one's bandwidth over the other's in the same round."""
        pairs = zip(self.seconds, other.seconds, strict=True)
        return statistics.median(b / a for a, b in pairs) * self.moved / other.moved


def rotation(moved: int, cache_bytes: int) -> int:
    """How many copies of its memory a contender needs, so that none is found in the cache."""
    return max(2, min(64, -(-CACHES * cache_bytes // max(1, moved))))


def copies(device: Device, moved: int) -> Contender:
    """Copies that read and write so many bytes together."""
    half = max(1, moved // 2)
    calls = [device.copy(half) for _ in range(rotation(moved, device.cache_bytes))]
    return Contender(calls, 2 * half)


def take_turns(device: Device, contenders: dict[str, Contender], rounds: int) -> None:
    """Fills in the seconds of all contenders, in turns."""
    turns: dict[str, tuple[list[Callable[[], object]], float]] = {}
    for name, contender in contenders.items():
        calls = list(contender.calls)
        device.seconds(calls, 0)  # loads code, grows torch's pool
        once = device.seconds(calls, 0)[0] / len(calls)
        many = min(MOST_CALLS, max(len(calls), int(TURN_SECONDS / max(once, 1e-9)) + 1))
        turn = [calls[i % len(calls)] for i in range(many)]
        lead = 0.0 if contender.waits else 1.5 * device.enqueue_seconds(turn) + 1e-4
        turns[name] = turn, lead
    for _ in range(rounds):
        for name, contender in contenders.items():
            turn, lead = turns[name]
            seconds, ahead = device.seconds(turn, lead)
            contender.seconds.append(seconds / len(turn))
            contender.ahead.append(ahead or contender.waits)


def measure(device: Device, sizes: list[int], rounds: int) -> dict[str, float]:
    """GB/s of copies, by the bytes that they read and write together."""
    contenders = {f"{size >> 20} MiB": copies(device, size) for size in sizes}
    take_turns(device, contenders, rounds)
    return {name: contender.gb_per_second for name, contender in contenders.items()}


def main() -> int:
    if why_not():
        print(f"copy_bandwidth: not measured: {why_not()}")
        return 1
    found = measure(Cuda(), [32 << 20, 128 << 20, 512 << 20, LARGE], 15)
    print("Copies within the device's memory, read and written bytes counted:")
    for name, rate in found.items():
        print(f"  {name:>10}{rate:10.0f} GB/s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
