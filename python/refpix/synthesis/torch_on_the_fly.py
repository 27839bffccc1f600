"""Pictures of I-HIM50K as training needs them: batches of one size, composed on a device.

Foregrounds and mattes are decoded once and kept; resizing, occlusion and composition are kernels on
the device. The code is the same on the CPU, and so are the pixels.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from refpix.errors import BackendUnavailableError
from refpix.kernels import Kernel, alpha_composite, alpha_occlude, image_resize
from refpix.kernels._registry import require_cuda
from refpix.synthesis._him_plan import (
    MOST_INSTANCES,
    Draws,
    Trial,
    draw,
    hides_too_much,
    hides_too_much_published,
    placements,
    resized_size,
    seeds_of,
)
from refpix.synthesis.him_image import ImageCure
from refpix.synthesis.torch_him_inputs import HimInputs, Key
from refpix.types import PassOrder

__all__ = ["HimBatch", "HimComposer", "HimPlan", "PlannedInstance"]

_SOME_BYTES: Final = 4 << 30


class PlannedInstance(NamedTuple):
    """A foreground that was drawn.

    Attributes:
        foreground: its number in the list.
        size: height and width it is resized to.
        position: x, y of its upper left corner; None: it is left out.
        plane: which of the sample's alphas is its matte; None: it is left out, or hidden.
    """

    foreground: int
    size: tuple[int, int]
    position: tuple[int, int] | None
    plane: int | None


class HimPlan(NamedTuple):
    """What was decided for a sample.

    Attributes:
        sample_id: its number.
        seed: of its draws.
        background: number in the list.
        instances: those that were drawn, back to front.
    """

    sample_id: int
    seed: int
    background: int
    instances: tuple[PlannedInstance, ...]

    @property
    def people(self) -> int:
        """How many of the alphas are somebody's."""
        return sum(instance.plane is not None for instance in self.instances)


class HimBatch(NamedTuple):
    """Samples, on the composer's device.

    Attributes:
        images: uint8 (n, H, W, 3) RGB.
        alphas: uint8 (n, 4, H, W), straight alpha, occlusion taken into account; the first
            ``plans[j].people`` of sample j are instances, back to front, the others zero.
        plans: what was decided for each.
    """

    images: torch.Tensor
    alphas: torch.Tensor
    plans: tuple[HimPlan, ...]


@dataclass
class _Work:
    """A sample on its way."""

    sample: int
    row: int  # in the batch
    seeds: Iterator[int]
    seed: int = 0
    draws: Draws = field(default_factory=lambda: Draws([], 0))
    mattes: list[torch.Tensor] = field(default_factory=list)  # uint8 (h, w), resized
    steps: Generator[Trial, bool, list[tuple[int, int] | None]] | None = None
    trial: Trial | None = None
    places: list[tuple[int, int] | None] = field(default_factory=list)
    areas: list[float] = field(default_factory=list)
    boxes: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 4), np.int64))

    def begin(self, steps: Generator[Trial, bool, list[tuple[int, int] | None]]) -> None:
        self.steps, self.areas = steps, [0.0] * len(self.mattes)
        self.boxes = np.zeros((len(self.mattes), 4), np.int64)
        self.advance(None)

    def advance(self, taken: bool | None) -> None:
        """Goes on to the next position that is to be tried; ``trial`` is None at the end."""
        assert self.steps is not None
        try:
            self.trial = next(self.steps) if taken is None else self.steps.send(taken)
        except StopIteration as end:
            self.trial, self.places = None, end.value

    def plan(self) -> HimPlan:
        plane, instances = 0, []
        for foreground, matte, place, area in zip(
            self.draws.foregrounds, self.mattes, self.places, self.areas, strict=True
        ):
            seen = place is not None and area > 0
            size = (matte.shape[0], matte.shape[1])
            instances.append(PlannedInstance(foreground, size, place, plane if seen else None))
            plane += seen
        return HimPlan(self.sample, self.seed, self.draws.background, tuple(instances))


