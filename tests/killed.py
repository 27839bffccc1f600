"""Processes that are killed in the middle of their work."""

import random
import signal
import subprocess
import sys
import time


def kill_at_random_moments(program, *arguments, times, within, seed=0):
    """Starts a Python program again and again, and yields when it was killed.

    It says ``started`` when its work begins, and has up to ``within`` seconds from there.
    """
    rng = random.Random(seed)
    for _ in range(times):
        process = subprocess.Popen(
            [sys.executable, "-c", program, *map(str, arguments)], stdout=subprocess.PIPE
        )
        assert process.stdout.readline() == b"started\n"
        time.sleep(rng.uniform(0, within))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        yield
