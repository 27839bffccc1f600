"""What the CUDA kernels are benched with: a line each, found by the kernel's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from inputs import Inputs

from refpix import kernels
from refpix.kernels import Kernel

#: Shares of a copy's bandwidth that the project wants on an H200.
MEMORY_BOUND, MASKS = 0.85, 0.80


@dataclass(frozen=True)
class Case:
    """One call to compare with the CPU's and to time.

    Attributes:
        kernel: name in `refpix.kernels`.
        title: what it is given.
        inputs: makes its arguments.
        options: by name; a function is called with the inputs' maker.
        target: share of the copy's bandwidth it is meant to reach; None: not bound by memory.
        waits: the call waits for the device, so times include the host's.
        changes: which argument it changes in place, if it does.
        moved: bytes that it has to read and write, of its arguments and result; None: all of them.
    """

    kernel: str
    title: str
    inputs: Callable[[Inputs], tuple[Any, ...]]
    options: Mapping[str, Any] = field(default_factory=dict)
    target: float | None = None
    waits: bool = False
    changes: int | None = None
    moved: Callable[[tuple[Any, ...], tuple[Any, ...]], int] | None = None

    @property
    def name(self) -> str:
        return f"{self.kernel}: {self.title}"

    def find(self) -> Kernel[..., Any] | None:
        """The kernel, if this refpix has it."""
        found = getattr(kernels, self.kernel, None)
        return found if isinstance(found, Kernel) else None

    def arguments(self, make: Inputs) -> tuple[tuple[Any, ...], dict[str, Any]]:
        options = {k: v(make) if callable(v) else v for k, v in self.options.items()}
        return self.inputs(make), options


def zeros(make: Inputs, count: int) -> np.ndarray:
    return np.zeros((make.count(count), 2), np.int64)


def iou(make: Inputs) -> tuple[Any, ...]:
    dt, gt = make.rles(400, 480, 640), make.rles(100, 480, 640)
    return *dt, *gt, make.few(2, 100)


def of_stack(args: tuple[Any, ...], result: tuple[Any, ...]) -> int:
    """Planes are read where the front lies, and written; the front is read for each."""
    stack, front = args[:2]
    return int(stack.shape[0] * front.size * (2 * stack.itemsize + 1))


def jitters(make: Inputs) -> tuple[Any, ...]:
    factors = make.uniform(0.6, 1.4, 64, 4)
    factors[:, 3] -= 1  # hue, in turns
    return make.noise(64, *SQUARE, 3), factors


SQUARE = (512, 512)
CASES = (
    Case("image_normalize", "64 x 512x512 to float32", lambda m: (m.noise(64, *SQUARE, 3),),
         {"dtype": "float32"}, MEMORY_BOUND),
    Case("image_normalize", "64 x 512x512 to bfloat16", lambda m: (m.noise(64, *SQUARE, 3),),
         {"dtype": "bfloat16"}, MEMORY_BOUND),
    Case("image_normalize", "64 x 512x512 to float16, channels last",
         lambda m: (m.noise(64, *SQUARE, 3),), {"dtype": "float16", "channels_last": True},
         MEMORY_BOUND),
    Case("image_resize", "64 x 480x640 to 512x512", lambda m: m.ragged(64, 480, 640),
         {"out_size": lambda m: m.sides(*SQUARE), "filter": "bicubic"}),
    Case("image_resize_normalize", "64 x 480x640 to 512x512, float32",
         lambda m: m.ragged(64, 480, 640), {"out_size": lambda m: m.sides(*SQUARE)}),
    Case("image_resize_normalize", "64 x 480x640 to 512x512, bfloat16, channels last",
         lambda m: m.ragged(64, 480, 640),
         {"out_size": lambda m: m.sides(*SQUARE), "dtype": "bfloat16", "channels_last": True}),
    Case("rle_decode", "500 masks of 640x480", lambda m: m.rles(500, 480, 640), {}, MASKS),
    Case("rle_encode", "500 masks of 640x480", lambda m: (m.masks(500, 480, 640),), {}, waits=True),
    Case("rle_iou", "400 masks with 100, 640x480", iou, {"strict": True}),
    Case("alpha_composite", "8 pictures of 2048x2048",
         lambda m: (m.noise(8, 2048, 2048, 3), m.noise(8, 2048, 2048, 3), m.noise(8, 2048, 2048)),
         {"positions": lambda m: zeros(m, 8), "mode": "paste"}, MASKS),
    Case("alpha_composite", "8 pictures of 2048x2048, float",
         lambda m: (m.floats(8, 2048, 2048, 3), m.floats(8, 2048, 2048, 3),
                    m.floats(8, 2048, 2048)),
         {"positions": lambda m: zeros(m, 8), "mode": "float"}, MASKS),
    Case("alpha_occlude", "10 planes of 2048x2048, float32",
         lambda m: (m.floats(10, 2048, 2048), m.mattes(1, 2048, 2048)[0]),
         {"index": lambda m: m.count(10) - 1, "position": (0, 0)}, changes=0, moved=of_stack),
    Case("label_zoom", "128 maps of 480x640 to 512x512", lambda m: m.ragged_labels(128, 480, 640),
         {"out_size": lambda m: m.sides(*SQUARE)}, MEMORY_BOUND),
    Case("parsing_paste", "512 maps of 128x96 onto 512x512",
         lambda m: (m.boxes(512, 512), m.labels(512, 128, 96)),
         {"size": lambda m: m.sides(*SQUARE)}, MEMORY_BOUND),
    Case("parsing_unpack", "4096 texts of 48 codes", lambda m: m.codes(4096), {"strict": True}),
    Case("confusion_matrix", "256 pairs of maps of 512x512",
         lambda m: (m.labels(256, *SQUARE), m.labels(256, *SQUARE)), {"num_labels": 20},
         MEMORY_BOUND),
    Case("image_flip", "64 x 512x512 RGB", lambda m: (m.noise(64, *SQUARE, 3), m.few(4, 64)), {},
         MEMORY_BOUND),
    Case("image_crop", "64 x 512x512 RGB to 448x448",
         lambda m: (m.noise(64, *SQUARE, 3), m.numbers(m.side(64), 64, 2) // 2),
         {"size": lambda m: (m.side(512) - m.side(64),) * 2}, MEMORY_BOUND,
         moved=lambda args, result: 2 * result[0].nbytes),
    Case("image_color_jitter", "64 x 512x512 RGB", jitters),
    Case("image_lookup", "64 x 512x512 RGB",
         lambda m: (m.noise(64, *SQUARE, 3), m.tables(64)), {},
         MEMORY_BOUND),
    Case("image_noise", "64 x 512x512 RGB",
         lambda m: (m.noise(64, *SQUARE, 3), m.uniform(0, 20, 64), m.numbers(1 << 40, 64, 2))),
)  # fmt: skip
