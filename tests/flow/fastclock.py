"""Time that passes faster for a daemon: tests/flow/fastclock.c preloaded, and its clock as the daemon sees it."""

import mmap
import struct
import time

import harness
from harness import check

# A change of pace is announced so long before it happens, that nobody sees the clock go back.
NOTICE_NS = 200_000_000
_HEAD, _ROWS, _ROW = 16, 64, struct.Struct("3q")


class FastClock:
    """The clock of a daemon that is not started yet. It goes at the true pace until pace() or jump() is called, and goes on while
    the daemon is restarted."""

    def __init__(self, daemon):
        if harness.sanitizer():
            raise harness.Skip("a sanitizer's library has to come first")
        path = daemon.folder / "fastclock"
        path.write_bytes(bytes(_HEAD + _ROWS * _ROW.size))
        with open(path, "r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)
        self._stretches, self._jumped_ns = [], 0
        daemon.env = {"LD_PRELOAD": harness.library("fastclock", daemon.folder), "FASTCLOCK_FILE": str(path)}

    def _paced_ns(self, true_ns):
        for from_ns, shown_ns, pace in reversed(self._stretches):
            if from_ns <= true_ns:
                return shown_ns + (true_ns - from_ns) * pace
        return true_ns

    def now_s(self):
        """What the daemon's monotonic clock shows."""
        return (self._paced_ns(time.monotonic_ns()) + self._jumped_ns) / 1e9

    def jump(self, seconds):
        """That much later at once, for everything that the daemon waits for within 50 ms. For what has to happen at a time
        of the daemon's, however busy the machine is."""
        self._jumped_ns += int(seconds * 1e9)
        struct.pack_into("q", self._map, 8, self._jumped_ns)

    def pace(self, pace):
        """From now on time passes so many times faster."""
        from_ns = time.monotonic_ns() + NOTICE_NS
        row = (from_ns, self._paced_ns(from_ns), pace)
        _ROW.pack_into(self._map, _HEAD + len(self._stretches) * _ROW.size, *row)
        self._stretches.append(row)
        struct.pack_into("Q", self._map, 0, len(self._stretches))
        check(time.monotonic_ns() < from_ns, "the change of pace came too late")
        time.sleep((from_ns - time.monotonic_ns()) / 1e9)

    def until(self, condition, timeout_s, what, held=None):
        """Waits until condition() is true, for seconds of the daemon's; returns how many it took. `held`: a Withheld, which
        is allowed for."""
        begun_s, pace = self.now_s(), self._stretches[-1][2]
        while not condition():
            took_s = self.now_s() - begun_s
            check(took_s < timeout_s + (held.s() * pace if held else 0), f"not within {timeout_s:.1f} s of the daemon's: {what}")
            time.sleep(0.005)
        return self.now_s() - begun_s
