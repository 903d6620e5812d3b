"""Privileges and the service manager: the user is dropped after binding, sockets come from systemd, READY is said
when the first answer can be given, and the files the daemon makes have the modes they must have."""

import json
import os
import pathlib
import pwd
import re
import socket
import stat
import subprocess
import sys
import time

import harness
from harness import Daemon, Skip, check, cpu_s, equal, until

ZONE = "edge.example.com"
NAME = "app." + ZONE
CONFIG = {
    "domains": harness.DOMAIN,
    "sites": {"r1": {"kind": "region", "location": [40.0, -74.0]}},
    "apps": {NAME: {"targets": {"r1": {"addresses": ["203.0.113.1"]}}}},
}


# What the service manager does: two sockets become the descriptors 3 and 4. (A shell knows none above 9.)
PASS = """
import fcntl, os, sys
for place, fd in enumerate([fcntl.fcntl(int(fd), fcntl.F_DUPFD, 10) for fd in sys.argv[1:3]]):
    os.dup2(fd, 3 + place)
    os.close(fd)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2")
os.execv(sys.argv[3], sys.argv[3:])
"""


def ids(pid):
    """Every thread's real, effective, saved and file-system user, group, and what capabilities are left."""
    out = set()
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status", encoding="ascii") as file:
            fields = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        out.add((fields["Uid"], fields["Gid"], fields["Groups"].strip(), fields["CapEff"]))
    return out


def target(link):
    try:
        return os.readlink(link)
    except FileNotFoundError:
        return "closed just now"


def held(pid):
    """What each UDP worker's thread has open besides the standard files: a list of sets of targets."""
    out = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().startswith("udp-"):
            files = {int(file.name): target(file) for file in (task / "fd").iterdir()}
            out.append({file for number, file in files.items() if number > 2} if {0, 1, 2} <= files.keys() else {"closed"})
    return out


def own_files():
    """A UDP worker's thread has the standard files and its socket open, and nothing else of the daemon."""
    trial = "import ctypes, sys; sys.exit(ctypes.CDLL(None).close_range(1 << 20, 1 << 20, 2) != 0)"
    if subprocess.run([sys.executable, "-c", trial], check=False).returncode:
        raise Skip("threads may not have tables of files of their own here")
    with Daemon({**CONFIG, "server": {"workers": 2}}) as d:
        sockets = [{f"socket:[{line.split()[9]}]"} for table in ("udp", "udp6")
                   for line in pathlib.Path("/proc/net", table).read_text().splitlines()[1:]
                   if line.split()[1].endswith(f":{d.port:04X}")]
        check(len(sockets) >= 2, sockets)
        # The first answer may come before the last worker has begun.
        until(lambda: sorted(map(sorted, held(d.process.pid))) == sorted(map(sorted, sockets)), harness.PATIENCE_S, "a socket for each")


