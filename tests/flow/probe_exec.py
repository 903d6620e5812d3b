"""Checks of type exec: what the program is told and may do, what is made of its end, and that a program that hangs holds
nobody up."""

import json
import os
import pathlib
import stat
import subprocess
import tempfile

import harness
from harness import Daemon, Skip, check, equal, program, program_env, until
from probed import Probed, config


def script(folder, name, text):
    path = pathlib.Path(folder) / name
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return str(path)


def ends():
    with tempfile.TemporaryDirectory() as folder:
        rows = {"up": "echo fine", "down": "echo the queue is long; echo and more; exit 3", "error": "echo oh >&2; exit 1",
                "signal": "kill -9 $$", "odd": "printf '\\033[31mred\\377\\n'; exit 1", "slow": "sleep 1000 & exec sleep 1000",
                "flood": "echo much; exec cat /dev/zero"}
        checks = {name: {"type": "exec", "command": [script(folder, name, text)]} for name, text in rows.items()}
        checks["slow"].update(interval="500ms", timeout="300ms")
        checks["missing"] = {"type": "exec", "command": "/nowhere/check"}
        with Probed(checks) as probed:
            probed.expect({"up": ("ok", "exit status 0: fine"), "down": ("status", "exit status 3: the queue is long"),
                           "error": ("status", "exit status 1: oh"), "signal": ("status", "ended by signal 9 (Killed)"),
                           "flood": ("status", "wrote more than 64 KiB: much"),
                           "odd": ("status", "exit status 1: ?[31mred?"),
                           "slow": ("timeout", "no success within 300 ms: waiting for the program to end")})
            until(lambda: probed.health("missing")["layer"] == "local", harness.PATIENCE_S, "a program that is missing")
            equal(probed.health("missing")["text"], "cannot run /nowhere/check: No such file or directory")
            check(not probed.health("missing")["failures"], "says nothing about the target")


def what_it_is_told():
    with tempfile.TemporaryDirectory() as folder:
        told = script(folder, "told", 'env >"$1.new"; printf "%s\\n" "$@" >>"$1.new"; mv "$1.new" "$1"\n')
        outs = {name: f"{folder}/{name}.out" for name in ("four", "six")}
        rows = {"four": {"address": "127.0.0.1", "command": [told, outs["four"], "a b", "a b", "$HOME; exit 1"]},
                "six": {"address": "::1", "command": [told, outs["six"]], "port": 7}}
        with Probed({name: {"type": "exec", **row} for name, row in rows.items()}) as probed:
            probed.expect({"four": ("ok", "exit status 0"), "six": ("ok", "exit status 0")})
        lines = pathlib.Path(outs["four"]).read_text().splitlines()
        equal(lines[-4:], [outs["four"], "a b", "a b", "$HOME; exit 1"], "no shell")
        env = dict(line.split("=", 1) for line in lines[:-4])
        for ours in ("PWD", "SHLVL", "_", "OLDPWD"):  # the shell's own
            env.pop(ours, None)
        check(env.pop("PATH"))
        equal(env, {"EDGESTEER_TARGET": "four.edge.example.com/us-east-1", "EDGESTEER_APP": "four.edge.example.com",
                    "EDGESTEER_SITE": "us-east-1", "EDGESTEER_ADDRESS": "127.0.0.1", "EDGESTEER_PORT": "",
                    "EDGESTEER_TIMEOUT_MS": "10000"})
        six = pathlib.Path(outs["six"]).read_text()
        check("EDGESTEER_ADDRESS=::1\n" in six and "EDGESTEER_PORT=7\n" in six, six)


def privileges():
    """As the daemon's user, with no capability, none to be had, and no file of the daemon's open."""
    if os.geteuid() != 0:
        raise Skip("only root can give privileges up")
    for user in ("nobody", None):
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o777)
            out = f"{folder}/out"
            show = script(folder, "show", f"(grep -E '^(Uid|Cap|NoNew|Sig)' /proc/self/status; ls -l /proc/$$/fd) >{out}.new\n"
                                          f"mv {out}.new {out}\n")
            checks = {"app": {"type": "exec", "command": [show]}}
            daemon = Daemon("", start=False)
            (daemon.folder / "state").mkdir()
            daemon.folder.chmod(0o777)
            os.chmod(daemon.folder / "state", stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO)
            with Probed(checks, daemon=daemon, server={"user": user, "listen": [f"127.0.0.1@{daemon.port}"]}) as probed:
                probed.expect({"app": ("ok", "exit status 0")})
            text = pathlib.Path(out).read_text()
            fields = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
            equal(fields["Uid"].split()[0] != "0", user is not None, text)
            equal((fields["CapEff"], fields["CapPrm"], fields["CapAmb"]), ("0" * 16,) * 3, user, text)
            equal((fields["NoNewPrivs"], fields["SigBlk"]), ("1", "0" * 16), text)
            fds = {line.rsplit(" -> ")[0].split()[-1] for line in text.splitlines() if " -> " in line}
            equal(fds - {"10", "255"}, {"0", "1", "2"}, text)  # the shell's own copy of its script


