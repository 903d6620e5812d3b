"""Messages held to an OpenAPI file: the parts of JSON schema that CAMARA's files use, and no other, so that none is passed
over in silence."""

import ipaddress
import json
import re
import uuid

import harness

FOLDER = harness.TOP / "tests" / "data" / "camara"
QUIET = {"example", "examples", "default", "title", "additionalProperties"}


def _is_format(name, value):
    try:
        {"uuid": uuid.UUID, "ipv4": ipaddress.IPv4Address, "ipv6": ipaddress.IPv6Address}[name](value)
        return True
    except ValueError:
        return False


TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
CHECKS = {
    "type": lambda want, value: isinstance(value, TYPES[want]) and (want == "boolean") == isinstance(value, bool),
    "enum": lambda want, value: value in want,
    "required": lambda want, value: not isinstance(value, dict) or set(want) <= set(value),
    "pattern": lambda want, value: not isinstance(value, str) or re.search(want, value),
    "format": lambda want, value: not isinstance(value, str) or _is_format(want, value),
    "minimum": lambda want, value: not isinstance(value, int) or value >= want,
    "maximum": lambda want, value: not isinstance(value, int) or value <= want,
    "minLength": lambda want, value: not isinstance(value, str) or len(value) >= want,
    "maxLength": lambda want, value: not isinstance(value, str) or len(value) <= want,
    "minItems": lambda want, value: not isinstance(value, list) or len(value) >= want,
    "maxItems": lambda want, value: not isinstance(value, list) or len(value) <= want,
    "minProperties": lambda want, value: not isinstance(value, dict) or len(value) >= want,
    "maxProperties": lambda want, value: not isinstance(value, dict) or len(value) <= want,
}


class OpenApi:
    def __init__(self, name=None, document=None):
        self.document = document or json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))

    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            found = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            node = found
        return node

    # -- Values

    def declared(self, schema):
        """The names that a schema declares for an object, those of all of allOf together; None: any."""
        schema = self.resolve(schema)
        names = set(schema.get("properties", {}))
        for part in schema.get("allOf", []):
            names |= self.declared(part) or set()
        return names or None

    def faults(self, schema, value, where="body", strict=True):
        """What is wrong with the value. `strict`: members that are not declared are wrong too."""
        schema = self.resolve(schema)
        found = []
        for keyword, want in schema.items():
            if keyword in CHECKS:
                if not CHECKS[keyword](want, value):
                    found.append(f"{where}: {keyword} {want}: {str(value)[:80]}")
            elif keyword == "allOf":
                for part in want:
                    found += self.faults(part, value, where, False)
            elif keyword == "anyOf":
                if all(self.faults(part, value, where, False) for part in want):
                    found.append(f"{where}: none of anyOf: {str(value)[:80]}")
            elif keyword == "properties":
                for name, part in want.items():
                    if isinstance(value, dict) and name in value:
                        found += self.faults(part, value[name], f"{where}.{name}", strict)
            elif keyword == "items":
                for i, item in enumerate(value if isinstance(value, list) else []):
                    found += self.faults(want, item, f"{where}[{i}]", strict)
            elif keyword not in QUIET:
                raise ValueError(f"JSON schema's {keyword} is not known here")
        names = self.declared(schema) if strict and isinstance(value, dict) else None
        return found + [f"{where}.{name} is not declared" for name in (value if names else ()) if name not in names]

    # -- Messages

    def operation(self, method, path):
        return self.document["paths"].get(path, {}).get(method.lower())

    def request_faults(self, method, path, query, headers, body):
        """`query` and `headers` are dicts, names of headers in lower case; `body` is a value, None: there is none."""
        operation = self.operation(method, path)
        if operation is None:
            return [f"no operation {method} {path}"]
        found, known = [], {"query": set(), "header": set()}
        for parameter in map(self.resolve, operation.get("parameters", [])):
            name = parameter["name"] if parameter["in"] == "query" else parameter["name"].lower()
            text = (query if parameter["in"] == "query" else headers).get(name)
            known[parameter["in"]].add(name)
            if text is None:
                found += [f"no {name}"] if parameter.get("required") else []
                continue
            number = self.resolve(parameter["schema"]).get("type") == "integer"
            found += self.faults(parameter["schema"], int(text) if number and text.isdigit() else text, name)
        found += [f"query {name} is not declared" for name in query if name not in known["query"]]
        plain = {"host", "accept", "authorization", "user-agent", "content-type", "content-length"}
        found += [f"header {name} is not declared" for name in headers if name not in known["header"] | plain]
        content = self.resolve(operation.get("requestBody", {})).get("content")
        if not content:
            return found + (["a body"] if body is not None else [])
        if headers.get("content-type") not in content:
            return found + [f"content-type {headers.get('content-type')}"]
        return found + self.faults(content[headers["content-type"]]["schema"], body)

    def response_faults(self, method, path, status, body):
        responses = self.operation(method, path)["responses"]
        if str(status) not in responses:
            return [f"status {status} is not declared"]
        content = self.resolve(responses[str(status)])["content"]["application/json"]
        return self.faults(content["schema"], body, "response")

    def codes(self, status):
        """The error codes that the file has for a status."""
        response = self.resolve(self.document["components"]["responses"][f"Generic{status}"])
        parts = response["content"]["application/json"]["schema"]["allOf"]
        return next(part["properties"]["code"]["enum"] for part in parts if "properties" in part)

    def scopes(self, method, path):
        return self.operation(method, path)["security"][0]["openId"]