class _Placed(NamedTuple):
    """A foreground that is in the picture."""

    work: _Work
    instance: PlannedInstance
    matte: torch.Tensor
    position: tuple[int, int]


class HimComposer:
    """Makes batches of synthesised pictures by their numbers.

    The recipe is the published generator's on backgrounds that were resized to one size first: the
    sample of an id is what ``him_image`` makes with seed ``(seed + id) mod 2**32`` of the same
    lists, had every background been stored at ``size`` (Pillow's bicubic resize), to the bit. Where
    nothing can be placed it is that of the seed 1,000,003 further, and so on, as
    ``HimImageSamples``. One thing differs: gray backgrounds become RGB, and people on them keep
    their colours.

    A sample depends on ``seed`` and its id alone: not on the others of its batch, their order, what
    is cached, threads or device.

    Everything on a device is enqueued on torch's current stream; use one stream. The decisions hang
    on areas that are summed up there, so a call waits a few times per batch (as often as a sample
    of it tries positions), and for a sample where a sum is too near the limit. For one thread at a
    time. Copies that are pickled, as for the workers of a DataLoader, begin with an empty cache.

        composer = HimComposer(*image_lists(images, backgrounds), size=(720, 1280), device="cuda")
        for step in range(steps):
            batch = composer(range(8 * step, 8 * step + 8))
            loss = model(batch.images, batch.alphas)

    Args:
        foregrounds: paths of pictures, as ``him_image`` takes them. Their order counts.
        backgrounds: paths, or uint8 tensors (H, W, 3). Their order counts.
        size: height and width of the pictures.
        seed: training epochs differ with ``seed=epoch * length``.
        device: as torch names it: ``cpu``, ``cuda``, ``cuda:1``.
        cures: names of quirks not to reproduce, as ``him_image``.
        order: of the resize's passes, as ``image_resize``.
        cache_bytes: decoded pictures that are kept at most, those used least recently go first.
        keep: where: ``device``, or ``host`` in page-locked memory, from where each use copies.
        num_threads: to decode files, and of the kernels on the CPU.
        attempts: seeds to try for one id.

    Raises:
        BackendUnavailableError: ``cuda``, and refpix has no CUDA kernels here, or torch no device.
        ValueError: an argument out of its range.
        TypeError: a background that is neither path nor uint8 tensor.

    Source: MaGGIe, tools/synthesize_image_him.py.
    """

    def __init__(
        self,
        foregrounds: Sequence[str],
        backgrounds: Sequence[str | torch.Tensor],
        *,
        size: tuple[int, int],
        seed: int = 0,
        device: str | torch.device = "cpu",
        cures: Collection[ImageCure] = (),
        order: PassOrder = "auto",
        cache_bytes: int = _SOME_BYTES,
        keep: Literal["device", "host"] = "device",
        num_threads: int = 1,
        attempts: int = 100,
    ) -> None:
        if min(size) < 1:
            raise ValueError(f"size: {size[0]}x{size[1]}")
        self.device = _usable(device)
        self.size, self.seed, self.attempts = size, seed, attempts
        self.cures, self.order, self.num_threads = tuple(cures), order, num_threads
        self.inputs = HimInputs(
            foregrounds,
            backgrounds,
            size=size,
            device=self.device,
            cures=self.cures,
            order=order,
            cache_bytes=cache_bytes,
            keep=keep,
            num_threads=num_threads,
        )

    def __call__(self, ids: Sequence[int]) -> HimBatch:
        """Make samples.

        Args:
            ids: their numbers.

        Raises:
            SampleError: a file is missing, damaged or of a wrong size, a matte empty; too few
                foregrounds or no backgrounds. Names sample and file.
            ValueError: no seed gave a picture.
        """
        with self._current():
            stack = torch.zeros((len(ids), MOST_INSTANCES, *self.size), device=self.device)
            works = [
                _Work(sample, row, seeds_of(sample, self.seed, self.attempts))
                for row, sample in enumerate(ids)
            ]
            waiting = works
            while waiting:
                self._begin(waiting)
                self._place(waiting, stack)
                waiting = [work for work in waiting if not any(work.areas)]
            return self._compose(works, stack)

    def _current(self) -> AbstractContextManager[Any]:
        return torch.cuda.device(self.device) if self.device.type == "cuda" else nullcontext()

    # ---- Decisions

    def _begin(self, works: Sequence[_Work]) -> None:
        """Draws all but positions, from each one's next seed, and resizes the mattes."""
        inputs, states = self.inputs, []
        for work in works:
            seed = next(work.seeds, None)
            if seed is None:
                tried = f"nothing could be placed with {self.attempts} seeds"
                raise ValueError(f"sample {work.sample}: {tried}")
            work.seed = seed
            states.append(np.random.RandomState(seed))
            lists = len(inputs.foregrounds), len(inputs.backgrounds)
            work.draws = draw(states[-1], work.sample, *lists)
        wanted = [(w.sample, Key("matte", number)) for w in works for number in w.draws.foregrounds]
        kept = inputs.load(wanted)
        sizes = [
            [
                resized_size(
                    rs, inputs.source(w.sample, n), kept[Key("matte", n)].shape, self.size[0]
                )
                for n in w.draws.foregrounds
            ]
            for w, rs in zip(works, states, strict=True)
        ]
        mattes = self._resized([kept[key] for _, key in wanted], list(chain.from_iterable(sizes)))
        for work, rs, own in zip(works, states, sizes, strict=True):
            work.mattes = list(islice(mattes, len(own)))
            work.begin(placements(rs, own, self.size, "exact-fit" in self.cures))

    def _place(self, works: Sequence[_Work], stack: torch.Tensor) -> None:
        """Tries positions, of all samples at once, until each has its own."""
        trying = [work for work in works if work.trial is not None]
        while trying:
            tried = [self._occlude(work, stack, write=False) for work in trying]
            sums = torch.cat([areas.reshape(-1) for areas in tried]).cpu().numpy()  # waits
            ends = np.cumsum([areas.numel() for areas in tried])
            for work, mine in zip(trying, np.split(sums, ends[:-1]), strict=True):
                self._decide(work, stack, mine.reshape(-1, 2))
            trying = [work for work in trying if work.trial is not None]

    def _decide(self, work: _Work, stack: torch.Tensor, areas: npt.NDArray[np.float64]) -> None:
        assert work.trial is not None
        item, (x, y) = work.trial
        refused = hides_too_much(areas)
        if refused is None:
            before = stack[work.row, : len(work.mattes)].cpu().numpy().copy()
            after, matte = before.copy(), work.mattes[item].cpu().numpy()
            alpha_occlude(after, matte, index=item, position=(x, y), backend="cpu")
            refused = hides_too_much_published(before, after)
        if not refused:
            self._occlude(work, stack, write=True)
            work.areas[: item + 1] = areas[:, 1].tolist()
            height, width = work.mattes[item].shape
            work.boxes[item] = x, y, width, height
        work.advance(not refused)

    def _occlude(self, work: _Work, stack: torch.Tensor, write: bool) -> torch.Tensor:
        assert work.trial is not None
        item, position = work.trial
        return self._run(
            alpha_occlude,
            stack[work.row, : len(work.mattes)],
            work.mattes[item],
            index=item,
            position=position,
            # On a device whole planes are read sooner than boxes sent; the sums are the same.
            boxes=torch.from_numpy(work.boxes) if self.device.type == "cpu" else None,
            write=write,
        )

    # ---- Pixels

    def _compose(self, works: Sequence[_Work], stack: torch.Tensor) -> HimBatch:
        plans = tuple(work.plan() for work in works)
        placed = [
            _Placed(work, instance, matte, position)
            for work, plan in zip(works, plans, strict=True)
            for instance, matte in zip(plan.instances, work.mattes, strict=True)
            if (position := instance.position) is not None
        ]
        under = [Key("background", plan.background) for plan in plans]
        over = [Key("colour", one.instance.foreground) for one in placed]
        wanted = [(one.work.sample, key) for one, key in zip(placed, over, strict=True)]
        wanted += [(plan.sample_id, key) for plan, key in zip(plans, under, strict=True)]
        kept = self.inputs.load(wanted)
        colours = self._resized([kept[key] for key in over], [one.instance.size for one in placed])
        positions = self._numbers([one.position for one in placed])
        images = torch.empty((len(works), *self.size, 3), dtype=torch.uint8, device=self.device)
        alphas = torch.zeros(stack.shape, dtype=torch.uint8, device=self.device)
        begun: set[int] = set()
        for number, (one, colour) in enumerate(zip(placed, colours, strict=True)):
            row = one.work.row
            image = images[row : row + 1]
            self._run(
                alpha_composite,
                image if row in begun else kept[under[row]][None],
                colour[None],
                one.matte[None],
                positions=positions[number : number + 1],
                out=image,
            )
            begun.add(row)
        for work, plan in zip(works, plans, strict=True):
            for item, instance in enumerate(plan.instances):
                if instance.plane is not None:  # truncated, as published
                    matte = (stack[work.row, item] * 255).to(torch.uint8)
                    alphas[work.row, instance.plane] = matte
        return HimBatch(images, alphas, plans)

    def _resized(
        self, pictures: Sequence[torch.Tensor], sizes: Sequence[tuple[int, int]]
    ) -> Iterator[torch.Tensor]:
        """Each (h, w) or (h, w, 3) at its own size, one after the other as they are asked for."""
        shapes = self._numbers([[0, p.numel(), *p.shape[:2]] for p in pictures])
        for number, (picture, size) in enumerate(zip(pictures, sizes, strict=True)):
            if tuple(picture.shape[:2]) == size:
                yield picture
                continue
            made = self._run(
                image_resize,
                picture.reshape(-1),
                shapes[number, :2],
                shapes[number : number + 1, 2:],
                out_size=size,
                channels=3 if picture.ndim == 3 else 1,
                order=self.order,
            )
            yield made[0] if picture.ndim == 3 else made[0, ..., 0]

    def _numbers(self, rows: Sequence[Any]) -> torch.Tensor:
        """int64 on the device, in one copy for which nobody waits."""
        pinned = self.device.type == "cuda"
        numbers = torch.tensor(rows, dtype=torch.int64, pin_memory=pinned)
        return numbers.to(self.device, non_blocking=True)

    def _run(self, kernel: Kernel[..., Any], *args: torch.Tensor, **options: Any) -> torch.Tensor:
        """A kernel on the device; on the CPU on the memory of the tensors, which it shares."""
        if self.device.type == "cuda":
            made: torch.Tensor = kernel(*args, **options)
            return made
        options = {k: v.numpy() if isinstance(v, torch.Tensor) else v for k, v in options.items()}
        return torch.from_numpy(
            kernel(*(a.numpy() for a in args), **options, num_threads=self.num_threads)
        )


def _usable(device: str | torch.device) -> torch.device:
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"device: expected cpu or cuda, got {device}") from error
    if chosen.type == "cpu":
        return chosen
    if chosen.type != "cuda":
        raise ValueError(f"device: expected cpu or cuda, got {device}")
    try:
        require_cuda()
    except BackendUnavailableError as error:
        raise BackendUnavailableError(f"HimComposer on {device}: {error}") from None
    if not torch.cuda.is_available():
        raise BackendUnavailableError(f"HimComposer on {device}: torch has no CUDA device here")
    return chosen
