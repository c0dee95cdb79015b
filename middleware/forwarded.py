"""What a proxy says of the connections before its own: Forwarded, or X-Forwarded-For and -Proto.

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
    """One connection, as the proxy that took it describes it: whose it was, and over what."""

    client: str
    scheme: str | None


def read_hops(headers: Headers, kind: str) -> list[Hop]:
    """Return the hops that headers of `kind` ("forwarded" or "x-forwarded") tell of, nearest last.

    Raises:
        MalformedForwarding: they are not as their grammar wants them.

    """
    hops = _forwarded(headers) if kind == "forwarded" else _x_forwarded(headers)
    if len(hops) > MAX_HOPS:
        raise MalformedForwarding
    return hops


def _forwarded(headers: Headers) -> list[Hop]:
    text = ", ".join(headers.getlist("forwarded"))
    return [_hop(_pairs(element)) for element in _elements(text)]


def _elements(text: str) -> list[str]:
    """Split a list at the commas that are outside of quotes; empty elements are none."""
    if len(text) > MAX_BYTES:
        raise MalformedForwarding
    elements = []
    at = 0
    while at <= len(text):
        found = cast("re.Match[str]", _ELEMENT.match(text, at))  # it matches nothing, too
        elements.append(found[0].strip(" \t"))
        if found.end() < len(text) and text[found.end()] != ",":  # a quote that never ends
            raise MalformedForwarding
        at = found.end() + 1
    return [element for element in elements if element]


def _pairs(element: str) -> dict[str, str]:
    """Read `name=value;name=value`; no name may come twice, and no space is allowed."""
    pairs: dict[str, str] = {}
    at = 0
    while at < len(element):
        if element[at] == ";":  # an empty pair is one, too
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
    """Return the address, or the word, that a node is called by; its port says nothing."""
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
    if getattr(address, "scope_id", None) is not None:  # after a % anything may stand
        raise MalformedForwarding
    return str(address)


def _scheme(text: str) -> str:
    if text.lower() not in {"http", "https"}:
        raise MalformedForwarding
    return text.lower()


def _x_forwarded(headers: Headers) -> list[Hop]:
    """Read the two lists; a scheme belongs to the address at its place, or to all of them."""
    clients = [_x_node(text) for text in _words(headers, "x-forwarded-for")]
    schemes = [_scheme(text) for text in _words(headers, "x-forwarded-proto")]
    if not schemes:
        return [Hop(client, None) for client in clients]
    clients = clients or [UNKNOWN] * len(schemes)
    if len(schemes) == 1:
        schemes *= len(clients)
    if len(schemes) != len(clients):
        raise MalformedForwarding
    return [Hop(*hop) for hop in zip(clients, schemes, strict=True)]


def _words(headers: Headers, name: str) -> Sequence[str]:
    text = ",".join(headers.getlist(name))
    return [word.strip(" \t") for word in text.split(",")] if text else []


def _x_node(text: str) -> str:
    """Read an address as proxies write it: bare, IPv6 in brackets or not, with a port or not."""
    bare = re.fullmatch(r"(\d+(?:\.\d+){3})(?::\d{1,5})?|\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?", text)
    return _address((bare[1] or bare[2]) if bare else text)
