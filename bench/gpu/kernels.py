"""Each CUDA kernel: its result against its CPU twin's, then its time against a copy's.

A kernel whose result is not the CPU's is not timed, and the status is 1. Bandwidth counts the bytes
that a call must read and write, once each; the copy beside it, in the same rounds, reads and writes
1 GiB (`share`) or as many bytes as the call (`share of equal copy`).
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from cases import CASES, Case
from copy_bandwidth import LARGE, Contender, copies, rotation, take_turns
from devices import Cuda, Device, why_not
from inputs import Inputs
from where import add_section, describe, machine

RESULTS = Path(__file__).resolve().parents[1] / "results" / "gpu.json"


def as_tuple(result: Any) -> tuple[Any, ...]:
    return tuple(result) if isinstance(result, tuple) else (result,)


def put_all(device: Device, args: Sequence[Any], options: dict[str, Any]) -> tuple[list, dict]:
    return [device.put(value) for value in args], {k: device.put(v) for k, v in options.items()}


def compare(device: Device, case: Case, args: tuple[Any, ...], options: dict[str, Any]) -> dict:
    """The call on the device and on the CPU: what differs, and the bytes that it has to move."""
    kernel = case.find()
    given, placed = put_all(device, args, options)
    got = as_tuple(kernel(*given, **placed, backend=device.backend))
    device.wait()
    on_host = [np.array(value) if isinstance(value, np.ndarray) else value for value in args]
    want = as_tuple(kernel(*on_host, **options, num_threads=16, backend="cpu"))
    pairs = [(device.get(g), np.asarray(w)) for g, w in zip(got, want, strict=True)]
    if case.changes is not None:
        pairs.append((device.get(given[case.changes]), on_host[case.changes]))
    arrays = [a for a in (*args, *options.values()) if isinstance(a, np.ndarray)]
    moved = sum(array.nbytes for array in arrays) + sum(w.nbytes for _, w in pairs)
    if case.moved is not None:
        moved = case.moved(args, tuple(w for _, w in pairs))
    return {"differing": [differing(g, w) for g, w in pairs], "bytes": moved}


def differing(got: np.ndarray, want: np.ndarray) -> int:
    """Values that are not the same; -1: not even the shape or the type is."""
    if got.shape != want.shape or got.dtype != want.dtype:
        return -1
    bits = [np.ascontiguousarray(a).view(np.uint8).reshape(-1, a.itemsize) for a in (got, want)]
    return int((bits[0] != bits[1]).any(axis=1).sum())


def contender(device: Device, case: Case, args: tuple, options: dict, moved: int) -> Contender:
    """Calls on memory of their own, results included."""
    kernel = case.find()
    takes_out = "out" in inspect.signature(kernel).parameters
    calls = []
    for _ in range(rotation(moved, device.cache_bytes)):
        given, placed = put_all(device, args, options)
        if takes_out:
            first = as_tuple(kernel(*given, **placed, backend=device.backend))[0]
            placed["out"] = device.empty_like(first)
        kept: list[object] = [None]

        def call(given=given, placed=placed, kept=kept) -> None:
            kept[0] = kernel(*given, **placed, backend=device.backend)

        calls.append(call)
    device.wait()
    return Contender(calls, moved, case.waits)


def run_case(device: Device, case: Case, *, rounds: int, tiny: bool) -> dict[str, Any]:
    """The report of a case; `rounds` 0 only compares."""
    args, options = case.arguments(Inputs(tiny=tiny))
    report: dict[str, Any] = {"target": case.target, **compare(device, case, args, options)}
    report["equal"] = not any(report["differing"])
    if not report["equal"] or not rounds:
        return report
    ours = contender(device, case, args, options, report["bytes"])
    equal = copies(device, report["bytes"])
    large = copies(device, min(LARGE, 64 * report["bytes"]) if tiny else LARGE)
    take_turns(device, {"ours": ours, "equal": equal, "large": large}, rounds)
    device.wait()
    return report | {
        "microseconds": ours.median * 1e6,
        "gb_per_second": ours.gb_per_second,
        "copy_gb_per_second": large.gb_per_second,
        "share": ours.share_of(large),
        "share_of_equal_copy": ours.share_of(equal),
        "waits": case.waits,
        # Rounds in which the device may have waited for the host: then the time is no kernel's.
        "rounds_behind": ours.ahead.count(False),
        "rounds": rounds,
    }


def run(device: Device, only: Sequence[str], *, rounds: int, tiny: bool) -> dict[str, Any]:
    """All cases, by name. An error is part of the report: others still have their turn."""
    found = {}
    for case in CASES:
        kernel = case.find()
        if only and case.kernel not in only:
            continue
        if kernel is None or device.backend not in kernel.backends():
            found[case.name] = {"left_out": f"refpix has no {device.backend!r} kernel of this name"}
        else:
            try:
                found[case.name] = run_case(device, case, rounds=rounds, tiny=tiny)
            except Exception as error:
                found[case.name] = {"error": f"{type(error).__name__}: {error}", "equal": False}
        print(line(case.name, found[case.name]), flush=True)
    return found


def line(name: str, report: dict[str, Any]) -> str:
    text = f"{name:60}"
    if "left_out" in report:
        return f"{text} left out: {report['left_out']}"
    if "error" in report:
        return f"{text} FAILED: {report['error']}"
    if not report["equal"]:
        return f"{text} DIFFERS from the CPU: {report['differing']} values: not timed"
    if "share" not in report:
        return f"{text} equal"
    note = ", waits" if report["waits"] else ""
    if report["rounds_behind"]:
        note += f", host behind in {report['rounds_behind']} of {report['rounds']} rounds"
    if report["target"] is not None:
        met = "met" if report["share"] >= report["target"] else "MISSED"
        note += f", target {100 * report['target']:.0f} %: {met}"
    return (
        f"{text}{report['microseconds']:10.1f} us{report['gb_per_second']:8.0f} GB/s"
        f"{100 * report['share']:7.1f} % of a copy{note}"
    )


def main(argv: Sequence[str] | None = None, device: Device | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--check", action="store_true", help="compare only, time nothing")
    parser.add_argument("--tiny", action="store_true", help="few pixels, for sanitizers and tests")
    parser.add_argument("--only", nargs="*", default=(), metavar="KERNEL")
    parser.add_argument("--json", type=Path, default=RESULTS, help="not written by --check")
    options = parser.parse_args(argv)
    if device is None:
        if why_not():
            print(f"bench/gpu/kernels.py: nothing is run: {why_not()}")
            return 1
        device = Cuda()
    where = machine()
    print(describe(where) + "\n")
    rounds = 0 if options.check else options.rounds
    found = run(device, options.only, rounds=rounds, tiny=options.tiny)
    if not options.check:
        add_section(options.json, "kernels", {"machine": where, "cases": found})
    wrong = [name for name, report in found.items() if not report.get("equal", True)]
    ran = sum("equal" in report for report in found.values())
    print(f"\n{ran} cases run, {len(found) - ran} left out, {len(wrong)} wrong")
    return 1 if wrong or not ran else 0


if __name__ == "__main__":
    sys.exit(main())