def drops():
    if os.getuid() != 0:
        raise Skip("only root has privileges to drop")
    user = pwd.getpwnam("nobody")
    # Relative to nobody: the folder the state is kept in, and the socket's, are the daemon's own.
    with Daemon({**CONFIG, "server": {"user": "nobody", "listen": ["127.0.0.1@PORT"]}}, start=False) as d:
        d.folder.chmod(0o777)
        # A port that only root may bind, on an unused address.
        low = low_port()
        listen = [f"127.0.0.1@{d.port}", f"127.0.0.1@{low}"]
        d.write_config({**CONFIG, "server": {"user": "nobody", "listen": listen}})
        d.start()
        (uids, gids, groups, capabilities), = ids(d.process.pid)
        equal((set(uids.split()), set(gids.split())), ({str(user.pw_uid)}, {str(user.pw_gid)}))
        check(groups in ("", str(user.pw_gid)), "groups of root are kept:", groups)
        equal(int(capabilities, 16), 0, "capabilities")
        equal(d.query(NAME).addresses, ["203.0.113.1"])
        equal(d.query(NAME, tcp=True).addresses, ["203.0.113.1"])
        d.port, high = low, d.port
        equal(d.query(NAME).addresses, ["203.0.113.1"])
        d.port = high
        # What it must do as nobody: save the state, reload, shut the control socket.
        d.ctl("drain", "--force", "r1")
        d.ctl("undrain", "r1")
        d.reload()
        equal((d.folder / "state").stat().st_uid, user.pw_uid)
        check("when the daemon is restarted" not in d.log())
        d.reload({**CONFIG, "server": {"listen": listen}})
        check("when the daemon is restarted" in d.log(), "another user, and no word of a restart")
        d.write_config({**CONFIG, "server": {"user": "nobody", "listen": listen}})
        d.restart()
        equal(d.query(NAME).addresses, ["203.0.113.1"])
        check("no reload will succeed" not in d.log(), d.log())
        d.config_path.chmod(0o600)
        d.restart()
        check(f"{d.config_path}: cannot be read as user \"nobody\"" in d.log(), d.log())
        d.write_config({**CONFIG, "server": {"user": "no-such-user-here"}})
        d.stop()
        d.start(wait=False)
        check(d.process.wait(10) in (1, 2), "started as a user there is not")
        check("no-such-user-here" in d.log())
        d.process = None


def tested():
    """-t as root warns of every file that only root can read, as after the start it is the user who reads them."""
    if os.getuid() != 0:
        raise Skip("only root has files that others cannot read")
    files = {"more.yaml": json.dumps({"apps": CONFIG["apps"]}), "ranges.csv": "prefix\n10.0.0.0/8\n", "a.zone": "$INCLUDE b.zone\n",
             "b.zone": "$TTL 60\n@ SOA ns.example.net. h.example.net. 1 2 3 4 5\n@ NS ns.example.net.\n"}
    main = {**CONFIG, "apps": None, "include": ["more.yaml"], "domains": {ZONE: {"file": "a.zone"}},
            "locate": [{"plugin": "ranges", "file": "ranges.csv"}], "server": {"user": "nobody"}}
    with Daemon(main, files, start=False) as d:
        def run():
            done = subprocess.run([harness.program("edgesteerd"), "-t", "-c", str(d.config_path)], capture_output=True,
                                  text=True, timeout=harness.PATIENCE_S, env=harness.program_env(), check=False)
            check(done.returncode == 0 and ": good: " in done.stdout, done)
            return done.stderr

        d.folder.chmod(0o755)
        for name in ("edgesteer.yaml", *files):
            (d.folder / name).chmod(0o644)
        equal(run(), "")
        for name, said in ((d.config_path.name, None), ("more.yaml", "more.yaml"), ("ranges.csv", "ranges.csv"), ("b.zone", "a.zone:1")):
            (d.folder / name).chmod(0o600)
            warnings = run().splitlines()
            check(len(warnings) == 1 and warnings[0].startswith("edgesteerd: warning: as user \"nobody\" no reload will succeed: ") and
                  (said or name) in warnings[0] and warnings[0].endswith("Permission denied"), name, warnings)
            (d.folder / name).chmod(0o644)


def low_port():
    return next((port for port in range(400, 1000) if bindable(port)), None)


def effective(pid):
    """The capabilities of all threads, as numbers."""
    return {int(capabilities, 16) for _, _, _, capabilities in ids(pid)}


def readable_suppressions(d):
    """ThreadSanitizer's options, with a copy of its file where another user can read it, wherever the tree is."""
    source = harness.TOP / "tests" / "tsan.supp"
    copy = d.write("tsan.supp", source.read_text())
    return harness.program_env()["TSAN_OPTIONS"].replace(str(source), str(copy))


