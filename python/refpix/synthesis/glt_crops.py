"""MSCOCO-GLT's crops: an object with some of what surrounds it, padded to a square.

Source: Generalized-Long-Tailed-Benchmarks, _COCOGeneration/3.DataGeneration.py.
"""

from __future__ import annotations

import io
import math
import os
import threading
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from refpix.errors import ImageError
from refpix.kernels import jpeg_decode
from refpix.synthesis._files import jpeg_bytes
from refpix.synthesis._pictures import jpeg_header

__all__ = [
    "CROP_CURES",
    "CropBox",
    "CropCure",
    "GltPicture",
    "crop_box",
    "glt_crop",
    "glt_crop_jpegs",
    "glt_crops",
]

Pixels = npt.NDArray[np.uint8]

#: Quirks that can be cured, by name. ``non-square``: where height and width differ by an odd
#: number, padding is rounded half to even on either side and some crops come out one pixel too
#: long or too short; cured, all are square.
CropCure = Literal["non-square"]
CROP_CURES: Final[tuple[CropCure, ...]] = ("non-square",)

_SMALL = 100  # pixels: a side below it is extended by _MARGIN at both ends, others by a fifth
_MARGIN = 50
_MODES = ("RGB", "L", "CMYK")  # what JPEG files can be
_END = b"\xff\xd9"
_END_WITHIN = 4096  # bytes behind a picture's end that are looked through for its mark


_memory = threading.local()


def _scratch(size: int) -> Pixels:
    """Memory of this thread's, at least as many bytes: fresh pages cost a tenth of decoding."""
    buffer: Pixels | None = getattr(_memory, "buffer", None)
    if buffer is None or buffer.size < size:
        buffer = _memory.buffer = np.empty(size, np.uint8)
    return buffer


class CropBox(NamedTuple):
    """Where a crop comes from, and where that lies on the crop.

    Attributes:
        x0: first column of the picture that is in the crop; and so on, half-open.
        y0: first row.
        x1: column behind the last.
        y1: row behind the last.
        left: columns of padding before it.
        top: rows of padding above it.
        width: of the crop, with its padding.
        height: likewise.
    """

    x0: int
    y0: int
    x1: int
    y1: int
    left: int
    top: int
    width: int
    height: int


def _extended(start: float, size: float, limit: int) -> tuple[int, int]:
    """One axis: the box with what surrounds it, within the picture, rounded half to even."""
    if size < _SMALL:
        low, high = start - _MARGIN, start + _MARGIN + size
    else:
        low, high = start - size * 0.2, start + 1.2 * size
    return round(max(low, 0)), round(min(high, limit))


def _padding(short: int, long: int, square: bool) -> tuple[int, int]:
    """Padding before the short side, and how long that becomes."""
    if square:
        return (long - short) // 2, long
    half = (long - short) / 2
    return -round(-half), round(short + half) - round(-half)


def crop_box(
    bbox: Sequence[float], width: int, height: int, *, cures: Sequence[CropCure] = ()
) -> CropBox:
    """The published rule: what of a picture goes into an object's crop.

    A side below 100 pixels is extended by 50 at both ends, a longer one by a fifth of it; then
    clipped at the picture, rounded half to even, and the shorter side is padded to the longer.

    Args:
        bbox: x, y, width, height in pixels, as COCO has them.
        width: of the picture.
        height: of the picture.
        cures: names of quirks not to reproduce (``CROP_CURES``).

    Raises:
        ValueError: the box is not finite, has no area, or lies outside the picture. The published
            program crops the surroundings of boxes without area, and of some that lie outside.
    """
    x, y, w, h = (float(v) for v in bbox)
    if not all(map(math.isfinite, (x, y, w, h))):
        raise ValueError(f"box {_shown(bbox)} is not finite")
    if w <= 0 or h <= 0:
        raise ValueError(f"box {_shown(bbox)} has no area")
    if x >= width or y >= height or x + w <= 0 or y + h <= 0:
        raise ValueError(f"box {_shown(bbox)} lies outside the picture of {width} x {height}")
    x0, x1 = _extended(x, w, width)
    y0, y1 = _extended(y, h, height)
    across, down = x1 - x0, y1 - y0
    left = top = 0
    if across > down:
        top, down = _padding(down, across, "non-square" in cures)
    elif down > across:
        left, across = _padding(across, down, "non-square" in cures)
    return CropBox(x0, y0, x1, y1, left, top, across, down)


def _shown(bbox: Sequence[float]) -> str:
    return "(" + ", ".join(f"{float(v):g}" for v in bbox) + ")"


