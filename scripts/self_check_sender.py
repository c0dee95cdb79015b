"""How the self-check sends its requests: as a client would, or as the proxy where that does TLS."""

import http.client
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from scripts.addresses import UnixConnection, host_and_port
from scripts.http2_client import Connection, NoResponse, Request, Response, Server
from settings import Settings
from settings.server import bind_host
from settings.tables import UNIX

HTTPS_PORT = 443
PROXY_HEADERS = {
    "forwarded": {"Forwarded": "for=127.0.0.1;proto=https"},
    "x-forwarded": {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "https"},
}
# X509_V_ERR_*: the chain does not end at a CA that is trusted here.
UNTRUSTED = {2, 18, 19, 20, 21, 27}

Send = Callable[[Request], Response]


class CannotCheck(Exception):
    """The check cannot be made from here; this says nothing against the service."""


@dataclass(frozen=True)
class Trust:
    """The CAs that the self-check trusts, each a file or None."""

    development: Path | None
    """The development CA: the service has a certificate of it, and no other CA counts."""
    given: Path | None
    """Trusted beside the system's CAs, or those of SSL_CERT_FILE and SSL_CERT_DIR."""

    def context(self) -> ssl.SSLContext:
        """Return a context that verifies the server.

        Raises:
            CannotCheck: a file cannot be read.

        """
        file = self.development or self.given
        try:
            context = ssl.create_default_context(cafile=self.development)
            if self.given:
                context.load_verify_locations(self.given)
        except OSError as error:
            raise CannotCheck(f"{file} cannot be read as CA certificates: {error}") from error
        return context


def sender(settings: Settings, url: str, trust: Trust, timeout_s: float) -> Send:
    """Return a function that sends a request to the first address of `bind`.

    Its certificate is verified for the host of `url`, whose name need not resolve on this machine.
    The function raises CannotCheck where the service is not reached or not trusted.

    Raises:
        CannotCheck: a CA file cannot be read.

    """
    if settings.server.has_tls:
        return _over_http2(settings.server.bind[0], url, trust.context(), timeout_s)
    return _as_proxy(settings, timeout_s)


def _over_http2(bind: str, url: str, context: ssl.SSLContext, timeout_s: float) -> Send:
    parts = urlsplit(url)
    host = parts.hostname or "localhost"
    server = Server(host_and_port(bind), host, parts.netloc)

    def send(request: Request) -> Response:
        try:
            connection = Connection(server, context, timeout_s)
            try:
                return connection.send(request)
            finally:
                connection.finish()
        except ssl.SSLCertVerificationError as error:
            raise CannotCheck(_untrusted(parts.netloc, error)) from error
        except (NoResponse, OSError) as error:
            raise CannotCheck(f"{parts.netloc} at {bind}: {error}") from error

    return send


def _untrusted(authority: str, error: ssl.SSLCertVerificationError) -> str:
    """Return what to do about a certificate that is not trusted here."""
    cause = f"{authority}: {error.verify_message}"
    if error.verify_code not in UNTRUSTED:
        return cause
    return (
        f"{cause}. This machine does not trust the CA of the certificate; name its file: "
        "scripts/serve --ca FILE, or SSL_CERT_FILE=FILE scripts/serve"
    )


def _as_proxy(settings: Settings, timeout_s: float) -> Send:
    bind, headers = settings.server.bind[0], PROXY_HEADERS[settings.proxy.header]

    def send(request: Request) -> Response:
        connection: http.client.HTTPConnection
        if bind_host(bind) == UNIX:
            connection = UnixConnection(bind.removeprefix("unix:"), timeout_s)
        else:
            connection = http.client.HTTPConnection(*host_and_port(bind), timeout_s)
        try:
            connection.request(
                request.method, request.path, request.body or None, request.headers | headers
            )
            response = connection.getresponse()
            return Response(response.status, "HTTP/1.1", response.read())
        except (http.client.HTTPException, OSError) as error:
            raise CannotCheck(f"{bind}: {error}") from error
        finally:
            connection.close()

    return send
