"""Rows of a TSV file to fields."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from refpix.errors import KernelError, TsvError
from refpix.kernels._registry import Backend, kernel


@kernel
def tsv_split(
    values: npt.NDArray[np.uint8],
    spans: npt.NDArray[np.int64],
    *,
    columns: Sequence[int] | None = None,
    allow_cr: bool = False,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> npt.NDArray[np.int64]:
    r"""Where the fields of rows begin and end.

    Fields are separated by tabs; there is no quoting. The row's newline is not part of its last
    field, nor is one carriage return before it (or at the end of a row without newline). Rows may
    have more columns than asked for, and blanks and empty fields are kept.

    Args:
        values: uint8 (bytes,), e.g. a memory-mapped file.
        spans: int64 (n, 2); row i is ``values[spans[i, 0]:spans[i, 1]]``.
        columns: 0-based, in any order, repeats allowed, negative ones counted from the row's
            end. None: as many as the first of the rows has. Rows are read up to the last column
            asked for, or whole when one counts from the end.
        allow_cr: whether a carriage return inside a field is an ordinary character. The published
            reader takes it for the end of a line, so such rows come apart there.
        num_threads: threads to use at most.
        backend: which implementation.

    Returns:
        int64 (n, k, 2): field j of row i is ``values[fields[i, j, 0]:fields[i, j, 1]]``.

    Raises:
        TsvError: a row has too few columns, or holds a carriage return; names row and byte.
        KernelError: a span lies outside ``values``.

    No CUDA backend: the file is on the host.

    Source: OFA, data/file_dataset.py (``line.rstrip("\n").split("\t")``).
    """
    for item, (start, stop) in enumerate(spans):
        if not 0 <= start <= stop <= len(values):
            raise KernelError("span_out_of_bounds", item, int(start))
    rows = [values[start:stop].tobytes() for start, stop in spans]
    if columns is None:
        columns = range(len(_text(rows[0]).split(b"\t"))) if rows else ()
    fields = np.empty((len(rows), len(columns), 2), dtype=np.int64)
    for item, row in enumerate(rows):
        text = _text(row)
        parts = text.split(b"\t")
        if columns and min(columns) >= 0:
            parts = parts[: max(columns) + 1]
        cr = b"\t".join(parts).find(b"\r")
        if cr >= 0 and not allow_cr:
            raise TsvError("tsv_lone_cr", item, cr)
        if columns and not -len(parts) <= min(columns) <= max(columns) < len(parts):
            raise TsvError("tsv_too_few_columns", item, len(text))
        stops = np.cumsum([len(part) + 1 for part in parts]) - 1
        for k, column in enumerate(columns):
            stop = spans[item, 0] + stops[column]
            fields[item, k] = stop - len(parts[column]), stop
    return fields


def _text(row: bytes) -> bytes:
    return row.removesuffix(b"\n").removesuffix(b"\r")
