"""Whose connection it really is: what a trusted proxy says is believed, what others say is not."""

import base64
import binascii
import ssl
from collections.abc import Callable, Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from middleware.errors import MalformedForwarding
from middleware.forwarded import read_hops


class TrustedProxy:
    """Puts the client's address and scheme, and its certificate, in the place of the proxy's own.

    A peer is believed that comes over a Unix socket (with `unix`) or from one of `networks`, there
    without TLS only where the service has none (`clear`): elsewhere that port redirects. Hops
    are followed from the nearest to the first that is in none of them. `certificate_header` names
    the header that has the client's certificate, as nginx ($ssl_client_escaped_cert) or RFC 9440
    write it; it counts if `trusts_certificate` says that an authority of ours signed it.

    Raises:
        MalformedForwarding: a trusted proxy's headers are not as their grammar wants them.

    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        networks: Iterable[IPv4Network | IPv6Network],
        unix: bool,
        clear: bool,
        header: str,
        certificate_header: str | None = None,
        trusts_certificate: Callable[[bytes], bool] = lambda _der: False,
    ) -> None:
        self.app = app
        self.networks = tuple(networks)
        self.unix = unix
        self.clear = clear
        self.header = header
        self.certificate_header = certificate_header
        self.trusts_certificate = trusts_certificate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._trusts_peer(scope):
            headers = Headers(scope=scope)
            # In place: the log and the headers of the answer, outside, are to see it, too.
            self._believe(scope, headers)
            if self.certificate_header is not None:
                scope["state"]["certificate"] = self._certificate(headers, self.certificate_header)
        await self.app(scope, receive, send)

    def _trusts_peer(self, scope: Scope) -> bool:
        if scope["state"].get("unix"):
            return self.unix
        if scope["scheme"] == "http" and not self.clear:
            return False
        client = scope["client"]
        return client is not None and self._is_proxy(client[0])

    def _is_proxy(self, address: str) -> bool:
        """Whether an address is one of ours: a proxy's, not a client's."""
        return is_within(address, self.networks)

    def _believe(self, scope: Scope, headers: Headers) -> None:
        for hop in reversed(read_hops(headers, self.header)):
            scope["client"] = (hop.client, 0)
            scope["scheme"] = hop.scheme or scope["scheme"]
            if not self._is_proxy(hop.client):
                return

    def _certificate(self, headers: Headers, name: str) -> bytes | None:
        sent = headers.getlist(name)
        if not any(sent):
            return None
        if len(sent) > 1:
            raise MalformedForwarding
        der = _decode(sent[0])
        return der if self.trusts_certificate(der) else None


def is_within(address: str, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    """Whether an address belongs to one of the networks, IPv4 written as IPv6 too."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return any(ip in subnet for subnet in networks)


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
