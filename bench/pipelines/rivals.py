"""What refpix is measured against. A rival that is not installed is left out."""

from __future__ import annotations

import base64
import ctypes
import io
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

try:
    import pybase64
except ImportError:
    pybase64 = None
try:
    import simplejpeg
except ImportError:
    simplejpeg = None
try:
    import torch
except ImportError:
    torch = None
try:
    from nvidia.dali import fn, pipeline_def, types
except ImportError:
    pipeline_def = None

SIZE = 512
HALF = np.float32(0.5)
Run = Callable[[Sequence[bytes]], np.ndarray]


def _published_image(text: bytes) -> Image.Image:
    payload = io.BytesIO(base64.b64decode(text.translate(_STANDARD)))
    image = Image.open(payload).convert("RGB")
    return image.resize((SIZE, SIZE), Image.Resampling.BICUBIC)


# urlsafe_b64decode is this translation and b64decode; it warns of '+' and '/' in newer Pythons.
_STANDARD = bytes.maketrans(b"-_", b"+/")


def published_item(text: bytes) -> np.ndarray:
    """One picture by the published steps: float32 (3, 512, 512)."""
    pixels = np.asarray(_published_image(text)).astype(np.float32) / np.float32(255)
    return np.ascontiguousarray(np.moveaxis((pixels - HALF) / HALF, 2, 0))


def published_batch(texts: Sequence[bytes]) -> object:
    """A batch by the published steps: to_tensor, normalize, stack, in torch where it is there."""
    if torch is None:
        return np.stack([published_item(text) for text in texts])
    half = torch.full((3, 1, 1), 0.5)
    tensors = []
    for text in texts:
        pixels = torch.from_numpy(np.array(_published_image(text)))
        tensor = pixels.permute(2, 0, 1).contiguous().to(torch.float32).div(255)
        tensors.append(tensor.sub_(half).div_(half))
    return torch.stack(tensors)


def assembly(texts: Sequence[bytes]) -> np.ndarray:
    """The best of what can be put together: pybase64, simplejpeg, torch's uint8 resize."""
    out = torch.empty((len(texts), 3, SIZE, SIZE))
    for slot, text in zip(out, texts, strict=True):
        payload = pybase64.b64decode_as_bytearray(text, validate=True)
        pixels = torch.from_numpy(simplejpeg.decode_jpeg(payload))
        resized = torch.nn.functional.interpolate(
            pixels.permute(2, 0, 1)[None], (SIZE, SIZE), mode="bicubic", antialias=True
        )[0]
        torch.sub(resized, 127.5, out=slot).div_(127.5)
    return out.numpy()


def dali() -> Run:
    """DALI's CPU pipeline on decoded base64 (cubic resize, crop_mirror_normalize)."""

    @pipeline_def(num_threads=1, device_id=None, prefetch_queue_depth=1, exec_async=False,
                  exec_pipelined=False)  # fmt: skip
    def pipe(source):
        encoded = fn.external_source(source=source, dtype=types.UINT8, batch=True)
        images = fn.decoders.image(encoded, device="cpu", output_type=types.RGB)
        resized = fn.resize(
            images, size=(SIZE, SIZE), interp_type=types.INTERP_CUBIC, antialias=True
        )
        return fn.crop_mirror_normalize(
            resized, dtype=types.FLOAT, output_layout="CHW", mean=[127.5] * 3, std=[127.5] * 3
        )

    pipes: dict[int, object] = {}
    waiting: list[list[np.ndarray]] = []

    def run(texts: Sequence[bytes]) -> np.ndarray:
        decode = base64.b64decode if pybase64 is None else pybase64.b64decode
        waiting.append([np.frombuffer(decode(text), np.uint8) for text in texts])
        if len(texts) not in pipes:
            pipes[len(texts)] = pipe(lambda: waiting.pop(), batch_size=len(texts))
            pipes[len(texts)].build()
        (out,) = pipes[len(texts)].run()
        return out.as_array()

    return run


def inexact() -> dict[str, Run]:
    """The installed rivals that do not give Pillow's pixels."""
    runs: dict[str, Run] = {}
    if pybase64 is not None and simplejpeg is not None and torch is not None:
        torch.set_num_threads(1)
        runs["pybase64 + simplejpeg + torch"] = assembly
    if pipeline_def is not None:
        runs["DALI, CPU"] = dali()
    return runs


def memchr_loop(values: np.ndarray) -> Callable[[], int]:
    """Newlines of a buffer found by libc's memchr, called from C: the bar for tsv_index."""
    import subprocess
    import tempfile
    from pathlib import Path

    source = """
        #include <string.h>
        #include <stdint.h>
        int64_t lines(const char* p, int64_t n, int64_t* out) {
            const char *start = p, *end = p + n;
            int64_t count = 0;
            while (p < end && (p = memchr(p, '\\n', end - p))) out[count++] = ++p - start;
            return count;
        }"""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "memchr.so"
        subprocess.run(
            ["cc", "-O3", "-shared", "-fPIC", "-x", "c", "-", "-o", library],
            input=source.encode(),
            check=True,
        )
        lines = ctypes.CDLL(str(library)).lines
    lines.restype = ctypes.c_int64
    lines.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p]
    out = np.empty(1 << 20, np.int64)
    return lambda: lines(values.ctypes.data, len(values), out.ctypes.data)
