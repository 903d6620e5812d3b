"""gRPC's health service: by Debian's grpcio, a server and a client; and a double in a few frames of HTTP/2 that says anything."""

import concurrent.futures
import contextlib
import struct
import subprocess
import sys

import harness
from harness import Skip, check
from probed import Server

try:
    import grpc
except ImportError:
    grpc = None

UNKNOWN, SERVING, NOT_SERVING = 0, 1, 2
METHOD = "/grpc.health.v1.Health/Check"


def need_grpc():
    if not grpc:
        raise Skip("python3-grpcio is not installed")


class GrpcServer:
    """Real: `services` name -> status; others are NOT_FOUND. `calls`: (service, metadata, seconds left)."""

    def __init__(self, services, tls=None, method="Check"):
        need_grpc()
        self.services, self.calls = services, []
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
        handler = grpc.unary_unary_rpc_method_handler(self._check)
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("grpc.health.v1.Health", {method: handler}),))
        if tls:
            credentials = grpc.ssl_server_credentials([(tls["key"], tls["cert"])], tls.get("ca"), bool(tls.get("ca")))
            self.port = self.server.add_secure_port("127.0.0.1:0", credentials)
        else:
            self.port = self.server.add_insecure_port("127.0.0.1:0")
        check(self.port, "grpcio listens")
        self.server.start()

    def _check(self, request, context):
        service = request[2:].decode() if request else ""
        self.calls.append((service, dict(context.invocation_metadata()), context.time_remaining()))
        if service not in self.services:
            context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        status = self.services[service]
        return bytes([8, status]) if status else b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.stop(None).wait(harness.PATIENCE_S)


ASK = """
import sys, grpc
with grpc.insecure_channel("127.0.0.1:" + sys.argv[1], options=[("grpc.enable_http_proxy", 0)]) as channel:
    try:
        print("OK", (channel.unary_unary(sys.argv[2])(b"", timeout=float(sys.argv[3])) or b"").hex())
    except grpc.RpcError as error:
        print(error.code().name)
"""


def ask(port, timeout_s):
    """What a real client says: "OK" and the reply in hexadecimal digits, or the code's name. In a process of its own, as some
    of what the double says ends grpcio 1.51 by a signal: then nothing."""
    done = subprocess.run([sys.executable, "-c", ASK, str(port), METHOD, str(timeout_s)], capture_output=True, text=True,
                          check=False)
    check(done.returncode <= 0, done.stderr)
    return done.stdout.rstrip("\n")


# ---- the double ------------------------------------------------------------------------------------------------------

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1


def frame(kind, flags=0, payload=b"", stream=1):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def fields(**pairs):
    """HPACK, as literals without an index (RFC 7541 section 6.2.2); "_" stands for "-"."""
    out = b""
    for name, value in pairs.items():
        name, value = name.replace("_", "-").replace("STATUS", ":status").encode(), str(value).encode()
        length = bytes([len(value)]) if len(value) < 127 else b"\x7f" + varint(len(value) - 127)
        out += b"\0" + bytes([len(name)]) + name + length + value
    return out


def varint(number):
    out = b""
    while number >= 128:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def head(end=False, **pairs):
    return frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), fields(**pairs))


def start(**more):
    return head(STATUS=200, content_type="application/grpc", **more)


def message(content, flag=0):
    return frame(DATA, 0, bytes([flag]) + struct.pack(">I", len(content)) + content)


class Double(Server):
    """Says these octets in reply to a request."""

    def __init__(self, octets):
        self.octets = octets
        super().__init__(self._serve)

    def _serve(self, connection):
        stream = connection.makefile("rb")
        if stream.read(len(PREFACE)) != PREFACE:
            return
        connection.sendall(frame(SETTINGS, stream=0))
        while True:
            fixed = stream.read(9)
            if len(fixed) < 9:
                return
            kind, flags = fixed[3], fixed[4]
            payload = stream.read(int.from_bytes(fixed[:3], "big"))
            if kind == SETTINGS and not flags & ACK:
                connection.sendall(frame(SETTINGS, ACK, stream=0))
            elif kind == PING and not flags & ACK:
                connection.sendall(frame(PING, ACK, payload, stream=0))
            elif kind in (DATA, HEADERS) and flags & END_STREAM:
                with contextlib.suppress(OSError):
                    connection.sendall(self.octets)
                if self.octets.endswith(b"CLOSE"):
                    return


