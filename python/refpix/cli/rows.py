"""Row numbers as people write them."""

from __future__ import annotations

import re

__all__ = ["parse_rows"]

_PART = re.compile(r"(-?\d+)(?:-(\d+))?")


def parse_rows(text: str, most: int = 1000) -> list[int]:
    """Reads "0,3,5-9" as 0, 3, 5, 6, 7, 8, 9; negative numbers count from the end.

    Args:
        text: numbers and ranges, both ends included, between commas.
        most: how many rows there may be.

    Raises:
        ValueError: something else, a range that runs backwards, or too many rows.
    """
    rows: list[int] = []
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"rows {text!r}: {part!r} is no row or range; write e.g. 0,3,5-9")
        first = int(match[1])
        last = first if match[2] is None else int(match[2])
        if match[2] is not None and not 0 <= first <= last:
            raise ValueError(f"rows {text!r}: {part!r} runs backwards")
        if len(rows) + last - first + 1 > most:
            raise ValueError(f"rows {text!r}: more than {most} rows")
        rows += range(first, last + 1)
    return rows