def capabilities():
    """Without `user`, as root or with the one capability for low ports, none is left once the sockets are bound; root is
    warned, also of what it cannot read any more."""
    if os.getuid() != 0:
        raise Skip("only root has capabilities to give up")
    bind = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=+net_bind_service",
            "--ambient-caps=+net_bind_service"]
    for prefix, warned in (([], True), (bind, False)):
        with Daemon(CONFIG, start=False, prefix=prefix) as d:
            d.folder.chmod(0o777)
            d.env["TSAN_OPTIONS"] = readable_suppressions(d)
            low, high = low_port(), d.port
            d.write_config({**CONFIG, "server": {"listen": [f"127.0.0.1@{high}", f"127.0.0.1@{low}"]}})
            d.start()
            equal(effective(d.process.pid), {0}, "capabilities")
            d.port = low
            equal(d.query(NAME).addresses, ["203.0.113.1"])
            equal(d.query(NAME, tcp=True).addresses, ["203.0.113.1"])
            d.port = high
            equal("warning: runs as root, as no server.user is set: its capabilities are given up" in d.log(), warned, d.log())
            check("cannot be given up" not in d.log() and "cannot be read as" not in d.log(), d.log())
            d.ctl("drain", "--force", "r1")
            d.ctl("undrain", "r1")
            d.reload()
            equal(effective(d.process.pid), {0}, "capabilities after a reload")
    # Readable to root by a capability alone: that is over after the start.
    with Daemon(CONFIG, start=False) as d:
        os.chown(d.config_path, 65534, 65534)
        d.config_path.chmod(0o600)
        d.start()
        check(f"{d.config_path}: cannot be read as user \"root\", so no reload will succeed" in d.log(), d.log())
        d.ctl("reload", code=2)
        equal(d.query(NAME).addresses, ["203.0.113.1"])


def bindable(port):
    try:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(socket.AF_INET, kind) as sock:
                sock.bind(("127.0.0.1", port))
        return True
    except OSError:
        return False


def modes():
    with Daemon(CONFIG, popen={"umask": 0}) as d:
        d.ctl("drain", "--force", "r1")
        mode = d.socket_path.stat().st_mode
        equal((stat.S_ISSOCK(mode), stat.S_IMODE(mode)), (True, 0o660), "control socket")
        folder = d.folder / "state"
        equal(stat.S_IMODE(folder.stat().st_mode), 0o750, "state folder")
        for path in folder.iterdir():
            check(not stat.S_IMODE(path.stat().st_mode) & 0o022, f"{path} may be written by others")
        d.stop()
        check(not d.socket_path.exists(), "the control socket was not removed")
        # A socket left by kill -9 is no obstacle.
        d.start()
        d.kill()
        check(d.socket_path.exists())
        d.start()
        d.ctl("version")


def folders():
    """The state folder and the socket's may be links, as systemd's DynamicUser makes the first; one written with a
    slash at its end is made as it would be without."""
    with Daemon(CONFIG, start=False) as d:
        for name in ("state", "run"):
            (d.folder / f"real-{name}").mkdir()
            (d.folder / name).symlink_to(f"real-{name}")
        d.socket_path = d.folder / "run" / "control.sock"
        d.write_config(CONFIG)
        d.start()
        d.ctl("drain", "--force", "r1")
        check((d.folder / "real-state" / "state.db").is_file(), "the link is not followed")
        check(stat.S_ISSOCK((d.folder / "real-run" / "control.sock").stat().st_mode))
        d.stop()
        made = d.folder / "slash"
        server = {"state-dir": f"{made}//", "user": "nobody" if os.getuid() == 0 else None}
        if os.getuid() == 0:
            d.socket_path = d.folder / "run-of-nobody" / "control.sock"
        d.write_config({**CONFIG, "server": server})
        d.start()
        equal(stat.S_IMODE(made.stat().st_mode), 0o750, "state folder")
        if os.getuid() == 0:
            equal(made.stat().st_uid, pwd.getpwnam("nobody").pw_uid, "its owner")
        d.ctl("drain", "--force", "r1")


