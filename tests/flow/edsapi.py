"""Verizon's 5G Edge Discovery Service for tests, as far as it is documented: serviceendpoints and mecplatforms for a UE's
address, lists of registered endpoints, and ThingSpace's sessions, in the parameters, limits and replies of the published
SDKs. There is no OpenAPI file; DOCUMENT says the same."""

import ipaddress
import json
import secrets
import uuid

from lookupapi import LookupApi
from openapi import OpenApi

UE = [{"name": "region", "in": "query", "schema": {"type": "string", "enum": ["US_EAST_1", "US_WEST_2"]}},
      {"name": "UEIdentityType", "in": "query", "required": True, "schema": {"type": "string", "enum": ["IPAddress"]}},
      {"name": "UEIdentity", "in": "query", "required": True, "schema": {"type": "string", "minLength": 1}},
      {"name": "VZ-M2M-Token", "in": "header", "schema": {"type": "string", "minLength": 1}}]
IDS = {"name": "serviceEndpointsIds", "in": "query", "required": True, "schema": {"type": "string", "format": "uuid"}}
STRING = {"type": "string"}


def answers(name, item):
    schema = {"type": "object", "required": [name], "properties": {name: {"type": "array", "maxItems": 100, "items": item}}}
    error = {"type": "object", "required": ["status", "message"],
             "properties": {"status": {"type": "string", "maxLength": 32}, "message": {"type": "string", "maxLength": 32},
                            "data": {"type": "object", "properties": {"additionalMessage": STRING}}}}
    return {status: {"content": {"application/json": {"schema": schema if status == "200" else error}}}
            for status in ("200", "400", "401", "404", "500")}


ENDPOINT = {"type": "object", "required": ["ern"], "properties": {
    "ern": {"type": "string", "minLength": 3, "maxLength": 32},
    "serviceEndpoint": {"type": "object", "properties": {
        "URI": STRING, "FQDN": STRING, "IPv4Address": {"type": "string", "format": "ipv4"},
        "IPv6Address": {"type": "string", "format": "ipv6"}, "port": {"type": "integer", "minimum": 1, "maximum": 10000}}},
    "applicationServerProviderId": {"type": "string", "enum": ["AWS"]}, "applicationId": STRING,
    "serviceDescription": STRING}}
PLATFORM = {"type": "object", "required": ["ern"], "properties": {
    "ern": {"type": "string", "minLength": 3, "maxLength": 32}, "zone": {}, "region": STRING,
    "status": {"type": "string", "enum": ["unknown", "active", "inactive"]}, "properties": {"type": "object"}}}
WORD = {"type": "string", "pattern": "^[A-Za-z0-9]{3,32}$"}
REGISTERED = {"type": "object", "required": ["ern", "applicationServerProviderId", "applicationId", "serviceProfileID"],
              "properties": {
                  "ern": {"type": "string", "pattern": "^[A-Za-z0-9-]{3,32}$"},
                  "serviceEndpoint": {"type": "object", "properties": {
                      "URI": {"type": "string", "maxLength": 32}, "FQDN": {"type": "string", "pattern": "^[A-Za-z0-9.]{3,32}$"},
                      "IPv4Address": {"type": "string", "format": "ipv4", "maxLength": 32},
                      "IPv6Address": {"type": "string", "format": "ipv6", "maxLength": 64},
                      "port": {"type": "integer", "minimum": 1, "maximum": 10000}}},
                  "applicationServerProviderId": {"type": "string", "enum": ["AWS"]}, "applicationId": WORD,
                  "serviceDescription": WORD, "serviceProfileID": {"type": "string", "format": "uuid"}}}
LIST = {"type": "array", "minItems": 1, "maxItems": 100, "items": REGISTERED}
M2M = UE[3:]


def operation(reply, body=None):
    found = {"parameters": M2M, "responses": {**answers("x", {}), "200": {"content": {"application/json": {"schema": reply}}}}}
    if body:
        found["requestBody"] = {"content": {"application/json": {"schema": body}}}
    return found


def record(**texts):
    return {"type": "object", "required": list(texts), "properties": {name: {"type": "string", **more} for name, more in texts.items()}}


ONE = "/serviceendpoints/{serviceEndpointsId}"
DONE = record(status={"enum": ["Success"]}, message={})
DOCUMENT = {"paths": {
    "/serviceendpoints": {"get": {"parameters": [*UE, IDS], "responses": answers("serviceEndpoints", ENDPOINT)},
                          "post": operation(record(serviceEndpointsId={"format": "uuid"}), LIST)},
    "/serviceendpointsall": {"get": operation({"type": "object", "required": ["status", "data"], "properties": {
        "status": STRING, "data": {"type": "array", "items": STRING}}})},
    ONE: {"get": operation({**LIST, "minItems": 0}), "put": operation(DONE, LIST), "delete": operation(DONE)},
    "/mecplatforms": {"get": {"parameters": UE, "responses": answers("MECPlatforms", PLATFORM)}}}}

