"""Checks of type grpc: with grpcio as the server, over h2c and TLS; with a double that says anything, which grpcio's client
judges too; and with the agent."""

import pathlib
import tempfile

import harness
from harness import check, equal, until
from door import Authority
from grpcpeers import GOOD, NOT_SERVING, SAID, SERVING, Double, GrpcServer, ask, need_grpc
from probed import Probed


def a_real_server():
    with GrpcServer({"": SERVING, "a.B": NOT_SERVING}) as server, GrpcServer({"": SERVING}, method="Other") as without:
        rows = {"whole": {}, "service": {"service": "a.B"}, "other": {"service": "c.D"}, "without": {"port": without.port},
                "mine": {"host": "h.example.net:7", "headers": {"X-Token": "t"}, "timeout": "9s"},
                "gone": {"port": harness.free_port()}}
        with Probed({name: {"type": "grpc", "port": server.port, **row} for name, row in rows.items()}) as probed:
            probed.expect({
                "whole": ("ok", "SERVING"), "service": ("status", "NOT_SERVING, expected SERVING"),
                "other": ("status", 'grpc-status 5 (NOT_FOUND), of the service "c.D": unknown service'),
                "without": ("status", "grpc-status 12 (UNIMPLEMENTED), the target has no grpc.health.v1"),
                "mine": ("ok", "SERVING"), "gone": ("connect", "Connection refused")})
            call = next(call for call in server.calls if "x-token" in call[1])
            equal((call[1]["x-token"], call[1]["user-agent"][:9]), ("t", "edgesteer"))
            check(0 < call[2] <= 9, "it is told how long it has", call)
            check(probed.daemon.query("whole.edge.example.com").addresses == ["127.0.0.1"], "it is answered")


def it_changes_its_mind():
    with GrpcServer({"": SERVING}) as server:
        row = {"type": "grpc", "port": server.port, "interval": "200ms", "timeout": "200ms"}
        with Probed({"app": row}) as probed:
            until(lambda: probed.health("app")["up"], harness.PATIENCE_S, "up")
            server.services[""] = NOT_SERVING
            until(lambda: not probed.health("app")["up"], harness.PATIENCE_S, "down")
            server.services[""] = SERVING
            until(lambda: probed.health("app")["up"], harness.PATIENCE_S, "up again")


def over_tls():
    need_grpc()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        ca = Authority(folder)
        for who in ("server", "client"):
            ca.issue(who, f"/CN={who}")
        read = {who: (folder / who).read_bytes() for who in ("ca.pem", "server.pem", "server.key")}
        tls = {"key": read["server.key"], "cert": read["server.pem"]}
        files = {"ca-file": str(folder / "ca.pem"), "host": "localhost"}
        mine = {"client-cert": str(folder / "client.pem"), "client-key": str(folder / "client.key")}
        with GrpcServer({"": SERVING}, tls) as server, GrpcServer({"": SERVING}, {**tls, "ca": read["ca.pem"]}) as strict, \
                GrpcServer({"": SERVING}) as plain:
            rows = {"good": files, "unknown-ca": {"host": "localhost"}, "unverified": {"verify": False},
                    "wrong-name": {**files, "host": "x.example.net"}, "resumed": {**files, "tls-session-resumption": True},
                    "mutual": {**files, **mine, "port": strict.port}, "without": {**files, "port": strict.port},
                    "not-tls": {**files, "port": plain.port}}
            with Probed({name: {"type": "grpc", "tls": True, "port": server.port, **row} for name, row in rows.items()}) as probed:
                probed.expect({"good": ("ok", "SERVING"), "unknown-ca": ("tls", "TLS: "), "unverified": ("ok", "SERVING"),
                               "wrong-name": ("tls", "TLS: "), "resumed": ("ok", "SERVING"), "mutual": ("ok", "SERVING"),
                               "without": ("http", ""),  # grpcio closes and sends no alert
                               "not-tls": ("tls", "TLS: ")})


STRICTER = {"long", "compressed"}  # a limit of ours; a flag that grpcio overlooks where no coding is named


def whatever_a_target_says():
    """And it is up exactly where a real client takes it for SERVING."""
    need_grpc()
    doubles = {name: Double(octets) for name, (octets, _, _) in SAID.items()}
    with Probed({name: {"type": "grpc", "port": double.port} for name, double in doubles.items()}) as probed:
        probed.expect({name: (layer, text) for name, (_, layer, text) in SAID.items()})
    for name, double in doubles.items():
        ok = SAID[name][1] == "ok"
        got = ask(double.port, harness.PATIENCE_S if ok else 1)
        if name not in STRICTER:
            equal(got.startswith("OK ") and GOOD in bytes.fromhex(got[3:]), ok, name, got)
        double.close()


harness.run(a_real_server, it_changes_its_mind, over_tls, whatever_a_target_says)
