"""How far nvJPEG's pixels are from libjpeg-turbo's: what refpix.kernels._nvjpeg.BOUND should say.

Usage: python bench/gpu/jpeg_bound.py [--json FILE] [--engine hybrid|hardware|auto]

Over 4:4:4, 4:2:2, 4:2:0, 4:4:0 and gray, baseline and progressive, qualities and odd sizes:
greatest and mean difference of a value, and the share of values that differ at all. Needs a GPU.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from refpix.kernels import _nvjpeg, jpeg_decode
from refpix.types import BytesBatch

SIZES = [(640, 480), (481, 641), (333, 257), (64, 64), (97, 31), (17, 250)]
QUALITIES = [30, 75, 90, 97]
SAMPLINGS = {"444": (1, 1), "422": (2, 1), "420": (2, 2), "440": (1, 2), "gray": (0, 0)}


def picture(width: int, height: int, seed: int) -> Image.Image:
    """Soft shapes, hard edges of saturated colours, grain."""
    rng = np.random.default_rng([seed, width, height])
    coarse = rng.integers(0, 256, (height // 40 + 3, width // 40 + 3, 3)).astype(np.uint8)
    soft = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
    image = soft.astype(float)
    for _ in range(6):
        x, y = rng.integers(0, width), rng.integers(0, height)
        image[y : y + height // 5, x : x + width // 5] = rng.choice([0, 255], 3)
    return Image.fromarray(np.clip(image + rng.normal(0, 6, image.shape), 0, 255).astype(np.uint8))


def encode(image: Image.Image, sampling: str, quality: int, progressive: bool) -> bytes:
    file = io.BytesIO()
    options = {"quality": quality, "progressive": progressive}
    if sampling == "gray":
        image.convert("L").save(file, "JPEG", **options)
    elif sampling == "440":
        return turned(image, quality, progressive)
    else:
        image.save(file, "JPEG", subsampling={"444": 0, "422": 1, "420": 2}[sampling], **options)
    return file.getvalue()


def turned(image: Image.Image, quality: int, progressive: bool) -> bytes:
    """4:4:0, which Pillow does not write: 4:2:2 with factors, width and height exchanged.

    Decoders only see blocks, so the planes of a picture whose number of MCUs is the same both ways
    can be read either way round. Side lengths are made multiples of 16 for that.
    """
    side = min(image.size) // 16 * 16
    file = io.BytesIO()
    image.crop((0, 0, side, side)).save(
        file, "JPEG", quality=quality, progressive=progressive, subsampling=1
    )
    payload = bytearray(file.getvalue())
    frame = payload.index(b"\xff\xc2" if progressive else b"\xff\xc0")
    assert payload[frame + 11] == 0x21
    payload[frame + 11] = 0x12
    return bytes(payload)


def compare(got: np.ndarray, wanted: np.ndarray) -> tuple[int, float, float]:
    difference = np.abs(got.astype(np.int16) - wanted.astype(np.int16))
    share = np.count_nonzero(difference) / difference.size
    return int(difference.max()), float(difference.mean()), share


def measure(engine: str, qualities: list[int]) -> list[dict[str, object]]:
    """A row for each combination; the worst picture counts."""
    from refpix.cuda import JpegDecoder

    rows: list[dict[str, object]] = []
    with JpegDecoder(engine=engine) as decoder:  # type: ignore[arg-type]
        for sampling in SAMPLINGS:
            for progressive in (False, True):
                for quality in qualities:
                    payloads = [
                        encode(picture(*size, seed), sampling, quality, progressive)
                        for seed, size in enumerate(SIZES)
                    ]
                    batch = BytesBatch.from_items(payloads)
                    images = decoder.decode(*batch)
                    wanted = jpeg_decode(*batch, backend="cpu")
                    each = [
                        compare(images.image(i).cpu().numpy(), wanted.image(i))
                        for i in range(len(payloads))
                        if images.engines[i] not in ("cpu", "none")
                    ]
                    rows.append(
                        {
                            "sampling": sampling,
                            "progressive": progressive,
                            "quality": quality,
                            "engines": sorted(set(images.engines)),
                            "largest": max((one[0] for one in each), default=None),
                            "mean": max((one[1] for one in each), default=None),
                            "share": max((one[2] for one in each), default=None),
                        }
                    )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--engine", choices=["auto", "hybrid", "hardware"], nargs="*")
    parser.add_argument("--qualities", type=int, nargs="*", default=QUALITIES)
    arguments = parser.parse_args()
    import torch

    from refpix.cuda import JpegDecoder

    with JpegDecoder() as decoder:
        if "hybrid" not in decoder.engines:
            sys.exit(f"nvJPEG is not there: {decoder.unavailable}")
        library, there = decoder.library, decoder.engines
    results = {
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "emulated",
        "library": library,
        "engines": {
            engine: measure(engine, arguments.qualities)
            for engine in arguments.engine or [name for name in there if name != "cpu"]
        },
    }
    print(f"{results['device']}, nvJPEG {library}")
    measured = [row for rows in results["engines"].values() for row in rows]
    for engine, rows in results["engines"].items():
        print(f"\n{engine:10s} {'':12s} quality  largest   mean  share")
        for row in rows:
            if row["largest"] is None:
                continue
            coding = "progressive" if row["progressive"] else "baseline"
            print(
                f"{row['sampling']:10s} {coding:12s} {row['quality']:7d}  {row['largest']:7d}  "
                f"{row['mean']:5.3f}  {row['share']:5.3f}"
            )
    worst = [row for row in measured if row["largest"] is not None]
    print(
        "\nrefpix.kernels._nvjpeg.BOUND should be no less than Bound("
        f"largest={max(row['largest'] for row in worst)}, "
        f"mean={max(row['mean'] for row in worst):.3f}, "
        f"share={max(row['share'] for row in worst):.3f}); it is {_nvjpeg.BOUND}"
    )
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
