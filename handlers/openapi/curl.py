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
        each["x-format"]["name"]
        for each in operation["responses"].get("200", {}).get("content", {}).values()
        if "x-format" in each
    ]
    url = f"{interface.origin}{function.path}"
    pieces = [
        "curl",
        *(["--cacert tls/local/ca.pem"] if interface.development_certificate else []),
        *([] if function.public else ['-H "X-API-Key: $OCR_KEY"']),
        *(["-F image=@receipt.png"] if "multipart/form-data" in content else []),
        *([] if "multipart/form-data" in content or method == "GET" else [f"-X {method}"]),
    ]
    targets = {"curl": url}
    targets |= {f"curl, {name}": f'"{url}?format={name}"' for name in formats[1:]}
    return [
        {"lang": "Shell", "label": label, "source": " ".join([*pieces, target])}
        for label, target in targets.items()
    ]
