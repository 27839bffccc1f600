"""One sample of a matting dataset: frames, mattes of each instance, masks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from refpix import _pillow
from refpix.datasets._images import Decoder
from refpix.errors import RecordError
from refpix.synthesis._png import gray_pixels
from refpix.types import BytesBatch

__all__ = ["HimSample", "read_gray"]

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class HimSample:
    """A picture, or the frames of a clip, with mattes; files are read on first use.

    Attributes:
        images: paths of the frames; of a picture one.
        alpha_files: per frame the paths of its mattes.
        mask_files: per frame the paths of its masks, in the order of the mattes, or None.
        row: index in the dataset.
        epoch: of the dataset when the sample was made.
        decoder: how pictures are decoded.
        check_size: a matte or mask of another size than its frame is an error.
        video: name of the video; empty for a picture.
        start: number of the first frame in its video.
        skip: frames at the front that the clip before has too.
        is_last: whether the video ends with this clip.
        key: seed, epoch, index and attempt, which determine all that augmentation draws.
    """

    images: tuple[str, ...]
    alpha_files: tuple[tuple[str, ...], ...]
    mask_files: tuple[tuple[str, ...], ...] | None
    row: int
    epoch: int
    decoder: Decoder
    check_size: bool = True
    video: str = ""
    start: int = 0
    skip: int = 0
    is_last: bool = True
    key: tuple[int, ...] = (0,)

    @property
    def alpha_names(self) -> list[str]:
        """File names of the first frame's mattes."""
        return [os.path.basename(path) for path in self.alpha_files[0]]

    @property
    def is_first(self) -> bool:
        """Whether the video begins with this clip."""
        return self.start == 0

    @cached_property
    def frames(self) -> list[Pixels]:
        """The frames: uint8 (H, W, 3) each.

        Raises:
            RecordError: a frame that cannot be read; names it.
        """
        payloads = [self.read(path) for path in self.images]
        decoded = self.decoder.decode(*BytesBatch.from_items(payloads), "raw")
        frames = []
        for path, frame in zip(self.images, decoded, strict=True):
            if isinstance(frame, Exception):
                raise self.error(path, getattr(frame, "reason", str(frame))) from frame
            frames.append(frame)
        return frames

    @property
    def image(self) -> Pixels:
        """The first frame: uint8 (H, W, 3) RGB."""
        return self.frames[0]

    @cached_property
    def alphas(self) -> Pixels:
        """The mattes: uint8 (frames, instances, H, W).

        Raises:
            RecordError: a matte that cannot be read, of another size, or frames of unequally
                many; names the file.
        """
        return self._planes(self.alpha_files, "matte")

    @cached_property
    def masks(self) -> Pixels | None:
        """The masks: uint8 (frames, instances, H, W), as stored; errors as for ``alphas``."""
        return None if self.mask_files is None else self._planes(self.mask_files, "mask")

    def error(self, file: str, reason: str) -> RecordError:
        """The error that names a file of this sample."""
        return RecordError(file, "", "", reason, self.row)

    def _planes(self, files: Sequence[Sequence[str]], kind: str) -> Pixels:
        count = len(files[0])
        planes: list[Pixels] = []
        for image, of_frame in zip(self.images, files, strict=True):
            if not of_frame or len(of_frame) != count:
                reason = f"has {len(of_frame)} {kind}s, the first frame of its sample {count}"
                raise self.error(image, reason if count else f"has no {kind}")
            for path in of_frame:
                payload = self.read(path)
                try:
                    planes.append(read_gray(payload, self.decoder.pixel_limit))
                except ValueError as e:
                    raise self.error(path, str(e)) from e
        self._check_sizes([path for of_frame in files for path in of_frame], planes, kind)
        return np.stack(planes).reshape(len(files), count, *planes[0].shape)

    def _check_sizes(self, paths: list[str], planes: list[Pixels], kind: str) -> None:
        frames = self.frames if self.check_size else []
        per_frame = len(planes) // len(self.images)
        for i, (path, plane) in enumerate(zip(paths, planes, strict=True)):
            height, width = plane.shape
            if frames and plane.shape != frames[i // per_frame].shape[:2]:
                h, w = frames[i // per_frame].shape[:2]
                about = f"its picture {self.images[i // per_frame]} {h}x{w}"
            elif plane.shape != planes[0].shape:
                about = f"{paths[0]} {planes[0].shape[0]}x{planes[0].shape[1]}"
            else:
                continue
            raise self.error(path, f"{kind} is {height}x{width} (height x width), {about}")

    def read(self, path: str) -> bytes:
        """A file's bytes.

        Raises:
            RecordError: it cannot be read.
        """
        try:
            with open(path, "rb") as file:
                return file.read()
        except OSError as e:
            raise self.error(path, e.strerror or str(e)) from e


def read_gray(payload: bytes, pixel_limit: int | None = None) -> Pixels:
    """A matte or mask as published: ``Image.open(...).convert("L")``.

    Args:
        payload: the file, of any format.
        pixel_limit: greatest width * height; None for any.

    Returns:
        uint8 (H, W). Of colours this is the luma; an alpha channel is ignored.

    Raises:
        ValueError: no picture, a cut, damaged or too large one.
    """
    plain = gray_pixels(payload, pixel_limit)
    if plain is not None:
        return plain
    try:
        image = _pillow.open_image(payload, allow_truncated=False) if payload else None
        if image is None:
            raise ValueError("no picture of a known format" if payload else "the file is empty")
        if pixel_limit is not None and image.width * image.height > pixel_limit:
            raise ValueError(f"{image.width} x {image.height} is more than {pixel_limit} pixels")
        image.info.pop("transparency", None)  # which makes convert() warn and changes nothing
        return np.array(image.convert("L"))
    except (ValueError, MemoryError):
        raise
    except Exception as error:  # Plugins let anything through when a file is broken.
        raise ValueError(str(error)) from error
