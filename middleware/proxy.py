"""Trusted proxies: the client's address, scheme and certificate, taken from their headers."""

import base64
import binascii
import ssl
from collections.abc import Callable, Iterable
from ipaddress import IPv4Network, IPv6Network
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from middleware.addresses import is_within
from middleware.errors import MalformedForwarding
from middleware.forwarded import read_hops


class TrustedProxy:
    """Replaces a trusted proxy's address, scheme and certificate by those of its client.

    Trusted are peers on a Unix socket (with `unix`) and peers in `networks`; without TLS the latter
    only where the service has no TLS at all (`plain_http`), since that port redirects otherwise.
    Hops are followed from the nearest one to the first whose address is in none of `networks`.
    `certificate_header` names the header with the client's certificate, in the form of nginx
    ($ssl_client_escaped_cert) or RFC 9440; it is used if `trusts_certificate` accepts it.

    Raises:
        MalformedForwarding: a trusted proxy's headers do not follow their grammar.

    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        networks: Iterable[IPv4Network | IPv6Network],
        unix: bool,
        plain_http: bool,
        header: str,
        certificate_header: str | None = None,
        trusts_certificate: Callable[[bytes], bool] = lambda _der: False,
    ) -> None:
        self.app = app
        self.networks = tuple(networks)
        self.unix = unix
        self.plain_http = plain_http
        self.header = header
        self.certificate_header = certificate_header
        self.trusts_certificate = trusts_certificate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._trusts_peer(scope):
            headers = Headers(scope=scope)
            # In place: the access log and the response headers, outside of this, use it too.
            self._apply_hops(scope, headers)
            if self.certificate_header is not None:
                scope["state"]["certificate"] = self._certificate(headers, self.certificate_header)
        await self.app(scope, receive, send)

    def _trusts_peer(self, scope: Scope) -> bool:
        if scope["state"].get("unix"):
            return self.unix
        if scope["scheme"] == "http" and not self.plain_http:
            return False
        client = scope["client"]
        return client is not None and is_within(client[0], self.networks)

    def _apply_hops(self, scope: Scope, headers: Headers) -> None:
        for hop in reversed(read_hops(headers, self.header)):
            scope["client"] = (hop.client, 0)
            scope["scheme"] = hop.scheme or scope["scheme"]
            if not is_within(hop.client, self.networks):
                return

    def _certificate(self, headers: Headers, name: str) -> bytes | None:
        sent = headers.getlist(name)
        if not any(sent):
            return None
        if len(sent) > 1:
            raise MalformedForwarding
        der = _decode(sent[0])
        return der if self.trusts_certificate(der) else None


def _decode(text: str) -> bytes:
    """Return the certificate in DER form.

    Source: RFC 9440, section 2.1 (`:base64:`); nginx, $ssl_client_escaped_cert (escaped PEM).
    """
    try:
        if text.startswith(":") and text.endswith(":"):
            return base64.b64decode(text[1:-1], validate=True)
        return ssl.PEM_cert_to_DER_cert(unquote_to_bytes(text).decode("ascii"))
    except (ValueError, binascii.Error):
        raise MalformedForwarding from None
