"""What a busy machine takes from a program, measured, so that bounds and intervals can grow by it. Used by harness.py for
every scenario; owns nothing."""

import contextlib
import functools
import math
import os
import time


@functools.cache
def pace():
    """How many times longer than alone on the machine a program takes here, from 1 to 10, as measured at the first call.
    For the length of intervals whose relation to each other is tested, not their value."""
    cpu_before_s, began = time.thread_time(), time.monotonic()
    while time.thread_time() - cpu_before_s < 0.05:
        pass
    return min(10, max(1, math.ceil((time.monotonic() - began) / 0.05 - 0.5)))


def waited_ns(path):
    """For how long the thread was ready to run so far while the kernel let others run; 0 where the kernel does not say."""
    try:
        with open(path, encoding="ascii") as file:
            return int(file.read().split()[1])
    except (OSError, IndexError):
        return 0


class Withheld:
    """The time that a busy machine has withheld since this was made from the threads of this process and of `pids` that
    were ready to run. A bound that is measured is the documented one and this: on a quiet machine it is next to
    nothing."""

    ended_ns = 0  # of threads that are no more

    def __init__(self, *pids):
        self.pids = [os.getpid(), *pids]
        self.ended_before_ns, self.before = Withheld.ended_ns, self._waited()

    def _waited(self):
        waited = {}
        for pid in self.pids:
            with contextlib.suppress(OSError):
                for task in os.listdir(f"/proc/{pid}/task"):
                    waited[pid, task] = waited_ns(f"/proc/{pid}/task/{task}/schedstat")
        return waited

    def s(self):
        waited = sum(max(0, now - self.before.get(task, 0)) for task, now in self._waited().items())
        return (waited + Withheld.ended_ns - self.ended_before_ns) / 1e9

    @classmethod
    def thread_ends(cls):
        """To be called by a thread of this process that others wait for and that ends."""
        cls.ended_ns += waited_ns("/proc/thread-self/schedstat")