def activation():
    """LISTEN_FDS: the daemon answers on the sockets passed to it, and binds none."""
    for six in (False, True):
        port = harness.free_port()
        address = ("::1" if six else "127.0.0.1", port)
        family = socket.AF_INET6 if six else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as udp, socket.create_server(address, family=family) as tcp:
            udp.bind(address)
            udp.setblocking(False)  # as a unit with NonBlocking=true hands it over
            with Daemon({**CONFIG, "server": {"listen": ["127.0.0.1@1"]}}, start=False,
                        prefix=[sys.executable, "-c", PASS, str(udp.fileno()), str(tcp.fileno())],
                        popen={"pass_fds": (udp.fileno(), tcp.fileno())}) as d:
                d.start(wait=False)
                d.port = port
                for _ in range(100):
                    equal(d.query(NAME, six=six, tries=10).addresses, ["203.0.113.1"])
                equal(d.query(NAME, tcp=True, six=six).addresses, ["203.0.113.1"])
                d.reload()
                equal(d.query(NAME, six=six).addresses, ["203.0.113.1"])
                equal(d.query(NAME, tcp=True, six=six).addresses, ["203.0.113.1"])
                before_s = cpu_s(d.process.pid)
                time.sleep(0.5)
                check(cpu_s(d.process.pid) - before_s < 0.25, "with nothing to do it spins")


def address_in_use():
    """A second daemon on the same address ends instead of taking a part of the queries; a restart is no second one."""
    with Daemon(CONFIG) as d, Daemon(CONFIG, start=False) as second:
        for host in ("127.0.0.1", "::1"):
            second.write_config({**CONFIG, "server": {"listen": [f"{host}@{d.port}"]}})
            second.start(wait=False)
            equal(second.process.wait(10), 1)
            check(f"listen: {host}@{d.port} over UDP: Address already in use" in second.log(), second.log())
            second.process = None
        equal(d.query(NAME, tcp=True).addresses, ["203.0.113.1"])
        with d.connect() as sock:
            # The daemon closes first: its side stays in TIME_WAIT.
            d.stop()
            equal(sock.recv(1), b"")
            d.start()
        equal(d.query(NAME, tcp=True).addresses, ["203.0.113.1"])
        d.kill()
        d.start()
    # A wildcard and an address of its own are one daemon's.
    with Daemon(CONFIG, start=False) as d:
        d.write_config({**CONFIG, "server": {"listen": [f"127.0.0.1@{d.port}", f"::@{d.port}", f"::1@{d.port}"]}})
        d.start()
    # Held by someone over TCP alone.
    with Daemon(CONFIG, start=False) as d, socket.create_server(("127.0.0.1", d.port)):
        d.start(wait=False)
        equal(d.process.wait(10), 1)
        check(f"listen: 127.0.0.1@{d.port} over TCP: Address already in use" in d.log(), d.log())
        d.process = None


def not_bindable():
    """Why an address cannot be bound, and what that takes."""
    with Daemon(CONFIG, start=False) as d:
        d.write_config({**CONFIG, "server": {"listen": [f"192.0.2.1@{d.port}"]}})
        d.start(wait=False)
        equal(d.process.wait(10), 1)
        check(f"error: listen: 192.0.2.1@{d.port} over UDP: Cannot assign requested address: not an address of "
              "this machine\n" in d.log(), d.log())
        d.process = None
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as file:
        if int(file.read()) <= 1:
            raise Skip("every port is everybody's here")
    without = ["setpriv", "--bounding-set=-net_bind_service"] if os.getuid() == 0 else []
    with Daemon(CONFIG, start=False, prefix=without) as d:
        d.write_config({**CONFIG, "server": {"listen": ["127.0.0.1@1"]}})
        d.start(wait=False)
        equal(d.process.wait(10), 1)
        check("error: listen: 127.0.0.1@1 over UDP: Permission denied: a port this low needs root or "
              "CAP_NET_BIND_SERVICE\n" in d.log(), d.log())
        d.process = None


