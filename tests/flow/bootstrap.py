"""`./bootstrap` in a small tree of its own, where configure, the packages and the tests are made up and take no time:
what `check` remembers from one run to the next, and what is refused before anything is built."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

import harness
from harness import Failure, check, equal, until

CONFIGURE = """#!/bin/sh
[ ! -e ../no-configure ] || { echo "configure: no such library"; exit 1; }
printf '#!/bin/sh\\necho "%s"\\n' "$*" >config.status
chmod +x config.status
cp ../Makefile.in Makefile
touch edgesteerd
"""
# Every suite's run is a letter in `runs`; the results are what the tree says; `during` is what happens meanwhile.
MAKEFILE = """CC = fakecc
TESTS = all
all:
check:
	@test -z "$(TESTS)" || { printf x >>../build/runs; sh ../build/during && cat ../results; }
"""
TOOLS = {
    "dpkg-query": 'case $2 in *Status*) echo installed ;; *) cat "$FAKE/packages" ;; esac',
    "fakecc": 'cat "$FAKE/compiler"',
    "ldd": 'echo "  liba.so => $FAKE/liba.so (0x1)"',
}
# What tests are run with: all of them made up, as real ones take their time, some a good deal of it.
TOOLS |= {name: f"echo {name}" for name in ("unbound", "pdns_recursor", "nsd", "knotd", "kubectl", "prometheus", "promtool", "nginx",
                                            "haproxy", "location")}
GREEN = "PASS: tests/a\nSKIP: tests/b\n"
LAST = "3 passed, 0 failed, 3 skipped"


class Tree:
    """The tree, with the tools beside it; removed at the end."""

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="edgesteer-bootstrap-"))
        self.top, self.tools = self.folder / "tree", self.folder / "tools"
        for name, text in TOOLS.items():
            self.write(self.tools / name, f"#!/bin/sh\n{text}\n", 0o755)
        for name in ("packages", "compiler", "liba.so"):
            self.write(self.tools / name, f"{name} 1\n")
        self.write(self.top / "configure", CONFIGURE, 0o755)
        self.write(self.top / "Makefile.in", MAKEFILE)
        self.write(self.top / "server/daemon/main.c", "int main(void) { return 0; }\n")
        self.write(self.top / "results", GREEN)
        self.write(self.top / "build/during", "")
        shutil.copy(harness.TOP / "bootstrap", self.top)
        # Not those of the `make check` that runs this.
        env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
        self.env = {**env, "FAKE": str(self.tools), "NO_INSTALL": "1", "PATH": f"{self.tools}:{env['PATH']}"}
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    @staticmethod
    def write(path, text, mode=0o644):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def say(self, *words, code=0):
        """Runs ./bootstrap, which must exit with this code, and returns its output."""
        # In a session of its own: what hangs is named, and ended with all that it runs.
        with subprocess.Popen([self.top / "bootstrap", *words], env=self.env, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True) as running:
            try:
                said = running.communicate(timeout=harness.PATIENCE_S)[0]
            except (subprocess.TimeoutExpired, Failure) as why:
                tree = subprocess.run(["ps", "-o", "pid,ppid,stat,wchan:20,etimes,args", "-s", str(running.pid)],
                                      capture_output=True, text=True, check=False).stdout
                os.killpg(running.pid, signal.SIGKILL)
                raise Failure(f"./bootstrap {' '.join(words)}: {why}:\n{tree}{running.communicate()[0]}") from None
        equal(running.returncode, code, f"./bootstrap {' '.join(words)}: {said}")
        return said

    def ran(self):
        """How many suites have run since the last call."""
        runs = self.top / "build/runs"
        count = len(runs.read_text()) if runs.exists() else 0
        runs.unlink(missing_ok=True)
        return count

    def checks(self, runs, *words, why=""):
        said = self.say("check", *words)
        equal(self.ran(), runs, f"suites that ran {why}: {said}")
        equal(said.splitlines()[-1], LAST, why)
        return said


def remembers():
    with Tree() as tree:
        check("nothing has changed" not in tree.checks(3), "remembers what never was")
        said = tree.checks(0, why="at once again")
        found = re.findall(r"^-- (.+): nothing has changed since it passed on \d{4}-\d\d-\d\d \d\d:\d\d:\d\d: "
                           r"1 passed, 1 skipped \(that took \d+ s\)$", said, re.M)
        equal(found, ["plain", "AddressSanitizer and UBSan", "ThreadSanitizer"])
        for path in tree.top.rglob("*"):
            os.utime(path, (1, 1))
        tree.write(tree.top / "server/daemon/main.c~", "what an editor leaves\n")
        tree.write(tree.top / "build-asan/new", "what a build makes\n")
        tree.checks(0, why="with other times and products")
        tree.checks(3, "--again", why="when told to")
        tree.checks(0, why="after that")
        tree.checks(3, "--long", why="in full for the first time")
        tree.checks(0, "--long", why="in full once more")


def sees_changes():
    with Tree() as tree:
        tree.checks(3)
        for what, change in {
                "one character": lambda: tree.write(tree.top / "server/daemon/main.c", "int main(void) { return 1; }\n"),
                "a new file": lambda: tree.write(tree.top / "tests/a new one.py", ""),
                "a file less": lambda: (tree.top / "tests/a new one.py").unlink(),
                "a mode": lambda: (tree.top / "server/daemon/main.c").chmod(0o755),
                "the compiler": lambda: tree.write(tree.tools / "compiler", "compiler 2\n"),
                "a package": lambda: tree.write(tree.tools / "packages", "packages 2\n"),
                "a library": lambda: tree.write(tree.tools / "liba.so", "liba.so 2\n"),
        }.items():
            change()
            tree.checks(3, why=f"after {what} changed")
            tree.checks(0, why=f"after the run for {what}")
        tree.write(tree.top / "build-tsan/config.status", "#!/bin/sh\necho by hand\n", 0o755)
        tree.checks(1, why="after one folder was configured otherwise")
        shutil.rmtree(tree.top / "build-asan")
        tree.checks(1, why="after one folder went")


def configures_again():
    """A package that was not there when the tree was configured, cmocka say, counts once it is there: its tests run."""
    with Tree() as tree:
        tree.write(tree.tools / "packages", "gcc 1\n")
        check("-- configure in build" in tree.say("build"))
        check("-- configure" not in tree.say("build"))
        tree.write(tree.tools / "packages", "gcc 1\nlibcmocka-dev 1\n")
        check("-- configure in build\n" in tree.checks(3), "what is new was not looked for")
        check("-- configure" not in tree.checks(0))


def forgets():
    """Only a suite that passed completely is remembered."""
    with Tree() as tree:
        tree.checks(3)
        for results, last in (("FAIL: tests/a\nPASS: tests/b\n", "3 passed, 3 failed, 0 skipped"),
                              ("SKIP: tests/a\n", "0 passed, 0 failed, 3 skipped"),
                              ("XPASS: tests/a\n", "0 passed, 3 failed, 0 skipped")):
            tree.write(tree.top / "results", results)
            for _ in range(2):
                equal(tree.say("check", code=1).splitlines()[-1], last)
                equal(tree.ran(), 3, results)
        tree.write(tree.top / "results", GREEN)
        tree.checks(3, why="when mended")
        # Forgotten for good, though the tree is again what was green.
        tree.write(tree.top / "build/during", "exit 1\n")
        tree.say("check", "--again", code=1)
        tree.write(tree.top / "build/during", "")
        tree.ran()
        tree.checks(3, why="after a failure that is not the tree's")
        tree.write(tree.top / "build/during", "echo >>../server/daemon/main.c\n")
        tree.checks(3, "--again", why="while a file changes")
        tree.write(tree.top / "build/during", "")
        tree.checks(3, why="after a file changed while the suites ran")


def interrupted():
    with Tree() as tree:
        tree.checks(3)
        tree.write(tree.top / "build/during", "sleep 20\n")
        with subprocess.Popen([tree.top / "bootstrap", "check", "--again"], env=tree.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True) as running:
            until(lambda: (tree.top / "build/runs").exists(), harness.PATIENCE_S, "the first suite runs")
            os.killpg(running.pid, signal.SIGTERM)
            running.wait(10)
        tree.write(tree.top / "build/during", "")
        tree.ran()
        tree.checks(1, why="after an interruption")


def refuses_early():
    with Tree() as tree:
        for words in (["demo", "--foo"], ["demo", "--stay", "--stay"], ["demo", "--port"], ["demo", "--port", "x"],
                      ["demo", "--port", "1", "2"], ["demo", "--kubernetes", "--stay", "--kubernetes"],
                      ["check", "--stay"], ["check", "--kubernetes"], ["build", "--again"], ["--again"], ["nonsense"]):
            said = tree.say(*words, code=2)
            check(said.startswith("usage: "), words, said)
        for words in (["help"], ["--help"], ["demo", "--help"], ["check", "-h"]):
            check("--again" in tree.say(*words), words)
        tree.write(tree.top / "config.status", "")
        for words in ([], ["demo"], ["demo", "--port", "5399", "--kubernetes", "--stay"], ["check"]):
            check("make distclean" in tree.say(*words, code=1), "an in-tree build is in the way")
        check(not (tree.top / "build/Makefile").exists(), "something was built")
        (tree.top / "config.status").unlink()
        tree.write(tree.top / "no-configure", "")
        named = re.search(r"the whole output is in (.*)", tree.say("build", code=1))
        equal(pathlib.Path(named[1]).read_text(), "configure: no such library\n")


if __name__ == "__main__":
    harness.run(remembers, sees_changes, configures_again, forgets, interrupted, refuses_early, limit_s=3 * harness.PATIENCE_S)
