"""The demo: equal, faster, and what a batch looks like."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from refpix.datasets import RefHCM, sample_path
from refpix.loader import Loader
from refpix.throughput import Agreement, compare_outputs
from refpix.viz import contact_sheet, draw_batch

__all__ = ["TASKS", "batch_picture", "check_sample", "open_sample"]

#: The packaged sample has a file for each.
TASKS = ("rec", "rkpt", "rpar", "rhrc")


def open_sample(task: str) -> RefHCM:
    """A task's file of the packaged sample; nothing is written beside it."""
    return RefHCM(sample_path(task), task, index="memory")


def check_sample() -> dict[str, Agreement]:
    """Every row of the sample, loaded both ways: task -> whether the outputs agree."""
    return {task: compare_outputs(open_sample(task)) for task in TASKS}


def batch_picture(path: Path, *, size: int = 512, side: int = 400) -> Path:
    """Draws two batches of four as `refpix.Loader` gives them: boxes and poses, and parsing.

    Args:
        path: of the PNG to write; its folder is made.
        size: side of the loader's images in pixels.
        side: longer side of each picture on the sheet.
    """
    tiles: list[Image.Image] = []
    for task in ("rkpt", "rpar"):
        dataset = open_sample(task)
        batch = next(iter(Loader(dataset, batch_size=4, size=size, shuffle=True, seed=1)))
        tiles += draw_batch(batch, dataset=dataset, side=side)
    path.parent.mkdir(parents=True, exist_ok=True)
    title = f"Two batches of refpix.Loader ({size} x {size}), in the proportions of their pictures"
    contact_sheet(tiles, 4, title=title).save(path)
    return path