GOOD = bytes([8, SERVING])
TRAILER = head(True, grpc_status=0)

# What the double says, and what is to come of it: name -> (octets, layer, a part of the text).
SAID = {
    "good": (start() + message(GOOD) + TRAILER, "ok", "SERVING"),
    "proto": (head(STATUS=200, content_type="application/grpc+proto") + message(GOOD) + TRAILER, "ok", "SERVING"),
    "pieces": (start() + b"".join(frame(DATA, 0, bytes([c])) for c in b"\0\0\0\0\2" + GOOD) + TRAILER, "ok", "SERVING"),
    "more-fields": (start() + message(b"\x12\3abc" + GOOD + b"\x3a\0") + TRAILER, "ok", "SERVING"),
    "not-serving": (start() + message(bytes([8, NOT_SERVING])) + TRAILER, "status", "NOT_SERVING, expected SERVING"),
    "unknown": (start() + message(b"") + TRAILER, "status", "UNKNOWN, expected SERVING"),
    "in-the-trailer": (start() + head(True, grpc_status=14, grpc_message="try%20later"), "status",
                       "grpc-status 14 (UNAVAILABLE): try later"),
    "after-a-reply": (start() + message(GOOD) + head(True, grpc_status=13), "status", "grpc-status 13 (INTERNAL)"),
    "trailers-only": (head(True, STATUS=200, content_type="application/grpc", grpc_status=12, grpc_message="x"), "status",
                      "grpc-status 12 (UNIMPLEMENTED), the target has no grpc.health.v1: x"),
    "no-status": (start() + message(GOOD) + head(True, x="y"), "http", "a gRPC response without a grpc-status"),
    "no-trailer": (start() + frame(DATA, END_STREAM, b"\0\0\0\0\2" + GOOD), "http", "without a grpc-status"),
    "odd-status": (start() + message(GOOD) + head(True, grpc_status="OK"), "http", "with a malformed grpc-status"),
    "no-message": (start() + TRAILER, "body", "the gRPC reply has no message"),
    "two-messages": (start() + message(GOOD) + message(GOOD) + TRAILER, "body", "has more than one message"),
    "cut": (start() + frame(DATA, 0, b"\0\0\0\0\2\x08") + TRAILER, "body", "ends within a message"),
    "compressed": (start() + message(GOOD, 1) + TRAILER, "body", "is compressed"),
    "no-protobuf": (start() + message(b"\xff\xff") + TRAILER, "body", "is no HealthCheckResponse"),
    "long": (start() + message(b"\x12\xd0\x0f" + b"x" * 2000 + GOOD) + TRAILER, "body", "more than 1024 octets"),
    "endless-header": (start() + b"".join(head(x="y" * 8000) for _ in range(1)) * 20, "http", ""),
    "page": (head(STATUS=200, content_type="text/html") + frame(DATA, END_STREAM, b"<html>"), "http", "is not gRPC's"),
    "not-found": (head(True, STATUS=404, content_type="text/plain"), "status", "HTTP status 404, expected 200 and gRPC"),
    "reset": (start() + frame(RST_STREAM, 0, struct.pack(">I", 2)), "http", "HTTP: "),
    "goaway": (frame(GOAWAY, 0, struct.pack(">II", 0, 2), stream=0) + b"CLOSE", "http", "HTTP: "),
    "no-frames": (b"HTTP/1.1 400 Bad Request\r\n\r\nCLOSE", "http", "HTTP: "),
    "bad-hpack": (frame(HEADERS, END_HEADERS, b"\xff\xff\xff\xff\xff\xff"), "http", "HTTP: "),
    "huge-frame": (start() + b"\xff\xff\xff\0\0\0\0\0\1" + b"x" * 70000 + b"CLOSE", "http", "HTTP: "),
}