def the_agent():
    """Programs of edgesteer-probe, which is told by the same rows and drops no privileges itself, get none beyond its own."""
    with tempfile.TemporaryDirectory() as folder:
        out = f"{folder}/out"
        show = script(folder, "show", f"(env; grep NoNew /proc/self/status) >{out}.new; mv {out}.new {out}\n")
        file, token = pathlib.Path(folder) / "agent.yaml", pathlib.Path(folder) / "token"
        token.write_text("0123456789-report-token\n")
        token.chmod(0o600)
        file.write_text(json.dumps(config({"app": {"type": "exec", "command": [show, "x"], "port": 9}})))
        process = subprocess.Popen([program("edgesteer-probe"), "-c", str(file), "--vantage", "v", "--daemon",
                                    f"http://127.0.0.1:{harness.free_port()}", "--token", str(token)],
                                   env=program_env(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            until(lambda: os.path.exists(out) or process.poll() is not None, harness.PATIENCE_S, "it is run")
        finally:
            process.terminate()
            errors = process.communicate(timeout=harness.PATIENCE_S)[1]
        equal(process.returncode, 0, errors)
        text = pathlib.Path(out).read_text()
        check("EDGESTEER_APP=app.edge.example.com\n" in text and "NoNewPrivs:\t1\n" in text, text)


def children(pid):
    """Of all threads: the one that starts programs is not the main thread."""
    return sum(len(path.read_text().split()) for path in pathlib.Path(f"/proc/{pid}/task").glob("*/children"))


def nobody_waits():
    """More programs that hang than may run at once: others are probed, queries and verbs are answered, and nothing is left."""
    with tempfile.TemporaryDirectory() as folder:
        mark, rare = f"{folder}/mark", f"98765.{os.getpid()}"
        hang = script(folder, "hang", f"exec sleep {rare}\n")
        quick = script(folder, "quick", f"echo >>{mark}\n")
        checks = {f"hang-{i}": {"type": "exec", "command": [hang], "interval": "500ms", "timeout": "500ms"} for i in range(60)}
        checks["quick"] = {"type": "exec", "command": [quick], "interval": "1s", "timeout": "1s"}
        checks["tcp"] = {"type": "tcp", "port": 1, "interval": "200ms", "timeout": "200ms"}
        with Probed(checks) as probed:
            pid = probed.daemon.process.pid
            until(lambda: children(pid) >= 32, harness.PATIENCE_S, "as many run as may")
            until(lambda: probed.health("quick")["up"], harness.PATIENCE_S, "it gets its turn")
            for i in range(60):
                until(lambda i=i: probed.health(f"hang-{i}")["layer"] == "timeout", harness.PATIENCE_S, "and so does each")
                running = children(pid)
                check(running <= 64, running)  # those that have been killed and not yet reaped included
                check(probed.daemon.ctl_json("stats")["probes_under_way"] <= 32 + 1, "no more than may")
            equal(probed.daemon.ctl_json("stats")["probe_failures_local"], 0, "one that has to wait has no result for it")
            check(len(probed.daemon.query("quick.edge.example.com").addresses) == 1, "answered")
            before = len(os.listdir(f"/proc/{pid}/fd"))
            probes = probed.health("quick")["probes"]
            until(lambda: probed.health("quick")["probes"] > probes + 2, harness.PATIENCE_S, "on it goes")
            check(len(os.listdir(f"/proc/{pid}/fd")) <= before + 3 * 64, "no file stays open")
            until(lambda: "because no more checks of its type are made at once" in probed.daemon.log(), harness.PATIENCE_S, "it is told")
            check("probes of type exec would be under way at once; no more than 32 are" in probed.daemon.log(), "and was at the start")
        out = pathlib.Path("/proc")
        left = [p for p in out.iterdir() if p.name.isdigit() and rare.encode() in cmdline(p)]
        equal(left, [], "nothing is left running")


def cmdline(process):
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


def reloads():
    """A reload that changes the command: the new one counts."""
    with tempfile.TemporaryDirectory() as folder:
        good, bad = script(folder, "good", "exit 0"), script(folder, "bad", "echo $1; exit 1")
        row = {"type": "exec", "interval": "200ms", "timeout": "200ms"}
        with Probed({"app": {**row, "command": [good]}}) as probed:
            until(lambda: probed.health("app")["up"], harness.PATIENCE_S, "up")
            for word in ("one", "two"):
                probed.daemon.write_config(config({"app": {**row, "command": [bad, word]}}))
                probed.daemon.ctl("reload")
                until(lambda w=word: probed.health("app")["text"] == f"exit status 1: {w}", harness.PATIENCE_S, word)


harness.run(ends, what_it_is_told, privileges, the_agent, nobody_waits, reloads)
