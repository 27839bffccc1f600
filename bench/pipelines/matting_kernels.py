"""The matting kernels that have a target, against what they replace: one 8K frame, one 1080p map.

Contestants and the comparison of what they give are those of ``bench/kernels``.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from turns import Timings

sys.path.append(str(Path(__file__).resolve().parents[1] / "kernels"))
import alpha_composite as composite
import alpha_connectivity as connectivity
import alpha_gradient as gradient
from mattes import mattes

from refpix.kernels import alpha_connectivity

LARGE = (4320, 7680)
MAP = (1080, 1920)

# Name, least ratio.
TARGETS = (
    ("alpha_composite: Pillow's paste / ours", 4.0),
    ("alpha_composite: memcpy of as many bytes / ours", 0.8),
    ("Conn: published steps / ours", 10.0),
    ("Grad: published steps / ours", 10.0),
)


def least(ways: dict, rounds: int) -> dict[str, float]:
    """Least CPU milliseconds of each way; they take turns, after one call each."""
    for way in ways.values():
        way()
    times = Timings()
    for _ in range(rounds):
        for name, way in ways.items():
            times.run(name, way)
    return {name: min(seconds) * 1e3 for name, seconds in times.cpu.items()}


def composite_run(rounds: int) -> dict[str, float]:
    """A matte of all values over a large frame: the harder of the kernel's two cases."""
    background, foreground = composite.frames(*LARGE)
    matte = composite.mattes(*LARGE)["random"]
    mask, image = Image.fromarray(matte), Image.fromarray(background)
    source, work = Image.fromarray(foreground), background[None].copy()
    composite.in_place(work, foreground, matte)
    image.paste(source, (0, 0), mask)
    np.testing.assert_array_equal(work[0], np.asarray(image))
    times = least(
        {
            "Pillow's paste": partial(image.paste, source, (0, 0), mask),
            "memcpy of as many bytes": composite.memcpy(*LARGE),
            "ours": partial(composite.in_place, work, foreground, matte),
        },
        rounds,
    )
    return {f"alpha_composite: {name}": value for name, value in times.items()}


def metric_run(rounds: int) -> dict[str, float]:
    pred, gt = mattes(*MAP)
    want = connectivity.published(pred[0], gt[0])
    np.testing.assert_allclose(alpha_connectivity(pred, gt)[0, 0], want, rtol=1e-9)
    for way in gradient.WAYS.values():
        np.testing.assert_allclose(gradient.ours(pred, gt)[0, 0], way(pred, gt), rtol=1e-4)
    conn = least(
        {
            "published steps": lambda: connectivity.published(pred[0], gt[0]),
            "ours": lambda: alpha_connectivity(pred, gt),
        },
        rounds,
    )
    ways = {name: partial(way, pred, gt) for name, way in gradient.WAYS.items()}
    grad = least(ways | {"ours": lambda: gradient.ours(pred, gt)}, rounds)
    # The quicker of the renderings stands for the published code.
    grad["published steps"] = min(value for name, value in grad.items() if name != "ours")
    return {f"Conn: {name}": value for name, value in conn.items()} | {
        f"Grad: {name}": value for name, value in grad.items()
    }


def kernel_run(rounds: int) -> dict[str, dict[str, float]]:
    ms = composite_run(rounds) | metric_run(rounds)
    ratios = {}
    for name, _ in TARGETS:
        over, under = name.split(" / ")
        ratios[name] = ms[over] / ms[f"{over.split(':')[0]}: {under}"]
    return {"ms": ms, "ratios": ratios}
