"""Verizon's 5G Edge Discovery Service for tests, as far as it is documented: serviceendpoints and mecplatforms for a UE's
address, in the parameters and replies of the published SDKs. There is no OpenAPI file; DOCUMENT says the same."""

import ipaddress

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
DOCUMENT = {"paths": {
    "/serviceendpoints": {"get": {"parameters": [*UE, IDS], "responses": answers("serviceEndpoints", ENDPOINT)}},
    "/mecplatforms": {"get": {"parameters": UE, "responses": answers("MECPlatforms", PLATFORM)}}}}

BASE = "/api/mec/eds"
ENDPOINTS_ID = "43f3f7bb-d6c5-4bad-b081-9a3a0df2db98"


class EdsApi(LookupApi):
    def __init__(self, **words):
        super().__init__(**words)
        self.api = OpenApi(document=DOCUMENT)
        self.places = {}  # from an address to [(ern, status)], best first
        self.base = self.url + BASE

    def unauthorized(self, handler):
        self.send(handler, "/serviceendpoints", 401, {"status": "UNAUTHENTICATED", "message": "invalid_token"})

    def send(self, handler, path, status, body):
        for fault in self.api.response_faults("GET", path, status, body):
            self.complain("our own reply:", fault)
        handler.reply(status, body)

    def check_address(self, text):
        address = ipaddress.ip_address(text)
        if text not in (address.exploded, str(address) if address.version == 4 else None):
            self.complain("an address that is not written out:", text)
        return str(address)

    def serve(self, handler, method, path, query, headers, body):
        path = path.removeprefix(BASE)
        faults = self.api.request_faults(method, path, query, headers, body)
        if faults or headers.get("accept") != "application/json":
            self.complain(method, path, faults)
            return self.send(handler, "/mecplatforms", 400, {"status": "BAD_REQUEST", "message": "bad parameters"})
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
