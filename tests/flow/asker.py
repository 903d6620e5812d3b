"""Who waits for the main thread meanwhile: a thread that asks the control socket of a daemon."""

import threading
import time

import harness
from harness import check


class Asker(threading.Thread):
    """How long requests take meanwhile, one verb after another, over and over, but for what a busy machine withholds."""

    def __init__(self, d, requests):
        super().__init__(daemon=True)
        self.daemon_, self.is_over, self.error, self.requests = d, False, None, requests
        self.times = {verb: [] for verb, _ in requests}
        self.start()

    def run(self):
        try:
            with self.daemon_.control() as control:
                while not self.is_over:
                    for verb, fields in self.requests:
                        held, begun = harness.Withheld(self.daemon_.process.pid), time.monotonic()
                        control(verb, **fields)
                        took = time.monotonic() - begun
                        self.times[verb].append(max(0.0, took - held.s()))
                        time.sleep(0.001)
        except Exception as error:  # end() says so
            self.error = error

    def end(self):
        """Ends it. The times by verb, in seconds, in ascending order."""
        self.is_over = True
        self.join()
        check(not self.error, self.error)
        return {verb: sorted(times) for verb, times in self.times.items()}
