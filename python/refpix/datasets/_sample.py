"""The packaged sample: drawn people, for demos and first tries."""

from __future__ import annotations

from pathlib import Path

from refpix.datasets.refhcm_layout import find_file

__all__ = ["sample_path"]


def sample_path(task: str | None = None) -> Path:
    """Where the packaged sample lies: eight rows each of rec, rkpt, rpar and rhrc.

    Args:
        task: for the TSV file of that task; None for the folder, which is laid out like the
            RefHCM dataset.

    Raises:
        FileNotFoundError: the sample has no such task.
        ValueError: there is no such task.
    """
    folder = Path(__file__).parent.parent / "data" / "sample"
    return folder if task is None else find_file(folder, task, "train")[0]
