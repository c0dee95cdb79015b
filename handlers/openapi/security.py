"""How callers authenticate, as OpenAPI security schemes."""

from typing import Any

from handlers.description import Text
from handlers.openapi.interface import FunctionFacts, Interface

_KEYS = ("apiKey", "bearer")
_CERTIFICATE = "clientCertificate"
SCHEMES: dict[str, dict[str, Any]] = {
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": Text("An API key.", "API 密钥。"),
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": Text(
            "The same API key, as Authorization: Bearer.",
            "同一 API 密钥，以 Authorization: Bearer 发送。",
        ),
    },
}
MUTUAL_TLS: dict[str, Any] = {
    "type": "mutualTLS",
    "description": Text(
        "A client certificate, with a key or in its place, as the caller's entry says.",
        "客户端证书：按调用方的配置，与密钥一同使用，或代替密钥。",
    ),
}


def security_schemes(interface: Interface) -> dict[str, dict[str, Any]]:
    """Return the schemes of this service; client certificates only if they are asked for."""
    certificate = {_CERTIFICATE: MUTUAL_TLS} if interface.certificates != "off" else {}
    headers = {each.key_header for each in interface.functions if each.key_header}
    further = {scheme_of(name): {**SCHEMES["apiKey"], "name": name} for name in sorted(headers)}
    return {**SCHEMES, **further, **certificate}


def scheme_of(header: str) -> str:
    """Return the name of the scheme for a key in a header of a function's own."""
    return f"apiKey_{header}"


def security(interface: Interface, function: FunctionFacts) -> list[dict[str, list[str]]]:
    """Return the alternatives for a function: each with its scope, or none needed."""
    if function.public:
        return []
    scopes = [function.scope]
    names = (*_KEYS, *([scheme_of(function.key_header)] if function.key_header else []))
    keys = [{name: scopes} for name in names]
    if function.loopback_without_key:
        keys.append({})
    if interface.certificates == "off":
        return keys
    certificate = {_CERTIFICATE: scopes}
    if interface.certificates == "required":
        return [certificate, *({**key, **certificate} for key in keys)]
    return [*keys, certificate]
