"""Where samples are made: in this process, in others, or on a Ray cluster. The same function each.

``spawn`` and ``fork`` both work: what workers need travels with the work, nothing is inherited.
"""

from __future__ import annotations

import itertools
import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from typing import Any, Literal, TypeVar, cast

from refpix.errors import MissingExtraError

__all__ = ["Engine", "in_order_of_completion"]

Engine = Literal["local", "ray"]
Job = TypeVar("Job")
Result = TypeVar("Result")

_AHEAD = 4  # jobs handed out per worker: enough to keep it busy, few to lose

_work: Callable[[Any], Any] | None = None


def _receive(work: Callable[[Any], Any]) -> None:
    global _work
    _work = work


def _run(job: Any) -> Any:
    return cast(Callable[[Any], Any], _work)(job)


def in_order_of_completion(
    work: Callable[[Job], Result],
    jobs: Iterable[Job],
    *,
    workers: int,
    engine: Engine = "local",
    start_method: str | None = None,
) -> Iterator[Result]:
    """Results of ``work`` for all jobs, as they come.

    Args:
        work: picklable; its exceptions end the run.
        jobs: picklable, taken a few ahead of what is being done.
        workers: processes; one works in this process.
        engine: ``local``, or ``ray``: on the cluster of ``ray.init``, of one that is running
            (``RAY_ADDRESS``) or one of this machine.
        start_method: of the processes: ``spawn``, ``fork``, ``forkserver``; None: the system's.

    Raises:
        MissingExtraError: ``ray`` is not installed.
        ValueError: an unknown engine.
    """
    if engine == "ray":
        return _on_ray(work, jobs, workers)
    if engine != "local":
        raise ValueError(f"engine: expected local or ray, got {engine}")
    if workers <= 1:
        return map(work, jobs)
    return _in_processes(work, jobs, workers, start_method)


def _in_processes(
    work: Callable[[Job], Result], jobs: Iterable[Job], workers: int, start_method: str | None
) -> Iterator[Result]:
    context = multiprocessing.get_context(start_method)
    waiting = iter(jobs)
    with ProcessPoolExecutor(workers, context, _receive, (work,)) as pool:
        running: set[Future[Result]] = set()
        try:
            while True:
                for job in itertools.islice(waiting, _AHEAD * workers - len(running)):
                    running.add(pool.submit(_run, job))
                if not running:
                    return
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        finally:
            for future in running:
                future.cancel()


def _on_ray(work: Callable[[Job], Result], jobs: Iterable[Job], workers: int) -> Iterator[Result]:
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError("--engine ray", "ray", "ray") from error
    started = not ray.is_initialized()
    if started:
        ray.init(log_to_driver=False, logging_level="ERROR")
    try:
        shared = ray.put(work)
        remote = ray.remote(max_retries=2)(_call)
        waiting = iter(jobs)
        running: list[Any] = []
        while True:
            for job in itertools.islice(waiting, _AHEAD * workers - len(running)):
                running.append(remote.remote(shared, job))
            if not running:
                return
            done, running = ray.wait(running, num_returns=1)
            yield from ray.get(done)
    finally:
        if started:
            ray.shutdown()


def _call(work: Callable[[Any], Any], job: Any) -> Any:
    return work(job)
