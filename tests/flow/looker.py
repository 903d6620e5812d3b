"""A plugin that looks clients up, as the scenarios run it: in a process without a daemon (tests/flow/provider), with
questions and what it answered. Owns the process."""

import pathlib
import subprocess
import threading
import time

import harness
from busy import Withheld, pace
from harness import Failure, Skip, check, equal, until

WITHIN_MS = 5000


class Looker:
    def __init__(self, plugin, options, env=(), under=()):
        """`options`: texts by name; a name "sites:KEY" is a row of a mapping. `env`: added to the environment. `under`:
        a command that runs it."""
        binary = pathlib.Path(harness.program("edgesteerd")).parent / "tests" / "flow" / "provider"
        if not binary.exists():
            raise Skip("tests/flow/provider is not built")
        self.lock, self.lines, self.answers, self.last_id = threading.Lock(), [], {}, 0
        words = [f"{name}={value}" for name, value in options.items() if value is not None]
        self.process = subprocess.Popen([*under, str(binary), "--look-up", plugin, *words], stdin=subprocess.PIPE, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**harness.program_env(), **dict(env)},
                                        errors="replace")
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            line = line.rstrip("\n")
            with self.lock:
                self.lines.append(line)
                if line.startswith("answer\t"):
                    number, _, text = line.removeprefix("answer\t").partition(" ")
                    if int(number) in self.answers:
                        self.lines.append(f"twice\t{line}")
                    self.answers[int(number)] = text

    def start(self, address, port=0, app="-", within_ms=WITHIN_MS):
        """Asks; the question's number."""
        self.last_id += 1
        length = 48 if ":" in address else 24
        self.process.stdin.write(f"{self.last_id} {address} {length} {port} {app} {within_ms}\n")
        self.process.stdin.flush()
        return self.last_id

    def wait(self, number, patience_s=10):
        until(lambda: number in self.answers or self.process.poll() is not None, patience_s * harness.slowness(),
              f"question {number} is answered", held=Withheld(self.process.pid))
        if number not in self.answers:
            raise Failure(f"the process has ended: {self.lines[-30:]}")
        return self.answers[number]

    def ask(self, address, **words):
        return self.wait(self.start(address, **words))

    def said(self, word):
        with self.lock:
            return [line for line in self.lines if word in line]

    def hear(self, word, patience_s=10):
        until(lambda: self.said(word), patience_s * harness.slowness(), f"it says '{word}'")

    def peak_kb(self):
        """The most memory that it has had."""
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))

    def refused(self):
        """For options that open() does not take: what it says."""
        equal(self.process.wait(10 * harness.slowness()), 1, f"exit code: {self.lines}")
        self.reader.join(5)
        self.process.stdin.close()
        return "\n".join(self.lines)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        begun = time.monotonic()
        self.process.stdin.close()
        try:
            code = self.process.wait(harness.PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failure("look_up() does not return") from None
        took_s = time.monotonic() - begun
        self.reader.join(5)
        if kind is None:
            check(took_s < 2 * harness.slowness() * pace(), f"look_up() took {took_s:.1f} s to return")
            equal(code, 0, f"exit code: {self.lines[-30:]}")
            equal(self.said("result"), ["result\t0"], "what look_up() returned")
            equal(self.said("twice"), [], "questions answered twice")
            equal([line for line in self.lines if any(not " " <= c and c != "\t" for c in line)], [], "control characters")


def in_memory(process, text):
    """The mappings of the process that have it; those that core dumps leave out do not count."""
    found, folder = [], pathlib.Path("/proc") / str(process.pid)
    flags, octets = None, text if isinstance(text, bytes) else text.encode()
    with open(folder / "smaps", encoding="utf-8") as smaps, open(folder / "mem", "rb", buffering=0) as memory:
        for line in smaps:
            words = line.split()
            if "-" in words[0] and not words[0].endswith(":"):
                span, mode, name = [int(part, 16) for part in words[0].split("-")], words[1], words[-1]
            elif words[0] == "VmFlags:" and mode.startswith("rw") and name != "[vvar]":
                flags = words[1:]
                memory.seek(span[0])
                if "dd" not in flags and octets in memory.read(span[1] - span[0]):
                    found.append(name)
    check(flags, "smaps has no VmFlags")
    return found


def silent(looker, *secrets):
    """None of these is in what was said."""
    for secret in secrets:
        equal(looker.said(secret), [], "lines with a secret")
