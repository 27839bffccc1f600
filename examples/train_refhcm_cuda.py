"""A small trainer whose step does not wait for data: pictures of RefHCM to boxes.

    python examples/train_refhcm_cuda.py [DATASET --task rec --split train] [--device cuda]
    python examples/train_refhcm_cuda.py ... --loader-device cpu     # the same, decoded on the CPU

Prints for each step how long the host waited for the loader, and on a GPU how long the step's
stream stood still for data: where the GPU bounds the step, both are next to nothing. Without a
DATASET it takes the packaged sample, and without a GPU the CPU. Needs: pip install 'refpix[gpu]',
and for --picture 'refpix[plots]'.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from refpix import Batch, Loader
from refpix.datasets import RefHCM, sample_path


def box_model(width: int) -> nn.Module:
    """Four numbers from a picture; enough work that there is something to wait for."""

    def block(channels: int, out: int) -> list[nn.Module]:
        convolution = nn.Conv2d(channels, out, 3, stride=2, padding=1, bias=False)
        return [convolution, nn.BatchNorm2d(out), nn.ReLU(inplace=True)]

    widths = [3, width, 2 * width, 4 * width, 8 * width, 8 * width]
    layers = [layer for pair in pairwise(widths) for layer in block(*pair)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], 4))


@dataclass
class Step:
    """What a step took, in milliseconds: of the device's time, or the host's on the CPU."""

    whole: float
    host_waited: float
    device_waited: float | None = None  # on a GPU


class Watch:
    """Takes the times of steps without making the host wait for the device.

    The device's waiting is what lies between an event before the next batch is asked for and one
    after the loader has made the stream wait for it. Events are read when all is done.
    """

    def __init__(self, device: torch.device) -> None:
        self._on_gpu = device.type == "cuda"
        self._steps: list[tuple[float, float, list[Any]]] = []

    def batches(self, loader: Loader, count: int) -> Iterator[Batch]:
        """So many batches of as many epochs as it takes."""
        source = self._endless(loader)
        for _ in range(count):
            start, before = time.perf_counter(), self._event()
            batch = next(source)
            waited, after = time.perf_counter() - start, self._event()
            yield batch
            whole, end = time.perf_counter() - start, self._event()
            self._steps.append((1e3 * whole, 1e3 * waited, [before, after, end]))

    @staticmethod
    def _endless(loader: Loader) -> Iterator[Batch]:
        while True:
            given = 0
            for batch in loader:
                given += 1
                yield batch
            if not given:
                raise SystemExit("not one row is good")

    def _event(self) -> Any:
        if not self._on_gpu:
            return None
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def steps(self) -> list[Step]:
        """The times; waits for the device."""
        if not self._on_gpu:
            return [Step(whole, waited) for whole, waited, _ in self._steps]
        torch.cuda.synchronize()
        return [
            Step(before.elapsed_time(end), waited, before.elapsed_time(after))
            for _, waited, (before, after, end) in self._steps
        ]


def train(loader: Loader, device: torch.device, options: argparse.Namespace) -> list[Step]:
    """The loop. Nothing in it makes the host wait for the device, the loss is read once."""
    model = box_model(options.width).to(device, memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3)
    watch = Watch(device)
    profiler = torch.profiler.profile() if options.trace else nullcontext()
    total = torch.zeros((), device=device)
    with profiler as profile:
        for batch in watch.batches(loader, options.steps):
            height_width = torch.from_numpy(batch.sizes).float()
            scale = height_width[:, [1, 0, 1, 0]]
            boxes = (torch.from_numpy(batch.boxes) / scale).to(device, non_blocking=True)
            images = batch.images.to(device, non_blocking=True)  # nothing to do if it is there
            with torch.autocast(device.type, torch.bfloat16):
                loss = nn.functional.smooth_l1_loss(model(images).float(), boxes)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            total += loss.detach()
    if profile is not None:
        profile.export_chrome_trace(options.trace)  # for chrome://tracing or ui.perfetto.dev
    print(f"mean loss {total.item() / options.steps:.4f}")
    return watch.steps()


def report(steps: list[Step]) -> None:
    """A line a step, and how much of the time was waiting."""
    for number, step in enumerate(steps):
        device = "" if step.device_waited is None else f", device {step.device_waited:6.2f} ms"
        host = f"host {step.host_waited:6.2f} ms"
        print(f"step {number:3}: {step.whole:8.2f} ms, waited: {host}{device}")
    later = steps[1:] or steps  # the first one waits for the pipeline to fill
    whole = sum(step.whole for step in later)
    host = sum(step.host_waited for step in later)
    print(f"waited for data: host {host / whole:.1%} of the time", end="")
    stood = [step.device_waited for step in later if step.device_waited is not None]
    print(f", device {sum(stood) / whole:.1%}" if stood else "")


def draw(steps: list[Step], path: str) -> None:
    """The steps as bars, waiting in another colour."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    waited = [s.host_waited if s.device_waited is None else s.device_waited for s in steps]
    figure, axes = pyplot.subplots(figsize=(9, 3), layout="constrained")
    axes.bar(range(len(steps)), [step.whole for step in steps], color="#9db8d2", label="step")
    axes.bar(range(len(steps)), waited, color="#c0392b", label="of it, waiting for data")
    axes.set(xlabel="step", ylabel="ms")
    axes.legend()
    figure.savefig(path, dpi=120)


def main() -> None:
    """Some steps, and what they waited for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", nargs="?", help="a TSV file, or a folder; default: the sample")
    parser.add_argument("--task", default="rec")
    parser.add_argument("--split")
    parser.add_argument("--device", default="auto", help="of the model: auto, cpu, cuda:1 ..")
    parser.add_argument("--loader-device", help="where batches are made; default: as --device")
    parser.add_argument("--engine", default="auto", help="of the device's JPEG decoder")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--width", type=int, default=32, help="of the model, in channels")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--prefetch", type=int, default=2)
    parser.add_argument("--trace", help="write torch.profiler's trace to this file")
    parser.add_argument("--picture", help="draw the steps to this file")
    options = parser.parse_args()
    if options.steps < 1:
        parser.error("--steps: at least 1")

    found = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(found if options.device == "auto" else options.device)
    if device.index is not None:
        torch.cuda.set_device(device)
    if options.dataset:
        dataset = RefHCM(options.dataset, options.task, split=options.split)
    else:
        dataset = RefHCM(sample_path(options.task), options.task, index="memory")
    loader = Loader(
        dataset,
        batch_size=options.batch_size,
        size=options.size,
        shuffle=True,
        seed=0,
        errors="skip",
        dtype="bfloat16",
        device=options.loader_device or options.device,
        engine=options.engine,
        channels_last=True,
        prefetch=options.prefetch,
    )
    made_on = "cpu" if loader.device is None else f"cuda:{loader.device}"
    print(
        f"{len(dataset)} rows, batches of {options.batch_size} made on {made_on}, used on {device}"
    )
    steps = train(loader, device, options)
    for error in loader.report[:5]:
        print(f"skipped: {error}")
    report(steps)
    if options.picture:
        draw(steps, options.picture)


if __name__ == "__main__":
    main()
