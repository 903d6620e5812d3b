"""What the test services of edge discovery have in common: an HTTPS server with a token endpoint (OAuth2 client
credentials, by secret or by JWT), faults on demand, and a list of what was wrong with the requests, and with the
replies."""

import base64
import contextlib
import http.server
import json
import pathlib
import secrets
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse

CLIENT_ID, SECRET = "app-key-7f3b", "s3cr3t+/=with-signs"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def openssl(folder, *words, text=None):
    return subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True, timeout=60, input=text).stdout


def make_certificates(folder):
    """A CA, a server's certificate for 127.0.0.1 and one for another name; keys of a client, and their public halves."""
    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl(folder, "req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.crt", "-days", "30", "-subj", "/CN=test CA")
    for name, extension in (("server", "IP:127.0.0.1"), ("other", "DNS:other.example.com")):
        (folder / f"{name}.ext").write_text(f"subjectAltName={extension}\n")
        openssl(folder, "req", *new, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
                "-out", f"{name}.crt", "-days", "30", "-extfile", f"{name}.ext")
    openssl(folder, "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "RS256.key")
    openssl(folder, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", "ES256.key")
    for name in ("RS256", "ES256"):
        openssl(folder, "pkey", "-in", f"{name}.key", "-pubout", "-out", f"{name}.pub")
        (folder / f"{name}.key").chmod(0o600)


def unbase64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def der_of(raw):
    """ES256's signature as openssl reads it."""
    def integer(octets):
        octets = octets.lstrip(b"\0") or b"\0"
        octets = (b"\0" if octets[0] & 0x80 else b"") + octets
        return bytes([2, len(octets)]) + octets

    pair = integer(raw[:32]) + integer(raw[32:])
    return bytes([0x30, len(pair)]) + pair


class LookupApi:
    """The server. A fault is a function of the handler that replies in the place of the service, or returns True for it to
    reply all the same."""

    def __init__(self, certificate="server", scope=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="edgesteer-lookupapi-"))
        make_certificates(self.folder)
        self.lock = threading.RLock()
        self.scope = scope                  # that tokens must be asked for; None: none
        self.key = None                     # "RS256" or "ES256": private_key_jwt instead of the secret
        self.escapes = False                # whether ID and secret come percent-encoded
        self.lifetime_s, self.tells_lifetime, self.same_token = 3600, True, False
        self.tokens = {}                    # to when it ends
        self.jtis, self.correlators = set(), set()
        self.wrong = []                     # what must not be
        self.requests = []                  # (method, path with query, headers, body) of the service
        self.token_requests, self.tokens_now, self.tokens_at_once = 0, 0, 0
        self.fault, self.token_fault = None, None
        self.session_path = None            # where sessions are begun; None: there are none
        self.connections = 0
        self.write("id", CLIENT_ID)
        self.write("secret", SECRET)
        self.server = self.start(certificate)
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}"

    def write(self, name, text, mode=0o600):
        path = self.folder / f"{name}.new"
        path.write_text(text + "\n", encoding="utf-8")
        path.chmod(mode)
        path.replace(self.folder / name)
        return self.folder / name

    def start(self, certificate):
        api = self

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads, request_queue_size, block_on_close = True, 256, False

            def handle_error(self, request, client_address):  # clients come and go as they like
                pass

        class Bound(Handler):
            pass

        Bound.api = api
        Bound.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        Bound.context.load_cert_chain(self.folder / f"{certificate}.crt", self.folder / f"{certificate}.key")
        server = Server(("127.0.0.1", 0), Bound)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return server

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def complain(self, *what):
        with self.lock:
            self.wrong.append(" ".join(map(str, what)))

    # -- Tokens

    def check_basic(self, headers):
        kind, _, pair = headers.get("authorization", "").partition(" ")
        got = base64.b64decode(pair).decode("ascii", "replace").partition(":") if kind == "Basic" else ("", "", "")
        want = [CLIENT_ID, (self.folder / "secret").read_text(encoding="utf-8").strip()]
        if self.escapes:
            want = [urllib.parse.quote(text, safe="") for text in want]
        return [got[0], got[2]] == want

    def check_assertion(self, form, url):
        token = form.get("client_assertion", "")
        head, body, signature = token.split(".")
        header, claims, raw = json.loads(unbase64(head)), json.loads(unbase64(body)), unbase64(signature)
        with self.lock:
            if claims["jti"] in self.jtis:
                self.complain("a jti was used twice")
            self.jtis.add(claims["jti"])
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            self.complain("client_assertion_type", form.get("client_assertion_type"))
        if not 0 < claims["exp"] - claims["iat"] <= 300 or abs(claims["iat"] - time.time()) > 10:
            self.complain("the assertion's times:", claims)
        if [claims["iss"], claims["sub"], claims["aud"]] != [CLIENT_ID, CLIENT_ID, url]:
            self.complain("the assertion's claims:", claims)
        if header["alg"] != self.key or header.get("typ") != "JWT":
            self.complain("the assertion's header:", header)
        with tempfile.NamedTemporaryFile(dir=self.folder) as file:
            file.write(der_of(raw) if self.key == "ES256" else raw)
            file.flush()
            return b"Verified OK" in openssl(self.folder, "dgst", "-sha256", "-verify", f"{self.key}.pub", "-signature",
                                             file.name, text=f"{head}.{body}".encode())

    def give_token(self, handler, headers, body):
        form = {key: values[0] for key, values in urllib.parse.parse_qs(body).items()}
        with self.lock:
            self.token_requests += 1
        if form.get("grant_type") != "client_credentials" or form.get("scope") != self.scope:
            self.complain("the form of a token's request:", {**form, "client_assertion": "..."})
        if headers.get("content-type") != "application/x-www-form-urlencoded":
            self.complain("the token's content-type:", headers.get("content-type"))
        good = self.check_assertion(form, self.url + "/token") if self.key else self.check_basic(headers)
        if not good:
            return handler.reply(401, {"error": "invalid_client", "error_description": f"no {SECRET}"})
        with self.lock:
            now = time.monotonic()
            alive = [token for token, end in self.tokens.items() if end > now]
            token = alive[0] if self.same_token and alive else secrets.token_urlsafe(40)
            self.tokens.setdefault(token, now + self.lifetime_s)
        reply = {"access_token": token, "token_type": "Bearer"}
        if self.tells_lifetime:
            reply["expires_in"] = int(self.lifetime_s)
        return handler.reply(200, reply)

    def count_token(self, change):
        with self.lock:
            self.tokens_now += change
            self.tokens_at_once = max(self.tokens_at_once, self.tokens_now)

    def has_token(self, headers):
        kind, _, token = headers.get("authorization", "").partition(" ")
        with self.lock:
            return kind == "Bearer" and self.tokens.get(token, 0) > time.monotonic()

    # -- For those that have a service

    def give_session(self, handler, headers, body):
        raise NotImplementedError

    def unauthorized(self, handler):
        raise NotImplementedError

    def serve(self, handler, method, path, query, headers, body):
        """Replies. `path` is below the server; `query` a dict; `body` text, None: there is none."""
        raise NotImplementedError


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    api = context = None

    def setup(self):
        self.request.settimeout(60)
        self.request = self.context.wrap_socket(self.request, server_side=True)
        with self.api.lock:
            self.api.connections += 1
        super().setup()

    def finish(self):
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, *_):
        pass

    def reply(self, status, body, headers=()):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(data))), *headers):
            self.send_header(name, value)
        self._headers_buffer += [b"\r\n", data]  # in one piece, or the client's delayed acknowledgement holds it up
        self.flush_headers()

    def raw(self, data):
        """Octets instead of a reply, and the end."""
        self.wfile.write(data)
        self.close_connection = True

    def cut(self):
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def answer(self):
        api, parts = self.api, urllib.parse.urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        size = int(headers.get("content-length", 0))
        body = self.rfile.read(size).decode() if size or self.command == "POST" else None
        query = {name: values[-1] for name, values in urllib.parse.parse_qs(parts.query, keep_blank_values=True).items()}
        if parts.path == "/token":
            api.count_token(1)
            try:
                if not api.token_fault or api.token_fault(self):
                    api.give_token(self, headers, body)
            finally:
                api.count_token(-1)
            return
        if parts.path == api.session_path:
            api.give_session(self, headers, body)
            return
        with api.lock:
            api.requests.append((self.command, self.path, headers, body))
        if not api.has_token(headers):
            api.unauthorized(self)
        elif not api.fault or api.fault(self):
            api.serve(self, self.command, parts.path, query, headers, body)

    do_GET = do_POST = do_PUT = do_DELETE = answer


