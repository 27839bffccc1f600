"""Kernels from many threads, and from children forked amid them."""

import os
import signal
import threading
import time
import warnings

import numpy as np
import pytest

from refpix.kernels import label_zoom


def task(seed):
    rng = np.random.default_rng(seed)
    maps = rng.integers(0, 20, (9, 30, 20), dtype=np.uint8)
    offsets = np.arange(10, dtype=np.int64) * 600
    sizes = np.tile(np.array([[30, 20]], np.int64), (9, 1))

    def run(num_threads):
        return label_zoom(
            maps.reshape(-1), offsets, sizes, out_size=(40, 40), num_threads=num_threads
        )

    return run, run(1)


class Busy:
    """Python threads that call a kernel until told to stop; collects wrong results."""

    def __init__(self, count):
        self.stop = threading.Event()
        self.calls = [0] * count
        self.wrong = []
        self.threads = [threading.Thread(target=self.work, args=(i,)) for i in range(count)]

    def work(self, index):
        run, want = task(index)
        while not self.stop.is_set():
            if not np.array_equal(run(2 + index % 3), want):
                self.wrong.append(index)
            self.calls[index] += 1

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()


def test_many_callers_at_once():
    with Busy(8) as busy:
        deadline = time.monotonic() + 60
        while min(busy.calls) < 20 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert min(busy.calls) >= 20, "a caller starved"
    assert not busy.wrong


@pytest.mark.parametrize("num_threads", [-5, 0, 1, 7, 2**31 - 1])
def test_any_number_of_threads(num_threads):
    run, want = task(0)
    np.testing.assert_array_equal(run(num_threads), want)
    assert threading.active_count() < 100


def forked(run, want):
    """Exit status of a child that runs a kernel on several threads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # what is tested is warned of
        child = os.fork()
    if child == 0:
        # A child that waits for its parent's workers would wait for ever, in native code, where
        # pytest's handler of the alarm is not heard.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(60)
        good = all(np.array_equal(run(3), want) for _ in range(3))
        os._exit(0 if good else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.skipif(
    "REFPIX_SANITIZED" in os.environ, reason="a fork may find the lock of ASan's allocator taken"
)
def test_children_forked_amid_running_kernels():
    run, want = task(99)
    with Busy(4) as busy:
        statuses = [forked(run, want) for _ in range(12)]
    assert statuses == [0] * 12
    assert not busy.wrong
    np.testing.assert_array_equal(run(3), want)  # the parent's workers are still there
