"""A run over many samples: what is left to do, done on processes or machines, noted as it goes."""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

import numpy as np
import PIL
from tqdm import tqdm

from refpix.errors import SampleError
from refpix.synthesis._engines import Engine, in_order_of_completion
from refpix.synthesis._files import Journal

__all__ = ["Entry", "Summary", "digest", "failed", "run"]

#: A sample in the journal: ``id``, ``status`` and what belongs to it.
Entry = dict[str, Any]


class Summary(NamedTuple):
    """What a run did.

    Attributes:
        counts: samples by status, those of earlier runs included: ``written``, ``nothing`` (no
            foreground could be placed; no mask was kept), ``rejected`` (videos), ``failed``.
        skipped: of them, those that an earlier run had finished.
        failures: id and reason of each that failed.
    """

    counts: dict[str, int]
    skipped: int
    failures: list[tuple[str, str]]


def failed(entry: Entry, error: SampleError) -> Entry:
    """The entry of a sample that cannot be made."""
    reason = f"{error.file}: {error.reason}" if error.file else error.reason
    return {**entry, "status": "failed", "reason": reason}


def digest(lines: Iterable[str]) -> str:
    """SHA-256 of lists of names, for settings."""
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _about(kind: str, seeds: str) -> dict[str, Any]:
    packages = {"refpix": _version("refpix"), "numpy": np.__version__, "pillow": PIL.__version__}
    return {"kind": kind, "seeds": seeds, "versions": packages}


def run(
    journal: Journal,
    kind: str,
    ids: Sequence[str],
    work: Callable[[Any], Entry],
    jobs: Sequence[Any],
    *,
    engine: Engine = "local",
    workers: int = 1,
    start_method: str | None = None,
    progress: bool = False,
    unit: str = "picture",
    seeds: str = "the sample's number",
) -> Summary:
    """Does the jobs that the journal does not know as finished, and ends with a manifest.

    Args:
        journal: of the output folder; closed at the end.
        kind: for the manifest.
        ids: of the jobs.
        work: makes one, and says what came of it. Its exceptions end the run.
        jobs: as many as ids.
        engine: as ``in_order_of_completion``, and what follows.
        workers: likewise.
        start_method: likewise.
        progress: draw a bar on stderr.
        unit: what the bar counts.
        seeds: for the manifest.
    """
    todo = [job for name, job in zip(ids, jobs, strict=True) if not journal.finished(name)]
    skipped = len(jobs) - len(todo)
    try:
        results = in_order_of_completion(
            work, todo, workers=workers, engine=engine, start_method=start_method
        )
        with tqdm(total=len(jobs), initial=skipped, unit=unit, disable=not progress) as bar:
            for entry in results:
                journal.add(entry)
                if progress and entry["status"] == "failed":
                    bar.write(f"sample {entry['id']}: {entry['reason']}", file=sys.stderr)
                bar.update()
    except BaseException:
        journal.close()
        raise
    journal.close(_about(kind, seeds))
    done = [journal.entries[name] for name in ids]
    failures = [(str(e["id"]), e["reason"]) for e in done if e["status"] == "failed"]
    return Summary(dict(Counter(e["status"] for e in done)), skipped, failures)
