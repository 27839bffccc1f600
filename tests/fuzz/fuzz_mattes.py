"""Kernels of mattes against their references: strange shapes, memory layouts, places and values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from harness import run
from mask_inputs import Input

from refpix import kernels
from refpix.errors import KernelError
from refpix.kernels import isas, use_isa

CORPUS = [
    b"",
    bytes(range(256)),
    *(bytes([k, 2, 9, 12, 7, 3, 1, 0, 5]) + bytes([0, 0, 255, 1, 128]) * 90 for k in range(12)),
    *(bytes([k, 3, 40, 70, 30, 60] + [1, 2, 3, 250] * 60) for k in range(12)),
]

FAR = (0, 1, -1, 3, -7, 60, -60, 2**31 - 1, 2**31, -(2**31), 2**62, -(2**62), 2**63 - 1, -(2**63))
REALS = (0.0, 1.0, 0.5, 1e-45, 1.001, 1.01, -1e-3, 2.0, 1e30, float("nan"), float("inf"))
# What is said before the kernel is called. Only of input that is not as documented.
REFUSED = (TypeError, ValueError, OverflowError)


class Case:
    """Arguments out of the input, and whether the kernel may refuse them."""

    def __init__(self, source: Input) -> None:
        self.source = source
        self.may_refuse = False

    def side(self) -> int:
        return self.source.below(90 if self.source.seldom() else 14)

    def laid_out(self, values: np.ndarray) -> np.ndarray:
        """The same values in other memory, seldom."""
        kind = self.source.byte() % 24
        if kind > 4 or values.ndim == 0:
            return values
        self.may_refuse = True
        if kind == 0:
            return np.asfortranarray(values)
        if kind == 1:
            return np.repeat(values, 2, axis=-1)[..., ::2]
        if kind == 2:
            return values[::-1].copy()[::-1]
        if kind == 3:
            return np.broadcast_to(values[:1], values.shape)
        odd = np.empty(values.nbytes + 1, np.uint8)[1:].view()
        odd[:] = np.frombuffer(values.tobytes(), np.uint8)
        return odd.view(values.dtype).reshape(values.shape) if values.size else values

    def levels(self, *shape: int) -> np.ndarray:
        pattern = np.frombuffer(self.source.take(200) or b"\0", np.uint8)
        values = np.resize(pattern, shape) if 0 not in shape else np.zeros(shape, np.uint8)
        if self.source.byte() % 4 == 0:
            values = np.where(values < 128, 0, values).astype(np.uint8)
        return self.laid_out(np.ascontiguousarray(values))

    def shares(self, *shape: int, dtype: str = "float32") -> np.ndarray:
        """0..1, seldom something else in one place."""
        values = (self.levels(*shape) / np.dtype(dtype).type(255)).astype(dtype)
        if values.size and self.source.seldom():
            values = values.copy()
            values.reshape(-1)[self.source.below(values.size)] = self.source.pick(REALS)
        return self.laid_out(values)

    def places(self, count: int) -> np.ndarray:
        places = [[self.source.below(40) - 15 for _ in range(2)] for _ in range(count)]
        for place in places:
            if self.source.byte() % 4 == 0:
                place[self.source.below(2)] = self.source.pick(FAR)
        return np.array(places, np.int64).reshape(count, 2)

    def boxes(self, count: int, height: int, width: int) -> np.ndarray | None:
        if self.source.below(2):
            return None
        boxes = np.zeros((count, 4), np.int64)
        for box in boxes:
            x, y = self.source.below(width + 1), self.source.below(height + 1)
            box[:] = x, y, self.source.below(width - x + 1), self.source.below(height - y + 1)
            if self.source.seldom():
                box[self.source.below(4)] = self.source.pick(FAR)
        return boxes

    def pair(self, *lead: int) -> tuple[tuple[np.ndarray, np.ndarray], dict[str, Any]]:
        shape = (*lead, self.side(), self.side())
        self.may_refuse = 0 in shape[-2:]  # maps must have pixels
        gt = self.shares(*shape)
        pred = gt if self.source.seldom() else self.shares(*shape)
        if self.source.seldom():
            pred = pred[..., :-1]
            self.may_refuse = True
        trimap = None
        if self.source.below(2):
            trimap = self.levels(*shape)
            trimap = trimap if self.source.seldom() else trimap % np.uint8(3)
        return (pred, gt), {"trimap": trimap}


def answer(kernel: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """The arrays, what is at fault, or that the call was refused."""
    try:
        result = kernel(*arguments, **options)
    except KernelError as error:
        return error.fault, error.item, error.position
    except REFUSED:
        return "refused"
    return result if isinstance(result, tuple) else (result,)


def compare(case: Case, kernel: Any, *arguments: Any, **options: Any) -> None:
    want: Any = None
    threads = [{}] if kernel.name == "png_unfilter" else [{"num_threads": n} for n in (1, 3)]
    for more in threads:
        got = answer(kernel, arguments, {**options, **more, "backend": "cpu"})
        if isinstance(got, str):
            assert case.may_refuse, (kernel, arguments, options)
            return
        want = want or answer(kernel, arguments, {**options, "backend": "reference"})
        if isinstance(want, str) or isinstance(want[0], str):
            assert got == want, (kernel, arguments, options, got, want)
        else:
            assert not isinstance(got[0], str), (kernel, arguments, options, got)
            for mine, theirs in zip(got, want, strict=True):
                np.testing.assert_array_equal(mine, theirs)
                assert (mine.dtype, mine.shape) == (theirs.dtype, theirs.shape)


def composite(case: Case) -> None:
    source = case.source
    mode = source.pick(("paste", "rgba", "linear", "float"))
    count, channels = source.below(3), 4 if mode == "rgba" else source.below(6)
    make = case.shares if mode == "float" else case.levels
    under = make(count, case.side(), case.side(), channels)
    height, width = case.side(), case.side()
    over, matte = make(count, height, width, channels), make(count, height, width)
    if channels not in (1, 2, 3, 4):
        case.may_refuse = True
    mattes = None if mode == "rgba" else matte
    compare(case, kernels.alpha_composite, under, over, mattes, positions=case.places(count),
            mode=mode)  # fmt: skip


def occlude(case: Case) -> None:
    source = case.source
    count, height, width = 1 + source.below(3), case.side(), case.side()
    stack = case.shares(count, height, width, dtype=source.pick(("float32", "float64")))
    front = case.levels(case.side(), case.side())
    boxes = case.boxes(count, height, width)
    if boxes is not None:  # outside of which planes are zero
        inside = np.zeros(stack.shape, bool)
        for plane, (x, y, w, h) in zip(inside, boxes.tolist(), strict=True):
            plane[max(y, 0) : max(y + h, 0), max(x, 0) : max(x + w, 0)] = True
        stack = np.where(inside, stack, 0).astype(stack.dtype)
    index = source.below(count)
    if source.seldom():
        index, case.may_refuse = source.pick((-1, count, 2**31, 2**62)), True
    options = {
        "index": index, "boxes": boxes, "write": bool(source.below(2)),
        "position": tuple(case.places(1)[0].tolist()),
    }  # fmt: skip
    answers = []
    for backend in ("reference", "cpu"):
        own = stack.copy(order="K")
        with np.errstate(all="ignore"):
            answers.append(
                (answer(kernels.alpha_occlude, (own, front), {**options, "backend": backend}), own)
            )
    (want, after), (got, mine) = answers
    if isinstance(got, str):
        assert case.may_refuse, options
    elif isinstance(want, str) or isinstance(want[0], str):
        assert got == want, (options, got, want)
    else:
        np.testing.assert_array_equal(mine, after)
        if np.abs(np.nan_to_num(stack, posinf=9, neginf=9)).max(initial=0) <= 2:
            np.testing.assert_allclose(got[0], want[0], rtol=1e-9, atol=1e-9)


def bounding(case: Case) -> None:
    compare(case, kernels.alpha_bbox, case.levels(case.source.below(4), case.side(), case.side()))


def quantize(case: Case) -> None:
    count, height, width = case.source.below(4), case.side(), case.side()
    planes = case.shares(count, height, width, dtype=case.source.pick(("float32", "float64")))
    compare(case, kernels.alpha_quantize, planes, boxes=case.boxes(count, height, width))


def unfilter(case: Case) -> None:
    rows = case.levels(case.side(), case.side())
    if rows.shape[1] and not case.source.seldom():
        rows = rows.copy()
        rows[:, 0] %= 5
    pixel_bytes = 1 + case.source.below(8)
    if case.source.seldom() or not rows.shape[1]:
        case.may_refuse = True
        wrong = case.source.pick((0, -1, 9, 2**31, 2**62))
        assert answer(kernels.png_unfilter, (rows,), {"pixel_bytes": wrong}) == "refused"
        return
    compare(case, kernels.png_unfilter, rows, pixel_bytes=pixel_bytes)


def encode(case: Case) -> None:
    source = case.source
    count, height, width = source.below(3), case.side(), case.side()
    images = case.levels(count, height, width, source.pick((1, 3)))
    options: dict[str, Any] = {"quality": 1 + source.below(100)}
    case.may_refuse |= not (height and width)
    if source.below(2):
        options["canvas"] = case.side() + height, case.side() + width
        case.may_refuse |= 0 in options["canvas"]
        if source.seldom():
            options["canvas"] = source.pick(((65500, 1), (1, 65500), (9, 20_000)))
    if source.below(2):
        options["positions"] = case.places(count)
    if source.seldom():
        sides = source.pick((0, -1, 65_501, 2**31, 2**62)), 9
        options["canvas"] = sides
        assert answer(kernels.jpeg_encode, (images,), options) == "refused"
        return
    compare(case, kernels.jpeg_encode, images, **options)


def errors(case: Case) -> None:
    arguments, options = case.pair(case.source.below(3))
    compare(case, kernels.alpha_errors, *arguments, **options)


def gradient(case: Case) -> None:
    arguments, options = case.pair(case.source.below(3))
    options["normalize"] = case.source.pick(("none", "map", "batch"))
    options["padding"] = case.source.pick(("edge", "zero"))
    case.may_refuse |= arguments[0].size == 0
    compare(case, kernels.alpha_gradient, *arguments, **options)


def connectivity(case: Case) -> None:
    arguments, options = case.pair(case.source.below(3))
    compare(case, kernels.alpha_connectivity, *arguments, **options)


def temporal(case: Case) -> None:
    arguments, options = case.pair(case.source.below(4), case.source.below(3))
    case.may_refuse |= len(arguments[1]) == 0
    compare(case, kernels.alpha_temporal, *arguments, **options)


def maps(case: Case) -> np.ndarray:
    make = case.source.pick((case.levels, case.shares))
    height, width = case.side(), case.side()
    case.may_refuse = not (height and width)  # maps must have pixels
    return make(case.source.below(3), height, width)


def trimap(case: Case) -> None:
    source, alpha = case.source, maps(case)
    options: dict[str, Any] = {"size": 1 + source.below(7), "iterations": 1 + source.below(3)}
    if source.seldom():
        options["foreground"] = source.pick((0.0, 0.9, 200.0, 1e300, -1.0, float("nan")))
        case.may_refuse = True
    if source.seldom():  # more than a reference in Python can do
        options["size"] = source.pick((64, 901, 32767, 0, -5, 32768, 2**40))
        options["iterations"] = source.pick((1, 9, 0, -1, 2**40))
        answer(kernels.trimap_from_alpha, (alpha,), options)
        return
    compare(case, kernels.trimap_from_alpha, alpha, **options)


def component(case: Case) -> None:
    source, alpha = case.source, maps(case)
    thresholds = (0.05, 0.0, 0.5, 1.0, -1.0, 1e30, float("nan"), float("inf"))
    threshold = source.pick(thresholds)
    case.may_refuse |= threshold not in thresholds[:6]
    options = {"threshold": threshold, "connectivity": source.pick((4, 8))}
    compare(case, kernels.largest_component, alpha, **options)


KERNELS: list[Callable[[Case], None]] = [
    composite, occlude, bounding, quantize, unfilter, encode,
    errors, gradient, connectivity, temporal, trimap, component,
]  # fmt: skip


def one_input(data: bytes) -> None:
    source = Input(data)
    test = KERNELS[source.byte() % len(KERNELS)]
    with use_isa(source.pick(isas())), np.errstate(all="ignore"):
        test(Case(source))


if __name__ == "__main__":
    run(one_input, CORPUS)
