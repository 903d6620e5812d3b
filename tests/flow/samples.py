"""For new users: the installed examples are valid as they are, the manual names the folders of this build,
and README's configuration is the shipped one and answers as README says."""

import os
import pathlib
import pwd
import re
import shutil
import subprocess
import tempfile

import harness
from harness import Daemon, Responder, Skip, check, equal, until

CONF = harness.TOP / "conf"
NAME = "app.edge.example.com"
# Networks that are not in use: RFC 1122, 3849 and 5737.
EXAMPLES = r'127\.|192\.0\.2\.|198\.51\.100\.|203\.0\.113\.|"2001:db8:'


def readme(language):
    """The one block of README in this language."""
    text = (harness.TOP / "README.md").read_text(encoding="utf-8")
    block, = re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)
    return block


def said(*words):
    done = subprocess.run([harness.program("edgesteerd"), *words], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=harness.PATIENCE_S, check=False, env=harness.program_env())
    equal(done.returncode, 0, *words, done.stderr)
    return done.stdout + done.stderr


def installed():
    build = pathlib.Path(harness.program("edgesteerd")).parent
    if not shutil.which("make") or not (build / "Makefile").exists():
        raise Skip("not in a build's folder")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="edgesteer-install-"))
    # Not those of the `make check` that runs this.
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    try:
        made = subprocess.run(["make", "-C", build, "install-data", f"DESTDIR={folder}"], env=env, capture_output=True,
                              text=True, timeout=harness.PATIENCE_S, check=False)
        equal(made.returncode, 0, made.stderr)
        found = {path.name: path for path in folder.rglob("*") if path.is_file()}
        # Its user is made by the operator, as the line says; here, it is whoever runs this.
        sample = found["edgesteer.yaml"]
        sample.write_text(re.sub(r"(  user:) edgesteer ", rf"\1 {pwd.getpwuid(os.geteuid()).pw_name} ", sample.read_text()))
        for name in ("minimal.yaml", "edgesteer.yaml"):
            text = said("-t", "-c", str(found[name]))
            check(": good: " in text and "warning" not in text, name, text)
        own = re.search(r"\(default (.*)\)", said("--help"))[1]
        check(f".It Pa {own}\n" in found["edgesteerd.8"].read_text(), "edgesteerd(8) does not name", own)
        for path in found.values():
            equal(re.findall(rb"@[a-z]+dir@", path.read_bytes()), [], path)
    finally:
        shutil.rmtree(folder)


def harmless():
    """An unmodified example sends checks to no real host."""
    for path in (CONF / "minimal.yaml", CONF / "edgesteer.yaml", harness.TOP / "README.md"):
        text = path.read_text(encoding="utf-8")
        for check_address, addresses in re.findall(r"check-address: ([^\s,}]+)|addresses: \[([^\]]+)\]", text):
            for one in re.split(r",\s*", check_address or addresses):
                check(re.match(EXAMPLES, one), path, "gives", one, "as an example")


def as_the_readme_says():
    shipped = (CONF / "minimal.yaml").read_text(encoding="utf-8")
    equal(readme("yaml"), re.sub(r"\A(#.*\n)+", "", shipped), "README's configuration is conf/minimal.yaml")
    rows = [row for row in (CONF / "carriers.csv").read_text(encoding="utf-8").splitlines() if not row.startswith("#")]
    equal(readme("csv").splitlines(), rows[:2], "README's rows begin conf/carriers.csv")
    with Responder("127.0.0.12") as region:
        region.down()
        with Daemon(shipped, {"carriers.csv": (CONF / "carriers.csv").read_text(encoding="utf-8")}, start=False) as d:
            d.write_config(shipped.replace("5301", str(d.port)).replace("8080", str(region.port)))
            d.start()

            equal(d.query(NAME, ecs="198.51.100.0/25").addresses, ["192.0.2.10"], "a phone in Boston")
            equal(d.query(NAME, ecs="192.0.2.0/24").addresses, ["203.0.113.10"], "anybody else")
            region.up()
            until(lambda: d.query(NAME, ecs="198.51.100.0/25").addresses == ["203.0.113.10"], harness.PATIENCE_S,
                  "the Region is up and takes the phone")


if __name__ == "__main__":
    harness.run(installed, harmless, as_the_readme_says)
