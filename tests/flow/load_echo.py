#!/usr/bin/env python3
"""The load client against the echo: at a modest rate nothing is lost, and its figures are well-formed and true; a
missing server, or wrong answers, are reported. And the table that the comparison of servers needs."""
import gzip
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

BENCH = os.path.join(os.environ.get("builddir", "."), "bench")
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CLIENTS = ["192.0.2.1", "198.51.100.0/22", "# a comment", "", "2001:db8::/48", "2001:db8:1::1", "0.0.0.0/0"]


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def load(*arguments, code):
    done = subprocess.run([os.path.join(BENCH, "load"), *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == code, (arguments, done.returncode, done.stderr)
    return done


def figures(*arguments, code=0):
    return json.loads(load("--sleep", "--json", "-", *arguments, code=code).stdout)


def wait_for(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.1)
        for _ in range(100):
            sock.sendto(b"hello", ("127.0.0.1", port))
            try:
                return sock.recv(512)
            except OSError:
                time.sleep(0.05)
    raise AssertionError("the echo does not answer")


def check_rate(server, pid, clients):
    got = figures("--server", server, "--clients", clients, "--rate", "2000", "--time", "1", "--pid", str(pid))
    assert 1900 <= got["sent"] <= 2000, got
    assert got["answered"] == got["sent"] and got["lost"] == got["strays"] == got["errors"] == 0, got
    assert got["rcodes"] == {"0": got["sent"]} and got["empty"] == got["sent"], got
    latency = got["latency_us"]
    assert 0 < latency["p50"] <= latency["p90"] <= latency["p99"] <= latency["p99.9"] <= latency["max"], got
    assert got["server_cpu_ns_per_answer"] > 0 and got["own_cpu_ns_per_answer"] > 0, got
    # Header 12, question 22, OPT 15 with the option's head of 4, then the address: 3 or 6 or 7 or none; and 16 more.
    octets = [12 + 22 + 15 + 4 + address + 16 for address in (3, 3, 6, 7, 0)]
    assert abs(got["answer_bytes"] - sum(octets) / len(octets)) < 0.1, got


def check_window(server, clients):
    got = figures("--server", server, "--clients", clients, "--count", "20000", "--window", "32", "--sockets", "5")
    assert got["sent"] == got["answered"] == 20000, got


def check_wrong(server, clients, folder):
    expect = os.path.join(folder, "expect")
    with open(expect, "w") as file:
        file.write("-\n203.0.113.1\n-\n-\n-\n")
    got = figures("--server", server, "--clients", clients, "--expect", expect, "--count", "100", code=1)
    assert got["wrong"] == 20, got


def check_loss(clients):
    # A socket that is never read from.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        server = "127.0.0.1@%d" % deaf.getsockname()[1]
        got = figures("--server", server, "--clients", clients, "--count", "50", "--timeout", "0.1", code=1)
    assert got["sent"] == got["lost"] == 50 and got["answered"] == 0, got


def check_refusals(clients, folder):
    assert "give either" in load(code=2).stderr
    assert "--rate" in load("--clients", clients, "--rate", "fast", code=2).stderr
    assert "not a name" in load("--clients", clients, "--type", "B", code=2).stderr
    bad = os.path.join(folder, "bad")
    with open(bad, "w") as file:
        file.write("192.0.2.1\n192.0.2.300\n")
    assert bad + ":2: " in load("--clients", bad, code=2).stderr


def check_table(folder):
    """bench/make-internet fails where it has no prefixes, and bench/run stops there with its message."""
    tools = os.path.join(folder, "tools")  # without `location`
    os.mkdir(tools)
    for name in ("bash", "gzip", "awk", "git"):
        if shutil.which(name):
            os.symlink(shutil.which(name), os.path.join(tools, name))
    env = {**os.environ, "PATH": tools}

    def run(program, *words, by=()):
        return subprocess.run([*by, os.path.join(TOP, "bench", program), *words], capture_output=True, text=True, timeout=60, env=env)

    packed = os.path.join(folder, "internet.csv.gz")
    head, row = "prefix,country,asn\n", "192.0.2.0/24,US,6167\n"
    for text, said in ((head + row, None), (head, "no prefix was read"), ("", "no prefix was read"), ("a,b\n" + row, "expected columns")):
        with gzip.open(packed, "wt") as file:
            file.write(text)
        done = run("make-internet", packed)
        assert done.returncode == (1 if said else 0) and (said or "") in done.stderr, (text, done)
        assert said or done.stdout.splitlines()[1].startswith("192.0.2.0/24,verizon,"), done
    with open(packed, "r+b") as file:  # cut short
        file.truncate(10)
    assert run("make-internet", packed).returncode != 0
    done = run("make-internet")
    assert done.returncode == 1 and "apt-get install libloc-database location" in done.stderr, done
    work = os.path.join(folder, "work")
    done = run("run", "--build", os.path.dirname(os.path.abspath(BENCH)), "--work", work, by=[sys.executable])
    assert done.returncode == 1 and "apt-get install libloc-database location" in done.stderr, done
    assert done.stderr.splitlines()[-1].startswith("bench/run: bench/make-internet failed with exit code 1: "), done
    assert "reading the table" not in done.stderr and not os.listdir(work), (done, os.listdir(work))


def main():
    port = free_port()
    server = "127.0.0.1@%d" % port
    echo = subprocess.Popen([os.path.join(BENCH, "echo"), "--listen", server, "--workers", "2", "--grow", "16"])
    try:
        with tempfile.TemporaryDirectory() as folder:
            clients = os.path.join(folder, "clients")
            with open(clients, "w") as file:
                file.write("\n".join(CLIENTS) + "\n")
            assert wait_for(port)[:5] == b"he\xeclo"
            check_rate(server, echo.pid, clients)
            check_window(server, clients)
            check_wrong(server, clients, folder)
            check_loss(clients)
            check_refusals(clients, folder)
            check_table(folder)
    finally:
        echo.kill()
        echo.wait()


if __name__ == "__main__":
    sys.exit(main())
