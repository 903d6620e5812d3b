"""A Kubernetes API server for tests, as far as a client of a few resources can tell: discovery, lists in pages, watches
with bookmarks and a history that ends, create, replace, merge patches and delete, over TLS with tokens or client
certificates. Real kubectl works with it. Faults are ordered by calls of KubeApi. Lists inside of objects are replaced as
a whole by patches.

Run alone it serves until standard input ends: `python3 tests/flow/kubeapi.py`, and says where its kubeconfig is."""

import base64
import contextlib
import copy
import ctypes
import http.server
import json
import pathlib
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import uuid

KINDS = {
    ("v1", "services"): "Service",
    ("networking.k8s.io/v1", "ingresses"): "Ingress",
    ("discovery.k8s.io/v1", "endpointslices"): "EndpointSlice",
    ("gateway.networking.k8s.io/v1", "gateways"): "Gateway",
    ("gateway.networking.k8s.io/v1", "httproutes"): "HTTPRoute",
    # For kubectl, of which the plugin knows nothing.
    ("v1", "configmaps"): "ConfigMap",
    ("v1", "namespaces"): "Namespace",
    ("v1", "serviceaccounts"): "ServiceAccount",
    ("apps/v1", "deployments"): "Deployment",
    ("rbac.authorization.k8s.io/v1", "clusterrolebindings"): "ClusterRoleBinding",
    ("rbac.authorization.k8s.io/v1", "clusterroles"): "ClusterRole",
}
CLUSTER_WIDE = ("namespaces", "clusterrolebindings", "clusterroles")  # stored with the namespace ""
HISTORY = 100000
SO_ATTACH_FILTER = 26


def make_certificates(folder):
    """A CA, a server's certificate for 127.0.0.1 and a client's."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True, timeout=60)

    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.crt", "-days", "30", "-subj", "/CN=test CA")
    for name, extension in (("server", "subjectAltName=IP:127.0.0.1"), ("client", "extendedKeyUsage=clientAuth")):
        (folder / f"{name}.ext").write_text(extension + "\n")
        openssl("req", *new, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
                "-out", f"{name}.crt", "-days", "30", "-extfile", f"{name}.ext")


class Status(Exception):
    """An answer other than success."""

    def __init__(self, code, reason, message, retry_after=None):
        super().__init__(message)
        self.code, self.reason, self.message, self.retry_after = code, reason, message, retry_after

    def body(self):
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": self.message,
                "reason": self.reason, "code": self.code}


def expired():
    return Status(410, "Expired", "too old resource version")


def merge(old, patch):
    """RFC 7396, without the directives of strategic merge patches."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif not key.startswith("$"):
            merged[key] = merge(merged.get(key), value)
    return merged


def selects(selector, values):
    """Whether `a=b,c!=d,e` selects these labels (or fields)."""
    for term in filter(None, (selector or "").split(",")):
        if "!=" in term:
            key, _, value = term.partition("!=")
            good = values.get(key) != value
        elif "=" in term:
            key, _, value = term.replace("==", "=").partition("=")
            good = values.get(key) == value
        else:
            good = term in values
        if not good:
            return False
    return True


class Watch:
    """A watch that a client holds."""

    def __init__(self, handler, resource):
        self.handler, self.resource = handler, resource
        self.order = None  # what to do next besides telling events: a function of this
        self.mute = False