BASE = "/api/mec/eds"
ENDPOINTS_ID = "43f3f7bb-d6c5-4bad-b081-9a3a0df2db98"


class EdsApi(LookupApi):
    def __init__(self, **words):
        super().__init__(**words)
        self.api = OpenApi(document=DOCUMENT)
        self.places = {}  # from an address to [(ern, status)], best first
        self.base = self.url + BASE
        self.lists = {}   # registered endpoints, by ID
        self.deaf = False  # takes what is registered, and keeps nothing of it
        self.user, self.password = "operator", "pass-word+1"
        self.sessions = None  # those that count; None: none is wanted
        self.session_requests = 0
        self.session_path = "/api/m2m/v1/session/login"

    def give_session(self, handler, headers, body):
        login = json.loads(body)
        with self.lock:
            self.session_requests += 1
        if not self.has_token(headers):
            return handler.reply(401, {"errorCode": "UnifiedWebService.REQUEST_FAILED", "errorMessage": "no token"})
        if headers.get("content-type") != "application/json" or login != {"username": self.user, "password": self.password}:
            return handler.reply(400, {"errorCode": "INPUT_INVALID.Invalid", "errorMessage": f"no {login.get('password')}"})
        token = secrets.token_urlsafe(20)
        with self.lock:
            self.sessions.add(token)
        return handler.reply(200, {"sessionToken": token})

    def has_token(self, headers):
        return super().has_token(headers) and (self.sessions is None or "vz-m2m-token" not in headers or
                                               headers["vz-m2m-token"] in self.sessions)

    def unauthorized(self, handler):
        self.send(handler, "/serviceendpoints", 401, {"status": "UNAUTHENTICATED", "message": "invalid_token"})

    def send(self, handler, path, status, body, method="GET"):
        for fault in self.api.response_faults(method, path, status, body):
            self.complain("our own reply:", fault)
        handler.reply(status, body)

    def register(self, handler, method, path, body):
        """Requests about lists."""
        key, template = path.removeprefix("/serviceendpoints/"), path if path.count("/") == 1 else ONE
        if template == ONE and key not in self.lists:
            return self.send(handler, ONE, 404, {"status": "NOT_FOUND", "message": "unknown serviceEndpointsId"})
        if path == "/serviceendpointsall":
            return self.send(handler, path, 200, {"status": "success", "data": list(self.lists)})
        if method == "GET":
            return self.send(handler, ONE, 200, self.lists[key])
        if method == "POST":
            key = str(uuid.uuid4())
        with self.lock:
            if not self.deaf:
                self.lists[key] = body
            if method == "DELETE":
                del self.lists[key]
        text = {"PUT": "EdgeAppServices are updated", "DELETE": "EdgeAppServicesID Deleted"}.get(method)
        reply = {"status": "Success", "message": text} if text else {"serviceEndpointsId": key}
        return self.send(handler, template, 200, reply, method)

    def check_address(self, text):
        address = ipaddress.ip_address(text)
        if text not in (address.exploded, str(address) if address.version == 4 else None):
            self.complain("an address that is not written out:", text)
        return str(address)

    def serve(self, handler, method, path, query, headers, body):
        path = path.removeprefix(BASE)
        template = ONE if path.startswith("/serviceendpoints/") else path
        body = json.loads(body) if body else None
        faults = self.api.request_faults(method, template, query, headers, body)
        if faults or headers.get("accept") != "application/json":
            self.complain(method, path, faults)
            return self.send(handler, "/mecplatforms", 400, {"status": "BAD_REQUEST", "message": "bad parameters"})
        if self.sessions is not None and "vz-m2m-token" not in headers:
            self.complain("a request without its session:", method, path)
        if template == ONE or path == "/serviceendpointsall" or method != "GET":
            return self.register(handler, method, path, body)
        if path == "/mecplatforms" and "region" not in query:
            self.complain("mecplatforms without a region")
        found = self.places.get(self.check_address(query["UEIdentity"]), [])
        if path == "/mecplatforms":
            return self.send(handler, path, 200, {"MECPlatforms": [
                {"ern": ern, "zone": None, "region": query["region"], "status": status, "properties": {}}
                for ern, status in found]})
        return self.send(handler, path, 200, {"serviceEndpoints": [
            {"ern": ern, "serviceEndpoint": {"URI": "http://base/id", "FQDN": "thingtest.verizon.com",
                                             "IPv4Address": "192.168.11.10", "port": 1234},
             "applicationServerProviderId": "AWS", "applicationId": "IogspaceJan15", "serviceDescription": "ThieIt"}
            for ern, _ in found]})
