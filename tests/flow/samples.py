"""For new users: the installed examples are valid as they are, the manual names the folders of this build,
and README's configuration is the shipped one and answers as README says."""

import json
import os
import pathlib
import pwd
import re
import shutil
import subprocess
import tempfile

import asn
import harness
from harness import Daemon, Responder, Skip, check, equal, until
from kubeapi import KubeApi
from kubeprovider import ingress, slice_of

CONF = harness.TOP / "conf"
NAME = "app.edge.example.com"
BY_HAND, ON_EKS = "A configuration by hand", "An EKS cluster over Wavelength Zones"
# Networks that are not in use: RFC 1122, 3849 and 5737.
EXAMPLES = r'127\.|192\.0\.2\.|198\.51\.100\.|203\.0\.113\.|"2001:db8:'


def readme(section, language):
    """The one block in this language of a section of README."""
    text = (harness.TOP / "README.md").read_text(encoding="utf-8")
    section = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    block, = re.findall(rf"^```{language}\n(.*?)^```$", section, re.M | re.S)
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
    equal(readme(BY_HAND, "yaml"), re.sub(r"\A(#.*\n)+", "", shipped), "README's configuration is conf/minimal.yaml")
    rows = [row for row in (CONF / "carriers.csv").read_text(encoding="utf-8").splitlines() if not row.startswith("#")]
    equal(readme(BY_HAND, "csv").splitlines(), rows[:2], "README's rows begin conf/carriers.csv")
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


def commented_out():
    """What conf/edgesteer.yaml has of providers, host names and services as comments is right once it is none."""
    text = (CONF / "edgesteer.yaml").read_text(encoding="utf-8")
    before, begin, rest = text.partition("# providers:\n")
    part, end, after = rest.partition("\nchecks:\n")
    part = re.sub(r"^# (?=[a-z-]+:(?: |$)| )", "", part, flags=re.M)
    for key in ("  - plugin: kubernetes", "  - plugin: file", "  - plugin: verizon-eds", "learned:", "defaults:", "resolver:", "alias-max-age:", "aws-ranges:"):
        check(re.search(f"^{key}", part, re.M), key)
    text = before + begin[2:] + part + end + after
    text = re.sub(r"(  user:) edgesteer ", rf"\1 {pwd.getpwuid(os.geteuid()).pw_name} ", text)
    ranges = {"prefixes": [{"ip_prefix": "203.0.113.0/24", "service": "EC2", "network_border_group": "us-east-1"}]}
    with Daemon(text, {"ip-ranges.json": json.dumps(ranges)}, start=False) as d:
        (d.folder / "prod").mkdir()
        d.write("prod/token", "a\n").chmod(0o600)
        for name in ("carriers.csv", "latency.csv", "game.example.net.zone"):
            shutil.copy(CONF / name, d.folder)
        said("-t", "-c", str(d.config_path))


def with_a_cluster():
    """README's configuration for EKS as it is, but for the cluster, which is the test's, and for where the daemon listens
    and keeps its state."""
    asn.installed()
    if not shutil.which("openssl"):
        raise Skip("no openssl here")
    written = readme(ON_EKS, "yaml")
    check(len(written.splitlines()) <= 15, "more than 15 lines")
    with KubeApi() as api, Daemon("", start=False) as d:
        files = {"server": api.url, "ca-file": str(api.folder / "ca.crt"), "token-file": str(api.folder / "token")}
        for there, here in (("{in-cluster: true}", json.dumps(files)),
                            ('"0.0.0.0@5300"]', f'"127.0.0.1@{d.port}"], control: {d.socket_path}, '
                                                f'state-dir: {d.folder}/state')):
            equal(written.count(there), 1, there)
            written = written.replace(there, here)
        d.write_config(written)
        text = said("-t", "-c", str(d.config_path))
        check(": good: " in text and "warning" not in text, text)
        for space, address in {"bos-shop": "155.146.1.10", "was-shop": "155.146.33.10", "default": "203.0.113.10"}.items():
            api.put("ingresses", ingress(space, "web", [NAME], ips=[address], service="web"))
            api.put("endpointslices", slice_of(space, "web", [True]))
        d.start()

        def expect(client, address, what):
            until(lambda: d.query(NAME, ecs=client).addresses == [address], harness.PATIENCE_S, what)

        expect("174.249.33.0/24", "155.146.33.10", "Verizon's phones get the best on average")
        expect("106.72.1.0/24", "203.0.113.10", "an AS with fixed lines gets the Region")
        expect("8.8.8.0/24", "203.0.113.10", "anybody else, too")
        api.put("ingresses", ingress("was-shop", "web", [NAME], ips=["155.146.1.99"], service="web"))
        expect("174.249.33.0/24", "155.146.1.10", "an address outside the zone's block is refused")
        api.put("ingresses", ingress("was-shop", "web", [NAME], ips=["155.146.1.99", "155.146.33.11"], service="web"))
        expect("174.249.33.0/24", "155.146.33.11", "beside another one, alone")
        check(re.search(r"155\.146\.1\.99 .*REFUSED: it is outside", d.ctl("targets", as_json=False).out), "is not told")


if __name__ == "__main__":
    harness.run(installed, harmless, as_the_readme_says, commented_out, with_a_cluster)
