"""Examples of requests with curl, as x-codeSamples of an operation."""

from collections.abc import Mapping
from typing import Any

from handlers.openapi.interface import FunctionFacts, Interface


def code_samples(
    interface: Interface, function: FunctionFacts, method: str, operation: Mapping[str, Any]
) -> list[dict[str, str]]:
    """Return a command line for the operation, and for each of its response formats."""
    content = operation.get("requestBody", {}).get("content", {})
    formats = [
        each["x-format"]
        for each in operation["responses"].get("200", {}).get("content", {}).values()
        if "x-format" in each
    ]
    url = f"{interface.origin}{function.path}"
    has_form = "multipart/form-data" in content
    pieces = [
        "curl",
        *(["--cacert tls/local/ca.pem"] if interface.development_certificate else []),
        *([] if function.public else ['-H "X-API-Key: $OCR_KEY"']),
        *([] if has_form or method == "GET" else [f"-X {method}"]),
        *(["\\\n     -F image=@receipt.png"] if has_form else []),
    ]
    targets = {"curl": url}
    for each in formats[1:]:
        name, file = each["name"], f"receipt.{each['extension']}"
        targets[name] = f'-o {file} "{url}?format={name}"'
    return [
        {"lang": "Shell", "label": label, "source": " ".join([*pieces, target])}
        for label, target in targets.items()
    ]
