"""Foregrounds, mattes and backgrounds from files, as the published generators open them."""

from __future__ import annotations

import os
import struct
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from refpix.errors import ImageError, SampleError
from refpix.kernels import alpha_bbox, image_resize, jpeg_decode
from refpix.synthesis._png import read_gray
from refpix.types import BytesBatch, PassOrder, ResizeFilter

__all__ = ["Patch", "Source", "bounding_box", "in_mode", "jpeg_header", "resized"]

Pixels = npt.NDArray[np.uint8]
#: x, y, width, height
Rectangle = tuple[int, int, int, int]

_UPRIGHT_SWAPS_SIDES = range(5, 9)  # EXIF orientations
_ORIENTATION = 0x0112
_XMP = ("xmp", "XML:com.adobe.xmp")  # Pillow's names, of JPEG and of PNG


class Patch(NamedTuple):
    """The part of a matte that may not be zero, and where it lies."""

    x: int
    y: int
    pixels: Pixels

    def crop(self, box: Rectangle) -> Pixels:
        """A box of the whole matte: uint8 (h, w)."""
        x, y, w, h = box
        out = np.zeros((h, w), np.uint8)
        rows, columns = self.pixels.shape
        x0, y0 = max(x, self.x), max(y, self.y)
        x1, y1 = min(x + w, self.x + columns), min(y + h, self.y + rows)
        if x0 < x1 and y0 < y1:
            out[y0 - y : y1 - y, x0 - x : x1 - x] = self.pixels[
                y0 - self.y : y1 - self.y, x0 - self.x : x1 - self.x
            ]
        return out


class Header(NamedTuple):
    """What a file says before it is decoded."""

    mode: str
    width: int
    height: int
    orientation: int

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height after EXIF rotation."""
        swapped = self.orientation in _UPRIGHT_SWAPS_SIDES
        return (self.height, self.width) if swapped else (self.width, self.height)


# Frames that are decoded here, and segments without consequence for size and mode.
_FRAMES: Final = (0xC0, 0xC1, 0xC2)
_SKIPPED: Final = frozenset((*range(0xE0, 0xF0), 0xC4, 0xDB, 0xDD, 0xFE))
_JPEG_MODES: Final = {1: "L", 3: "RGB"}
# Modes of pictures that Pillow saves as JPEG.
_STORED: Final = frozenset(("1", "L", "RGB", "CMYK", "YCbCr"))
_USUAL_PIXELS: Final = 50_000_000  # Pillow has a say in what is larger


def jpeg_header(payload: bytes) -> Header | None:
    """What Pillow would say of a usual JPEG file, in a tenth of its time; None for any other."""
    if not payload.startswith(b"\xff\xd8\xff"):
        return None
    at = 2
    while at + 10 <= len(payload) and payload[at] == 0xFF:
        marker = payload[at + 1]
        if marker in _FRAMES:
            depth, height, width, components = struct.unpack_from(">BHHB", payload, at + 4)
            usual = depth == 8 and components in _JPEG_MODES
            if not usual or not 0 < width * height <= _USUAL_PIXELS:
                return None
            return Header(_JPEG_MODES[components], width, height, 1)
        if marker not in _SKIPPED:
            return None
        at += 2 + int.from_bytes(payload[at + 2 : at + 4], "big")
    return None


class Source:
    """One picture file of one sample; whatever is wrong with it is a SampleError that names both.

    Args:
        sample: id of the sample, for errors.
        path: the file.
    """

    def __init__(self, sample: int | str, path: str) -> None:
        self.sample = sample
        self.path = path
        self._payload: bytes | None = None

    def error(self, reason: str) -> SampleError:
        """The error to raise."""
        return SampleError(self.sample, self.path, reason)

    def _failed(self, error: Exception) -> SampleError:
        if isinstance(error, OSError) and error.strerror:
            return self.error(error.strerror)
        return self.error(str(error) or type(error).__name__)

    def header(self, exif: bool = False, xmp: bool = False) -> Header:
        """Mode and size; the orientation, if asked for.

        Args:
            exif: look for the orientation in EXIF, as OpenCV does.
            xmp: in XMP as well where EXIF has none, as Pillow does.
        """
        if not exif and (found := jpeg_header(self._bytes())):
            return found
        try:
            with Image.open(self.path) as image:
                if not xmp:
                    for name in _XMP:
                        image.info.pop(name, None)
                orientation = image.getexif().get(_ORIENTATION, 1) if exif else 1
                width, height = image.size
                return Header(image.mode, width, height, orientation)
        except MemoryError:
            raise
        except Exception as error:  # plugins let anything through when a header is broken
            raise self._failed(error) from error

    def _bytes(self) -> bytes:
        if self._payload is None:
            try:
                with open(self.path, "rb") as file:
                    self._payload = file.read()
            except OSError as error:
                raise self._failed(error) from error
        return self._payload

    def _pillow(self, mode: str | None) -> Pixels:
        try:
            with Image.open(self.path) as image:
                image.load()
                image.info.pop("transparency", None)  # makes convert() warn, changes nothing here
                return np.array(image if mode in (None, image.mode) else image.convert(mode))
        except MemoryError:
            raise
        except Exception as error:
            raise self._failed(error) from error

    def rgb(self, box: Rectangle | None = None) -> Pixels:
        """As ``convert("RGB")``: uint8 (H, W, 3), or only a box of it."""
        payload = self._bytes()
        if payload.startswith(b"\xff\xd8\xff"):
            batch = BytesBatch.from_items([payload])
            roi = None
            if box is not None:
                x, y, w, h = box
                roi = np.array([[x, y, x + w, y + h]], np.int64)
            try:
                return jpeg_decode(*batch, roi=roi).image(0)
            except ImageError as error:
                if error.fault not in ("jpeg_unsupported", "image_unrecognised"):
                    raise self.error(error.reason) from error
        pixels = self._pillow("RGB")
        if box is None:
            return pixels
        x, y, w, h = box
        return pixels[y : y + h, x : x + w]

    def upright_rgb(self) -> Pixels:
        """As ``rgb``, rotated and flipped as EXIF says."""
        pixels = self.rgb()
        flips = self.header(exif=True, xmp=True).orientation
        if flips in _UPRIGHT_SWAPS_SIDES:
            pixels = pixels.transpose(1, 0, 2)
        if flips in (3, 4, 7, 8):
            pixels = pixels[::-1]
        if flips in (2, 3, 6, 7):
            pixels = pixels[:, ::-1]
        return np.ascontiguousarray(pixels)

    def luma(self) -> Pixels:
        """As ``convert("L")``: uint8 (H, W); colours by their luma, alpha ignored."""
        try:
            plain = read_gray(self.path)
        except OSError as error:
            raise self._failed(error) from error
        return self._pillow("L") if plain is None else plain

    def alpha(self) -> Pixels:
        """Plane 3 of a picture with alpha: uint8 (H, W)."""
        pixels = self._pillow(None)
        if pixels.ndim != 3 or pixels.shape[2] < 4:
            raise self.error("no folder of mattes, and the frame has no alpha")
        return np.ascontiguousarray(pixels[..., 3])

    def background_mode(self) -> str:
        """Mode of the file, which is that of the composite; one that JPEG files can store."""
        mode = self.header().mode
        if mode not in _STORED:
            raise self.error(f"background of mode {mode}: JPEG files have no such pixels")
        return mode

    def background(self) -> Pixels:
        """In the file's own mode: uint8 (H, W, channels), or (H, W); bilevel ones as 0 and 255."""
        mode = self.background_mode()
        return self.rgb() if mode == "RGB" else self._pillow("L" if mode == "1" else None)


