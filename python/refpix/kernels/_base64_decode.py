"""Base64 text to bytes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from refpix.errors import Base64Error, KernelError
from refpix.kernels._registry import Backend, kernel

_STANDARD = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_URL = _STANDARD[:-2] + b"-_"
_VALUES = {
    character: value for alphabet in (_STANDARD, _URL) for value, character in enumerate(alphabet)
}
_PAD = ord("=")


@kernel
def base64_decode(
    values: npt.NDArray[np.uint8],
    spans: npt.NDArray[np.int64],
    *,
    strict: bool = False,
    repair_padding: bool = False,
    out: npt.NDArray[np.uint8] | None = None,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Decode base64 texts, by default as leniently as the published pipelines do.

    The standard and the URL alphabet may be mixed ("-" is "+", "_" is "/"), and ASCII characters
    outside both are skipped. "=" is skipped too, unless it completes a group of four: there the
    text ends and what follows is ignored. Missing padding is a fault.

    Args:
        values: uint8 (bytes,).
        spans: int64 (n, 2); item i is ``values[spans[i, 0]:spans[i, 1]]``, ASCII text.
        strict: RFC 4648 to the letter: one of the two alphabets, nothing else, "=" only to fill
            the last group. (Unused bits of the last character may be set, as the RFC allows.)
        repair_padding: missing "=" at the end of an item is no fault.
        out: optional uint8 (capacity,) to decode into. The capacity must be the sum over the
            items of ``3 * (length - trailing "=", at most two) // 4`` or more: for clean text
            exactly what it decodes to.
        num_threads: threads to use at most.
        backend: which implementation.

    Returns:
        values: uint8 (decoded bytes,), all items end to end; a view of ``out`` if given.
        offsets: int64 (n + 1,); item i is ``values[offsets[i]:offsets[i + 1]]``.

    Raises:
        Base64Error: text that does not decode; names the item and the byte of its text.
        KernelError: a span outside ``values``, or ``out`` too small.

    No CUDA backend: image files are parsed on the host.

    Source: CPython, Modules/binascii.c (a2b_base64, under base64.urlsafe_b64decode); RFC 4648.
    """
    for item, (start, stop) in enumerate(spans):
        if not 0 <= start <= stop <= len(values):
            raise KernelError("span_out_of_bounds", item, int(start))
    texts = [values[start:stop].tobytes() for start, stop in spans]
    if out is not None and len(out) < sum(_bound(text) for text in texts):
        raise KernelError("output_too_small")
    decode = _decode_strict if strict else _decode_lenient
    decoded = [decode(text, repair_padding, item) for item, text in enumerate(texts)]
    offsets = np.cumsum([0, *map(len, decoded)], dtype=np.int64)
    joined = np.frombuffer(b"".join(decoded), dtype=np.uint8)
    if out is None:
        return joined.copy(), offsets
    out[: len(joined)] = joined
    return out[: len(joined)], offsets


def _bound(text: bytes) -> int:
    trailing = len(text) - len(text[-2:].rstrip(b"=")) - len(text[:-2])
    return 3 * (len(text) - trailing) // 4


def _join(group: list[int]) -> bytes:
    """The whole bytes of up to four 6-bit values, first value most significant."""
    bits = "".join(f"{value:06b}" for value in group)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits) - 7, 8))


def _decode_lenient(text: bytes, repair_padding: bool, item: int) -> bytes:
    for position, character in enumerate(text):
        if character >= 0x80:
            raise Base64Error("base64_not_ascii", item, position)
    decoded = bytearray()
    group: list[int] = []
    pads = 0
    for character in text:
        if character == _PAD and len(group) >= 2:
            pads += 1
            if len(group) + pads >= 4:
                return bytes(decoded + _join(group))
        elif character in _VALUES:
            pads = 0
            group.append(_VALUES[character])
            if len(group) == 4:
                decoded += _join(group)
                group = []
    if len(group) == 1:
        raise Base64Error("base64_bad_length", item, len(text))
    if group and not repair_padding:
        raise Base64Error("base64_bad_padding", item, len(text))
    return bytes(decoded + _join(group))


def _decode_strict(text: bytes, repair_padding: bool, item: int) -> bytes:
    alphabets = [_STANDARD, _URL]
    data = 0
    pads = 0
    for position, character in enumerate(text):
        if character == _PAD:
            if data % 4 < 2 or data % 4 + pads == 4:
                raise Base64Error("base64_bad_padding", item, position)
            pads += 1
            continue
        alphabets = [alphabet for alphabet in alphabets if character in alphabet]
        if character >= 0x80:
            raise Base64Error("base64_not_ascii", item, position)
        if character not in _VALUES:
            raise Base64Error("base64_bad_character", item, position)
        if pads:
            raise Base64Error("base64_bad_padding", item, position)
        if not alphabets:
            raise Base64Error("base64_bad_character", item, position)
        data += 1
    if data % 4 == 1:
        raise Base64Error("base64_bad_length", item, len(text))
    if (data + pads) % 4 and not repair_padding:
        raise Base64Error("base64_bad_padding", item, len(text))
    padded = text + b"=" * (-len(text) % 4)
    return _decode_lenient(padded, False, item)