class KubeApi:
    """The server. Objects are stored by resource name ("ingresses"), then by (namespace, name); they are replaced, never
    changed, so a list is a snapshot."""

    def __init__(self, folder=None, gateways=True):
        self.own_folder = folder is None
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="edgesteer-kubeapi-"))
        self.kinds = {key: kind for key, kind in KINDS.items() if gateways or not key[0].startswith("gateway.")}
        self.lock = threading.Condition(threading.RLock())
        self.objects = {plural: {} for _, plural in KINDS}
        self.history = {plural: [] for _, plural in KINDS}
        self.version = self.oldest = 1000
        self.continues = {}
        self.tokens = {"first-token"}
        self.watches, self.connections, self.requests = [], set(), []
        self.faults = []  # [verb, resource, count, function of the handler]
        self.bookmark_s, self.longest_watch_s = 60, 3600
        self.closed = False
        if not (self.folder / "ca.crt").exists():
            make_certificates(self.folder)
        self.write_token("first-token")
        self.server, self.port = None, 0
        self.start()

    # -- Life

    def start(self):
        api = self

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads, allow_reuse_address, request_queue_size, block_on_close = True, True, 128, False

            def handle_error(self, request, client_address):  # clients come and go as they like
                pass

        class Bound(Handler):
            pass

        Bound.api = api
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.crt", self.folder / "server.key")
        context.load_verify_locations(self.folder / "ca.crt")
        context.verify_mode = ssl.CERT_OPTIONAL
        Bound.context = context
        self.closed = False
        self.server = Server(("127.0.0.1", self.port), Bound)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self):
        """Down, with all connections reset; start() has the same port and objects."""
        self.closed = True
        self.server.shutdown()
        self.server.server_close()
        self.drop_connections()

    def drop_connections(self):
        with self.lock:
            for connection in list(self.connections):
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self.lock.notify_all()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        if self.own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def write_token(self, token, mode=0o600):
        """Puts a token into the file that clients are given, by renaming, as kubelet does."""
        path = self.folder / "token.new"
        path.write_text(token + "\n")
        path.chmod(mode)
        path.rename(self.folder / "token")

    def kubeconfig(self):
        path = self.folder / "kubeconfig"
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": self.url,
                                                      "certificate-authority": str(self.folder / "ca.crt")}}],
            "users": [{"name": "test", "user": {"tokenFile": str(self.folder / "token")}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test", "namespace": "default"}}]}))
        return path

    # -- Objects

    def resource(self, plural):
        return next((version, kind) for (version, name), kind in self.kinds.items() if name == plural)

    def put(self, plural, manifest, event=None):
        """Creates or replaces an object and tells the watches. Returns it as it is stored."""
        with self.lock:
            version, kind = self.resource(plural)
            stored = copy.deepcopy(manifest)
            meta = stored.setdefault("metadata", {})
            key = (meta.setdefault("namespace", "" if plural in CLUSTER_WIDE else "default"), meta["name"])
            old = self.objects[plural].get(key)
            self.version += 1
            stored.update(apiVersion=version, kind=kind)
            meta["resourceVersion"] = str(self.version)
            meta["uid"] = old["metadata"]["uid"] if old else str(uuid.uuid4())
            meta.setdefault("creationTimestamp", old["metadata"]["creationTimestamp"] if old else "2026-01-02T03:04:05Z")
            self.objects[plural][key] = stored
            self._happened(plural, event or ("MODIFIED" if old else "ADDED"), stored)
            return stored

    def patch(self, plural, namespace, name, patch):
        with self.lock:
            return self.put(plural, merge(self.get(plural, namespace, name), patch))

    def get(self, plural, namespace, name):
        with self.lock:
            if (namespace, name) not in self.objects[plural]:
                raise Status(404, "NotFound", f'{plural} "{name}" not found')
            return self.objects[plural][namespace, name]

    def delete(self, plural, namespace, name):
        with self.lock:
            gone = copy.deepcopy(self.get(plural, namespace, name))
            del self.objects[plural][namespace, name]
            self.version += 1
            gone["metadata"]["resourceVersion"] = str(self.version)
            self._happened(plural, "DELETED", gone)
            return gone

    def load(self, plural, manifests):
        """Many at once, before anybody watches."""
        for manifest in manifests:
            self.put(plural, manifest)

    def _happened(self, plural, kind, stored):
        self.history[plural].append((self.version, kind, stored))
        del self.history[plural][:-HISTORY]
        self.lock.notify_all()

    def compact(self):
        """Forgets the history: who asks for an older version, or for the next page of a list, gets 410."""
        with self.lock:
            self.version += 1
            self.oldest = self.version
            self.continues.clear()

    # -- Faults

    def fault(self, verb, plural, action, count=1):
        """The next `count` requests (verb "list", "watch" or "any") get action(handler) instead of an answer."""
        with self.lock:
            self.faults.append([verb, plural, count, action])

    def fail(self, verb, plural, code, count=1, retry_after=None, reason="Fault"):
        def action(_):
            raise Status(code, reason, f"ordered to fail with {code}", retry_after)
        self.fault(verb, plural, action, count)

    def take_fault(self, verb, plural):
        with self.lock:
            for fault in self.faults:
                if fault[0] in (verb, "any") and fault[1] in (plural, None) and fault[2] > 0:
                    fault[2] -= 1
                    return fault[3]
        return None

    def order(self, plural, action):
        """Has every watch of the resource do action(watch), which may raise. Returns how many there are."""
        with self.lock:
            found = [watch for watch in self.watches if watch.resource == plural and not watch.mute]
            for watch in found:
                watch.order = action
            self.lock.notify_all()
            return len(found)

    def vanish(self):
        """Half-open connections: no packet of the clients is heard or answered any more, and nothing is sent."""
        code = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # BPF_RET | BPF_K, 0: drop
        program = struct.pack("HL", 1, ctypes.addressof(code))
        with self.lock:
            for watch in self.watches:
                watch.mute = True
            for connection in self.connections:
                connection.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
            count = len(self.connections)
            self.connections = set()
            return count

    def watching(self, plural):
        with self.lock:
            return sum(watch.resource == plural and not watch.mute for watch in self.watches)


class Cut(Exception):
    """The connection is to end here, in the middle."""


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    api = context = None

    def setup(self):
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request.settimeout(10)
        self.request = self.context.wrap_socket(self.request, server_side=True)
        self.request.settimeout(None)
        super().setup()
        with self.api.lock:
            self.api.connections.add(self.connection)
            if self.api.closed:
                raise Cut

    def finish(self):
        with self.api.lock:
            self.api.connections.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, *_):
        pass

    # -- Replies

    def reply(self, code, body, headers=()):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def begin_stream(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def event(self, kind, item):
        self.chunk(json.dumps({"type": kind, "object": item}).encode() + b"\n")

    # -- Requests

    def answer(self):
        url = urllib.parse.urlsplit(self.path)
        self.parameters = dict(urllib.parse.parse_qsl(url.query))
        self.length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(self.length) if self.length else b""
        with self.api.lock:
            self.api.requests.append((self.command, self.path))
        try:
            token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
            if token not in self.api.tokens and not self.connection.getpeercert():
                raise Status(401, "Unauthorized", "Unauthorized")
            self.route(url.path)
        except Status as status:
            headers = [("Retry-After", str(status.retry_after))] if status.retry_after is not None else []
            self.reply(status.code, status.body(), headers)
        except (Cut, OSError):
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def route(self, path):
        parts = path.strip("/").split("/")
        if len(parts) <= 1 or parts[0] not in ("api", "apis"):
            self.reply(200, self.discover(parts))
            return
        group, rest = (parts[1], parts[2:]) if parts[0] == "api" else ("/".join(parts[1:3]), parts[3:])
        if not rest:
            self.reply(200, self.resources(group))
            return
        namespace = None
        if rest[0] == "namespaces" and len(rest) > 2:
            namespace, rest = rest[1], rest[2:]
        if (group, rest[0]) not in self.api.kinds:
            self.send_response(404)
            self.send_header("Content-Length", "19")
            self.end_headers()
            self.wfile.write(b"404 page not found\n")
            return
        if len(rest) == 1:
            self.collection(rest[0], namespace)
        else:
            self.single(rest[0], namespace or "", rest[1])

    def discover(self, parts):
        if parts[0] == "version":
            return {"major": "1", "minor": "31", "gitVersion": "v1.31.0"}
        if parts[0] == "api":
            return {"kind": "APIVersions", "versions": ["v1"]}
        if parts[0] != "apis":
            raise Status(404, "NotFound", "there is no such path")
        groups = sorted({version for version, _ in self.api.kinds if "/" in version})
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [
            {"name": group.split("/")[0], "versions": [{"groupVersion": group, "version": "v1"}],
             "preferredVersion": {"groupVersion": group, "version": "v1"}} for group in groups]}

    def resources(self, group):
        found = [{"name": plural, "singularName": kind.lower(), "namespaced": plural not in CLUSTER_WIDE, "kind": kind,
                  "verbs": ["create", "delete", "get", "list", "patch", "update", "watch"],
                  "shortNames": {"ingresses": ["ing"], "services": ["svc"]}.get(plural, [])}
                 for (version, plural), kind in self.api.kinds.items() if version == group]
        if not found:
            raise Status(404, "NotFound", "there is no such group")
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group, "resources": found}

    def single(self, plural, namespace, name):
        if self.command == "GET":
            self.reply(200, self.api.get(plural, namespace, name))
        elif self.command == "PUT":
            self.reply(200, self.api.put(plural, json.loads(self.body)))
        elif self.command == "PATCH":
            self.reply(200, self.api.patch(plural, namespace, name, json.loads(self.body)))
        elif self.command == "DELETE":
            gone = self.api.delete(plural, namespace, name)
            self.reply(200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
                             "details": {"name": name, "kind": plural, "uid": gone["metadata"]["uid"]}})
        else:
            raise Status(405, "MethodNotAllowed", "not this method")

    def collection(self, plural, namespace):
        if self.command == "POST":
            manifest = json.loads(self.body)
            manifest["metadata"].setdefault("namespace", namespace or "")
            if (manifest["metadata"]["namespace"], manifest["metadata"]["name"]) in self.api.objects[plural]:
                raise Status(409, "AlreadyExists", "it exists already")
            self.reply(201, self.api.put(plural, manifest))
            return
        watch = self.parameters.get("watch") in ("1", "true")
        fault = self.api.take_fault("watch" if watch else "list", plural)
        if fault:
            fault(self)
        elif watch:
            self.watch(plural, namespace)
        else:
            self.list(plural, namespace)

    def wants(self, item, namespace):
        meta = item["metadata"]
        return (namespace in (None, meta["namespace"]) and
                selects(self.parameters.get("labelSelector"), meta.get("labels", {})) and
                selects(self.parameters.get("fieldSelector"),
                        {"metadata.name": meta["name"], "metadata.namespace": meta["namespace"]}))

    def list(self, plural, namespace):
        api, limit, token = self.api, int(self.parameters.get("limit") or 0), self.parameters.get("continue")
        with api.lock:
            group, kind = api.resource(plural)
            if token:
                if token not in api.continues:
                    raise Status(410, "Expired", "The provided continue parameter is too old")
                version, items = api.continues[token]
            else:
                version = api.version
                items = [item for _, item in sorted(api.objects[plural].items()) if self.wants(item, namespace)]
            meta = {"resourceVersion": str(version)}
            page, rest = (items[:limit], items[limit:]) if limit else (items, [])
            if rest:
                meta["continue"] = base64.b64encode(f"{version}+/{len(rest)} {uuid.uuid4()}".encode()).decode()
                meta["remainingItemCount"] = len(rest)
                api.continues[meta["continue"]] = (version, rest)
        self.reply(200, {"kind": kind + "List", "apiVersion": group, "metadata": meta, "items": page})

    # -- Watches

    def watch(self, plural, namespace):
        api, watch = self.api, Watch(self, plural)
        at = int(self.parameters.get("resourceVersion") or 0)
        end = time.monotonic() + min(float(self.parameters.get("timeoutSeconds") or 1800), api.longest_watch_s)
        self.begin_stream()
        with api.lock:
            if at == 0:
                at = api.version
                for item in list(api.objects[plural].values()):
                    if self.wants(item, namespace):
                        self.event("ADDED", item)
            elif at < api.oldest:
                self.event("ERROR", expired().body())
                self.wfile.write(b"0\r\n\r\n")
                return
            api.watches.append(watch)
        try:
            self.tell(watch, namespace, at, end)
            self.wfile.write(b"0\r\n\r\n")
        finally:
            with api.lock:
                api.watches.remove(watch)

    def tell(self, watch, namespace, at, end):
        api, plural, bookmark = self.api, watch.resource, time.monotonic() + self.api.bookmark_s
        while time.monotonic() < end:
            with api.lock:
                while watch.mute:  # the thread stays, so that the connection does
                    api.lock.wait(3600)
                history = api.history[plural]
                first = len(history)
                while first and history[first - 1][0] > at:
                    first -= 1
                news, order, watch.order, now = history[first:], watch.order, None, api.version
                if not news and not order:
                    api.lock.wait(max(0, min(end, bookmark) - time.monotonic()))
                if api.closed:
                    raise Cut
            for version, kind, item in news:
                at = version
                if self.wants(item, namespace):
                    self.event(kind, item)
            if order and order(watch):
                return
            if time.monotonic() >= bookmark:
                bookmark = time.monotonic() + api.bookmark_s
                if self.parameters.get("allowWatchBookmarks") == "true":
                    group, kind = api.resource(plural)
                    at = now  # `news` were all up to there
                    self.event("BOOKMARK", {"kind": kind, "apiVersion": group,
                                            "metadata": {"resourceVersion": str(at), "creationTimestamp": None}})


if __name__ == "__main__":
    with KubeApi() as server:
        print(f"KUBECONFIG={server.kubeconfig()}", flush=True)
        sys.stdin.read()
