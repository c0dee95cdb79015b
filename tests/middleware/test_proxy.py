"""Forwarding headers are used from trusted proxies only."""

import base64
import ssl
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any
from urllib.parse import quote

import pytest
from starlette.types import Scope

from middleware.errors import MalformedForwarding
from middleware.proxy import TrustedProxy
from tests.asgi import call, read_all, scope_of
from tests.authorities import CLIENT, Authority

pytestmark = pytest.mark.anyio

NETWORKS = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]
CERTIFICATE = Authority("Root").issue("CN=ledger", usage=CLIENT)
PEM = ssl.DER_cert_to_PEM_cert(CERTIFICATE.der)


async def _seen(
    headers: Mapping[str, str] | list[tuple[str, str]],
    *,
    client: str | None = "10.0.0.1",
    scheme: str = "http",
    over_unix: bool = False,
    state: Mapping[str, Any] | None = None,
    **options: Any,
) -> Scope:
    """Return the scope of a request after the middleware."""
    values: dict[str, Any] = {
        "networks": NETWORKS,
        "unix": False,
        "plain_http": True,
        "header": "forwarded",
    }
    app = TrustedProxy(read_all, **{**values, **options})
    scope = scope_of(
        headers=headers, client=client, scheme=scheme, state={"unix": over_unix, **(state or {})}
    )
    await call(app, scope)
    return scope


@pytest.mark.parametrize(
    ("client", "unix", "trusted"),
    [
        ("10.0.0.1", False, True),
        ("::ffff:10.0.0.1", False, True),
        ("fd00::1", False, True),
        ("192.0.2.1", False, False),
        ("::1", False, False),
        (None, False, False),
        (None, True, False),
        ("10.0.0.1", True, False),
    ],
)
async def test_only_trusted_peers_are_used(
    client: str | None,
    trusted: bool,  # noqa: FBT001
    unix: bool,  # noqa: FBT001
) -> None:
    """Peers outside the networks are not trusted, nor unknown peers or Unix sockets by default."""
    headers = {"forwarded": "for=198.51.100.9;proto=https"}
    scope = await _seen(headers, client=client, over_unix=unix)
    assert (scope["scheme"] == "https") is trusted
    assert (scope["client"] == ("198.51.100.9", 0)) is trusted


async def test_a_unix_socket_is_trusted_where_configured() -> None:
    """A connection without a peer address that is not known to be a Unix socket is not."""
    headers = {"forwarded": "for=198.51.100.9;proto=https"}
    trusted = await _seen(headers, client=None, over_unix=True, unix=True)
    assert trusted["client"] == ("198.51.100.9", 0)
    unknown = await _seen(headers, client=None, unix=True)
    assert unknown["client"] is None
    assert unknown["scheme"] == "http"


async def test_plain_http_is_not_trusted_beside_tls() -> None:
    """A service with TLS trusts no peer without it: keys would cross the network in clear."""
    headers = {"forwarded": "for=198.51.100.9;proto=https"}
    assert (await _seen(headers, plain_http=False))["scheme"] == "http"
    assert (await _seen(headers, plain_http=False, scheme="https"))["client"][0] == "198.51.100.9"
    over_unix = await _seen(headers, plain_http=False, client=None, over_unix=True, unix=True)
    assert over_unix["scheme"] == "https"


@pytest.mark.parametrize(
    ("text", "client", "scheme"),
    [
        ("for=198.51.100.9;proto=https", "198.51.100.9", "https"),
        ("for=10.9.9.9;proto=https, for=198.51.100.9;proto=http", "198.51.100.9", "http"),
        ("for=198.51.100.9;proto=https, for=10.1.1.1;proto=http", "198.51.100.9", "https"),
        ("for=10.2.2.2;proto=https, for=10.1.1.1;proto=http", "10.2.2.2", "https"),
        ("for=192.0.2.66;proto=https, for=unknown;proto=http", "unknown", "http"),
        ("for=192.0.2.66;proto=https, for=_x;proto=http", "_x", "http"),
        ("for=198.51.100.9", "198.51.100.9", "http"),
        ("", "10.0.0.1", "http"),
    ],
)
async def test_hops_are_followed_from_the_nearest(text: str, client: str, scheme: str) -> None:
    """To the first that is not trusted; any client may have written the hops before it."""
    scope = await _seen({"forwarded": text} if text else {})
    assert scope["client"][0] == client
    assert scope["scheme"] == scheme


async def test_malformed_headers_of_a_trusted_proxy_are_rejected() -> None:
    """The same header from another peer is ignored."""
    with pytest.raises(MalformedForwarding):
        await _seen({"forwarded": "for=10.0.0.1;for=10.0.0.2"})
    assert (await _seen({"forwarded": "nonsense"}, client="192.0.2.1"))["client"][0] == "192.0.2.1"


@pytest.mark.parametrize(
    "text", [quote(PEM), quote(PEM, safe=""), f":{base64.b64encode(CERTIFICATE.der).decode()}:"]
)
async def test_the_client_s_certificate_is_passed_on(text: str) -> None:
    """In the form of nginx or of RFC 9440."""
    scope = await _seen(
        {"client-cert": text},
        certificate_header="client-cert",
        trusts_certificate=lambda _der: True,
    )
    assert scope["state"]["certificate"] == CERTIFICATE.der


async def test_a_certificate_of_another_ca_is_ignored() -> None:
    """The proxy may trust more CAs than the service does."""
    scope = await _seen({"client-cert": quote(PEM)}, certificate_header="client-cert")
    assert scope["state"]["certificate"] is None


@pytest.mark.parametrize("headers", [{}, {"client-cert": ""}])
async def test_without_a_header_the_client_has_none(headers: Mapping[str, str]) -> None:
    """The certificate of the proxy's own connection is not its clients'."""
    scope = await _seen(
        headers, certificate_header="client-cert", state={"certificate": b"its own"}
    )
    assert scope["state"]["certificate"] is None


async def test_the_certificate_header_is_used_from_trusted_peers_only() -> None:
    """For other peers only the certificate of their own connection counts."""
    scope = await _seen(
        {"client-cert": quote(PEM)},
        client="192.0.2.1",
        certificate_header="client-cert",
        trusts_certificate=lambda _der: True,
    )
    assert "certificate" not in scope["state"]


@pytest.mark.parametrize(
    "headers",
    [
        {"client-cert": "nonsense"},
        {"client-cert": ":bm9:"},
        {"client-cert": ":*:"},
        {"client-cert": quote(PEM[:200])},
        {"client-cert": "\xff"},
        [("client-cert", quote(PEM)), ("client-cert", quote(PEM))],
        [("client-cert", ""), ("client-cert", quote(PEM))],
    ],
)
async def test_a_malformed_certificate_header_is_rejected(headers: Any) -> None:
    """So are two headers, one of which the client may have sent."""
    with pytest.raises(MalformedForwarding):
        await _seen(headers, certificate_header="client-cert", trusts_certificate=lambda _der: True)