class GltPicture:
    """One picture of COCO, read once for all its objects.

    Args:
        picture: path, or the file's bytes.

    Attributes:
        mode: Pillow's: ``RGB``, ``L`` or ``CMYK``; crops keep it.
        width: in pixels.
        height: in pixels.

    Raises:
        ImageError: no picture, or one of another mode, which cannot be saved as JPEG.
        OSError: the file cannot be read.
    """

    def __init__(self, picture: bytes | str | os.PathLike[str]) -> None:
        if isinstance(picture, bytes):
            self._payload = picture
        else:
            with open(picture, "rb") as file:
                self._payload = file.read()
        header = jpeg_header(self._payload)
        self._native = header is not None
        if header is not None:
            self.mode, self.width, self.height = header[:3]
        else:
            with self._opened() as image:
                self.mode = image.mode
                self.width, self.height = image.size

    def _opened(self) -> Image.Image:
        try:
            image = Image.open(io.BytesIO(self._payload))
        except MemoryError:
            raise
        except Exception as error:  # plugins let anything through when a header is broken
            raise ImageError("image_unrecognised") from error
        if image.mode not in _MODES:
            raise ImageError("image_bad_mode")
        return image

    def parts(self, boxes: Sequence[CropBox]) -> list[Pixels]:
        """What goes into some crops, without their padding: uint8 (h, w, bands) or (h, w).

        The picture is decoded once, as far as the boxes reach, into memory that the next picture
        on this thread is decoded into as well.

        Args:
            boxes: of `crop_box` for this picture.

        Raises:
            ImageError: the picture is damaged, or cut short.
        """
        if not boxes:
            return []
        x0, y0 = min(b.x0 for b in boxes), min(b.y0 for b in boxes)
        x1, y1 = max(b.x1 for b in boxes), max(b.y1 for b in boxes)
        pixels = self._decoded(x0, y0, x1, y1)
        return [pixels[b.y0 - y0 : b.y1 - y0, b.x0 - x0 : b.x1 - x0] for b in boxes]

    def _decoded(self, x0: int, y0: int, x1: int, y1: int) -> Pixels:
        if self._native:
            # Without its end a file was cut, and published crops fail even above the cut.
            whole = _END not in self._payload[-_END_WITHIN:]
            box = (0, 0, self.width, self.height) if whole else (x0, y0, x1, y1)
            values = np.frombuffer(self._payload, np.uint8)
            try:
                rgb = jpeg_decode(
                    values,
                    np.array([[0, values.size]]),
                    roi=np.array([box]),
                    out=_scratch((box[2] - box[0]) * (box[3] - box[1]) * 3),
                ).image(0)
            except ImageError as error:
                if error.fault != "jpeg_unsupported":
                    raise
            else:
                pixels = rgb[y0:y1, x0:x1] if whole else rgb
                return pixels[..., 0] if self.mode == "L" else pixels
        try:
            with self._opened() as image:
                return np.asarray(image.crop((x0, y0, x1, y1)))
        except (ImageError, MemoryError):
            raise
        except Exception as error:
            truncated = "truncated" in str(error)
            raise ImageError("image_truncated" if truncated else "image_corrupt") from error

    def jpeg(self, part: Pixels, box: CropBox) -> bytes:
        """The file of a crop: quality 75 and 4:2:0, as Pillow saves by default.

        Args:
            part: of `parts`.
            box: its box.
        """
        if self.mode == "CMYK":
            buffer = io.BytesIO()
            Image.fromarray(padded(part, box), "CMYK").save(buffer, "JPEG")
            return buffer.getvalue()
        return jpeg_bytes(np.ascontiguousarray(part), (box.height, box.width), (box.left, box.top))


def padded(part: Pixels, box: CropBox) -> Pixels:
    """A crop with its padding of zeros: uint8 (height, width, bands) or (height, width).

    Args:
        part: of `GltPicture.parts`.
        box: its box.
    """
    crop = np.zeros((box.height, box.width, *part.shape[2:]), np.uint8)
    h, w = part.shape[:2]
    crop[box.top : box.top + h, box.left : box.left + w] = part
    return crop


def _boxed(
    picture: bytes | str | os.PathLike[str],
    bboxes: Sequence[Sequence[float]] | npt.NDArray[np.float64],
    cures: Sequence[CropCure],
) -> tuple[GltPicture, list[tuple[Pixels, CropBox]]]:
    opened = GltPicture(picture)
    boxes = []
    for i, bbox in enumerate(bboxes):
        try:
            boxes.append(crop_box(bbox, opened.width, opened.height, cures=cures))
        except ValueError as error:
            raise ValueError(f"object {i}: {error}") from error
    return opened, list(zip(opened.parts(boxes), boxes, strict=True))


def glt_crops(
    picture: bytes | str | os.PathLike[str],
    bboxes: Sequence[Sequence[float]] | npt.NDArray[np.float64],
    *,
    cures: Sequence[CropCure] = (),
) -> list[Pixels]:
    """Crops of some objects of one picture, which is decoded once, as far as they reach.

    The pixels are those that the published program has before it saves them. The saved files lose
    a little to JPEG: see `glt_crop_jpegs` for those.

    Args:
        picture: path of a picture, or its bytes.
        bboxes: (n, 4) x, y, width, height in pixels, as COCO has them.
        cures: names of quirks not to reproduce (``CROP_CURES``).

    Returns:
        n arrays in the mode of the picture: uint8 (H, W, 3) RGB, (H, W) gray or (H, W, 4) CMYK as
        Pillow has it; padding is 0.

    Raises:
        ValueError: a box is not finite, without area or outside; names the object.
        ImageError: no picture, damaged, or of a mode that cannot be saved as JPEG.
        OSError: the file cannot be read.
    """
    _, found = _boxed(picture, bboxes, cures)
    return [padded(part, box) for part, box in found]


def glt_crop(
    picture: bytes | str | os.PathLike[str],
    bbox: Sequence[float] | npt.NDArray[np.float64],
    *,
    cures: Sequence[CropCure] = (),
) -> Pixels:
    """`glt_crops` of one object: its crop as uint8 (H, W, 3), (H, W) or (H, W, 4)."""
    return glt_crops(picture, np.asarray(bbox, np.float64)[np.newaxis], cures=cures)[0]


def glt_crop_jpegs(
    picture: bytes | str | os.PathLike[str],
    bboxes: Sequence[Sequence[float]] | npt.NDArray[np.float64],
    *,
    cures: Sequence[CropCure] = (),
) -> list[bytes]:
    """As `glt_crops`, the files that ``refpix glt crop`` would write.

    A loader that decodes these sees what it would see in a generated tree, to the bit.
    """
    opened, found = _boxed(picture, bboxes, cures)
    return [opened.jpeg(part, box) for part, box in found]
