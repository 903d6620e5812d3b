"""What an answer costs, in user instructions: no more than a twentieth above nothing while much goes on at once."""

import os
import shutil
import subprocess

import harness
from harness import Skip, check

ARGUMENTS = ["--rounds", "20", "--rows", "2000", "--clients", "2000"]


def at_most_a_twentieth(*table):
    if shutil.which("valgrind") is None:
        raise Skip("valgrind is not installed")
    build = os.path.dirname(harness.program("edgesteerd"))
    if not os.path.exists(os.path.join(build, "bench", "micro")):
        raise Skip("bench/micro is not built")
    done = subprocess.run([harness.TOP / "bench" / "bounds", "--build", build, *ARGUMENTS, *table], capture_output=True, text=True,
                          check=False)
    print(done.stdout, done.stderr)
    check(done.returncode == 0, "an answer costs more than it may")


def carriers_near_their_sites():
    at_most_a_twentieth()


def carriers_everywhere():
    """Most blocks have clients of carriers whose vantages disagree."""
    at_most_a_twentieth("--mixed")


if __name__ == "__main__":
    if harness.sanitizer():
        raise SystemExit(harness.SKIP)
    harness.run(carriers_near_their_sites, carriers_everywhere, limit_s=240)
