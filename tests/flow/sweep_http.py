"""Every endpoint of the HTTP door, with whatever nobody ought to send it: other methods, paths, types, queries and bodies, and
chunks that are cut. The endpoints are those that the daemon names. Each gets a status that fits, with the error in JSON; nothing
has changed, and everybody else is served."""

import collections
import contextlib
import json
import socket

import door
import harness
import sweep
from harness import check, equal

METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "PROPFIND", "G" * 300]
REFUSALS = {400, 401, 403, 404, 405, 408, 409, 411, 413, 414, 415, 417, 431, 501, 505}
MANY = 10 << 20
QUERIES = ["%", "%z", "%zz", "%00", "a=%00", "&&&", "=", "=x", "a", "a=b=c", "nosuch=1", "nosuch=1&nosuch=2", "from=-1", "from=nan",
           "from=1e9", "from=99999999999999999999", "verb=status", "%ff=%fe", "a=%ff", "a=%c0%af", "a=%1b%5b31m", "x" * 5000,
           "a=" + "x" * 15000, "&".join(f"a{n}=1" for n in range(1500)), "app=%F0%9F%9B%B0", "app=+", "app=", "from=", "from=%31%30x",
           "?", "a?b=c", "a=../../etc/passwd"]
PATHS = ["/v1/{0}/", "/v1//{0}", "//v1/{0}", "/v1/../v1/{0}", "/v1/./{0}", "/V1/{0}", "/v1/{0}%00", "/v1/%2e%2e/{0}", "/v1/{0};x=1",
         "/v2/{0}", "/{0}", "/v1/{0}x", "/v1/{0}%0d%0aX:%20y", "/v1/{0}/../status", "/v1/" + "x" * 9000, "/v1/{0}#x", "v1/{0}", "*"]
BODIES = [b"x", b"[]", b"null", b"7", b'"text"', b"{", b"{}x", b"{} {}", b"{'site': 1}", b'{"a": 1, "a": 2}', b'{"verb": "status"}',
          b'{"nosuch": 1}', b'{"site": "\xff\xfe"}', b'{"site": "a\\u0000b"}', b'{"site": "\\ud800"}', b"\0" * 100, b"\xef\xbb\xbf{}",
          b"[" * 30000, b'{"a":' * 6000 + b"1" + b"}" * 6000, b"[" * 60000, json.dumps({f"k{n}": n for n in range(3000)}).encode(),
          b'{"site": "' + b"x" * 60000 + b'"}', b'{"site": 1e999}', b'{"for": NaN}', b"<xml/>", b"site=us-east-1&for=1h"]


# What a token of the scope `report` is needed for.
REPORTED = ("/v1/health", "/v1/report", "/v1/load", "/v1/observe")


class Asked:
    """Counts what came back."""

    def __init__(self, it):
        self.it, self.statuses = it, collections.Counter()

    def __call__(self, octets, what, half_close=True, allowed=REFUSALS):
        """Sends them, and looks at the reply: its status."""
        reply = self.it.raw(octets, half_close=half_close)
        status = door.status_of(reply)
        where = f"{what}: {octets[:200]!r} gets {reply[:300]!r}"
        self.statuses[status] += 1
        check(status in allowed, where)
        head, _, body = reply.partition(b"\r\n\r\n")
        check(not sweep.bad_text(head.decode("latin-1").replace("\r\n", "\n")), "control characters:", where)
        if body and status not in (200, 404) or body[:1] == b"{":
            error = json.loads(body.splitlines()[0])
            if not error["ok"]:
                check(error["error"] and "\n" not in error["error"] and not sweep.bad_text(error["error"]), where)
        return status


def head(method, path, *lines, token=None):
    token = (door.REPORT if path.startswith(REPORTED) else door.OPERATE) if token is None else token
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {token}", "Connection: close", *lines, "",
                        "")).encode("latin-1")


def post(path, body, content_type="application/json", length=None):
    return head("POST", path, *([f"Content-Type: {content_type}"] if content_type else []),
                f"Content-Length: {len(body) if length is None else length}") + body


def path_of(verb):
    return "/v1/" + verb["name"].replace(" ", "/")


def chunked(path, *chunks):
    return head("POST", path, "Content-Type: application/json", "Transfer-Encoding: chunked") + b"".join(chunks)


def methods_and_paths(asked, verb):
    path, name, reads = path_of(verb), verb["name"].replace(" ", "/"), verb["scope"] == "read"
    for method in METHODS:
        right = method == ("GET" if reads else "POST")
        if not right:
            asked(head(method, path, "Content-Length: 0"), f"method {method[:20]}", allowed=REFUSALS)
    for pattern in PATHS:
        asked(head("GET" if reads else "POST", pattern.format(name)), "path")
    for version in "HTTP/0.9", "HTTP/2.0", "HTTP/1.1x", "FTP/1.1", "":
        asked(head("GET" if reads else "POST", path).replace(b"HTTP/1.1", version.encode(), 1), f"version {version}",
              allowed=REFUSALS | {0})
    for token in "", "x", door.OPERATE + "x", "\x1b[31m", "x" * 20000:
        asked(head("GET" if reads else "POST", path, token=token), "token")


