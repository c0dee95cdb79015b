"""Examples of requests with curl, as x-codeSamples of an operation."""

import json
from collections.abc import Mapping
from typing import Any

from handlers.openapi.interface import FunctionFacts, Interface

_FORM = "multipart/form-data"
_JSON = "application/json"
_LINE = "\\\n     "


def code_samples(
    interface: Interface, function: FunctionFacts, method: str, operation: Mapping[str, Any]
) -> list[dict[str, str]]:
    """Return a command line for the operation, and for each of its response formats."""
    body = _body(operation.get("requestBody", {}).get("content", {}))
    formats = [
        each["x-format"]
        for each in operation["responses"].get("200", {}).get("content", {}).values()
        if "x-format" in each
    ]
    url = f"{interface.origin}{function.path}"
    pieces = [
        "curl",
        *(["--cacert tls/local/ca.pem"] if interface.development_certificate else []),
        *([] if function.public else ['-H "X-API-Key: $OCR_KEY"']),
        *([] if method == "GET" or (method == "POST" and body) else [f"-X {method}"]),
        *([_LINE + body] if body else []),
    ]
    targets = {"curl": url}
    for each in formats[1:]:
        name, file = each["name"], f"receipt.{each['extension']}"
        targets[name] = f'-o {file} "{url}?format={name}"'
    return [
        {"lang": "Shell", "label": label, "source": " ".join([*pieces, target])}
        for label, target in targets.items()
    ]


def _body(content: Mapping[str, Any]) -> str:
    """Return the arguments that send a file: in a form, as base64 in JSON, or by itself."""
    if _FORM in content:
        return f"-F {_file_in(content[_FORM]['schema'], 'binary')}=@receipt.png"
    if _JSON in content and "$ref" not in content[_JSON].get("schema", {}):
        name = _file_in(content[_JSON].get("schema", {}), "byte")
        return f"--json '{json.dumps({name: '...'})}'"
    return "--data-binary @receipt.png" if "application/octet-stream" in content else ""


def _file_in(schema: Mapping[str, Any], format_: str) -> str:
    """Return the name of the first member that is a file, or a list of them."""
    properties = schema.get("properties", {})
    files = [
        name
        for name, each in properties.items()
        if format_ in {each.get("format"), each.get("items", {}).get("format")}
    ]
    return files[0] if files else next(iter(properties), "image")
