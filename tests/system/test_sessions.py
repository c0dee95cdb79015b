"""TLS sessions are resumed: a returning client skips the costly part of the handshake."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from tests.server.clients import Client
from tests.system.service import Service

VERSIONS = pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])


@dataclass(frozen=True, slots=True)
class Visit:
    """What a connection was like, and the session it leaves to the next one."""

    version: str | None
    resumed: bool | None
    answer: bytes
    session: ssl.SSLSession | None


def trusting(service: Service, version: str) -> ssl.SSLContext:
    """Return a context for one version; a session belongs to the context it was made with."""
    context = service.trust()
    chosen = ssl.TLSVersion[version.replace(".", "_")]
    context.minimum_version = context.maximum_version = chosen
    return context


def visit(
    service: Service, context: ssl.SSLContext, session: ssl.SSLSession | None = None
) -> Visit:
    """Make a request over HTTP/2 on a new connection."""
    server: Any = SimpleNamespace(ca=service.authority, port=service.ports["https"])
    with Client(server, context, session) as client:
        answer = client.get("/healthz")
        # Only now: a session of TLS 1.3 comes after the handshake, with the first bytes.
        secured = client.socket
        return Visit(secured.version(), secured.session_reused, answer, secured.session)


@VERSIONS
def test_a_session_is_resumed(service: Service, version: str) -> None:
    """With it the handshake is short, twice over, and HTTP/2 works as on the first connection."""
    context = trusting(service, version)
    first = visit(service, context)
    assert (first.version, first.resumed) == (version, False)
    second = visit(service, context, first.session)
    assert (second.version, second.resumed, second.answer) == (version, True, first.answer)
    assert visit(service, context, second.session).resumed


@VERSIONS
def test_without_a_session_the_handshake_is_full(service: Service, version: str) -> None:
    """Negative control: a client without a session has a full handshake."""
    context = trusting(service, version)
    visit(service, context)
    assert visit(service, context).resumed is False


@VERSIONS
def test_a_restart_ends_sessions(start: Callable[..., Service], version: str) -> None:
    """The key that sealed them is gone with the process: a full handshake, and an answer."""
    with start() as old:
        context = trusting(old, version)
        first = visit(old, context)
        assert visit(old, context, first.session).resumed
    folder = old.directory / "tls"
    files = {"certfile": f'"{folder}/certificate.pem"', "keyfile": f'"{folder}/certificate.key"'}
    with start(server=files) as new:
        later = visit(new, context, first.session)
        assert (later.version, later.resumed, later.answer) == (version, False, first.answer)
        assert visit(new, context, later.session).resumed
