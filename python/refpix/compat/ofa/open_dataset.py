"""A file of RefHCM to look at, without a tokenizer."""

from __future__ import annotations

import os
from typing import Any, Final

from refpix.compat.ofa.base import OFADataset
from refpix.compat.ofa.file_dataset import FileDataset
from refpix.compat.ofa.items import HOIDataset, RefcocoDataset, RHrcDataset, RKptDataset
from refpix.compat.ofa.rpar import RParDataset, RParDatasetFullMask
from refpix.datasets.refhcm_targets import Task

__all__ = ["open_dataset"]

_BUILDERS: Final[dict[Task, type[OFADataset]]] = {
    "rec": RefcocoDataset,
    "rkpt": RKptDataset,
    "rpar": RParDataset,
    "rpar_full_mask": RParDatasetFullMask,
    "rhrc": RHrcDataset,
    "hoi": HOIDataset,
}


def open_dataset(
    task: Task,
    path: str | os.PathLike[str],
    selected_cols: str,
    *,
    split: str = "valid",
    **options: Any,
) -> OFADataset:
    """A task's builder over a file that is read at random.

    Args:
        task: ``"rec"``, ``"rkpt"``, ``"rpar"``, ``"rpar_full_mask"``, ``"rhrc"`` or ``"hoi"``.
        path: a TSV file.
        selected_cols: comma list of column numbers in the order that the task wants.
        split: ``"train"`` or another.
        **options: of the task's builder.

    Returns:
        The builder. Without tokenizer and dictionary it can ``describe`` rows, not make items.
    """
    rows = FileDataset(path, selected_cols, random_access=True)
    return _BUILDERS[task](split, rows, None, None, None, **options)
