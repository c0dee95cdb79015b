"""Parsing of forwarding headers: Forwarded, or X-Forwarded-For and X-Forwarded-Proto.

Source: RFC 7239, sections 4 and 6; RFC 9110, section 5.6.1, for lists.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from starlette.datastructures import Headers

from middleware.errors import MalformedForwarding

MAX_HOPS = 32
MAX_BYTES = 8192
UNKNOWN = "unknown"

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED = r'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t !-~\x80-\xff])*"'
_ELEMENT = re.compile(rf'(?:{_QUOTED}|[^",])*')
_PAIR = re.compile(rf"({_WORD})=({_WORD}|{_QUOTED})")
_NODE = re.compile(
    r"(?P<name>\d+(?:\.\d+){3}|\[[0-9A-Fa-f:.]+\]|unknown|_[0-9A-Za-z._-]+)"
    r"(?::(?:\d{1,5}|_[0-9A-Za-z._-]+))?"
)


@dataclass(frozen=True, slots=True)
class Hop:
    """A connection to a proxy, as that proxy describes it: the client and the scheme."""

    client: str
    scheme: str | None


def read_hops(headers: Headers, kind: str) -> list[Hop]:
    """Return the hops in the headers of `kind` ("forwarded" or "x-forwarded"), nearest last.

    Raises:
        MalformedForwarding: the headers do not follow their grammar, or have too many hops.

    """
    hops = _forwarded(headers) if kind == "forwarded" else _x_forwarded(headers)
    if len(hops) > MAX_HOPS:
        raise MalformedForwarding
    return hops


def _forwarded(headers: Headers) -> list[Hop]:
    text = ", ".join(headers.getlist("forwarded"))
    return [_hop(_pairs(element)) for element in _elements(text)]


def _elements(text: str) -> list[str]:
    """Split a list at the commas outside of quotes; drop empty elements."""
    if len(text) > MAX_BYTES:
        raise MalformedForwarding
    elements = []
    at = 0
    while at <= len(text):
        found = cast("re.Match[str]", _ELEMENT.match(text, at))  # it matches "", too
        elements.append(found[0].strip(" \t"))
        if found.end() < len(text) and text[found.end()] != ",":  # a quote without an end
            raise MalformedForwarding
        at = found.end() + 1
    return [element for element in elements if element]


def _pairs(element: str) -> dict[str, str]:
    """Parse `name=value;name=value`; duplicate names and spaces are malformed."""
    pairs: dict[str, str] = {}
    at = 0
    while at < len(element):
        if element[at] == ";":  # empty pairs are valid
            at += 1
            continue
        found = _PAIR.match(element, at)
        if found is None or found[1].lower() in pairs:
            raise MalformedForwarding
        pairs[found[1].lower()] = _unquoted(found[2])
        at = found.end()
        if at < len(element) and element[at] != ";":
            raise MalformedForwarding
    return pairs


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value


def _hop(pairs: dict[str, str]) -> Hop:
    scheme = pairs.get("proto")
    return Hop(_node(pairs.get("for", UNKNOWN)), None if scheme is None else _scheme(scheme))


def _node(text: str) -> str:
    """Return the address or identifier of a node, without its port."""
    found = _NODE.fullmatch(text)
    if found is None:
        raise MalformedForwarding
    name = found["name"]
    return name if name == UNKNOWN or name.startswith("_") else _address(name.strip("[]"))


def _address(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise MalformedForwarding from None
    if getattr(address, "scope_id", None) is not None:  # a scope may contain anything
        raise MalformedForwarding
    return str(address)


def _scheme(text: str) -> str:
    if text.lower() not in {"http", "https"}:
        raise MalformedForwarding
    return text.lower()


def _x_forwarded(headers: Headers) -> list[Hop]:
    """Parse both lists; a scheme belongs to the address at its index, a single one to all."""
    clients = [_x_node(text) for text in _items(headers, "x-forwarded-for")]
    schemes = [_scheme(text) for text in _items(headers, "x-forwarded-proto")]
    if not schemes:
        return [Hop(client, None) for client in clients]
    clients = clients or [UNKNOWN] * len(schemes)
    if len(schemes) == 1:
        schemes *= len(clients)
    if len(schemes) != len(clients):
        raise MalformedForwarding
    return [Hop(*hop) for hop in zip(clients, schemes, strict=True)]


def _items(headers: Headers, name: str) -> Sequence[str]:
    text = ",".join(headers.getlist(name))
    return [item.strip(" \t") for item in text.split(",")] if text else []


def _x_node(text: str) -> str:
    """Parse an address as proxies write it, with or without brackets and port."""
    bare = re.fullmatch(r"(\d+(?:\.\d+){3})(?::\d{1,5})?|\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?", text)
    return _address((bare[1] or bare[2]) if bare else text)