# ---- Faults ----------------------------------------------------------------------------------------------------------


def slow(seconds):
    def fault(_):
        time.sleep(seconds)
        return True

    return fault


def status(code, body=b"", headers=()):
    return lambda handler: handler.reply(code, body, headers)


def raw(data):
    return lambda handler: handler.raw(data)


def cut(handler):
    handler.cut()


def half(handler):
    handler.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"serviceEndpoints\": [")


def drip(handler):
    """An octet now and then, so that something comes all the time."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    with contextlib.suppress(OSError):
        for _ in range(1000):
            handler.wfile.write(b" ")
            time.sleep(0.05)


def huge(handler):
    """A reply that does not end by itself."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    with contextlib.suppress(OSError):
        for _ in range(100000):
            handler.wfile.write(b"10000\r\n" + b" " * 65536 + b"\r\n")
    handler.close_connection = True


def huge_head(handler):
    with contextlib.suppress(OSError):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for _ in range(100000):
            handler.wfile.write(b"X-More: " + b"x" * 1000 + b"\r\n")
    handler.close_connection = True


# What comes of them, whatever the service.
FAULTS = (
    ("garbage", raw(b"\0\xff\x01 this is no HTTP\r\n\r\n" * 5), "broken"),
    ("not JSON", status(200, b"<html>welcome</html>"), "broken"),
    ("nothing", status(200, b""), "broken"),
    ("huge", huge, "broken: the reply is too long"),
    ("huge head", huge_head, "broken: the reply is too long"),
    ("half closed", half, "broken"),
    ("closed", cut, "broken"),
    ("redirect", lambda handler: handler.reply(302, b"", [("Location", handler.api.url + "/stolen")]),
     "broken: HTTP status 302: redirects are not followed"),
    ("500", status(500, {"message": "sorry"}), "broken: HTTP status 500"),
    ("502", status(502, b"<html>"), "broken: HTTP status 502"),
    ("503", status(503, b"", [("Retry-After", "7")]), "busy retry=7: HTTP status 503"),
    ("504", status(504, b""), "timeout: HTTP status 504"),
    ("429", status(429, b""), "busy: HTTP status 429"),
    ("429 with Retry-After", status(429, b"", [("Retry-After", "30")]), "busy retry=30: HTTP status 429"),
    ("403", status(403, b""), "denied: HTTP status 403"),
    ("404 of another", status(404, b"<html>no such page</html>"), "broken: HTTP status 404: is `base-url` right?"),
    ("deep", status(200, b"[" * 100000), "broken"),
    ("interim", raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + b"HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n"), "busy"),
)
