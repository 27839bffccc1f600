"""Where the rows of a TSV file begin."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from refpix.kernels._registry import Backend, kernel

_NEWLINE = ord("\n")


@kernel
def tsv_index(
    values: npt.NDArray[np.uint8],
    *,
    num_threads: int = 1,
    backend: Backend = "auto",
) -> npt.NDArray[np.int64]:
    r"""Offsets of the rows of a text.

    A row ends at "\n" and nowhere else: not at "\r", not at a Unicode line separator. The last row
    may lack its newline. A blank line is a row; an empty text has none.

    Args:
        values: uint8 (bytes,), e.g. a memory-mapped file.
        num_threads: threads to use at most, each taking pieces of 8 MiB.
        backend: which implementation.

    Returns:
        int64 (rows + 1,); row i is ``values[offsets[i]:offsets[i + 1]]``, newline included.

    No CUDA backend: the file is on the host.

    Source: OFA, data/file_dataset.py (rows counted by lines of the file opened in binary).
    """
    offsets = np.concatenate([[0], np.flatnonzero(values == _NEWLINE) + 1]).astype(np.int64)
    if offsets[-1] == len(values):
        return offsets
    return np.append(offsets, len(values))
