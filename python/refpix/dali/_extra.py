"""The only place that imports DALI."""

from __future__ import annotations

from types import SimpleNamespace

from refpix.errors import MissingExtraError

__all__ = ["require_dali"]


def require_dali() -> SimpleNamespace:
    """DALI's ``fn``, ``types`` and ``Pipeline``.

    Raises:
        MissingExtraError: DALI is not installed.
    """
    try:
        from nvidia.dali import Pipeline, fn, types
    except ImportError as error:
        raise MissingExtraError("refpix.dali", "NVIDIA DALI", "dali") from error
    return SimpleNamespace(fn=fn, types=types, Pipeline=Pipeline)
