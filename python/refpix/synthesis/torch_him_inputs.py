"""Foregrounds, mattes and backgrounds for ``torch_on_the_fly``, decoded once and kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from refpix.synthesis._him_plan import cut_matte
from refpix.synthesis._pictures import Source, resized
from refpix.synthesis.him_image import ImageCure, matte_path
from refpix.types import PassOrder

__all__ = ["HimInputs", "Key", "TensorCache"]

Pixels = npt.NDArray[np.uint8]


class Key(NamedTuple):
    """A picture, by its number in the list of foregrounds or of backgrounds."""

    kind: Literal["matte", "colour", "background"]
    number: int


class TensorCache:
    """Tensors by key; those used least recently go first. For one thread at a time.

    Args:
        most_bytes: what is kept at most. A tensor that is larger is not kept at all.

    Attributes:
        held: bytes that are kept now.
    """

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.held = 0
        self._kept: OrderedDict[Key, torch.Tensor] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: Key) -> bool:
        return key in self._kept

    def get(self, key: Key) -> torch.Tensor | None:
        """The tensor, which counts as used; None if it is not there."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: Key, tensor: torch.Tensor) -> None:
        """Keeps a tensor that is not there, in the place of others if need be."""
        if tensor.nbytes > self.most_bytes:
            return
        self._kept[key] = tensor
        self.held += tensor.nbytes
        while self.held > self.most_bytes:
            _, gone = self._kept.popitem(last=False)
            self.held -= gone.nbytes


class HimInputs:
    """What samples are made of, on a device.

    Mattes are uint8 (h, w), cut to the box of what is not zero; colours uint8 (h, w, 3), the same
    box; backgrounds uint8 (H, W, 3), resized to the pictures' size.

    Args:
        foregrounds: as ``HimComposer``, and what follows.
        backgrounds: likewise.
        size: likewise.
        device: likewise.
        cures: likewise.
        order: likewise.
        cache_bytes: likewise.
        keep: likewise.
        num_threads: likewise.

    Attributes:
        cache: what is kept.
    """

    def __init__(
        self,
        foregrounds: Sequence[str],
        backgrounds: Sequence[str | torch.Tensor],
        *,
        size: tuple[int, int],
        device: torch.device,
        cures: Collection[ImageCure],
        order: PassOrder,
        cache_bytes: int,
        keep: Literal["device", "host"],
        num_threads: int,
    ) -> None:
        if keep not in ("device", "host"):
            raise ValueError(f"keep: expected device or host, got {keep}")
        self.foregrounds, self.backgrounds = list(foregrounds), list(backgrounds)
        for background in self.backgrounds:
            _check_background(background)
        self.size, self.device, self.order = size, device, order
        self.keep, self.num_threads = keep, num_threads
        self.cache = TensorCache(cache_bytes)
        self._cured = "matte-path" in cures
        self._boxes: dict[int, tuple[int, int, int, int]] = {}  # of mattes that were decoded

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "cache": TensorCache(self.cache.most_bytes)}

    def source(self, sample: int, foreground: int) -> Source:
        """A foreground's file."""
        return Source(sample, self.foregrounds[foreground])

    def load(self, wanted: Sequence[tuple[int, Key]]) -> dict[Key, torch.Tensor]:
        """Pictures on the device, from the cache or from files.

        Args:
            wanted: samples, for errors, and what they need. Colours come after their mattes.

        Raises:
            SampleError: a file is missing, damaged or of a wrong size; names sample and file.
        """
        found: dict[Key, torch.Tensor] = {}
        missing: dict[Key, int] = {}
        for sample, key in wanted:
            if (kept := self.cache.get(key)) is not None:
                found[key] = kept.to(self.device, non_blocking=True)
            else:
                missing.setdefault(key, sample)
        if self.num_threads > 1 and len(missing) > 1:
            with ThreadPoolExecutor(self.num_threads) as pool:
                decoded = list(pool.map(self._decode, missing.values(), missing))
        else:
            decoded = [self._decode(sample, key) for key, sample in missing.items()]
        for key, pixels in zip(missing, decoded, strict=True):
            tensor = self._to_keep(pixels)
            self.cache.put(key, tensor)
            found[key] = tensor.to(self.device, non_blocking=True)
        return found

    def _to_keep(self, pixels: Pixels) -> torch.Tensor:
        # Here, not where files are decoded: threads have current streams of their own.
        tensor = torch.from_numpy(np.ascontiguousarray(pixels))
        if self.device.type == "cpu":
            return tensor
        return tensor.to(self.device) if self.keep == "device" else tensor.pin_memory()

    def _decode(self, sample: int, key: Key) -> Pixels:
        if key.kind == "background":
            return self._background(sample, self.backgrounds[key.number])
        source = self.source(sample, key.number)
        if key.kind == "colour":
            return source.rgb(self._boxes[key.number])
        cut = cut_matte(source, Source(sample, matte_path(source.path, self._cured)))
        self._boxes[key.number] = cut.box
        return cut.matte

    def _background(self, sample: int, background: str | torch.Tensor) -> Pixels:
        if isinstance(background, torch.Tensor):
            pixels: Pixels = background.cpu().numpy()
        else:
            source = Source(sample, background)
            source.background_mode()  # refuses what ``him_image`` does
            pixels = source.rgb()
        height, width = self.size
        return resized(pixels, width, height, "bicubic", self.order)


def _check_background(background: str | torch.Tensor) -> None:
    if isinstance(background, str):
        return
    if not isinstance(background, torch.Tensor) or background.dtype != torch.uint8:
        raise TypeError("backgrounds: expected paths or uint8 tensors")
    if background.ndim != 3 or background.shape[2] != 3 or 0 in background.shape:
        raise ValueError(f"backgrounds: expected (H, W, 3), got {tuple(background.shape)}")