def bounding_box(matte: Pixels) -> Rectangle:
    """x, y, width, height of what is not zero; zeros for an empty matte."""
    x, y, w, h = (int(v) for v in alpha_bbox(matte[np.newaxis])[0])
    return x, y, w, h


def resized(
    pixels: Pixels, width: int, height: int, filter: ResizeFilter, order: PassOrder
) -> Pixels:
    """Pillow's resize of (H, W) or (H, W, 3)."""
    if pixels.shape[:2] == (height, width):
        return np.ascontiguousarray(pixels)
    channels = 3 if pixels.ndim == 3 else 1
    flat = np.ascontiguousarray(pixels).reshape(-1)
    result: Pixels = image_resize(
        flat,
        np.array([0, flat.size], np.int64),
        np.array([pixels.shape[:2]], np.int64),
        out_size=(height, width),
        channels=channels,
        filter=filter,
        order=order,
    )[0]
    return result if channels == 3 else result.reshape(height, width)


def in_mode(colour: Pixels, mode: str) -> Pixels:
    """Pillow's conversion of RGB: uint8 (H, W, channels), or (H, W); bilevel as 0 and 255."""
    if mode == "RGB":
        return colour
    converted = Image.fromarray(colour).convert(mode)
    return np.asarray(converted.convert("L") if mode == "1" else converted)


def sorted_files(folder: str | os.PathLike[str]) -> list[str]:
    """Paths of a folder's files, sorted by name."""
    root = os.fspath(folder)
    with os.scandir(root) as entries:
        return [os.path.join(root, name) for name in sorted(e.name for e in entries if e.is_file())]
