"""One row's fields to a record, every fault with its reason and the byte where the field begins."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from refpix.datasets import refhcm_targets as rules
from refpix.datasets.refhcm_layout import Task
from refpix.datasets.refhcm_sample import BoxFormat, RefHCMSample
from refpix.io.npy import decode_npy

__all__ = ["FieldFault", "label_map_from_npy", "record_from_fields"]

_NUM_KEYPOINTS = 17
_NUM_CODES = 48
_CODE_RANGE = 32
_REASON_CHARACTERS = 300  # of a reason: what Python says of a bad number quotes all of it


class FieldFault(ValueError):
    """A field that cannot be read.

    Attributes:
        column: the column's name.
        reason: what is wrong, in words.
        position: byte within the field.
    """

    def __init__(self, column: str, reason: str, position: int = 0) -> None:
        if len(reason) > _REASON_CHARACTERS:
            reason = f"{reason[:_REASON_CHARACTERS]}..."
        self.column = column
        self.reason = reason
        self.position = position
        super().__init__(f"{column}: {reason}")


def record_from_fields(
    task: Task, row: int, fields: Mapping[str, bytes], *, box_format: BoxFormat, strict: bool
) -> RefHCMSample:
    """The record of a row: everything but pixels.

    Args:
        task: whose columns these are.
        row: number of the row, for the record.
        fields: column name -> bytes; ``image`` and ``label_map`` are not looked at.
        box_format: of the record's ``box``.
        strict: exactly 48 codes in 0..31; actions without malformed parts.

    Raises:
        FieldFault: a field is malformed.
    """
    box = _box(_text(fields, "box"))
    codes = _codes(_text(fields, "codes"), strict) if task == "rpar" else None
    return RefHCMSample(
        task=task,
        row=row,
        id=_text(fields, "id"),
        image_id=_text(fields, "image_id") if "image_id" in fields else None,
        text=_text(fields, "text") if "text" in fields else None,
        box=box if box_format == "xyxy" else np.concatenate([box[:2], box[2:] - box[:2]]),
        box_xyxy=box,
        keypoints=_keypoints(_text(fields, "keypoints")) if task == "rkpt" else None,
        codes=codes,
        actions=_actions(_text(fields, "actions"), strict) if task == "hoi" else None,
    )


def _text(fields: Mapping[str, bytes], column: str) -> str:
    try:
        return fields[column].decode()
    except UnicodeDecodeError as e:
        raise FieldFault(column, f"not UTF-8: {e.reason}", e.start) from None


def _float32(column: str, numbers: list[float]) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore"):
        array = np.array(numbers, dtype=np.float32)
    if not np.isfinite(array).all():
        raise FieldFault(column, "NaN, infinity or a number beyond float32")
    return array


def _box(text: str) -> npt.NDArray[np.float32]:
    try:
        return _float32("box", list(rules.parse_box(text)))
    except FieldFault:
        raise
    except ValueError as e:
        raise FieldFault("box", str(e)) from None


def _keypoints(text: str) -> npt.NDArray[np.float32]:
    try:
        numbers = rules.parse_keypoints(text)
    except ValueError as e:
        raise FieldFault("keypoints", str(e)) from None
    if len(numbers) != 2 * _NUM_KEYPOINTS:
        raise FieldFault(
            "keypoints", f"expected {2 * _NUM_KEYPOINTS} numbers, here are {len(numbers)}"
        )
    points = _float32("keypoints", numbers).reshape(_NUM_KEYPOINTS, 2)
    visible = (points != 0).any(axis=1, keepdims=True)
    return np.concatenate([points, visible.astype(np.float32)], axis=1)


def _codes(text: str, strict: bool) -> npt.NDArray[np.int32]:
    try:
        codes = rules.parse_codes(text)
    except ValueError as e:
        raise FieldFault("codes", str(e)) from None
    if strict and len(codes) != _NUM_CODES:
        raise FieldFault("codes", f"expected {_NUM_CODES} parsing codes, here are {len(codes)}")
    low, high = (0, _CODE_RANGE) if strict else (-(2**31), 2**31)
    if wrong := [code for code in codes if not low <= code < high]:
        raise FieldFault("codes", f"parsing code out of range: {wrong[0]}")
    return np.array(codes, dtype=np.int32)


def _actions(text: str, strict: bool) -> tuple[rules.Interaction, ...]:
    try:
        actions = rules.parse_actions(text)
    except ValueError as e:
        raise FieldFault("actions", str(e)) from None
    if strict and len(actions) != len([part for part in text.split(";") if part.strip()]):
        raise FieldFault("actions", "a part has not six fields or lacks the ';' that ends it")
    if not np.isfinite([action.box for action in actions]).all():
        raise FieldFault("actions", "NaN or infinity in a box")
    return tuple(actions)


def label_map_from_npy(payload: bytes) -> npt.NDArray[np.int32]:
    """The parsing classes of an ``.npy`` file as int32 (H, W), C order.

    Integers and booleans of any width are taken, and floats that are whole numbers (all of them
    occur).

    Raises:
        ValueError: no ``.npy`` file, not two axes, an empty one, or values that int32 cannot hold.
    """
    array = decode_npy(payload)
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"label map has shape {array.shape}, expected (height, width)")
    if array.dtype.kind not in "buif":
        raise ValueError(f"label map has dtype {array.dtype}, expected integers")
    low, high = array.min(), array.max()
    if not (low >= -(2**31) and high < 2**31):  # Written so that NaN fails.
        raise ValueError(f"label map has values beyond int32 or NaN: {low} to {high}")
    labels = array.astype(np.int32, order="C")
    if array.dtype.kind == "f" and not np.array_equal(labels, array):
        raise ValueError("label map has values that are no whole numbers")
    return labels
