"""An operator's edge discovery service for tests, by CAMARA's OpenAPI files: simple-edge-discovery v1, v2 and the release
candidate after it, optimal-edge-discovery and application-endpoint-discovery. Every request and every reply is checked
against the file; newer services refuse what it does not declare, and so does this one."""

import ipaddress
import json
import re
import uuid

from lookupapi import LookupApi
from openapi import OpenApi

FILES = {"v2": "simple-edge-discovery-r2.3", "v2rc2": "simple-edge-discovery-r3.1", "v1": "simple-edge-discovery-r1.3",
         "optimal": "optimal-edge-discovery-r1.2", "endpoints": "application-endpoint-discovery-r1.2"}
PROVIDER = "Verizon"


def zone_id(name):
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))


class CamaraApi(LookupApi):
    def __init__(self, which, **words):
        super().__init__(**words)
        self.which, self.file = which, OpenApi(FILES[which])
        self.path, operations = next((path, node) for path, node in self.file.document["paths"].items()
                                     if path != "/regions")
        self.method = next(iter(operations)).upper()
        self.scope = self.file.scopes(self.method, self.path)[0]
        self.prefix = self.file.document["servers"][0]["url"].removeprefix("{apiRoot}")
        self.base = self.url + self.prefix
        self.as_list = False         # of v2: its prose says so
        self.places = {}             # from the identity of a device, as text, to its zones
        self.devices = []            # of all requests

    def error(self, handler, status, code):
        # v1's file has one code a response, and gateways give more than the files say.
        self.send(handler, status, {"status": status, "code": code, "message": "The message."}, checked=self.which != "v1")

    def unauthorized(self, handler):
        self.error(handler, 401, "UNAUTHENTICATED")

    def send(self, handler, status, body, checked=True):
        for fault in self.file.response_faults(self.method, self.path, status, body) if checked else []:
            self.complain("our own reply:", fault)
        correlator = handler.headers.get("x-correlator")
        handler.reply(status, body, [("x-correlator", correlator)] if correlator else [])

    def check_correlator(self, headers):
        correlator = headers.get("x-correlator", "")
        if not re.fullmatch(r"[a-zA-Z0-9-_:;./<>{}]{1,256}", correlator) or correlator in self.correlators:
            self.complain("x-correlator:", correlator)
        self.correlators.add(correlator)

    def device(self, headers, body):
        """As in a body."""
        if self.which != "v1":
            return (body or {}).get("device")
        if "ipv6-address" in headers:
            return {"ipv6Address": headers["ipv6-address"]}
        found = {"publicAddress": headers.get("ipv4-address"), "publicPort": int(headers.get("public-port", 0))}
        return {"ipv4Address": {name: value for name, value in found.items() if value}}

    def zone(self, name):
        found = {"edgeCloudZoneId": zone_id(name), "edgeCloudZoneName": name, "edgeCloudProvider": PROVIDER}
        status = {"optimal": "status", "endpoints": "edgeCloudZoneStatus"}.get(self.which)
        if status:
            found[status] = "inactive" if name.startswith("Closed") else "active"
        return found

    def result(self, zones, body):
        if self.which == "v1" or self.as_list:
            return [self.zone(zones[0])]
        if self.which == "optimal":
            return {"edgeCloudZones": [self.zone(name) for name in zones],
                    "applicationProfileId": body["applicationProfileId"]}
        if self.which == "endpoints":
            ids = {name: body[name] for name in ("appId", "applicationEndpointsId") if name in body}
            return {**ids, "applicationEndpoints": [
                {"port": 443, **({"fqdn": name} if "." in name else {"ipv4Addresses": ["198.51.100.1"],
                                                                     "edgeCloudZone": self.zone(name)})}
                for name in zones]}
        return self.zone(zones[0])

    def serve(self, handler, method, path, query, headers, body):
        body = json.loads(body) if body else None
        faults = self.file.request_faults(method, path.removeprefix(self.prefix), query, headers, body)
        self.check_correlator(headers)
        if faults or headers.get("accept") != "application/json":
            self.complain(method, path, headers, body, faults)
            return self.error(handler, 400, "INVALID_ARGUMENT")
        device = self.device(headers, body)
        self.devices.append((device, body))
        zones = self.places.get(self.identity(device))
        if not zones:
            return self.error(handler, 404, "IDENTIFIER_NOT_FOUND" if self.which in ("v2", "v2rc2") else "NOT_FOUND")
        return self.send(handler, 200, self.result(zones, body), checked=not self.as_list)

    def identity(self, device):
        if "ipv6Address" in device:
            address = ipaddress.IPv6Address(device["ipv6Address"])
            if int(address) & (1 << 64) - 1:
                self.complain("the part of an address that tells the device:", address)
            return str(address)
        four = device["ipv4Address"]
        return f"{four['publicAddress']} {four.get('publicPort') or four.get('privateAddress')}"
