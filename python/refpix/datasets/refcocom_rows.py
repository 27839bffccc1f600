"""RefCOCO-M's rows as the card describes them, whichever of the two schemas a file has."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypedDict

__all__ = ["RefCocoMRecord", "as_record", "columns_of"]


class ImageField(TypedDict):
    """The picture file, and where it lay. Bytes are None where pixels were not asked for."""

    bytes: bytes | None
    path: str | None


class ImageMeta(TypedDict):
    """Size in pixels (None in flat files without instances) and COCO id of the picture."""

    width: int | None
    height: int | None
    image_id: int


class MaskField(TypedDict):
    """A COCO run-length mask: counts compressed (text or bytes) or a list, and [H, W]."""

    counts: str | bytes | list[int]
    size: list[int]


class InstanceField(TypedDict):
    """A referred instance; ``label`` is that of flat files, else None."""

    id: int
    category: str | None
    supercategory: str | None
    label: Any
    sentences: list[str]
    bbox: list[float]
    mask: MaskField


class RefCocoMRecord(TypedDict):
    """A row under the card's names."""

    file_name: str
    image_meta: ImageMeta
    image: ImageField
    samples: list[InstanceField]


def columns_of(names: Sequence[str]) -> list[str]:
    """The columns to read of a file, the picture's last.

    Args:
        names: all columns of the file.

    Raises:
        ValueError: it is neither schema; names the columns that are missing.
    """
    about = "image_meta" if "image_meta" in names or "image_id" not in names else "image_id"
    wanted = ["file_name", about, "samples", "image"]
    missing = [name for name in wanted if name not in names]
    if missing:
        absent = ", ".join(map(repr, missing))
        either = " (or flat: 'image_id')" if "image_meta" in missing else ""
        raise ValueError(f"no column {absent}{either}: not RefCOCO-M, which has {wanted}")
    return wanted


def as_record(row: dict[str, Any]) -> RefCocoMRecord:
    """Checks a row and brings it into the card's form.

    Args:
        row: the columns of `columns_of`; without ``image``, the record has no bytes.

    Raises:
        ValueError: a field is missing, null or of a wrong kind; says which and what it is.
    """
    samples = [
        _instance(sample, f"samples[{i}]")
        for i, sample in enumerate(_typed(row.get("samples"), list, "samples"))
    ]
    return {
        "file_name": _typed(row.get("file_name"), str, "file_name"),
        "image_meta": _image_meta(row, samples),
        "image": _image(row),
        "samples": samples,
    }


def _image_meta(row: dict[str, Any], samples: list[InstanceField]) -> ImageMeta:
    if "image_meta" in row:
        meta = _typed(row["image_meta"], dict, "image_meta")
        width, height, image_id = (
            _typed(meta.get(name), int, f"image_meta.{name}")
            for name in ("width", "height", "image_id")
        )
        return {"width": width, "height": height, "image_id": image_id}
    height, width = samples[0]["mask"]["size"] if samples else (None, None)
    return {
        "width": width,
        "height": height,
        "image_id": _typed(row.get("image_id"), int, "image_id"),
    }


def _image(row: dict[str, Any]) -> ImageField:
    if "image" not in row:
        return {"bytes": None, "path": None}
    image = row["image"]
    if isinstance(image, bytes):
        return {"bytes": image, "path": None}
    fields = _typed(image, dict, "image")
    path = fields.get("path")
    return {
        "bytes": _typed(fields.get("bytes"), bytes, "image.bytes"),
        "path": path if path is None else _typed(path, str, "image.path"),
    }


def _instance(value: Any, name: str) -> InstanceField:
    sample = _typed(value, dict, name)
    sentences = _typed(sample.get("sentences"), list, f"{name}.sentences")
    for k, sentence in enumerate(sentences):
        _typed(sentence, str, f"{name}.sentences[{k}]")
    for key in ("category", "supercategory"):
        if sample.get(key) is not None:
            _typed(sample[key], str, f"{name}.{key}")
    return {
        "id": _typed(sample.get("id"), int, f"{name}.id"),
        "category": sample.get("category"),
        "supercategory": sample.get("supercategory"),
        "label": sample.get("label"),
        "sentences": sentences,
        "bbox": _box(sample.get("bbox"), f"{name}.bbox"),
        "mask": _mask(sample.get("mask"), f"{name}.mask"),
    }


def _box(value: Any, name: str) -> list[float]:
    box = _typed(value, list, name)
    finite = all(isinstance(v, (int, float)) and math.isfinite(v) for v in box)
    if len(box) != 4 or not finite:
        raise ValueError(f"{name}: expected four finite numbers, got {_shown(box)}")
    return [float(v) for v in box]


def _mask(value: Any, name: str) -> MaskField:
    mask = _typed(value, dict, name)
    counts, size = mask.get("counts"), _typed(mask.get("size"), list, f"{name}.size")
    if len(size) != 2 or not all(isinstance(v, int) and v >= 0 for v in size):
        raise ValueError(f"{name}.size: expected [height, width], got {_shown(size)}")
    listed = isinstance(counts, list) and all(isinstance(v, int) for v in counts)
    if not listed and not isinstance(counts, (str, bytes)):
        raise ValueError(
            f"{name}.counts: expected text, bytes or a list of integers, got {_shown(counts)}"
        )
    return {"counts": counts, "size": size}


_KINDS = {int: "an integer", str: "text", bytes: "bytes", list: "a list", dict: "a struct"}


def _typed(value: Any, kind: type, name: str) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{name}: expected {_KINDS[kind]}, got {_shown(value)}")
    return value


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 60 else text[:57] + '...'}"
