"""The TLS context of a server: hardened, and replaced while it serves."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass

from hypercorn.config import Config

from server.options import ServerOptions

USES = ("hypercorn.config:Config.create_ssl_context(self)",)

SUITES = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""TLS 1.2: forward secrecy and authenticated encryption only; TLS 1.3 has nothing else."""

OPTIONS = ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE


@dataclass(frozen=True, slots=True)
class ServerContext:
    """An SSLContext, and the generation of client CAs that it verifies certificates by."""

    ssl: ssl.SSLContext
    generation: int | None


class ReloadableContext:
    """The context that new connections get; connections keep the one they began with (#233).

    An SSLContext can load another certificate, but cannot be made to trust fewer CAs, to drop
    revocation lists or to change the keys of its session tickets: so it is replaced as a whole.
    """

    def __init__(self, make: Callable[[], ServerContext]) -> None:
        self._make = make
        self.newest = make()

    def renew(self) -> None:
        """Make a new one; if that fails, the one before stays.

        Raises:
            OSError: a file is missing, or cannot be used (ssl.SSLError).

        """
        self.newest = self._make()


def make_context(config: Config, options: ServerOptions) -> ServerContext:
    """Return Hypercorn's context, hardened, made from the files as they are.

    Raises:
        OSError: a file is missing, or cannot be used (ssl.SSLError).
        ValueError: none is configured.

    """
    context = config.create_ssl_context()
    if context is None:
        raise ValueError("certfile or keyfile is not configured")
    harden(context, config, options.minimum_version)
    verification = options.client_verification
    if verification is None:
        return ServerContext(context, None)
    verification.apply(context)
    return ServerContext(context, verification.generation)


def harden(context: ssl.SSLContext, config: Config, minimum_version: ssl.TLSVersion) -> None:
    """Restore what Hypercorn removes, and refuse versions older than `minimum_version`.

    It assigns `options = OP_NO_COMPRESSION` (config.py:177), which clears every default that
    Python and OpenSSL set, server preference among them; its suites leave out ChaCha20.
    """
    defaults = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).options
    # Setting OP_NO_SSLv3 is deprecated; the minimum version says the same and more.
    context.options |= (defaults & ~ssl.OP_NO_SSLv3) | OPTIONS
    context.minimum_version = minimum_version
    if config.ciphers == Config.ciphers:  # an operator's own choice stays
        context.set_ciphers(SUITES)
