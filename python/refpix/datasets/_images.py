"""Encoded pictures to pixels: the one place where datasets choose a decoder."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from refpix.errors import ImageError, KernelError
from refpix.io.image import decode_image
from refpix.kernels import base64_decode, jpeg_decode
from refpix.types import PIXEL_LIMIT, BytesBatch, ImagesBatch

__all__ = [
    "Decoder",
    "Encoding",
    "get_base64_from_image",
    "get_image_from_base64",
    "pack_payloads",
]

Encoding = Literal["base64", "raw"]
Picture = npt.NDArray[np.uint8]

#: What jpeg_decode, whose limit is always a number, takes for none.
_NO_LIMIT = 2**63 - 1
_JPEG_MAGIC = b"\xff\xd8\xff"


@dataclass(frozen=True)
class Decoder:
    """How payloads become pictures.

    JPEG goes to the native decoder, whatever it refuses as another process and all other formats
    to Pillow; both give the pixels of the published pipeline (content decides, not the name; EXIF
    orientation is not applied).

    Attributes:
        allow_truncated: keep what arrived of a picture whose data ends early.
        pixel_limit: most pixels of a picture, of any format; None for no limit.
        num_threads: threads to use at most.
    """

    allow_truncated: bool = True
    pixel_limit: int | None = PIXEL_LIMIT
    num_threads: int = 1

    def decode(
        self, values: npt.NDArray[np.uint8], spans: npt.NDArray[np.int64], encoding: Encoding
    ) -> list[Picture | Exception]:
        """Decodes a batch.

        Args:
            values: uint8 (bytes,).
            spans: int64 (n, 2), where the payloads lie in ``values``.
            encoding: ``"base64"`` text or ``"raw"`` files.

        Returns:
            One entry for each payload: uint8 (H, W, 3) RGB, or the error that it raised.
        """
        results: list[Picture | Exception | None] = [None] * len(spans)
        raw = self._raw(values, spans, results) if encoding == "base64" else (values, spans)
        head = len(_JPEG_MAGIC)
        jpegs = []
        for i, (start, stop) in enumerate(raw[1].tolist()):
            if results[i] is not None:
                continue
            if raw[0][start : min(stop, start + head)].tobytes() == _JPEG_MAGIC:
                jpegs.append(i)
            else:
                results[i] = self._with_pillow(raw[0][start:stop])
        self._jpegs(*raw, jpegs, results)
        return [result for result in results if result is not None]

    def _raw(
        self,
        values: npt.NDArray[np.uint8],
        spans: npt.NDArray[np.int64],
        results: list[Picture | Exception | None],
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """Bytes of all base64 texts; an error takes its place in the results."""
        try:
            return BytesBatch.from_offsets(
                *base64_decode(values, spans, num_threads=self.num_threads)
            )
        except KernelError:
            items = []
            for i in range(len(spans)):
                try:
                    items.append(base64_decode(values, spans[i : i + 1])[0].tobytes())
                except KernelError as e:
                    results[i] = e
                    items.append(b"")
            return BytesBatch.from_items(items)

    def _jpegs(
        self,
        values: npt.NDArray[np.uint8],
        spans: npt.NDArray[np.int64],
        which: list[int],
        results: list[Picture | Exception | None],
    ) -> None:
        """Decodes the JPEGs among the payloads in one call, or one by one when one is at fault."""
        if not which:
            return
        try:
            images = ImagesBatch(
                *jpeg_decode(
                    values,
                    spans[which],
                    allow_truncated=self.allow_truncated,
                    pixel_limit=_NO_LIMIT if self.pixel_limit is None else self.pixel_limit,
                    num_threads=self.num_threads,
                )
            )
        except ImageError as e:
            if len(which) > 1:
                for i in which:
                    self._jpegs(values, spans, [i], results)
                return
            start, stop = spans[which[0]]
            unsupported = e.fault == "jpeg_unsupported"
            results[which[0]] = self._with_pillow(values[start:stop]) if unsupported else e
            return
        for k, i in enumerate(which):
            results[i] = images.image(k)

    def _with_pillow(self, payload: npt.NDArray[np.uint8]) -> Picture | Exception:
        try:
            return decode_image(
                payload.tobytes(),
                allow_truncated=self.allow_truncated,
                pixel_limit=self.pixel_limit,
            )
        except (ImageError, OSError, ValueError, MemoryError) as e:
            return e


def pack_payloads(
    texts: BytesBatch, is_text: Sequence[bool], files: Sequence[bytes]
) -> tuple[BytesBatch, dict[int, KernelError]]:
    """Base64 texts and file contents in one buffer of raw payloads.

    Args:
        texts: the base64 texts, one for each True of ``is_text``.
        is_text: for each payload, whether it is the next text or the next file.
        files: contents, one for each False.

    Returns:
        The payloads in order, empty where a text is broken, and the errors of those by place.
    """
    faults: dict[int, KernelError] = {}
    packed = []
    next_text, next_file = 0, iter(files)
    for i, text in enumerate(is_text):
        if not text:
            packed.append(next(next_file))
            continue
        try:
            span = texts.spans[next_text : next_text + 1]
            packed.append(base64_decode(texts.values, span)[0].tobytes())
        except KernelError as e:
            faults[i] = e
            packed.append(b"")
        next_text += 1
    return BytesBatch.from_items(packed), faults


def get_base64_from_image(image_path: str | os.PathLike[str], *, reencode: bool = True) -> str:
    """A picture file as the base64 text that stands in a RefHCM row.

    Args:
        image_path: a picture of any format that Pillow writes.
        reencode: save the picture anew in its own format with Pillow's defaults, as the recipe on
            the dataset's card does; JPEG loses a little, and metadata goes. False takes the
            file's bytes as they are.

    Raises:
        OSError: no such file, or no picture.

    Source: the RefHCM dataset's card.
    """
    with open(image_path, "rb") as file:
        payload = file.read()
    if reencode:
        with Image.open(io.BytesIO(payload)) as picture, io.BytesIO() as buffer:
            picture.save(buffer, format=picture.format)
            payload = buffer.getvalue()
    return base64.b64encode(payload).decode("ascii")


def get_image_from_base64(base64_str: str) -> Image.Image:
    """The RGB picture of a base64 text, standard or URL-safe alphabet.

    Raises:
        Base64Error: the text is no base64.
        ImageError: the payload is no picture, or a broken one.

    Source: the RefHCM dataset's card.
    """
    values, spans = BytesBatch.from_items([base64_str])
    (decoded,) = Decoder().decode(values, spans, "base64")
    if isinstance(decoded, Exception):
        raise decoded
    return Image.fromarray(decoded)
