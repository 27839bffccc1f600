"""``refpix synthesize masks`` and ``matched-masks``: instance masks as M-HIM2K has them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from refpix.cli.errors import one_line_errors
from refpix.cli.synthesize import (
    EngineName,
    EngineOption,
    Quiet,
    Strict,
    Workers,
    report,
)
from refpix.errors import MissingExtraError
from refpix.kernels import cpu_count
from refpix.synthesis.masks import PERSON, Detector, Limits, detect_masks, masks_of_results
from refpix.synthesis.matched_masks import MIN_IOU, generate_matched_masks

__all__ = ["masks", "matched_masks"]

_PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")


class Model(str, Enum):
    """Libraries that bring detectors."""

    torchvision = "torchvision"
    detectron2 = "detectron2"


class Missing(str, Enum):
    """What becomes of mattes that no mask fits."""

    draw = "draw"
    leave = "leave"


@one_line_errors
def masks(
    out: Annotated[Path, typer.Argument(help="Mask folder, e.g. masks_r50_c4_3x/comp.")],
    results: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--results", help="COCO results JSON with run lengths, and"),
    ] = None,
    annotations: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--annotations", help="the COCO JSON whose images name the image ids."),
    ] = None,
    model: Annotated[
        Optional[Model],  # noqa: UP045
        typer.Option("--model", help="Or run a detector of this library"),
    ] = None,
    images: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--images", help="over the pictures of a folder."),
    ] = None,
    config: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--config", help="torchvision's builder; detectron2's config, name or file."),
    ] = None,
    weights: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--weights", help="File, or what the library takes; its own by default."),
    ] = None,
    device: Annotated[str, typer.Option("--device", help="As torch names it.")] = "auto",
    exif: Annotated[bool, typer.Option("--exif", help="Rotate pictures by EXIF first.")] = False,
    min_score: Annotated[float, typer.Option("--min-score")] = 0.7,
    min_area: Annotated[float, typer.Option("--min-area", help="Share of the picture.")] = 0.02,
    person: Annotated[int, typer.Option("--person", help="Category to keep.")] = PERSON,
    strict: Strict = False,
    quiet: Quiet = False,
) -> None:
    """Masks of people, by a detector or from its results: OUT/<picture>/00.png, 01.png, ...

    Run it again after an interruption: it goes on where it was.
    """
    limits = Limits(person, min_score, min_area)
    if (results is None) == (model is None):
        raise ValueError("either --results and --annotations, or --model and --images")
    if results is not None:
        if annotations is None:
            raise ValueError("--results wants --annotations")
        records, names = _records(results, annotations)
        summary = masks_of_results(
            records, names, out, file=str(results), limits=limits, progress=not quiet
        )
    else:
        if model is None or images is None:
            raise ValueError("--model wants --images")
        pictures = sorted(p for p in images.iterdir() if p.suffix.lower() in _PICTURES)
        summary = detect_masks(
            _detector(model, config, weights, device, min_score),
            pictures,
            out,
            limits=limits,
            upright=exif,
            strict=strict,
            progress=not quiet,
        )
    report(summary, out)


def _records(results: Path, annotations: Path) -> tuple[list[Mapping[str, Any]], dict[Any, str]]:
    records = json.loads(results.read_bytes())
    images = json.loads(annotations.read_bytes())
    if not isinstance(records, list) or not isinstance(images, dict):
        raise ValueError(f"{results}, {annotations}: expected a list of results and a COCO dict")
    try:
        names = {image["id"]: Path(image["file_name"]).stem for image in images["images"]}
    except (KeyError, TypeError) as error:
        raise ValueError(f"{annotations}: images want id and file_name") from error
    return records, names


def _detector(
    model: Model, config: str | None, weights: str | None, device: str, min_score: float
) -> Detector:
    # Only here: torch takes seconds, and need not be installed.
    try:
        from refpix.synthesis import torch_detectors
    except ImportError as error:
        raise MissingExtraError(f"--model {model.value}", "torch", "detectors") from error
    options: dict[str, Any] = {"device": device, "min_score": min_score}
    if weights is not None:
        options["weights"] = weights
    load = (
        torch_detectors.torchvision_detector
        if model is Model.torchvision
        else torch_detectors.detectron2_detector
    )
    return load(config, **options) if config is not None else load(**options)


@one_line_errors
def matched_masks(
    masks_dir: Annotated[
        Path, typer.Argument(help="Detected masks by picture, e.g. masks_r50_c4_3x/comp.")
    ],
    mattes_dir: Annotated[Path, typer.Argument(help="Mattes by picture, e.g. alphas/comp.")],
    out: Annotated[
        Path, typer.Argument(help="Folder to write to, e.g. masks_matched_r50_c4_3x/comp.")
    ],
    min_iou: Annotated[float, typer.Option("--min-iou", help="To be exceeded.")] = MIN_IOU,
    missing: Annotated[
        Missing, typer.Option("--missing", help="Draw a mask for mattes that none fits, or not.")
    ] = Missing.draw,
    split_overlaps: Annotated[
        bool,
        typer.Option("--split-overlaps", help="Pixels of several masks go to the strongest matte."),
    ] = False,
    seed: Annotated[int, typer.Option("--seed", help="Of the drawn masks.")] = 0,
    n_workers: Workers = cpu_count(),  # noqa: B008
    engine: EngineOption = EngineName.local,
    strict: Strict = False,
    quiet: Quiet = False,
) -> None:
    """A mask for each matte, under its name: the detected one that overlaps it most.

    Run it again after an interruption: it goes on where it was.
    """
    summary = generate_matched_masks(
        masks_dir,
        mattes_dir,
        out,
        min_iou=min_iou,
        missing=missing.value,
        overlaps="split" if split_overlaps else "keep",
        seed=seed,
        workers=n_workers,
        engine=engine.value,
        strict=strict,
        progress=not quiet,
    )
    report(summary, out)
