"""Fields of JSON records, checked one by one: a fault names the field and says what is wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = [
    "DoubleKeyError",
    "FieldFault",
    "checked",
    "integer",
    "number",
    "numbers",
    "shown",
    "text",
    "without_doubles",
]

_SHOWN = 40
_INT64 = 2**63


class FieldFault(Exception):
    """A field that is not what it should be.

    Attributes:
        field: its name; empty for the record as a whole.
        reason: what is wrong.
    """

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        self.reason = reason
        super().__init__(field, reason)


class DoubleKeyError(ValueError):
    """A key that stands twice in one object, of which JSON's parsers keep the last."""


def without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Makes an object: the ``object_pairs_hook`` of files whose keys must not be lost.

    Raises:
        DoubleKeyError: a key stands twice.
    """
    values = dict(pairs)
    if len(values) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise DoubleKeyError(f"the key {shown(key)} stands twice in one object")
            seen.add(key)
    return values


def shown(value: Any) -> str:
    """A value for a message, cut where it is long."""
    try:
        words = repr(value)
    except (RecursionError, ValueError):  # ValueError: an integer of too many digits
        words = f"a {type(value).__name__}"
    return words if len(words) <= _SHOWN else f"{words[: _SHOWN - 3]}..."


def _required(record: Mapping[str, Any], field: str) -> Any:
    if field not in record:
        raise FieldFault(field, "missing")
    return record[field]


def text(record: Mapping[str, Any], field: str) -> str:
    """A field that holds text."""
    value = _required(record, field)
    if not isinstance(value, str):
        raise FieldFault(field, f"expected text, got {shown(value)}")
    return value


def integer(record: Mapping[str, Any], field: str, default: int | None = None) -> int:
    """A field that holds a whole number of 64 bits; ``12.0`` and booleans pass."""
    value = record.get(field, default) if default is not None else _required(record, field)
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if not whole or not -_INT64 <= value < _INT64:
        raise FieldFault(field, f"expected an integer, got {shown(value)}")
    return int(value)


def number(record: Mapping[str, Any], field: str) -> float:
    """A field that holds a finite number."""
    return checked([_required(record, field)], field)[0]


def numbers(record: Mapping[str, Any], field: str, count: int) -> list[float]:
    """A field that holds so many finite numbers."""
    value = _required(record, field)
    if not isinstance(value, list) or len(value) != count:
        got = f"{len(value)} values" if isinstance(value, list) else shown(value)
        raise FieldFault(field, f"expected {count} numbers, got {got}")
    return checked(value, field)


def checked(values: Sequence[Any], field: str, what: str = "") -> list[float]:
    """Finite numbers as floats.

    Args:
        values: what should be numbers.
        field: for the fault.
        what: goes before the reason, e.g. ``"polygon 2: "``.
    """
    result = []
    for place, value in enumerate(values):
        at = f" at place {place}" if len(values) > 1 else ""
        if type(value) not in (int, float):
            raise FieldFault(field, f"{what}expected a number{at}, got {shown(value)}")
        try:
            converted = float(value)
        except OverflowError:
            converted = math.inf
        if not math.isfinite(converted):
            raise FieldFault(field, f"{what}not finite{at}: {shown(value)}")
        result.append(converted)
    return result
