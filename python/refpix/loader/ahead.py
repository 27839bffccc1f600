"""Work done ahead of its consumer."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

__all__ = ["Ahead"]

A = TypeVar("A")
R = TypeVar("R")


class Ahead(Generic[A, R]):
    """Calls a function for one argument after another on a thread, a bounded number ahead.

    Use it as a context manager and iterate it for the results, in order; what the function raises
    is raised there. Leaving the context ends the thread. The arguments may come from another one,
    whose context lies around this one's.
    """

    def __init__(self, prepare: Callable[[A], R], arguments: Iterable[A], depth: int) -> None:
        self._prepare = prepare
        self._arguments = arguments
        self._ready: queue.Queue[Any] = queue.Queue(depth)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="refpix-loader", daemon=True)

    def __enter__(self) -> Ahead[A, R]:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        while self._thread.is_alive():  # it may wait for room
            self._drain()
            self._thread.join(0.05)
        self._drain()

    def _drain(self) -> None:
        try:
            while True:
                self._ready.get_nowait()
        except queue.Empty:
            return

    def _run(self) -> None:
        try:
            for argument in self._arguments:
                if self._stop.is_set():
                    return
                self._ready.put((True, self._prepare(argument)))
            self._ready.put((False, None))
        except BaseException as error:  # handed to the consumer, whatever it is
            self._ready.put((False, error))

    def __iter__(self) -> Iterator[R]:
        while True:
            more, item = self._ready.get()
            if not more:
                break
            yield item
            del item  # what it refers to is the consumer's alone
        if item is not None:
            raise item
