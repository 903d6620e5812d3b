"""What large inputs cost: processor time and memory of `edgesteerd -t`, far above what they take today (in comments) and
far below what anything quadratic would."""

import os
import pathlib
import random
import subprocess
import tempfile

import harness
from harness import check, equal

SITES = ["us-east-1", "us-east-2", "us-west-1", "us-west-2", "eu-west-1", "eu-central-1", "eu-west-2", "ap-northeast-1",
         "us-east-1-wl1-bos-wlz-1", "us-east-1-wl1-nyc-wlz-1"]
HEAD = "domains: {edge.example.com: {ns: [ns.example.net]}}\n"


def measure(files, seconds, megabytes, code=0):
    """Tests main.yaml out of `files` (name -> lines). Returns what is printed."""
    with tempfile.TemporaryDirectory(prefix="edgesteer-costs-") as name:
        folder = pathlib.Path(name)
        for file, lines in files.items():
            with open(folder / file, "w", encoding="utf-8") as out:
                out.writelines(lines)
        head = folder.joinpath("main.yaml").read_text(encoding="utf-8")
        folder.joinpath("main.yaml").write_text(f"server: {{state-dir: {folder}}}\n" + head, encoding="utf-8")
        with open(folder / "out", "w+", encoding="utf-8") as out:
            process = subprocess.Popen([harness.program("edgesteerd"), "-t", "-c", str(folder / "main.yaml")],
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=harness.program_env())
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            said = out.read()
    equal(process.returncode, code, said[:2000])
    took, memory = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    print(f"  {took:.2f} s of processor time, {memory:.0f} MB")
    check(took < seconds, f"{took:.1f} s of processor time, expected less than {seconds}")
    check(memory < megabytes, f"{memory:.0f} MB, expected less than {megabytes}")
    return said


def million_targets():
    """1,000,000 targets of 100,000 apps, in ten files (3.3 s, 490 MB)."""
    def apps(first, count):
        yield "apps:\n"
        for i in range(first, first + count):
            yield f"  app-{i}.edge.example.com:\n    ttl: 30s\n    check: alb\n    targets:\n"
            for j in range(10):
                yield (f"      {SITES[(i + j) % 10]}: {{addresses: [203.{i >> 8 & 255}.{i & 255}.{j + 1}], "
                       f"check-address: 10.{i >> 8 & 255}.{i & 255}.{j + 1}}}\n")

    main = [HEAD, "include: [apps-*.yaml]\nchecks: {alb: {type: http}}\nsites:\n", *(f"  {site}: {{}}\n" for site in SITES)]
    said = measure({"main.yaml": main, **{f"apps-{n}.yaml": apps(n * 10000, 10000) for n in range(10)}}, 30, 1000)
    check("1000000 targets" in said, said)


def many_keys():
    """400,000 keys in one mapping, good ones and bad ones (0.4 s, 1.8 s and 0.4 s)."""
    measure({"main.yaml": ["a:\n", *(f"  key{i}: x\n" for i in range(400000))]}, 5, 300, code=2)
    measure({"main.yaml": [HEAD, "sites: {us-east-1: {}}\napps:\n",
                           *(f"  a{i}.edge.example.com: {{targets: {{us-east-1: {{addresses: 192.0.2.1}}}}}}\n"
                             for i in range(400000))]}, 10, 600)
    measure({"main.yaml": [HEAD, "locate:\n- plugin: mmdb\n  city: x\n", *(f"  key{i}: x\n" for i in range(400000))]},
            5, 300, code=2)


def scattered_hosts():
    """400,000 scattered /128, of one place and of as many (1.4 s, 115 MB and 1.5 s, 132 MB)."""
    rng = random.Random(5)
    main = [HEAD, "locate: [{plugin: ranges, file: hosts.csv}]\nsites: {us-east-1-wl1-bos-wlz-1: {}, us-east-1: {}}\n"
            "apps: {a.edge.example.com: {targets: {us-east-1-wl1-bos-wlz-1: {addresses: 155.146.1.1}, "
            "us-east-1: {addresses: 203.0.113.1}}}}\n"]

    def hosts(places):
        yield "prefix,carrier" + (",latitude,longitude\n" if places else "\n")
        for i in range(400000):
            bits = rng.getrandbits(96)
            groups = ":".join(f"{bits >> shift & 0xffff:x}" for shift in range(80, -1, -16))
            yield f"2001:db8:{groups}/128,verizon" + (f",{i % 800 / 10},{i / 4000}\n" if places else "\n")

    for places in (False, True):
        said = measure({"main.yaml": main, "hosts.csv": hosts(places)}, 5, 200)
        check("400000 prefixes" in said, said)


if __name__ == "__main__":
    if harness.sanitizer():
        raise SystemExit(harness.SKIP)
    harness.run(million_targets, many_keys, scattered_hosts)
