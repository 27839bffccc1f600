"""Files of REC rows with pictures drawn on the spot."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from refpix.datasets import RefHCM


def picture(i: int, kind: str = "JPEG", **options) -> bytes:
    """A picture of its own size for each number: 20..26 high, 26..30 wide."""
    rng = np.random.default_rng(i)
    coarse = rng.integers(0, 256, (5, 6, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((30 - i % 5, 20 + i % 7), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def write_rows(path, payloads):
    """A REC file whose i-th row holds the i-th payload: bytes of a file, or text as it is."""
    rows = []
    for i, payload in enumerate(payloads):
        text = payload if isinstance(payload, str) else base64.b64encode(payload).decode()
        rows.append(f"{i}_0\t{i}\tperson {i}\t1,2,15.5,{16 + i % 3}\t{text}\n")
    path.write_text("".join(rows), newline="\n")
    return RefHCM(path, task="rec", index="memory")


@pytest.fixture
def make(tmp_path):
    """A dataset of ``count`` rows; ``changed`` replaces payloads by row."""

    def write(count=23, changed=None):
        changed = changed or {}
        return write_rows(tmp_path / "rec.tsv", [changed.get(i, picture(i)) for i in range(count)])

    return write


@pytest.fixture
def cut():
    """A JPEG that ends early, after its header."""
    return picture(3, quality=95)[:-150]


@pytest.fixture
def gif():
    return picture(4, "GIF")


@pytest.fixture
def cmyk():
    file = io.BytesIO()
    Image.open(io.BytesIO(picture(5))).convert("CMYK").save(file, "JPEG")
    return file.getvalue()
