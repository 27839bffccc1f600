"""Small RefHCM files of random pictures, and what the published pipeline makes of them."""

import base64
import io

import numpy as np
from PIL import Image

HALF = np.float32(0.5)


def encoded(i, kind="JPEG"):
    rng = np.random.default_rng(i)
    size = (20 + i % 7, 30 - i % 5)
    buffer = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8)).save(buffer, kind)
    return base64.b64encode(buffer.getvalue()).decode()


def row(i, payload=None):
    return f"{i}_0\t{i}\tperson {i}\t1,2,15.5,{16 + i % 3}\t{payload or encoded(i)}\n"


def write_rows(path, count=23, **payloads):
    """A rec file; ``row5="..."`` puts another payload into row 5."""
    rows = (row(i, payloads.get(f"row{i}")) for i in range(count))
    path.write_text("".join(rows), newline="\n")
    return path


def published(path, i, size):
    text = path.read_text().split("\n")[i].split("\t")[4]
    image = Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB")
    pixels = np.asarray(image.resize(size[::-1], Image.Resampling.BICUBIC)).astype(np.float32)
    return np.moveaxis((pixels / np.float32(255) - HALF) / HALF, 2, 0)


def ids(batches):
    return [sample.id for batch in batches for sample in batch.samples]