def queries(asked, verb):
    path, texts = path_of(verb), {field["name"] for field in verb["fields"]}
    for query in QUERIES:
        known = query.partition("=")[0] in texts
        asked(head("GET", f"{path}?{query}"), "query", allowed=REFUSALS | ({200} if known or query in ("&&&", "?") else set()))
    asked(head("GET", path, "Content-Type: application/json", "Content-Length: 2") + b"{}", "a GET with a body")
    for field in verb["fields"]:
        asked(head("GET", f"{path}?{field['name']}=a&{field['name']}=b"), "twice")


def bodies(asked, verb):
    path = path_of(verb)
    for body in BODIES:
        asked(post(path, body), "body")
    right = json.dumps(sweep.request_of(verb)).encode()
    for content_type in None, "", "text/plain", "application/x-www-form-urlencoded", "application/jsonx", "multipart/form-data":
        asked(post(path, right, content_type), f"type {content_type}")
    asked(post(path + "?site=us-east-1", right), "query of a POST")
    for length in "-1", "x", "0x10", "99999999999999999999", "1, 2", str(MANY):
        asked(post(path, right, length=length), f"length {length}")
    asked(head("POST", path, "Content-Type: application/json", "Content-Length: 5", "Content-Length: 6") + b"{}   ", "two lengths")
    asked(head("POST", path, "Content-Type: application/json", "Content-Length: 2", "Transfer-Encoding: chunked") + b"{}", "smuggled")
    asked(post(path, b'{"reason": "' + b"x" * MANY + b'"}'), "10 MiB", half_close=False, allowed=REFUSALS)
    for chunks in ((b"5\r\n{\"a\"",), (b"zz\r\n",), (b"-1\r\n",), (b"fffffffffffffffff\r\n",), (b"2\r\n{}\r\n",), (b"2\r\n{}", b"0\r\n\r\n"),
                   (b"2;" + b"x" * 70000,), (b"1\r\n{\r\n" * 40000,)):
        # Cut, or chunks that there are not: a refusal, or the connection's end.
        asked(chunked(path, *chunks), "chunks", allowed=REFUSALS | {0})


def endpoints():
    with door.Door() as it, it.daemon.control() as control:
        harness.until(lambda: it("/readyz")[0] == 200, harness.PATIENCE_S, "it serves")
        verbs = it.get("/v1/verbs")[1]["verbs"]
        equal(verbs, control("verbs")["verbs"])
        equal({path_of(verb) for verb in verbs if verb["scope"] == "report"}, set(REPORTED))
        before, asked = sweep.state(control), Asked(it)
        for verb in verbs:
            methods_and_paths(asked, verb)
            if verb["scope"] == "read":
                queries(asked, verb)
            else:
                bodies(asked, verb)
            now = sweep.state(control)
            equal(now, before, verb["name"])
        for path in "/livez", "/readyz", "/metrics":
            for method in METHODS[2:]:
                asked(head(method, path, "Content-Length: 0"), f"{method[:20]} {path}")
        equal(it.get("/v1/version")[0], 200)
        print(f"  {asked.statuses.total()} requests of {len(verbs)} verbs: {dict(asked.statuses)}")


def streams():
    """What is no request: garbage, headers without end, nothing."""
    with door.Door() as it:
        rows = [b"\x16\x03\x01" + bytes(200), bytes(range(256)) * 40, b"\r\n" * 5000, b"GET /livez\r\n\r\n", b"GET  /livez HTTP/1.1\r\n\r\n",
                b"GET /livez HTTP/1.1\r\n" + b"X: y\r\n" * 20000, b"GET /livez HTTP/1.1\r\nX: " + b"y" * 100000,
                b"GET /livez HTTP/1.1\r\n X: folded\r\n\r\n", b"GET /livez HTTP/1.1\r\nX\0: y\r\n\r\n",
                b"GET /livez HTTP/1.1\nHost: x\nX\x1b: y\n\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"{\"verb\": \"status\"}\n"]
        for octets in rows:
            reply = it.raw(octets, half_close=True)
            check(door.status_of(reply) in REFUSALS | {0}, octets[:100], reply[:300])
        idle = [it.connect(f"127.0.0.{n}") for n in range(2, 10)]
        with contextlib.ExitStack() as stack:
            for sock in idle:
                stack.enter_context(sock)
                sock.sendall(b"GET /v1/status HT")
            equal(it("/livez")[0], 200)
        with it.connect() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset
            sock.sendall(head("POST", "/v1/drain", "Content-Type: application/json", "Content-Length: 100") + b"{")
        equal(it.get("/v1/drains")[1]["drains"], [])


if __name__ == "__main__":
    harness.run(endpoints, streams, limit_s=240)