def not_for_us():
    """LISTEN_PID of another process: the config's addresses are bound."""
    with Daemon(CONFIG, env={"LISTEN_PID": "1", "LISTEN_FDS": "2"}) as d:
        equal(d.query(NAME).addresses, ["203.0.113.1"])


def notify():
    """READY=1 once answers can be given: not before the first round of probes has settled, whatever is reloaded."""
    for abstract in (False, True):
        with harness.Responder() as late, Daemon(CONFIG, start=False) as d, \
                socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            late.delay_s = 1.5 * harness.pace()  # a reload in the meantime
            check_late = {"type": "http", "port": late.port, "interval": "60s", "timeout": "60s"}
            apps = {NAME: {"check": "late", "targets": {"r1": {"addresses": ["127.0.0.1"]}}}}
            d.write_config({**CONFIG, "checks": {"late": check_late}, "apps": apps})
            path = f"@edgesteer-flow-{os.getpid()}" if abstract else str(d.folder / "notify")
            sock.bind("\0" + path[1:] if abstract else path)
            sock.settimeout(harness.PATIENCE_S)
            d.env = {"NOTIFY_SOCKET": path}
            d.start(wait=False)
            until(lambda: late.hits and d.socket_path.exists(), harness.PATIENCE_S, "the first probe")
            equal(d.ctl_json("reload")["serving"], False)
            check("is served" not in d.log(), "a generation is called served before it is")
            said = []
            while "READY=1" not in said:
                said += sock.recv(4096).decode().split("\n")
            check(time.monotonic() - late.hits[0][0] > late.delay_s * 0.9, "ready before the first round is over")
            # No second try: it said it is ready.
            equal(d.query(NAME, tries=1).addresses, ["127.0.0.1"])
            d.reload()
            check("generation 3 is served" in d.log())
            equal([sock.recv(4096) for _ in range(2)], [b"RELOADING=1", b"READY=1"])
            d.signal(15)
            until(lambda: d.process.poll() is not None, harness.PATIENCE_S, "the end")
    # A socket that is not there is no reason to fail.
    with Daemon(CONFIG, env={"NOTIFY_SOCKET": "/nonexistent/notify"}) as d:
        equal(d.query(NAME).addresses, ["203.0.113.1"])


def log_lines():
    """Lines for journald start with a priority, all others with the time."""
    for option, begins in (("JOURNAL_STREAM=8:4711", r"<\d>"),
                           ("-uJOURNAL_STREAM", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ")):
        # With a user there is nothing to warn of at the start, which is reported as the command line's errors are.
        config = {**CONFIG, "server": {"user": pwd.getpwuid(os.getuid()).pw_name}}
        with Daemon(config, prefix=["env", option]) as d:
            d.ctl("drain", "--force", "r1")
            lines = d.log().splitlines()
            check(len(lines) > 1 and all(re.match(begins + "[a-zS]", line) for line in lines), lines)


def environment():
    """A folder with odd letters in its name, a closed stdin, no HOME: nothing of it matters."""
    with Daemon(CONFIG, start=False) as d:
        odd = d.folder / "a folder, 'quoted' äß"
        odd.mkdir()
        d.config_path = odd / "config.yaml"
        d.socket_path = odd / "control.sock"
        d.write_config({**CONFIG, "server": {"control": "control.sock", "state-dir": "state"}})
        d.prefix = ["sh", "-c", "unset HOME; exec \"$@\" <&-", "sh"]
        d.start()
        d.ctl("drain", "--force", "r1")
        check((odd / "state").is_dir())
        d.restart()
        equal(d.query(NAME).rcode, 2)


if __name__ == "__main__":
    harness.run(own_files, drops, tested, capabilities, modes, folders, activation, address_in_use, not_bindable,
                not_for_us, notify, log_lines, environment)
